"""Reading objects of CSV as Hive's OpenCSVSerde does: every column is text, and a line is a row.

Source: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html, and Trino's CsvDeserializer for lines that are
not well formed
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.parquet import WHOLE, ObjectFooter

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_COMPRESSIONS = (".bz2", ".deflate", ".lz4", ".lzo", ".snappy", ".zst")
_FIRST_EMBEDDED = 3
"""A quote further left never counts as part of the text."""


@dataclass(frozen=True)
class CsvFormat:
    """How a table's lines are written."""

    separator: str
    quote: str
    escape: str
    headers: int
    """Lines at the beginning of each object that are no rows."""

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> CsvFormat:
        """Return the format that a table in the form of Glue's GetTable has."""
        given = table["StorageDescriptor"].get("SerdeInfo", {}).get("Parameters") or {}
        properties = table.get("Parameters") or {}
        headers = properties.get("skip.header.line.count", "0")
        if properties.get("skip.footer.line.count", "0") != "0":
            raise not_supported("The property skip.footer.line.count")
        if not headers.isdecimal():
            raise QueryError("HIVE_INVALID_METADATA", f"Invalid value for skip.header.line.count property: {headers}")
        separator, quote, escape = (
            (given.get(name) or default)[0]
            for name, default in (("separatorChar", ","), ("quoteChar", '"'), ("escapeChar", "\\"))
        )
        return cls(separator, quote, escape, int(headers))


@dataclass(frozen=True)
class CsvContent:
    """The content of one object."""

    footer: ObjectFooter
    found: pa.Table


class CsvColumns:
    """Reads columns of a table from objects.

    Args:
        form: of the table.
        every: the names of all its columns, in the order of the fields.
        wanted: the names of those to read.
    """

    def __init__(self, form: CsvFormat, every: Sequence[str], wanted: Iterable[str]) -> None:
        self._form = form
        self._width = len(every)
        self._places = {name: every.index(name) for name in wanted}

    def read(self, content: pa.NativeFile, address: str) -> CsvContent:
        """Read an object.

        Args:
            content: the object.
            address: its S3 URI, for messages, and whose end says whether it is compressed.

        Raises:
            QueryError: it cannot be decompressed, or is compressed in another way than with gzip.
        """
        lines = _lines(content.read(), address)[self._form.headers :]
        rows = [_row(line, self._form, self._width) for line in lines]
        columns: dict[str, Any] = {
            name: pa.array([row[place] for row in rows], pa.string()) for name, place in self._places.items()
        }
        # A text is always read as a whole.
        return CsvContent(ObjectFooter(len(rows), {WHOLE: content.size()}, {}), pa.table(columns))

    def joined(self, contents: Iterable[CsvContent]) -> pa.Table:
        """Return the rows of objects."""
        return pa.concat_tables(content.found for content in contents)


def _lines(content: bytes, address: str) -> list[str]:
    if address.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file: {address}: {error}") from error
    elif address.endswith(_OTHER_COMPRESSIONS):
        raise not_supported(f"Reading {address}; compress it with gzip")
    # Of bytes, which unlike text end lines with nothing but line feeds and carriage returns.
    lines = content.removeprefix(_BYTE_ORDER_MARK).splitlines()
    return [line.decode(errors="replace") for line in lines]


def _row(line: str, form: CsvFormat, width: int) -> list[str | None]:
    """Return the values of as many columns as there are: none of an empty line."""
    if form.quote in line or form.escape in line:
        fields: list[str | None] = [*_fields(line, form, width)]
    else:
        fields = [*line.split(form.separator)[:width]] if line else []
    return fields + [None] * (width - len(fields))


def _fields(line: str, form: CsvFormat, width: int) -> Iterator[str]:
    """Yield the fields of a line, no more than there are columns."""
    text = ""
    quoted = inside = False
    """Between quotes; within a field, which a quote begins or ends, too."""
    count = place = 0
    while place < len(line) and count < width:
        this, following = line[place], line[place + 1 : place + 2]
        if this == form.escape:
            if (quoted or inside) and following in {form.quote, form.escape}:
                text += following
                place += 1
        elif this == form.quote:
            if (quoted or inside) and following == form.quote:
                text += following
                place += 1
            else:
                if place >= _FIRST_EMBEDDED and form.separator not in {line[place - 1], following} and following:
                    text = "" if text.isspace() else text + this
                quoted = not quoted
            inside = not inside
        elif this == form.separator and not quoted:
            yield text
            count += 1
            text, inside = "", False
        else:
            text += this
            inside = True
        place += 1
    # A field whose quotes are not closed has no value.
    if count < width and not quoted:
        yield text
