"""A block of raw lines → the rows of every table that it feeds, and the rejected lines."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from handlers.tables import TABLES
from handlers.transform.arrow import Array, pc
from handlers.transform.blocks import Block, LongLine
from handlers.transform.columns import choose, evaluate, select
from handlers.transform.drift import Drift
from handlers.transform.entities import entity_tables
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.origin import Origin, common_columns
from handlers.transform.reading import read_block
from handlers.transform.rejections import RejectedLineError, Rejection
from handlers.transform.schema import table_schema
from handlers.transform.tolerant import parse, why_without


@dataclass
class BlockTables:
    """The result for the lines of a part: each is a row of its stream's table or a rejection."""

    lines: int
    tables: list[tuple[str, pa.Table]] = field(default_factory=list)
    """Name and rows, the stream's own table last."""
    rejections: list[Rejection] = field(default_factory=list)
    bad_lines: int = 0
    """Lines that were repaired or rejected."""
    drift: Drift = field(default_factory=Drift)


def block_tables(part: Block | LongLine, origin: Origin) -> BlockTables:
    """Make the rows of a part of a raw object. Parts are independent, so they can be processed concurrently."""
    made = BlockTables(part.lines)
    if isinstance(part, LongLine):
        made.bad_lines = 1
        made.rejections = [
            Rejection(part.number, "too_long", f"The line has {part.length} bytes.", part.head),
        ]
        return made
    stream = str(origin.stream)
    mapping = STREAM_MAPPINGS[stream]
    table = TABLES[mapping.table]
    reading = read_block(part, stream, made.drift)
    raw, lines = reading.rows(), reading.line_numbers()
    common = common_columns(raw, lines, origin)
    rows = _with_item(raw, mapping.item)
    arrays = [
        evaluate(mapping.columns[column.name], rows, column, made.drift, "", None)
        if column.name in mapping.columns
        else pa.nulls(len(rows), table_schema(table.name).field(column.name).type)
        for column in table.columns
    ]
    main = pa.RecordBatch.from_arrays([*arrays, *common.columns], schema=table_schema(table.name))
    good = pc.is_valid(select(rows, "record"))
    for column in table.grain:
        good = pc.and_(good, pc.is_valid(main[column]))
    made.rejections = reading.rejections
    made.bad_lines = reading.bad_lines
    if not pc.all(good, min_count=0).as_py():
        without_grain = _without_grain(part, main, good, table.grain, stream)
        made.rejections = reading.rejections + without_grain
        made.bad_lines += len(without_grain)
        main, rows, common = main.filter(good), rows.filter(good), common.filter(good)
    made.tables = [*entity_tables(rows, common, mapping, made.drift).items()]
    made.tables.append((table.name, pa.Table.from_batches([main])))
    return made


def _with_item(raw: Array, places: tuple[str, ...]) -> Array:
    """Return the roots that a mapping's paths start at."""
    roots = {"record": select(raw, "record"), "context": select(raw, "context")}
    if places:
        roots["item"] = choose([select(raw, place) for place in places])
    return pa.StructArray.from_arrays([*roots.values()], [*roots])


def _without_grain(
    block: Block, main: pa.RecordBatch, good: Array, grain: tuple[str, ...], stream: str
) -> list[Rejection]:
    """Return the reason for each row that is not good."""
    bad = main.filter(pc.invert(good))
    texts = block.data.split(b"\n")
    rejections = []
    for row in range(bad.num_rows):
        number = bad["_line"][row].as_py()
        line = texts[number - block.first_line]
        column = next((name for name in grain if not bad[name][row].is_valid), grain[0])
        error = why_without(column, line, STREAM_MAPPINGS[stream])
        rejections.append(Rejection(number, error.reason, error.detail, line, _extracted_at(line)))
    return rejections


def _extracted_at(line: bytes) -> str | None:
    try:
        parsed = parse(line)
    except RejectedLineError:
        return None
    value = parsed.get("extracted_at") if isinstance(parsed, dict) else None
    # A time is ASCII; a lone surrogate, which JSON can hold, could not even be stored.
    return value if isinstance(value, str) and value.isascii() else None
