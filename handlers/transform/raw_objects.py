"""One raw object → rows of its stream's table and of entities, and rejected records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa

from handlers.layout import LINES_METADATA, RawKey
from handlers.tables import TABLES
from handlers.transform.block_tables import BlockTables, block_tables
from handlers.transform.blocks import Block, LongLine, blocks
from handlers.transform.cut_off import CutOffError, check_work, in_time, never
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
"""Number of blocks processed at a time: more would take memory, and the function has no more processors."""

_LOOKED_AT_BYTES = 256 * 1024
"""Maximum average length of the lines searched for new fields: longer than any of Spotify's records."""


@dataclass
class Counts:
    """What was read of an object.

    `lines` is always the sum of the rows of the stream's table and the rejected lines.
    """

    lines: int = 0
    rejected: int = 0
    bad_lines: int = 0
    """Lines that were repaired or rejected."""
    drift: Drift = field(default_factory=Drift)


def transform_raw(
    compressed: Iterable[bytes],
    key: RawKey,
    metadata: Mapping[str, str],
    files: TableFiles,
    out_of_time: Callable[[], bool] = never,
) -> Counts:
    """Read a raw object and write its rows to `files`, block by block, in order.

    Decompression runs ahead in its own thread, blocks are processed concurrently, and the calling thread writes.
    An object over the limits of `cut_off.py` is read up to and including the block that exceeds them.

    Args:
        compressed: the object's bytes, in pieces; consumed in another thread.
        key: its key.
        metadata: its S3 metadata.
        files: receives the rows.
        out_of_time: returns whether reading must stop; called in another thread.
    """
    origin = Origin.of(key, metadata)
    counts = Counts()
    content = Gunzip(compressed)
    unknown = Drift()
    parts = blocks(in_time(content, out_of_time), keep=4 * MAX_LINE_CHARACTERS)
    noted = _noting_unknown_fields(parts, key.stream, unknown)
    cut_off: CutOffError | None = None
    with (
        closing(ahead(noted, most=1)) as parts_ahead,
        closing(in_order(functools.partial(block_tables, origin=origin), parts_ahead, threads=_THREADS)) as made,
    ):
        try:
            for tables in made:
                _write(tables, origin, files, counts)
                check_work(bad_lines=counts.bad_lines, file_bytes=files.file_bytes)
        except CutOffError as error:
            cut_off = error
    _merge(unknown, counts.drift)
    problems = _object_problems(content, metadata, counts.lines) if cut_off is None else [_cut_off(cut_off, counts)]
    add_rejections(problems, origin, files)
    return counts


def _noting_unknown_fields(parts: Iterable[Block | LongLine], stream: str, drift: Drift) -> Iterator[Block | LongLine]:
    for part in parts:
        if isinstance(part, Block) and len(part.data) <= part.lines * _LOOKED_AT_BYTES:
            note_unknown_fields(part, stream, drift)
        yield part


def _write(made: BlockTables, origin: Origin, files: TableFiles, counts: Counts) -> None:
    # The stream's own table first: if its rows are refused, nothing of the part is written.
    for name, rows in reversed(made.tables):
        files.add(name, rows)
    add_rejections(made.rejections, origin, files)
    counts.lines += made.lines
    counts.rejected += len(made.rejections)
    counts.bad_lines += made.bad_lines
    _merge(made.drift, counts.drift)


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


def _cut_off(error: CutOffError, counts: Counts) -> Rejection:
    return Rejection(0, error.reason, f"{error.detail} Nothing after line {counts.lines} was read.")


def _object_problems(content: Gunzip, metadata: Mapping[str, str], lines: int) -> list[Rejection]:
    """Return what is wrong with the object itself: its compression, or else its number of lines."""
    if content.problem is not None:
        return [Rejection(0, *content.problem)]
    said = metadata.get(LINES_METADATA, "")
    if not said.isdecimal() or int(said) == lines:
        return []
    reason: ObjectReason = "truncated" if lines < int(said) else "surplus"
    return [Rejection(0, reason, f"The object holds {lines} lines and its metadata says {said}.")]
