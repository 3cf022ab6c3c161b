"""Two real days of the pipeline, repeated for years and compacted, in the transformed bucket."""

from __future__ import annotations

import functools
import io
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from handlers.compact.rows import CompactedFile
from handlers.layout import TABLES_PREFIX, compacted_key, partition_in
from handlers.streams import FULL_READ_DAYS
from handlers.tables import TABLES
from handlers.transform.schema import table_schema
from tests.e2e.world import START, World

FIRST_DAY = START.date()
"""The day that is repeated once a week: its run read the whole library."""
DAY = FIRST_DAY + timedelta(days=1)
"""The day that is repeated in between: its runs found the library already there."""
_FORMATS = {"month": "%Y-%m", "year": "%Y"}
"""Partition key → how a day is written in it."""
_TIMES = ("_extracted_at", "played_at", "scheduled_at", "started_at", "finished_at", "locked_until")
"""Columns with a time of the run or of what it read; others, such as `added_at`, say when something was made."""
_NAMES = ("_raw_key", "_run_id", "_read_id", "run_id", "read_id", "dt")
"""Columns whose text contains the day."""


@dataclass(frozen=True)
class DayOfObjects:
    """What one day adds before it is compacted."""

    objects: dict[str, int]
    """Table → objects."""
    size: int
    """Bytes of all of them."""


class Years:
    """Writes earlier years of the same life: each day a copy of a real one, with its own times, runs and keys.

    Args:
        one: a world that has lived past `DAY`, which is not yet compacted.
        accounts: how many accounts live it.
    """

    def __init__(self, one: World, accounts: int) -> None:
        self.day = _day_of_objects(one)
        """What `DAY` has added for one account."""
        self._one = one
        self._written: list[date] = []
        self._accounts = pa.table({"number": pa.array(range(accounts), pa.int32())})
        self._tables = _rows_by_table(one)

    def write(self, earliest: int, latest: int) -> None:
        """Store compacted objects of the days from `earliest` to `latest` days before `DAY`, both included.

        Args:
            earliest: a number of days; whole partitions must be written by one call.
            latest: a smaller number of days.
        """
        days = [DAY - timedelta(days=back) for back in range(earliest, latest - 1, -1)]
        self._written += days
        for table, rows in self._tables.items():
            for partition, its_days in _by_partition(table, days).items():
                self._store(table, partition, rows, its_days)

    def uncompacted(self) -> dict[str, dict[str, int]]:
        """Return by table and partition how many objects the runs of the written days would have left."""
        return {
            table: {
                partition: len(days) * self._accounts.num_rows * objects
                for partition, days in _by_partition(table, self._written).items()
            }
            for table, objects in self.day.objects.items()
        }

    def _store(self, table: str, partition: str, rows: dict[date, pa.Table], days: list[date]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = CompactedFile(Path(folder) / "rows.parquet", table)
            for source, found in rows.items():
                copies = [day for day in days if _source(day) == source]
                file.add(_moved(found, table, source, pa.table({"day": pa.array(copies, pa.date32())}), self._accounts))
            digest = file.finish()[:16]
            self._one.cloud.client("s3").put_object(
                Bucket=self._one.outputs["transformed_bucket_name"],
                Key=compacted_key(table, TABLES[table].partition_key, partition, digest),
                Body=file.path.read_bytes(),
            )


def _day_of_objects(one: World) -> DayOfObjects:
    """Return what `DAY` has added."""
    stamp = f"{DAY:%Y%m%d}"
    objects: dict[str, int] = dict.fromkeys(TABLES, 0)
    size = 0
    for key, body, _ in one.objects("transformed_bucket_name", TABLES_PREFIX):
        place = partition_in(key)
        if place is not None and stamp in key.rpartition("/")[2]:
            objects[place[0]] += 1
            size += len(body)
    return DayOfObjects(objects, size)


def _source(day: date) -> date:
    """Return which of the two days a day is a copy of."""
    return FIRST_DAY if (DAY - day).days % FULL_READ_DAYS == 1 else DAY


def _by_partition(table: str, days: list[date]) -> dict[str, list[date]]:
    partitions: dict[str, list[date]] = {}
    for day in days:
        partitions.setdefault(f"{day:{_FORMATS[TABLES[table].partition_key]}}", []).append(day)
    return partitions


def _rows_by_table(one: World) -> dict[str, dict[date, pa.Table]]:
    """Return by table the rows of each of the two days."""
    pieces: dict[str, list[pa.Table]] = {}
    for key, body, _ in one.objects("transformed_bucket_name", TABLES_PREFIX):
        place = partition_in(key)
        if place is not None:
            pieces.setdefault(place[0], []).append(pq.read_table(io.BytesIO(body)))
    rows = {table: pa.concat_tables(found, promote_options="permissive") for table, found in pieces.items()}
    return {table: {day: _rows_of(day, found) for day in (FIRST_DAY, DAY)} for table, found in rows.items()}


def _rows_of(day: date, rows: pa.Table) -> pa.Table:
    return _query(f"SELECT * FROM rows WHERE _run_id LIKE '{day:%Y%m%d}%'", rows=rows)


def _moved(rows: pa.Table, table: str, source: date, days: pa.Table, accounts: pa.Table) -> pa.Table:
    """Return the rows of one day as each account would have them on other days."""
    columns = ", ".join(_moved_column(column, source) for column in rows.column_names)
    moved = _query(
        f"SELECT {columns} FROM rows CROSS JOIN accounts CROSS JOIN days ORDER BY day, number",
        rows=rows,
        accounts=accounts,
        days=days,
    )
    schema = table_schema(table)
    return pa.table({one.name: moved[one.name].cast(one.type) for one in schema}, schema=schema)


def _moved_column(column: str, source: date) -> str:
    name = f'rows."{column}"'
    if column in _TIMES:
        return f"{name} - to_days(CAST(DATE '{source}' - day AS integer)) AS \"{column}\""
    if column == "account_id":
        return f"if(number = 0, {name}, {name} || '-' || number) AS account_id"
    # The seconds of a run's id tell the accounts apart.
    text = (
        f"replace(replace(replace({{}}, '{source:%Y%m%d}', strftime(day, '%Y%m%d')),"
        f" '{source:%Y-%m-%d}', strftime(day, '%Y-%m-%d')), '00Z-', '0' || number || 'Z-')"
    )
    if column == "read_keys":
        return f'list_transform({name}, lambda key: {text.format("key")}) AS "{column}"'
    if column == "month":
        return f"strftime(day, '%Y-%m') AS \"{column}\""
    if column in _NAMES:
        return f'{text.format(name)} AS "{column}"'
    return name


def _query(sql: str, **tables: pa.Table) -> pa.Table:
    connection = _connection()
    for name, rows in tables.items():
        connection.register(name, rows)
    found: pa.Table = connection.sql(sql).to_arrow_table()
    return found


@functools.cache
def _connection() -> duckdb.DuckDBPyConnection:
    """Return the one connection: opening one takes longer than a query."""
    return duckdb.connect(config={"threads": 1})
