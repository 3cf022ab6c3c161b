"""Recognizes files by their first bytes, and decodes text to UTF-8."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

from cli.diagnosis import DOWNLOAD_AGAIN, DOWNLOAD_EXPORT_AGAIN, UNPACK, Diagnosis, Problem, ProblemError

NOT_PLAYS = Diagnosis("not recognized as plays")
EMPTY = Diagnosis("empty", DOWNLOAD_AGAIN)
MAC_COMPANION = Diagnosis(
    "a macOS companion file",
    "pass the file of the same name without `._`",
    "which holds the attributes of another file",
)

_NO_LIST = "not a list of plays"
_BINARY = (
    (b"%PDF", Diagnosis("a PDF", detail=_NO_LIST)),
    (b"\xd0\xcf\x11\xe0", Diagnosis("an old Office document", detail=_NO_LIST)),
    (b"{\\rtf", Diagnosis("an RTF document", detail=_NO_LIST)),
    (b"7z\xbc\xaf\x27\x1c", Diagnosis("a 7z archive", UNPACK)),
    (b"Rar!", Diagnosis("a RAR archive", UNPACK)),
    (b"BZh", Diagnosis("a bzip2 file", UNPACK)),
    (b"\xfd7zXZ", Diagnosis("an xz file", UNPACK)),
    (b"\x28\xb5\x2f\xfd", Diagnosis("a zstd file", UNPACK)),
    (b"\x89PNG", Diagnosis("a picture", detail=_NO_LIST)),
    (b"\xff\xd8\xff", Diagnosis("a picture", detail=_NO_LIST)),
    (b"GIF8", Diagnosis("a picture", detail=_NO_LIST)),
    (b"SQLite format 3", Diagnosis("a database", detail=_NO_LIST)),
    (b"\x00\x05\x16\x07", MAC_COMPANION),
)
_ZIP = Diagnosis("a zip under another name", UNPACK)
_TAR = Diagnosis("a tar archive", UNPACK)
_TAR_MAGIC_AT = 257
_UTF32 = Diagnosis("text in UTF-32", "save it as UTF-8", "which is not supported")
_ONLY_NUL = Diagnosis("not text", DOWNLOAD_AGAIN, "but NUL bytes, as after a failed download or disk error")
_NOT_TEXT = Diagnosis("not text")
_HTML_PAGE = Diagnosis(
    "a web page (HTML)",
    DOWNLOAD_EXPORT_AGAIN,
    "which is what a download link gives when it has expired or needs a login",
)
_XML = Diagnosis("an XML file", detail=_NO_LIST)
_JSON_LINES = Diagnosis("a JSON Lines file", detail="with one object per line instead of one list of plays")
_JSON_OBJECT = Diagnosis("a JSON object", detail=_NO_LIST)
_JSON_SCALAR = Diagnosis(_NO_LIST)
_TABLE = Diagnosis("a CSV table", detail="not a JSON list of plays")
_NOT_JSON = Diagnosis("not JSON")

_OFFICE_PARTS = {"word": "a Word document", "xl": "an Excel workbook", "ppt": "a PowerPoint presentation"}
"""Kinds of documents, by the folder that holds the content."""
_OFFICE_LISTS = frozenset({"[Content_Types].xml", "docProps", "_rels"})
_OPEN_DOCUMENT = "mimetype"
_ENTRY_MAGIC = b"PK\x03\x04"
_NAME_LENGTH_AT = 26
_NAME_AT = 30

_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_HEAD_CHARACTERS = 4096
_DELIMITERS = ",;\t"
_BEGINNINGS = ("[", "{", " ", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SINGLE_BYTE_ENCODING = "cp1252"
_LETTERS_IN_A_ROW = 2
_SAVE_AS_UTF8 = "save {it} as UTF-8"
_DAMAGE_BYTE = 0xFF
"""The value of erased flash memory; as a letter (ÿ) it is rare."""


class EncodingError(ProblemError):
    """Text cannot be decoded beyond some point."""


class CutCharacterError(EncodingError):
    """The text ends in the middle of a character."""


def diagnose(head: bytes) -> Diagnosis | None:
    """Return what kind of file it is, or None for a JSON list.

    Args:
        head: its first bytes, some thousands of them if it has that many.
    """
    if found := diagnose_foreign(head):
        return found
    if head.startswith(_ENTRY_MAGIC):
        return diagnose_office_document(_entries(head)) or _ZIP
    text = _text(head)
    if not text or text.startswith("["):
        return None
    if not text.strip("\0"):
        return _ONLY_NUL
    return _NOT_TEXT if _CONTROL.search(text) else _diagnose_text(text)


def diagnose_other(head: bytes) -> Diagnosis:
    """Return what kind of file it is if it has no plays: like `diagnose`, but any JSON is "not recognized as plays".

    Args:
        head: its first bytes.
    """
    found = diagnose(head)
    if found not in {None, _JSON_OBJECT, _JSON_SCALAR}:
        return found or NOT_PLAYS
    try:
        with suppress(CutCharacterError):
            for _ in as_utf8(iter([head])):
                pass
    except EncodingError as error:
        return error.problem.diagnosis
    return NOT_PLAYS


def diagnose_foreign(head: bytes) -> Diagnosis | None:
    """Like `diagnose`, but recognize only kinds that are neither text data nor a zip, such as a web page or a PDF."""
    if not head:
        return EMPTY
    for magic, found in _BINARY:
        if head.startswith(magic):
            return found
    if head[_TAR_MAGIC_AT:].startswith(b"ustar"):
        return _TAR
    if _encoding(head).startswith("utf-32"):
        return _UTF32
    text = _text(head)
    if not text.startswith("<"):
        return None
    return _HTML_PAGE if _HTML.search(text) else _XML


def diagnose_office_document(entries: Iterable[str]) -> Diagnosis | None:
    """Return which kind of document a zip is, by the paths of its entries; None if it is not a document.

    Args:
        entries: all entries, or the first ones.
    """
    paths = list(entries)
    folders = {path.partition("/")[0] for path in paths}
    if not folders.isdisjoint(_OFFICE_LISTS):
        named = [name for folder, name in _OFFICE_PARTS.items() if folder in folders]
        return Diagnosis(named[0] if named else "an Office document", detail="not a zip from Spotify")
    if paths[:1] == [_OPEN_DOCUMENT]:
        return Diagnosis("an OpenDocument file or e-book", detail="not a zip from Spotify")
    return None


def as_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Convert text in UTF-8 or UTF-16 to UTF-8 without a byte order mark.

    Args:
        chunks: the bytes; everything before a point that cannot be decoded is yielded.

    Raises:
        CutCharacterError: the bytes end in the middle of a character.
        EncodingError: the bytes are neither UTF-8 nor UTF-16, or contain NUL.
    """
    head = b""
    while len(head) < 4 and (chunk := next(chunks, b"")):
        head += chunk
    decoder = codecs.getincrementaldecoder(_encoding(head))()
    is_ascii = True
    for chunk, is_last in chain(((chunk, False) for chunk in chain([head], chunks)), [(b"", True)]):
        text, problem = _decode(decoder, chunk, is_last=is_last)
        text, nul, _ = text.partition("\0")
        is_ascii = is_ascii and text.isascii()
        if text:
            yield text.encode()
        if nul:
            raise EncodingError(Problem("it contains NUL bytes, as after a failed download or disk error"))
        if problem:
            raise _encoding_error(problem, after_ascii=is_ascii)


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, *, is_last: bool
) -> tuple[str, UnicodeDecodeError | None]:
    """Return the text of a piece up to a point that cannot be decoded, and the error there."""
    try:
        return decoder.decode(chunk, is_last), None
    except UnicodeDecodeError as error:
        return error.object[: error.start].decode(error.encoding, "ignore").removeprefix("\ufeff"), error


