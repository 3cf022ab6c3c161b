"""A block of raw lines → Arrow: as one where it can be, else split until the bad lines stand alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from handlers.transform.arrow import Array, numbers, pa_json
from handlers.transform.blocks import Block
from handlers.transform.drift import Drift
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.rejections import RejectedLineError, Rejection
from handlers.transform.schema import read_schema
from handlers.transform.tolerant import read_tolerantly


class RefusedBlockError(ValueError):
    """Arrow cannot read a block, or not as one row a line."""


@dataclass
class Reading:
    """What the lines of a block hold: the rows, the line of each, and the lines that could not be read."""

    schema: pa.Schema
    pieces: list[pa.Table] = field(default_factory=list)
    lines: list[Array] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    def rows(self) -> Array:
        """One struct a row, in the order of the lines."""
        batches = pa.concat_tables(self.pieces).combine_chunks().to_batches() if self.pieces else []
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=self.schema)
        return batch.to_struct_array()

    def line_numbers(self) -> Array:
        """The line of each row, from 1."""
        return pa.concat_arrays(self.lines) if self.lines else pa.array([], pa.int64())


def read_block(block: Block, stream: str, drift: Drift) -> Reading:
    """Read a block; every line of it is a row or a rejection of what is returned."""
    reading = Reading(read_schema(stream))
    _read(block, stream, drift, reading)
    return reading


def _read(block: Block, stream: str, drift: Drift, reading: Reading) -> None:
    try:
        table = read_whole(block, reading.schema)
    except RefusedBlockError:
        if block.lines > 1:
            for half in block.halves():
                _read(half, stream, drift, reading)
            return
        line = block.data.removesuffix(b"\n")
        try:
            read = read_tolerantly(line, reading.schema, STREAM_MAPPINGS[stream])
        except RejectedLineError as error:
            reading.rejections.append(Rejection(block.first_line, error.reason, error.detail, line))
            return
        for path, found in read.changed.items():
            drift.add(path, found, line=block.first_line)
        table = pa.Table.from_pylist([read.values], schema=reading.schema)
    reading.pieces.append(table)
    reading.lines.append(numbers(block.first_line, block.first_line + table.num_rows))


def read_whole(block: Block, schema: pa.Schema) -> pa.Table:
    """Read a block with Arrow, one row a line.

    Raises:
        RefusedBlockError: a line is not one JSON object of the schema's types.
    """
    # Between `}` and `{` JSON never has white space alone, so no object then goes over lines; Arrow counts rows, not
    # lines, and its reader (26.0.1) crashes where a block begins with a bare `null`.
    if not block.holds_objects:
        raise RefusedBlockError("The block does not look like one object a line.")
    try:
        _check_utf8(block.data)
        table: pa.Table = pa_json.read_json(
            pa.BufferReader(block.data),
            # One chunk of its own thread: blocks are read beside one another.
            read_options=pa_json.ReadOptions(use_threads=False, block_size=len(block.data)),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid as error:
        raise RefusedBlockError(str(error)) from error
    if table.num_rows != block.lines:
        raise RefusedBlockError(f"{table.num_rows} objects stand on {block.lines} lines.")
    return table


def _check_utf8(data: bytes) -> None:
    """Arrow's JSON reader passes bytes that are no UTF-8; its cast does not."""
    if not data.isascii():
        offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
        pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(data)]).cast(pa.large_string())
