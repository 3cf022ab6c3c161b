"""One real day of the pipeline, repeated for years and compacted, in the transformed bucket."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from handlers.compact.rows import CompactedFile
from handlers.layout import TABLES_PREFIX, compacted_key, partition_in
from handlers.tables import TABLES
from handlers.transform.schema import table_schema
from tests.e2e.world import START, World

DAY = START.date() + timedelta(days=1)
"""The day that is repeated: the first one whose runs found the library already there."""
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


def day_of_objects(one: World) -> DayOfObjects:
    """Return what the repeated day has added; call it before that day is compacted."""
    stamp = f"{DAY:%Y%m%d}"
    objects: dict[str, int] = dict.fromkeys(TABLES, 0)
    size = 0
    for key, body, _ in one.objects("transformed_bucket_name", TABLES_PREFIX):
        place = partition_in(key)
        if place is not None and stamp in key.rpartition("/")[2]:
            objects[place[0]] += 1
            size += len(body)
    return DayOfObjects(objects, size)


class Years:
    """Writes earlier years of the same life: each day a copy of `DAY`, with its own times, runs and keys.

    Args:
        one: a world that has lived past `DAY`.
    """

    def __init__(self, one: World) -> None:
        self._one = one
        self._template = {table: rows for table, rows in _rows_by_table(one) if rows.num_rows}

    def write(self, earliest: int, latest: int) -> None:
        """Store compacted objects of the days from `earliest` to `latest` days before `DAY`, both included.

        Args:
            earliest: a number of days; whole partitions must be written by one call.
            latest: a smaller number of days.
        """
        days = [DAY - timedelta(days=back) for back in range(earliest, latest - 1, -1)]
        for table, rows in self._template.items():
            partitions: dict[str, list[date]] = {}
            for day in days:
                partitions.setdefault(f"{day:{_FORMATS[TABLES[table].partition_key]}}", []).append(day)
            for partition, its_days in partitions.items():
                self._store(table, partition, rows, its_days)

    def _store(self, table: str, partition: str, rows: pa.Table, days: list[date]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = CompactedFile(Path(folder) / "rows.parquet", table)
            file.add(_moved(rows, table, days))
            digest = file.finish()[:16]
            self._one.cloud.client("s3").put_object(
                Bucket=self._one.outputs["transformed_bucket_name"],
                Key=compacted_key(table, TABLES[table].partition_key, partition, digest),
                Body=file.path.read_bytes(),
            )


def _rows_by_table(one: World) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of `DAY` of each table."""
    pieces: dict[str, list[pa.Table]] = {table: [] for table in TABLES}
    for key, body, _ in one.objects("transformed_bucket_name", TABLES_PREFIX):
        place = partition_in(key)
        if place is not None and place[0] in pieces:
            pieces[place[0]].append(pq.read_table(io.BytesIO(body)))
    for table, found in pieces.items():
        if found:
            rows = pa.concat_tables(found, promote_options="permissive")
            yield table, _query(f"SELECT * FROM rows WHERE _run_id LIKE '{DAY:%Y%m%d}%'", rows=rows)


def _moved(rows: pa.Table, table: str, days: list[date]) -> pa.Table:
    """Return the rows as they would be on each of some other days."""
    columns = ", ".join(map(_moved_column, rows.column_names))
    moved = _query(
        f"SELECT {columns} FROM rows CROSS JOIN days ORDER BY days.day",
        rows=rows,
        days=pa.table({"day": pa.array(days, pa.date32())}),
    )
    schema = table_schema(table)
    return pa.table({one.name: moved[one.name].cast(one.type) for one in schema}, schema=schema)


def _moved_column(column: str) -> str:
    name = f'rows."{column}"'
    if column in _TIMES:
        return f"{name} - to_days(CAST(DATE '{DAY}' - days.day AS integer)) AS \"{column}\""
    text = (
        f"replace(replace({{}}, '{DAY:%Y%m%d}', strftime(days.day, '%Y%m%d')),"
        f" '{DAY:%Y-%m-%d}', strftime(days.day, '%Y-%m-%d'))"
    )
    if column == "read_keys":
        return f'list_transform({name}, lambda key: {text.format("key")}) AS "{column}"'
    if column == "month":
        return f"strftime(days.day, '%Y-%m') AS \"{column}\""
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
