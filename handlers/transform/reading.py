"""A block of raw lines → Arrow: as a whole if possible, else split until the bad lines are isolated."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from handlers.transform.arrow import Array, numbers, pa_json
from handlers.transform.blocks import Block
from handlers.transform.drift import Drift
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.rejections import RejectedLineError, Rejection
from handlers.transform.schema import read_schema
from handlers.transform.tolerant import read_tolerantly


class RefusedBlockError(ValueError):
    """Arrow cannot read the block, or not as one row per line."""


_LINE_BY_LINE = 16
"""Size in lines up to which a refused block is read line by line: another attempt by Arrow takes as long."""

_ALL_BAD = 64
"""Number of consecutive bad lines after which the next ones are assumed to be bad too."""

_LINE_BY_LINE_AFTER_BAD = 256
"""Size in lines up to which such a block is then read line by line, without trying Arrow first."""

_REPAIRED_ROWS = 256
"""Number of repaired lines collected into one table."""

_MOST_PIECES = 64
"""Number of tables collected before they are joined: with a hundred columns, even a single row takes a third of a
megabyte."""


@dataclass
class Reading:
    """The content of a block: the rows, the line of each, and the lines that could not be read."""

    schema: pa.Schema
    rejections: list[Rejection] = field(default_factory=list)
    bad_lines: int = 0
    """Lines that Arrow refuses: repaired or rejected, each takes as long as dozens of good ones."""
    bad_in_a_row: int = 0
    """How many of the latest lines are bad, without a good one in between."""
    _pieces: list[pa.Table] = field(default_factory=list)
    _lines: list[Array] = field(default_factory=list)
    _repaired: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, table: pa.Table, first_line: int) -> None:
        """Append the rows of successive lines."""
        self._join_repaired()
        self._append(table, numbers(first_line, first_line + table.num_rows))
        self.bad_in_a_row = 0

    def add_repaired(self, values: dict[str, Any], line: int) -> None:
        """Append the row of a line that Arrow refuses."""
        self._note_bad()
        self._repaired[line] = values
        if len(self._repaired) >= _REPAIRED_ROWS:
            self._join_repaired()

    def reject(self, rejection: Rejection) -> None:
        """Record a line that gives no row."""
        self._note_bad()
        self.rejections.append(rejection)

    def rows(self) -> Array:
        """Return one struct per row, in the order of the lines."""
        self._join_repaired()
        batches = pa.concat_tables(self._pieces).combine_chunks().to_batches() if self._pieces else []
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=self.schema)
        return batch.to_struct_array()

    def line_numbers(self) -> Array:
        """Return the line of each row, from 1."""
        self._join_repaired()
        return pa.concat_arrays(self._lines) if self._lines else pa.array([], pa.int64())

    def _note_bad(self) -> None:
        self.bad_lines += 1
        self.bad_in_a_row += 1

    def _join_repaired(self) -> None:
        if self._repaired:
            repaired, self._repaired = self._repaired, {}
            table = pa.Table.from_pylist([*repaired.values()], schema=self.schema)
            self._append(table, pa.array([*repaired], pa.int64()))

    def _append(self, table: pa.Table, lines: Array) -> None:
        self._pieces.append(table)
        self._lines.append(lines)
        if len(self._pieces) >= _MOST_PIECES:
            self._pieces = [pa.concat_tables(self._pieces).combine_chunks()]


def read_block(block: Block, stream: str, drift: Drift) -> Reading:
    """Read a block; every line is a row or a rejection in the result."""
    reading = Reading(read_schema(stream))
    _read(block, stream, drift, reading)
    return reading


def _read(block: Block, stream: str, drift: Drift, reading: Reading) -> None:
    if reading.bad_in_a_row >= _ALL_BAD and block.lines <= _LINE_BY_LINE_AFTER_BAD:
        _read_lines(block, stream, drift, reading)
        return
    try:
        reading.add(_read_leanly(block, stream), block.first_line)
    except RefusedBlockError:
        if block.lines > _LINE_BY_LINE:
            for half in block.halves():
                _read(half, stream, drift, reading)
        else:
            _read_lines(block, stream, drift, reading)


def _read_lines(block: Block, stream: str, drift: Drift, reading: Reading) -> None:
    for number, line in enumerate(block.data.removesuffix(b"\n").split(b"\n"), start=block.first_line):
        _read_line(number, line, stream, drift, reading)


def _read_line(number: int, line: bytes, stream: str, drift: Drift, reading: Reading) -> None:
    """Read a line with Python, or with Arrow, which skips fields outside the schema, if it is nested too deeply."""
    try:
        read = read_tolerantly(line, reading.schema, STREAM_MAPPINGS[stream])
    except RejectedLineError as error:
        row = _read_by_arrow(number, line, stream) if error.reason == "too_deep" else None
        if row is None:
            reading.reject(Rejection(number, error.reason, error.detail, line))
        else:
            reading.add(row, number)
        return
    for path, found in read.changed.items():
        drift.add(path, found, line=number)
    reading.add_repaired(read.values, number)


def _read_by_arrow(number: int, line: bytes, stream: str) -> pa.Table | None:
    try:
        return _read_leanly(Block(number, line + b"\n"), stream)
    except RefusedBlockError:
        return None


def _read_leanly(block: Block, stream: str) -> pa.Table:
    """Read a block without the fields of an item key that is empty in its first line: each takes time in every line.

    If another line does have something there, the block is read again with all fields.
    """
    schema = read_schema(stream)
    place = _empty_place(block, STREAM_MAPPINGS[stream].item)
    if place is None:
        return read_whole(block, schema)
    lean = read_whole(block, _lean_schema(stream, place))
    records: Array = lean["record"].combine_chunks()
    if records.field(place).null_count < len(records):
        return read_whole(block, schema)
    members = schema.field("record").type
    whole = [
        pa.nulls(len(records), member.type) if member.name == place else records.field(member.name)
        for member in members
    ]
    mask = records.is_null() if records.null_count else None
    column = pa.StructArray.from_arrays(whole, fields=list(members), mask=mask)
    return lean.set_column(schema.get_field_index("record"), schema.field("record"), column)


def _empty_place(block: Block, places: tuple[str, ...]) -> str | None:
    """Return the item key that is empty in the first line, if all the others are not."""
    if len(places) < 2:
        return None
    first = block.data[: block.data.find(b"\n") + 1 or None]
    try:
        record = json.loads(first)["record"]
        names = [place.removeprefix("record.") for place in places]
        empty = [name for name in names if not isinstance(record.get(name), dict)]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    return empty[0] if len(empty) == len(names) - 1 else None


@functools.cache
def _lean_schema(stream: str, place: str) -> pa.Schema:
    """Return the schema of a stream, with one member of the record reduced to its URI."""
    schema = read_schema(stream)
    members = [
        pa.field(member.name, pa.struct([pa.field("uri", pa.string())])) if member.name == place else member
        for member in schema.field("record").type
    ]
    return schema.set(schema.get_field_index("record"), pa.field("record", pa.struct(members)))


def read_whole(block: Block, schema: pa.Schema) -> pa.Table:
    """Read a block with Arrow, one row per line.

    Raises:
        RefusedBlockError: a line is not one JSON object of the schema's types.
    """
    # In JSON, `}` and `{` are never separated by white space alone, so no object then spans lines. Arrow counts rows,
    # not lines, and its reader (26.0.1) crashes on a block that starts with a bare `null`.
    if not block.holds_objects:
        raise RefusedBlockError("The block does not look like one object per line.")
    try:
        _check_utf8(block.data)
        table: pa.Table = pa_json.read_json(
            pa.BufferReader(block.data),
            # One chunk and one thread: blocks are read concurrently.
            read_options=pa_json.ReadOptions(use_threads=False, block_size=len(block.data)),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid as error:
        raise RefusedBlockError(str(error)) from error
    if table.num_rows != block.lines:
        raise RefusedBlockError(f"{table.num_rows} objects are on {block.lines} lines.")
    return table


def _check_utf8(data: bytes) -> None:
    """Check the encoding: Arrow's JSON reader accepts bytes that are not UTF-8, its cast does not."""
    if not data.isascii():
        offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
        pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(data)]).cast(pa.large_string())
