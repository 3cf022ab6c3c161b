"""One partition: what was compacted long enough ago is deleted, and what has come since is compacted."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from handlers.compact.bucket import OvertakenError, Stored, TransformedBucket
from handlers.compact.build import Builder, Built, ChangedMeanwhileError
from handlers.compact.partition import Retention, TablePartition, earlier_value, partition_of
from handlers.compact.plan import Plan, later, plan
from handlers.compact.record import CompactionRecord, newest_run, read_record
from handlers.layout import compacted_key, compaction_key, is_compacted, is_original, written
from handlers.tables import TABLES

GRACE = timedelta(hours=1)
"""How long replaced objects stay beside the compacted one. A query has listed its objects before it reads them, and
takes up to 30 minutes: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html. The clock of a function is
never far off: S3 refuses requests that are more than 15 minutes from its own."""

_TRIES = 5


class BusyError(Exception):
    """Others keep changing the partition."""


@dataclass
class Outcome:
    """What was done in a partition."""

    compacted: int = 0
    read: int = 0
    deleted: int = 0
    is_waiting: bool = False
    """Whether replaced objects wait for the grace period."""
    is_cut: bool = False
    """Whether originals were left for the next time."""
    left_alone: dict[str, str] = field(default_factory=dict)
    """Key → why an object was not used."""


class Compactor:
    """The compaction of one partition after the other.

    Args:
        bucket: the transformed bucket.
        now: the current time, UTC.
        purge_before: compacted rows of runs before this moment are deleted.
        delete_only: nothing is compacted, only deleted.
        is_late: returns whether no further object may be begun.
        is_over: returns whether even what was begun must be given up.
    """

    def __init__(
        self,
        bucket: TransformedBucket,
        now: datetime,
        *,
        purge_before: datetime | None = None,
        delete_only: bool = False,
        is_late: Callable[[], bool] = lambda: False,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._bucket = bucket
        self._now = now
        self._purge_before = purge_before
        self._delete_only = delete_only
        self._is_late = is_late
        self._is_over = is_over

    def compact(self, partition: TablePartition) -> Outcome:
        """Compact a partition; if another compaction is first, the partition is left to it.

        Raises:
            BusyError: others keep changing it.
            TooLateError: there is no time left; nothing was changed.
            ClientError: S3 refused a request.
            BotoCoreError: an object could not be read to its end.
            OSError: the disk is full.
        """
        outcome = Outcome()
        for _ in range(_TRIES):
            try:
                self._compact(partition, outcome)
            except ChangedMeanwhileError:
                continue
            except OvertakenError:
                # Another compaction has the same work to do, but it does not purge.
                if self._purge_before is not None:
                    continue
            return outcome
        raise BusyError("Others keep changing its objects: run the compaction again later.")

    def expire(self, partition: TablePartition, retention: Retention) -> int | None:
        """Delete a partition's objects and its record if all its rows are old enough.

        Returns:
            How many objects were deleted; None if the partition has rows of a newer run, as months of plays long ago
            have after an import, or of runs that are not known.
        """
        record, etag = read_record(self._bucket, partition.record_key)
        ours = self._ours(partition)
        if partition.table == "plays":
            newest = [newest_run(one, record) for one in ours]
            if not all(run and retention.is_over(partition, self._now.date(), run) for run in newest):
                return None
        deleted = self._bucket.delete_unchanged(ours)
        self._bucket.delete(partition.record_key, etag)
        self._delete_earlier_records(partition, ours)
        return deleted

    def _compact(self, partition: TablePartition, outcome: Outcome) -> None:
        record, etag = read_record(self._bucket, partition.record_key)
        todo = plan(partition, record, self._ours(partition), self._now.date(), self._purge_before)
        if record and todo.named and todo.named.size != record.size:
            outcome.left_alone[todo.named.key] = (
                f"It has {todo.named.size} bytes instead of the {record.size} that {partition.record_key} says: restore"
                " its earlier version, or delete that record to have it compacted as it is."
            )
            return
        waiting = self._delete_replaced(partition, todo, outcome)
        may_stay = not (todo.earlier or (self._purge_before and todo.bases))
        if self._delete_only or (may_stay and len(todo.originals) + len(todo.bases) < 2):
            return
        with tempfile.TemporaryDirectory() as folder:
            builder = Builder(self._bucket, partition, Path(folder), is_late=self._is_late, is_over=self._is_over)
            built = builder.build(todo)
            outcome.left_alone |= built.left_alone
            outcome.is_cut = built.is_cut or todo.is_cut
            if built.is_needed:
                self._store(partition, built, waiting, record, etag, outcome)

    def _ours(self, partition: TablePartition) -> list[Stored]:
        """List a partition's originals and compacted objects."""
        return [
            stored
            for prefix in partition.prefixes
            for stored in self._bucket.listed(prefix)
            if partition_of(partition.table, stored.key) == partition
            and (is_original(stored.name) or is_compacted(stored.name))
        ]

    def _delete_replaced(self, partition: TablePartition, todo: Plan, outcome: Outcome) -> list[Stored]:
        """Delete what was replaced long enough ago; return what was replaced since."""
        is_old = todo.named is not None and self._now - todo.named.modified >= GRACE
        deleted = [stored for stored in todo.replaced if is_old or self._is_purged(stored)]
        waiting = [stored for stored in todo.replaced if not (is_old or self._is_purged(stored))]
        outcome.deleted += self._bucket.delete_unchanged(deleted)
        self._delete_earlier_records(partition, deleted)
        outcome.is_waiting = bool(waiting)
        return waiting

    def _delete_earlier_records(self, partition: TablePartition, deleted: Iterable[Stored]) -> None:
        """Delete the records of compacted objects that were in folders of an earlier partition key."""
        values = {earlier_value(partition.table, stored.key) for stored in deleted if is_compacted(stored.name)}
        for value in sorted(value for value in values if value is not None):
            key = compaction_key(partition.table, value)
            self._bucket.delete(key, read_record(self._bucket, key)[1])

    def _store(
        self,
        partition: TablePartition,
        built: Built,
        waiting: Iterable[Stored],
        record: CompactionRecord | None,
        etag: str | None,
        outcome: Outcome,
    ) -> None:
        """Store the record, then the object, and delete at once only what a purge has to."""
        replaced = [*waiting, *built.sources.values()] if built.rows else []
        sources = {stored.key: stored.etag for stored in replaced}
        moment = later(self._purge_before, record.purged_before if record else None)
        digest = _digest(sources, moment, built.digest)
        key = compacted_key(partition.table, TABLES[partition.table].partition_key, partition.value, digest)
        made = CompactionRecord(key, built.path.stat().st_size, sources, built.newest_run, moment)
        self._bucket.replace(partition.record_key, made.to_json(), etag)
        # Without rows nothing is stored: the record then only says what was purged.
        if built.rows:
            self._bucket.create(key, built.path)
        purged = [stored for stored in built.sources.values() if self._is_purged(stored)]
        outcome.deleted += self._bucket.delete_unchanged(purged)
        self._delete_earlier_records(partition, purged)
        outcome.read += len(built.sources)
        outcome.compacted += 1
        outcome.is_waiting = len(replaced) > len(purged)

    def _is_purged(self, stored: Stored) -> bool:
        return self._purge_before is not None and is_compacted(stored.name)


def _digest(sources: dict[str, str], moment: datetime | None, content: str) -> str:
    """Return the 16 hex digits in the key: another content, or another origin of it, never has the same key."""
    purged = None if moment is None else written(moment)
    return hashlib.sha256(json.dumps([sorted(sources.items()), purged, content]).encode()).hexdigest()[:16]
