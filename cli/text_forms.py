"""What a file is by its first bytes, and its text as UTF-8."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain

_AS_SENT = "give the file as Spotify sent it, or leave it out"
_UNPACK = "unpack it and give what it holds"
_BINARY = (
    (b"%PDF", f"is a PDF, not a list of plays: {_AS_SENT}."),
    (b"PK\x03\x04", f"is a zip under another name: {_UNPACK}, or name it itself."),
    (b"\xd0\xcf\x11\xe0", f"is an old document of Word, Excel or the like, not a list of plays: {_AS_SENT}."),
    (b"7z\xbc\xaf\x27\x1c", f"is a 7z archive: {_UNPACK}."),
    (b"Rar!", f"is a RAR archive: {_UNPACK}."),
    (b"BZh", f"is packed with bzip2: {_UNPACK}."),
    (b"\xfd7zXZ", f"is packed with xz: {_UNPACK}."),
    (b"\x28\xb5\x2f\xfd", f"is packed with zstd: {_UNPACK}."),
    (b"\x89PNG", f"is a picture, not a list of plays: {_AS_SENT}."),
    (b"\xff\xd8\xff", f"is a picture, not a list of plays: {_AS_SENT}."),
    (b"SQLite format 3", f"is a database, not a list of plays: {_AS_SENT}."),
)
_TAR_MAGIC_AT = 257
_UTF32 = f"is text in UTF-32, which is not read: save it as UTF-8, or {_AS_SENT}."
_NUL = (
    "is not text, since it holds NUL bytes, as a broken download or disk leaves them: download it again from Spotify."
)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_HEAD_CHARACTERS = 4096
_DELIMITERS_OF_A_TABLE = 2
_BEGINNINGS = ("[", "{", " ", "\t", "\r", "\n")


class EncodingError(ValueError):
    """Text that cannot be read from some place on; the message is a clause that says why."""


def form_of(head: bytes) -> str | None:
    """What a file is where it is not a JSON list, as the rest of a sentence that says what to do; else None.

    Args:
        head: its first bytes, some thousands of them where it has so many.
    """
    if form := foreign_form(head):
        return form
    text = _text(head)
    if text.startswith("\0"):
        return _NUL
    return _form_of_text(text) if text and not text.startswith("[") else None


def foreign_form(head: bytes) -> str | None:
    """As `form_of`, but only what is certainly neither text with data nor a zip: a web page, a PDF, nothing at all."""
    if not head:
        return "is empty: download it again from Spotify."
    for magic, form in _BINARY:
        if head.startswith(magic):
            return form
    if head[_TAR_MAGIC_AT:].startswith(b"ustar"):
        return f"is a tar archive: {_UNPACK}."
    if _encoding(head).startswith("utf-32"):
        return _UTF32
    text = _text(head)
    return _form_of_markup(text) if text.startswith(("<", "{\\rtf")) else None


def as_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The text of a file as UTF-8 without a byte order mark, of UTF-8 or UTF-16.

    Args:
        chunks: its bytes; what stands before a place that cannot be read is given.

    Raises:
        EncodingError: the bytes are neither, or hold NUL.
    """
    head = b""
    while len(head) < 4 and (chunk := next(chunks, b"")):
        head += chunk
    decoder = codecs.getincrementaldecoder(_encoding(head))()
    for chunk in chain([head], chunks):
        yield from _decoded(decoder, chunk)
    yield from _decoded(decoder, b"", final=True)


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> Iterator[bytes]:
    """What a piece holds, up to a place that cannot be read."""
    problem = None
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        name = "UTF-16" if error.encoding.startswith("utf-16") else "UTF-8"
        problem = f"its text is not {name} there (save it as UTF-8)"
        text = error.object[: error.start].decode(error.encoding, "ignore").removeprefix("\ufeff")
    text, nul, _ = text.partition("\0")
    if text:
        yield text.encode()
    if nul:
        raise EncodingError("it holds NUL bytes there, as a broken download or disk leaves them")
    if problem:
        raise EncodingError(problem)


def _encoding(head: bytes) -> str:
    """By the byte order mark, or by what a list or an object begins with in each encoding."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        if head.startswith(tuple(begin.encode(encoding) for begin in _BEGINNINGS)):
            return encoding
    return "utf-8"


def _text(head: bytes) -> str:
    """The beginning of the text; another encoding is found, and told of, where the whole is read."""
    return head.decode(_encoding(head), "replace")[:_HEAD_CHARACTERS].lstrip()


def _form_of_markup(text: str) -> str:
    if _HTML.search(text):
        return (
            "is a web page (HTML), as a download link gives that has expired or asks you to log in: log in to Spotify "
            "and download the export again."
        )
    kind = "XML" if text.startswith("<") else "a document in RTF"
    return f"is {kind}, not a JSON list of plays: {_AS_SENT}."


def _form_of_text(text: str) -> str:
    first, _, rest = text.partition("\n")
    if text.startswith("{"):
        if _is_object(first) and rest.lstrip().startswith("{"):
            return f"is JSON lines, one object a line, where the export has one list: {_AS_SENT}."
        return f"is a JSON object, not a list of plays: {_AS_SENT}."
    if any(first.count(delimiter) >= _DELIMITERS_OF_A_TABLE for delimiter in ",;\t"):
        return f"is a table (CSV), not a JSON list of plays: {_AS_SENT}."
    return f"is not JSON: {_AS_SENT}."


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
