"""A partition of a table, and when its retention is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.compact.bucket import Stored
from handlers.layout import compaction_key, folder_in, partition_prefix, run_date, run_in, table_prefix
from handlers.tables import TABLES, kept_days

_LENGTHS = {"year": len("YYYY"), "month": len("YYYY-MM"), "dt": len("YYYY-MM-DD")}
"""Of the values of each partition key."""


@dataclass(frozen=True)
class TablePartition:
    """A month, or for some tables a year, of a table."""

    table: str
    value: str
    """`YYYY-MM` or `YYYY`."""

    def __str__(self) -> str:
        """Return what a message calls it: `plays/month=2026-11`."""
        return self.prefix.removeprefix("tables/").rstrip("/")

    @property
    def prefix(self) -> str:
        """The folder."""
        return partition_prefix(self.table, TABLES[self.table].partition_key, self.value)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The folder, and what those of earlier partition keys begin with that have rows of the same time."""
        return (self.prefix, *prefixes_of(self.table, self.value)[1:])

    @property
    def record_key(self) -> str:
        """The key of the record of its compaction."""
        return compaction_key(self.table, self.value)

    @property
    def first_day(self) -> date:
        """The first day that its rows may be of, UTC."""
        return date.fromisoformat(f"{self.value}-01-01"[: len("YYYY-MM-DD")])

    @property
    def last_day(self) -> date:
        """The last day that its rows may be of, UTC."""
        last_month = self.first_day.replace(month=12) if TABLES[self.table].partition_key == "year" else self.first_day
        return (last_month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def partition_of(table: str, key: str) -> TablePartition | None:
    """Return the partition of an object below a table's prefix; None if it is in no folder of ours.

    An object in a folder of an earlier partition key belongs to the partition that its rows are to move to.
    """
    folder, _, name = key.removeprefix(table_prefix(table)).rpartition("/")
    partition_key, _, value = folder.partition("=")
    if partition_key not in (TABLES[table].partition_key, *TABLES[table].earlier_partition_keys) or not name:
        return None
    day = f"{value}-01-01"[: len("YYYY-MM-DD")]
    try:
        is_ours = f"{date.fromisoformat(day)}" == day and len(value) == _LENGTHS[partition_key]
    except ValueError:
        return None
    return TablePartition(table, TABLES[table].partition_value(value)) if is_ours else None


def is_closed(stored: Stored, today: date) -> bool:
    """Return whether an object is of a run before today; one of no run counts from when it was stored."""
    run = run_in(stored.key)
    return (run_date(run) if run else stored.modified.date()) < today


def prefixes_of(table: str, value: str) -> tuple[str, ...]:
    """Return the starts of the keys of a partition's objects, then of those in folders of earlier partition keys.

    Args:
        table: the table.
        value: of the partition, or a month that it contains.
    """
    found = TABLES[table]
    keys = (found.partition_key, *found.earlier_partition_keys)
    # Without the slash that closes a folder's name: a month is the start of its days, a year of its months.
    return tuple(partition_prefix(table, key, found.partition_value(value)).rstrip("/") for key in keys)


def earlier_value(table: str, key: str) -> str | None:
    """Return the value of an earlier partition key if an object is in a folder of one."""
    partition_key, _, value = folder_in(key).partition("=")
    return value if partition_key in TABLES[table].earlier_partition_keys else None


def age_of_folder(table: str, key: str) -> int:
    """Return the age of the partition key of an object's folder: 0 for the present one, then 1, 2 and so on."""
    keys = (*TABLES[table].earlier_partition_keys, TABLES[table].partition_key)
    return len(keys) - 1 - keys.index(folder_in(key).partition("=")[0])


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
        days = kept_days(partition.table, self.days, self.long_days)
        return (today - max(partition.last_day, newest_run or partition.last_day)).days > days
