"""A plan → the Parquet file of the next compacted object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from handlers.compact.bucket import Stored, TransformedBucket
from handlers.compact.partition import TablePartition
from handlers.compact.plan import Base, Plan, is_before
from handlers.compact.rows import CompactedFile
from handlers.compact.sources import Source, Sources, UnusableError, raw_keys
from handlers.layout import run_date, run_in
from handlers.transform.threads import in_order

_THREADS = 4
"""Objects fetched and checked at a time."""


class ChangedMeanwhileError(Exception):
    """A compacted object is gone: the plan does not hold any more."""


class TooLateError(Exception):
    """There is no time left to build and store the file."""


@dataclass
class Built:
    """The file, and what it was made of."""

    path: Path
    digest: str = ""
    """SHA-256 of the file."""
    rows: int = 0
    newest_run: date | None = None
    """Date of the newest run that rows are of."""
    purged: int = 0
    """Rows that were left out on request."""
    sources: dict[str, Stored] = field(default_factory=dict)
    """Key → object as it was read."""
    left_alone: dict[str, str] = field(default_factory=dict)
    """Key → why an object was not used."""
    moved: int = 0
    """How many of them were in folders of an earlier partition key."""
    is_cut: bool = False
    """Whether there was no time for all originals."""

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to store: one object alone stays as it is, if it is in the partition's folder."""
        return self.purged > 0 or self.moved > 0 or len(self.sources) > 1


class Builder:
    """Makes the file of one partition.

    Args:
        bucket: where the objects are.
        partition: the partition.
        folder: an empty folder, for instance a temporary one.
        is_late: returns whether no further original may be begun.
        is_over: returns whether even what was begun must be given up.
    """

    def __init__(
        self,
        bucket: TransformedBucket,
        partition: TablePartition,
        folder: Path,
        *,
        is_late: Callable[[], bool],
        is_over: Callable[[], bool],
    ) -> None:
        self._sources = Sources(bucket, partition.table, folder)
        self._partition = partition
        self._built = Built(folder / "compacted.parquet")
        self._taken: set[str] = set()
        self._is_late = is_late
        self._is_over = is_over

    def build(self, todo: Plan) -> Built:
        """Write the file.

        The originals come first, so that rows compacted before are left out only where all rows of their original are
        in the file.

        Raises:
            ChangedMeanwhileError: a compacted object is gone.
            TooLateError: there is no time left.
            ClientError: S3 refused a request.
            BotoCoreError: an object could not be read to its end.
            OSError: the disk is full.
        """
        built = self._built
        with closing(CompactedFile(built.path, self._partition.table)) as file:
            self._add_originals(todo, file)
            may_stay = len(todo.bases) == 1 and todo.bases[0].purged_before is None
            if may_stay and not built.sources and not todo.earlier:
                return built
            for base in todo.bases:
                self._add_base(base, file)
            self._add_earlier(todo, file)
            built.digest, built.rows = file.finish(), file.rows
        built.newest_run = max((run_date(run) for key in self._taken if (run := run_in(key))), default=None)
        return built

    def _add_originals(self, todo: Plan, file: CompactedFile) -> None:
        with closing(in_order(self._sources.fetch, self._in_time(todo.originals), threads=_THREADS)) as fetched:
            for stored, source in zip(todo.originals, fetched, strict=False):
                if not isinstance(source, Source):
                    self._note(stored, source)
                    continue
                for rows in source.rows():
                    file.add(rows)
                self._taken |= source.keys
                self._use(source)

    def _in_time(self, originals: tuple[Stored, ...]) -> Iterator[Stored]:
        for stored in originals:
            if self._is_late():
                self._built.is_cut = True
                return
            yield stored

    def _add_base(self, base: Base, file: CompactedFile) -> None:
        source = self._sources.fetch(base.stored)
        if source is None:
            raise ChangedMeanwhileError(f"{base.stored.key} is gone.")
        if isinstance(source, Source):
            self._add_rest(base, source, file)
        else:
            self._note(base.stored, source)

    def _add_earlier(self, todo: Plan, file: CompactedFile) -> None:
        objects = tuple(base.stored for base in todo.earlier)
        with closing(in_order(self._sources.fetch, self._in_time(objects), threads=_THREADS)) as fetched:
            for base, source in zip(todo.earlier, fetched, strict=False):
                if isinstance(source, Source):
                    self._add_rest(base, source, file)
                    self._built.moved += 1
                else:
                    self._note(base.stored, source)

    def _add_rest(self, base: Base, source: Source, file: CompactedFile) -> None:
        """Add the rows of raw objects of which the file has none yet."""
        here: set[str] = set()
        for rows in source.rows():
            if self._is_over():
                raise TooLateError
            found = set(raw_keys(rows))
            here |= found
            purged = {key for key in found if is_before(key, self._partition, base.purged_before)}
            self._built.purged += _count(rows, purged)
            file.add(_without(rows, purged | (found & self._taken)))
        self._taken |= here
        self._use(source)

    def _use(self, source: Source) -> None:
        self._built.sources[source.stored.key] = source.stored
        source.discard()

    def _note(self, stored: Stored, problem: UnusableError | None) -> None:
        # What is gone left no rows behind, and is nobody's mistake: the transform deletes what it no longer produces.
        if problem is not None:
            self._built.left_alone[stored.key] = str(problem)


def _count(rows: pa.Table, keys: set[str]) -> int:
    return rows.num_rows - _without(rows, keys).num_rows if keys else 0


def _without(rows: pa.Table, keys: set[str]) -> pa.Table:
    if not keys:
        return rows
    column: Any = rows["_raw_key"].combine_chunks()
    kept = pa.array([key not in keys for key in column.dictionary.to_pylist()], pa.bool_())
    return rows.filter(kept.take(column.indices))