def _encoding_error(error: UnicodeDecodeError, *, after_ascii: bool) -> EncodingError:
    """Return why text cannot be decoded.

    Args:
        error: the error.
        after_ascii: whether everything before it is ASCII, so nothing shows that the text is UTF-8.
    """
    if error.reason in {"unexpected end of data", "truncated data"}:
        return CutCharacterError(Problem("it ends in the middle of a character"))
    if error.encoding.startswith("utf-16"):
        return EncodingError(Problem("its text is not valid UTF-16"))
    if not after_ascii or error.object[error.start] == _DAMAGE_BYTE:
        return EncodingError(Problem("its text is not valid UTF-8"))
    end = error.start
    while end < len(error.object) and error.object[end] > 0x7F:
        end += 1
    letters = error.object[error.start : end].decode(_SINGLE_BYTE_ENCODING, "replace")
    # In Western languages such letters come singly; in other scripts they form whole words.
    if letters.isalpha() and len(letters) <= _LETTERS_IN_A_ROW:
        return EncodingError(Problem("its text looks like Windows-1252/Latin-1, not UTF-8", _SAVE_AS_UTF8))
    return EncodingError(Problem("its text is in an older encoding, not UTF-8", _SAVE_AS_UTF8))


def _encoding(head: bytes) -> str:
    """Return the encoding, by the byte order mark or by how a list or an object begins in each encoding."""
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
    """Return the beginning of the text; undecodable bytes are replaced here, and reported when the file is read."""
    return head.decode(_encoding(head), "replace")[:_HEAD_CHARACTERS].lstrip()


def _diagnose_text(text: str) -> Diagnosis:
    first, _, rest = text.partition("\n")
    if text.startswith("{"):
        return _JSON_LINES if _is_object(first) and rest.lstrip().startswith("{") else _JSON_OBJECT
    if _is_json(text):
        return _JSON_SCALAR
    return _TABLE if _is_table(first.rstrip(), rest.partition("\n")[0]) else _NOT_JSON


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(first: str, second: str) -> bool:
    """Return whether a line has three columns, or two if the next line has two as well or the line has no spaces."""
    return any(
        columns > 1 or (columns == 1 and (second.count(delimiter) == 1 or " " not in first))
        for delimiter in _DELIMITERS
        for columns in [first.count(delimiter)]
    )


def _entries(head: bytes) -> list[str]:
    """Return the paths of the entries that begin in the first bytes of a zip."""
    paths = []
    at = head.find(_ENTRY_MAGIC)
    while at >= 0:
        length = int.from_bytes(head[at + _NAME_LENGTH_AT : at + _NAME_LENGTH_AT + 2], "little")
        paths.append(head[at + _NAME_AT : at + _NAME_AT + length].decode("utf-8", "replace"))
        at = head.find(_ENTRY_MAGIC, at + len(_ENTRY_MAGIC))
    return paths
