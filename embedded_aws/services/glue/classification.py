"""Formats that Glue's built-in classifiers recognize, and the crawler here does not read.

Source: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
"""

from __future__ import annotations

import csv
import io
import json
import zlib

HEAD_BYTES = 1 << 16
"""Bytes from the start of an object that decide."""

_MAGIC = ((b"Obj\x01", "Avro"), (b"ORC", "ORC"), (b"BZh", "bzip2"), (b"PK\x03\x04", "ZIP"))
_GZIP = b"\x1f\x8b"
_DELIMITERS = ",|\t;\x01"
_ROWS = 2
"""Rows of as many columns, at least two, that make a text CSV."""


def other_format(head: bytes) -> str | None:
    """Return the format that Glue would recognize an object as; None if it would not, or would take it for Parquet.

    Args:
        head: its first bytes, `HEAD_BYTES` of them or all.
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
        except zlib.error:
            return None
    # The last character may be cut.
    text = head.decode("utf-8", "ignore")
    if "\0" in text or len(text.encode()) < len(head) - 3:
        return None
    if _is_json(text.strip()):
        return "JSON"
    if text.lstrip().startswith("<"):
        return "XML"
    return "CSV" if _is_csv(text) else None


def _is_json(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        # A document that goes on behind the bytes that were read.
        return error.pos >= len(text) - 1 or "Unterminated" in error.msg
    return True


def _is_csv(text: str) -> bool:
    lines = text.splitlines()[:_ROWS]
    if len(lines) < _ROWS:
        return False
    for delimiter in _DELIMITERS:
        widths = {len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)}
        if len(widths) == 1 and widths.pop() > 1:
            return True
    return False
