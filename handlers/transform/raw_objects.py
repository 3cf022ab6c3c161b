"""One raw object → rows of its stream's table, of the entities met in it, and rejected records."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa

from handlers.layout import LINES_METADATA, RawKey
from handlers.tables import TABLES
from handlers.transform.block_tables import BlockTables, block_tables
from handlers.transform.blocks import Block, LongLine, blocks
from handlers.transform.drift import Drift
from handlers.transform.gunzip import Gunzip
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.origin import Origin, common_columns
from handlers.transform.rejections import MAX_LINE_CHARACTERS, ObjectReason, Rejection
from handlers.transform.schema import table_schema
from handlers.transform.table_files import TableFiles
from handlers.transform.threads import ahead, in_order
from handlers.transform.unknown_fields import note_unknown_fields

_THREADS = 2
"""How many blocks are worked on at a time: more would cost memory, and a function has no more processors."""

_LOOKED_AT_BYTES = 256 * 1024
"""How long lines may be on average to be looked at for new fields: longer than any that Spotify's records give."""


@dataclass
class Counts:
    """What an object held; `lines` is always the sum of the rows of the stream's table and the rejected lines."""

    lines: int = 0
    rejected: int = 0
    drift: Drift = field(default_factory=Drift)


def transform_raw(compressed: Iterable[bytes], key: RawKey, metadata: Mapping[str, str], files: TableFiles) -> Counts:
    """Read a raw object and write its rows into `files`, block by block, in order.

    Decompression runs ahead in a thread of its own, blocks are worked on side by side, and the calling thread writes.

    Args:
        compressed: the object's bytes, in pieces; taken in another thread.
        key: its key.
        metadata: its S3 metadata.
        files: where the rows go.
    """
    origin = Origin.of(key, metadata)
    counts = Counts()
    content = Gunzip(compressed)
    unknown = Drift()
    parts = _noting_unknown_fields(blocks(content, keep=4 * MAX_LINE_CHARACTERS), key.stream, unknown)
    with (
        closing(ahead(parts, most=1)) as parts_ahead,
        closing(in_order(functools.partial(block_tables, origin=origin), parts_ahead, threads=_THREADS)) as made,
    ):
        for tables in made:
            _write(tables, origin, files, counts)
    _merge(unknown, counts.drift)
    add_rejections(_object_problems(content, metadata, counts.lines), origin, files)
    return counts


def _noting_unknown_fields(parts: Iterable[Block | LongLine], stream: str, drift: Drift) -> Iterator[Block | LongLine]:
    for part in parts:
        if isinstance(part, Block) and len(part.data) <= part.lines * _LOOKED_AT_BYTES:
            note_unknown_fields(part, stream, drift)
        yield part


def _write(made: BlockTables, origin: Origin, files: TableFiles, counts: Counts) -> None:
    counts.lines += made.lines
    counts.rejected += len(made.rejections)
    _merge(made.drift, counts.drift)
    for name, rows in made.tables:
        files.add(name, rows)
    add_rejections(made.rejections, origin, files)


def _merge(found: Drift, into: Drift) -> None:
    for finding in found.findings.values():
        into.add(finding.path, finding.found, line=finding.line, count=finding.count)


def add_rejections(rejections: Sequence[Rejection], origin: Origin, files: TableFiles) -> None:
    """Write rows of `rejected_records`."""
    if not rejections:
        return
    ordered = sorted(rejections, key=lambda rejection: rejection.line_number)
    count = len(ordered)
    lines = pa.array([rejection.line_number for rejection in ordered], pa.int64())
    extracted_at = pa.array([rejection.extracted_at or origin.extracted_at for rejection in ordered], pa.string())
    mapping = STREAM_MAPPINGS.get(origin.stream or "")
    kept = mapping is None or mapping.quotes_lines
    values = {
        "stream": pa.repeat(pa.scalar(origin.stream, pa.string()), count),
        "reason": pa.array([rejection.reason for rejection in ordered], pa.string()),
        "detail": pa.array([rejection.detail for rejection in ordered], pa.string()),
        "line": pa.array([rejection.text if kept else None for rejection in ordered], pa.string()),
    }
    envelope = pa.StructArray.from_arrays(
        [pa.nulls(count, pa.string())] * 3 + [extracted_at], ["account_id", "run_id", "read_id", "extracted_at"]
    )
    common = common_columns(envelope, lines, origin)
    table = TABLES["rejected_records"]
    arrays = [*(values[column.name] for column in table.columns), *common.columns]
    files.add(table.name, pa.Table.from_arrays(arrays, schema=table_schema(table.name)))


def _object_problems(content: Gunzip, metadata: Mapping[str, str], lines: int) -> list[Rejection]:
    """What is wrong with the object itself: its compression, or else how many lines it holds."""
    if content.problem is not None:
        return [Rejection(0, *content.problem)]
    said = metadata.get(LINES_METADATA, "")
    if not said.isdecimal() or int(said) == lines:
        return []
    reason: ObjectReason = "truncated" if lines < int(said) else "surplus"
    return [Rejection(0, reason, f"The object holds {lines} lines and its metadata says {said}.")]
