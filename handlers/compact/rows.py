"""The rows of a compacted object, written to a Parquet file: in order if they fit in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa

from handlers.transform.arrow import pc
from handlers.transform.schema import table_schema
from handlers.transform.table_files import table_writer

SORTED_BYTES = 24 * 1024 * 1024
"""Size in memory up to which rows are sorted. More are written as they come: originals in the order of their keys, then
the rows that were compacted before."""

_ROW_GROUP_BYTES = 8 * 1024 * 1024
_PIECES = 256
"""Pieces after which they are copied together: each has an overhead for every column."""

_FIRST = {"plays": ("played_at",)}
"""What rows are sorted by before raw key and line, so that a query on it skips row groups."""


class CompactedFile:
    """A Parquet file of one partition that is being written.

    Args:
        path: the file.
        table: the table.
    """

    def __init__(self, path: Path, table: str) -> None:
        self.path = path
        self.rows = 0
        self._table = table
        self._schema = table_schema(table)
        self._writer = table_writer(path, table)
        self._pieces: list[pa.Table] = []
        self._bytes = 0
        self._is_sorted = True

    def add(self, rows: pa.Table) -> None:
        """Append rows."""
        if not rows.num_rows:
            return
        self.rows += rows.num_rows
        self._pieces.append(rows)
        self._bytes += rows.nbytes
        if len(self._pieces) >= _PIECES:
            self._pieces = [_together(self._pieces)]
            self._bytes = self._pieces[0].nbytes
        if self._is_sorted:
            self._is_sorted = self._bytes <= SORTED_BYTES
        if not self._is_sorted and self._bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def finish(self) -> str:
        """Close the file; return the SHA-256 of its content as 64 hex digits."""
        self._flush()
        self._writer.close()
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """Give up."""
        self._pieces = []
        self._writer.close()

    def _flush(self) -> None:
        if not self._pieces:
            return
        whole = _together(self._pieces)
        self._pieces, self._bytes = [], 0
        if self._is_sorted:
            whole = whole.take(_order(whole, self._table))
        at_a_time = max(1, _ROW_GROUP_BYTES * whole.num_rows // max(whole.nbytes, 1))
        for start in range(0, whole.num_rows, at_a_time):
            group = _encoded(whole.slice(start, at_a_time), self._schema)
            self._writer.write_table(group, row_group_size=len(group))


def _together(pieces: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(pieces).combine_chunks()


def _order(rows: pa.Table, table: str) -> Any:
    """Return the indices in order; rows of one line stay as they are among themselves."""
    names = (*_FIRST.get(table, ()), "_raw_key", "_line")
    keys = pa.table({name: _plain(rows[name]) for name in names})
    return pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in names])


def _encoded(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with dictionaries of exactly their values, in the order of the rows.

    Otherwise the bytes would depend on how rows came together, and values of rows left out would remain in the file.
    """
    columns: list[Any] = [
        _plain(rows[one.name]).combine_chunks().dictionary_encode()
        if pa.types.is_dictionary(one.type)
        else rows[one.name]
        for one in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _plain(column: Any) -> Any:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
