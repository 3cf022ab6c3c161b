"""A partition of a table, and when its retention is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.layout import compaction_key, partition_prefix, run_date, run_in, table_prefix
from handlers.tables import LONG_LIVED_TABLES, TABLES


@dataclass(frozen=True)
class TablePartition:
    """A day, or for some tables a month, of a table."""

    table: str
    value: str
    """`YYYY-MM-DD` or `YYYY-MM`."""

    def __str__(self) -> str:
        """Return what a message calls it: `plays/month=2026-11`."""
        return self.prefix.removeprefix("tables/").rstrip("/")

    @property
    def prefix(self) -> str:
        """The folder."""
        return partition_prefix(self.table, TABLES[self.table].partition_key, self.value)

    @property
    def record_key(self) -> str:
        """The key of the record of its compaction."""
        return compaction_key(self.table, self.value)

    @property
    def month(self) -> str:
        """`YYYY-MM`."""
        return self.value[:7]

    @property
    def first_day(self) -> date:
        """The first day that its rows may be of, UTC."""
        return date.fromisoformat(self.value if TABLES[self.table].partition_key == "dt" else f"{self.value}-01")

    @property
    def last_day(self) -> date:
        """The last day that its rows may be of, UTC."""
        if TABLES[self.table].partition_key == "dt":
            return self.first_day
        return (self.first_day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)

    def is_closed(self, key: str, today: date) -> bool:
        """Return whether an object is of a run before today; one of no run counts by its partition."""
        run = run_in(key)
        return (run_date(run) if run else self.last_day) < today


def partition_of(table: str, key: str) -> TablePartition | None:
    """Return the partition that an object below a table's prefix is in; None if it is in none of ours."""
    folder, _, name = key.removeprefix(table_prefix(table)).rpartition("/")
    partition_key, _, value = folder.partition("=")
    if partition_key != TABLES[table].partition_key or not name:
        return None
    found = TablePartition(table, value)
    try:
        length = len(f"{found.last_day}") if partition_key == "dt" else len("YYYY-MM")
    except ValueError:
        return None
    return found if len(value) == length and value.isascii() else None


@dataclass(frozen=True)
class Retention:
    """How long partitions are kept, counted from their last day.

    Plays, which an import may bring years later, are kept that long from the run that brought them.
    """

    days: int
    long_days: int
    """Of the tables that cannot be read from Spotify again."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Retention:
        """Return what the environment says."""
        return cls(int(environment["TRANSFORMED_RETENTION_DAYS"]), int(environment["PLAYS_RETENTION_DAYS"]))

    def is_over(self, partition: TablePartition, today: date, newest_run: date | None = None) -> bool:
        """Return whether a partition is to be deleted, if its rows are of runs up to that date."""
        days = self.long_days if partition.table in LONG_LIVED_TABLES else self.days
        return (today - max(partition.last_day, newest_run or partition.last_day)).days > days
