"""One run of the compaction over the tables."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError

from handlers.compact.bucket import TransformedBucket
from handlers.compact.build import TooLateError
from handlers.compact.compactor import BusyError, Compactor, Outcome
from handlers.compact.event import CompactionEvent
from handlers.compact.partition import Retention, TablePartition
from handlers.compact.survey import Content, survey
from handlers.tables import TABLES

MAX_LISTED = 100
"""Objects that the result lists at most: a function can return only so much."""


@dataclass
class Summary:
    """What a run has done."""

    partitions: int = 0
    objects_read: int = 0
    objects_deleted: int = 0
    waiting: int = 0
    expired: int = 0
    remaining: int = 0
    left_alone: dict[str, str] = field(default_factory=dict)
    """Key → why an object was not touched."""
    failed: dict[str, str] = field(default_factory=dict)
    """Partition or table → why it could not be compacted."""

    def to_json(self) -> dict[str, Any]:
        """Return what the handler returns."""
        listed = sorted(self.left_alone.items())[:MAX_LISTED]
        return {
            "partitions": self.partitions,
            "objects_read": self.objects_read,
            "objects_deleted": self.objects_deleted,
            "waiting": self.waiting,
            "expired": self.expired,
            "remaining": self.remaining,
            "left_alone": [{"key": key, "reason": reason} for key, reason in listed],
        }


class CompactionRun:
    """One run.

    Args:
        bucket: the transformed bucket.
        retention: how long partitions are kept.
        event: what to do.
        now: the current time, UTC.
        is_late: returns whether nothing more may be begun.
        is_over: returns whether even what was begun must be given up.
    """

    def __init__(
        self,
        bucket: TransformedBucket,
        retention: Retention,
        event: CompactionEvent,
        now: datetime,
        *,
        is_late: Callable[[], bool] = lambda: False,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._bucket = bucket
        self._retention = retention
        self._event = event
        self._today = now.date()
        self._is_late = is_late
        self._compactor = Compactor(
            bucket,
            now,
            purge_before=event.purge_before,
            delete_only=event.delete_only,
            is_late=is_late,
            is_over=is_over,
        )
        self._summary = Summary()

    def run(self) -> Summary:
        """Delete the partitions whose retention is over, then compact the others; what fails does not stop the rest.

        With `delete_only`, only what was replaced is deleted.
        """
        work: list[tuple[TablePartition, Callable[[TablePartition], None]]] = []
        for table in TABLES if self._event.table is None else (self._event.table,):
            with self._attempt(table):
                work += self._work(table)
        work.sort(key=lambda item: self._turn(*item))
        for number, (partition, do) in enumerate(work):
            if self._is_late():
                self._summary.remaining += len(work) - number
                break
            with self._attempt(str(partition)):
                do(partition)
        return self._summary

    def _turn(self, partition: TablePartition, do: Callable[[TablePartition], None]) -> int:
        """Return the place of a partition: space first, then `replays`.

        If an older version of the transform is deployed again, its row replaces that of the newer version here before
        its rows do in their tables. The other way round no row of either would count in between.
        """
        if do == self._expire:
            return 0
        return 1 if partition.table == "replays" else 2

    def _work(self, table: str) -> Iterator[tuple[TablePartition, Callable[[TablePartition], None]]]:
        found = survey(self._bucket, table, self._event.month, self._today)
        self._summary.left_alone |= found.foreign
        for partition, content in found.partitions.items():
            if not self._event.delete_only and self._retention.is_over(partition, self._today):
                yield partition, self._expire
            elif self._has_work(partition, content):
                yield partition, self._compact

    def _has_work(self, partition: TablePartition, content: Content) -> bool:
        moment = self._event.purge_before
        # A play may be of any month before its run; all other partitions are of the time of their runs.
        may_purge = moment is not None and (partition.table == "plays" or partition.first_day <= moment.date())
        if self._event.delete_only:
            return content.compacted > 0 and content.closed > 1
        return content.closed > 1 or content.earlier > 0 or (may_purge and content.compacted > 0)

    def _expire(self, partition: TablePartition) -> None:
        deleted = self._compactor.expire(partition, self._retention)
        if deleted is None:
            self._compact(partition)
        else:
            self._summary.expired += deleted

    def _compact(self, partition: TablePartition) -> None:
        outcome = self._compactor.compact(partition)
        self._add(outcome)
        while outcome.is_cut and outcome.compacted and not self._is_late():
            outcome = self._compactor.compact(partition)
            self._add(outcome)
        self._summary.waiting += outcome.is_waiting
        self._summary.remaining += outcome.is_cut

    def _add(self, outcome: Outcome) -> None:
        self._summary.partitions += outcome.compacted
        self._summary.objects_read += outcome.read
        self._summary.objects_deleted += outcome.deleted
        self._summary.left_alone |= outcome.left_alone

    @contextmanager
    def _attempt(self, name: str) -> Iterator[None]:
        try:
            yield
        except TooLateError:
            self._summary.remaining += 1
        except (BusyError, ClientError, BotoCoreError, pa.ArrowException, OSError) as error:
            self._summary.failed[name] = _reason(error)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The temporary folder is full: give the function more ephemeral storage."
    return " ".join(str(error).split()) or type(error).__name__
