"""One raw object → rows of its stream's table, of the entities met in it, and rejected records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

import pyarrow as pa

from handlers.layout import ACCOUNT_ID_METADATA, LINES_METADATA, READ_ID_METADATA, RawKey
from handlers.tables import COMMON, SCHEMA_VERSION, TABLES
from handlers.transform import times
from handlers.transform.arrow import Array, pc
from handlers.transform.blocks import Block, LongLine, blocks
from handlers.transform.columns import choose, evaluate, select
from handlers.transform.drift import Drift
from handlers.transform.entities import entity_tables
from handlers.transform.gunzip import Gunzip
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.reading import read_block
from handlers.transform.rejections import MAX_LINE_CHARACTERS, ObjectReason, RejectedLineError, Rejection
from handlers.transform.schema import table_schema
from handlers.transform.table_files import TableFiles
from handlers.transform.tolerant import parse, why_without


@dataclass(frozen=True)
class Origin:
    """Where rows come from: what the common columns hold where a line does not say it."""

    raw_key: str
    stream: str | None
    run_id: str | None = None
    read_id: str | None = None
    account_id: str | None = None
    extracted_at: str | None = None

    @classmethod
    def of(cls, key: RawKey, metadata: Mapping[str, str]) -> Origin:
        """The origin of a raw object's rows: its key and its S3 metadata."""
        account_id = metadata.get(ACCOUNT_ID_METADATA)
        if account_id is not None:
            account_id = unquote(account_id)  # S3 takes ASCII only, so the extractor quotes it.
        return cls(str(key), key.stream, key.run_id, metadata.get(READ_ID_METADATA), account_id)


@dataclass
class Counts:
    """What an object held; `lines` is always the sum of the rows of the stream's table and the rejected lines."""

    lines: int = 0
    rejected: int = 0
    drift: Drift = field(default_factory=Drift)


def transform_raw(compressed: Iterable[bytes], key: RawKey, metadata: Mapping[str, str], files: TableFiles) -> Counts:
    """Read a raw object and write its rows into `files`, block by block.

    Args:
        compressed: the object's bytes, in pieces.
        key: its key.
        metadata: its S3 metadata.
        files: where the rows go.
    """
    origin = Origin.of(key, metadata)
    counts = Counts()
    content = Gunzip(compressed)
    for part in blocks(content, keep=4 * MAX_LINE_CHARACTERS):
        counts.lines += part.lines
        if isinstance(part, LongLine):
            rejections = [_too_long(part)]
        else:
            rejections = _transform_block(part, origin, files, counts.drift)
        counts.rejected += len(rejections)
        add_rejections(rejections, origin, files)
    add_rejections(_object_problems(content, metadata, counts.lines), origin, files)
    return counts


def add_rejections(rejections: Sequence[Rejection], origin: Origin, files: TableFiles) -> None:
    """Write rows of `rejected_records`."""
    if not rejections:
        return
    ordered = sorted(rejections, key=lambda rejection: rejection.line_number)
    count = len(ordered)
    lines = pa.array([rejection.line_number for rejection in ordered], pa.int64())
    extracted_at = pa.array([rejection.extracted_at or origin.extracted_at for rejection in ordered], pa.string())
    values = {
        "stream": pa.repeat(pa.scalar(origin.stream, pa.string()), count),
        "reason": pa.array([rejection.reason for rejection in ordered], pa.string()),
        "detail": pa.array([rejection.detail for rejection in ordered], pa.string()),
        "line": pa.array([rejection.text for rejection in ordered], pa.string()),
    }
    envelope = pa.StructArray.from_arrays(
        [pa.nulls(count, pa.string())] * 3 + [extracted_at], ["account_id", "run_id", "read_id", "extracted_at"]
    )
    common = common_columns(envelope, lines, origin)
    table = TABLES["rejected_records"]
    arrays = [*(values[column.name] for column in table.columns), *common.columns]
    files.add(table.name, pa.Table.from_arrays(arrays, schema=table_schema(table.name)))


def common_columns(envelope: Array, lines: Array, origin: Origin) -> pa.RecordBatch:
    """The columns that every row ends with, from the fields of raw lines and, where these lack them, the object's."""
    count = len(lines)
    values = {
        "account_id": _or_else(select(envelope, "account_id"), origin.account_id),
        "_run_id": _or_else(select(envelope, "run_id"), origin.run_id),
        "_read_id": _or_else(select(envelope, "read_id"), origin.read_id),
        "_extracted_at": times.timestamps(select(envelope, "extracted_at")),
        "_raw_key": pa.repeat(origin.raw_key, count),
        "_line": lines,
        "_schema_version": pa.repeat(pa.scalar(SCHEMA_VERSION, pa.int32()), count),
    }
    return pa.RecordBatch.from_arrays([values[column.name] for column in COMMON], [column.name for column in COMMON])


def _transform_block(block: Block, origin: Origin, files: TableFiles, drift: Drift) -> list[Rejection]:
    """Write the rows of a block; what has no row is returned."""
    stream = str(origin.stream)
    mapping = STREAM_MAPPINGS[stream]
    table = TABLES[mapping.table]
    reading = read_block(block, stream, drift)
    raw, lines = reading.rows(), reading.line_numbers()
    common = common_columns(raw, lines, origin)
    rows = _with_item(raw, mapping.item)
    arrays = [
        evaluate(mapping.columns[column.name], rows, column, drift, "", None)
        if column.name in mapping.columns
        else pa.nulls(len(rows), table_schema(table.name).field(column.name).type)
        for column in table.columns
    ]
    main = pa.RecordBatch.from_arrays([*arrays, *common.columns], schema=table_schema(table.name))
    good = pc.is_valid(select(rows, "record"))
    for column in table.grain:
        good = pc.and_(good, pc.is_valid(main[column]))
    if pc.all(good, min_count=0).as_py():
        rejections = reading.rejections
    else:
        rejections = reading.rejections + _without_grain(block, main, good, table.grain, stream)
        main, rows, common = main.filter(good), rows.filter(good), common.filter(good)
    for name, batch in entity_tables(rows, common, mapping, drift).items():
        files.add(name, batch)
    files.add(table.name, pa.Table.from_batches([main]))
    return rejections


def _with_item(raw: Array, places: tuple[str, ...]) -> Array:
    """The roots that a mapping's paths start at."""
    roots = {"record": select(raw, "record"), "context": select(raw, "context")}
    if places:
        roots["item"] = choose([select(raw, place) for place in places])
    return pa.StructArray.from_arrays([*roots.values()], [*roots])


def _without_grain(
    block: Block, main: pa.RecordBatch, good: Array, grain: tuple[str, ...], stream: str
) -> list[Rejection]:
    """Why each row that is not good cannot be one."""
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
    return value if isinstance(value, str) else None


def _too_long(line: LongLine) -> Rejection:
    return Rejection(line.number, "too_long", f"The line has {line.length} bytes.", line.head)


def _object_problems(content: Gunzip, metadata: Mapping[str, str], lines: int) -> list[Rejection]:
    """What is wrong with the object itself: its compression, or else how many lines it holds."""
    if content.problem is not None:
        return [Rejection(0, *content.problem)]
    said = metadata.get(LINES_METADATA, "")
    if not said.isdecimal() or int(said) == lines:
        return []
    reason: ObjectReason = "truncated" if lines < int(said) else "surplus"
    return [Rejection(0, reason, f"The object holds {lines} lines and its metadata says {said}.")]


def _or_else(values: Array, value: str | None) -> Array:
    return values if value is None or not values.null_count else pc.fill_null(values, value)
