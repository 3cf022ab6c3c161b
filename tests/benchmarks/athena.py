"""Measures first queries of the embedded Athena, and writes docs/benchmark-athena.md.

`make bench-athena` does all of it. With a number of objects and one of rows in each as arguments, only the table of
that case is printed.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb

from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.warehouse import Warehouse
from handlers.tables import TABLES
from handlers.transform.schema import table_schema
from handlers.transform.table_files import table_writer
from tests.benchmarks.memory import peak_mb
from tests.embedded_aws.athena_lab import DATABASE, LAKE, Lab
from tests.handlers.compact.big_partition import TABLE, rows_of

_PAGE = Path(__file__).parents[2] / "docs" / "benchmark-athena.md"
_CASES = ((2_000, 50), (120, 8_400))
"""Objects and rows of each: many small ones, and a million rows compacted."""
_ROUNDS = 3
_MONTHS = 24
_QUERIES = {
    "rows": f"SELECT count(*) FROM {TABLE}",
    "one column": f"SELECT sum(duration_ms) FROM {TABLE}",
    "two columns, grouped": f"SELECT artist_name, sum(duration_ms) FROM {TABLE} GROUP BY artist_name ORDER BY 2, 1",
    "one month": f"SELECT count(DISTINCT track_id) FROM {TABLE} WHERE month = '2017-02'",
    "eight columns, grouped": (
        "SELECT artist_name, album_name, count(DISTINCT track_id), max(item_name), min(added_at), sum(duration_ms),"
        f" max(position), max(_line) FROM {TABLE} GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20"
    ),
}


@dataclass(frozen=True)
class Took:
    """What a query took."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Round:
    """One query, in turn."""

    duckdb: Took
    first: Took
    """In the embedded Athena, which has read nothing."""
    again: Took


def main(arguments: list[str]) -> None:
    """Measure, print, and write the page if nothing else was asked for."""
    cases = [(int(arguments[0]), int(arguments[1]))] if arguments else _CASES
    tables = "".join(_case(objects, rows) for objects, rows in cases)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pyarrow"))
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {libraries}"
    page = f"{_INTRODUCTION}{tables}\n{machine}. The process held {peak_mb():,.0f} MB at most.\n"
    sys.stdout.write(page)
    if not arguments:
        _PAGE.write_text(page, encoding="utf-8")


def _case(objects: int, rows: int) -> str:
    with _lake(objects, rows) as (lab, files, scratch):
        size = sum(path.stat().st_size for path in files.rglob("*.parquet")) / objects / 1000
        lines = [
            f"\n## {objects:,} objects of {rows:,} rows ({size:,.0f} kB each)\n\n",
            "| query | DuckDB s | first s | × | DuckDB CPU s | first CPU s | × | again s |\n",
            "|---|--:|--:|--:|--:|--:|--:|--:|\n",
        ]
        for name, sql in _QUERIES.items():
            found = [_round(lab, files, scratch, sql) for _ in range(_ROUNDS)]
            sys.stderr.write(f"{objects:,} objects: {name}\n")
            wall, cpu = _median(found, lambda one: one.duckdb.wall), _median(found, lambda one: one.duckdb.cpu)
            lines.append(
                f"| {name} | {wall:.3f} | {_median(found, lambda one: one.first.wall):.3f}"
                f" | {_median(found, lambda one: one.first.wall / one.duckdb.wall):.2f}"
                f" | {cpu:.3f} | {_median(found, lambda one: one.first.cpu):.3f}"
                f" | {_median(found, lambda one: one.first.cpu / one.duckdb.cpu):.2f}"
                f" | {_median(found, lambda one: one.again.wall):.3f} |\n"
            )
        return "".join(lines)


@contextmanager
def _lake(objects: int, rows: int) -> Iterator[tuple[Lab, Path, Path]]:
    """Yield an Athena whose table has so many objects, a folder with the same files, and one for other files."""
    with tempfile.TemporaryDirectory() as folder:
        files, scratch = Path(folder, "files"), Path(folder, "scratch")
        scratch.mkdir()
        with Lab(Path(folder, "aws")) as lab:
            lab.table(TABLE, {column.name: column.type for column in TABLES[TABLE].all_columns}, keys=("month",))
            schema, s3 = table_schema(TABLE), lab.server.backend("s3")
            for number in range(objects):
                place = number * _MONTHS // objects
                month = f"{2017 + place // 12}-{place % 12 + 1:02}"
                path = files / f"tables/{TABLE}/month={month}/{number:05}.parquet"
                if not path.parent.exists():
                    path.parent.mkdir(parents=True)
                    lab.partition(TABLE, month, keys=("month",))
                with table_writer(path, TABLE) as writer:
                    writer.write_table(rows_of(schema, f"raw/{number}", number * rows, rows))
                s3.put_object(LAKE, str(path.relative_to(files)), path.read_bytes())
            yield lab, files, scratch


def _round(lab: Lab, files: Path, scratch: Path, sql: str) -> Round:
    with closing(duckdb.connect()) as connection:
        connection.execute(
            f"CREATE VIEW {TABLE} AS FROM read_parquet('{files}/tables/{TABLE}/*/*.parquet',"
            " hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
        )
        answer, by_duckdb = _took(lambda: len(connection.execute(sql).fetchall()))
    owner = CallerPermissions(lab.server, lab.server.owner.access_key_id)
    with closing(Warehouse(lab.server, scratch)) as warehouse:

        def query() -> int:
            session = warehouse.session(None, Cancellation())
            return len(session.query(sql, DATABASE, (), CallerCatalog(lab.server, owner)).rows)

        rows, first = _took(query)
        _, again = _took(query)
    if rows != answer:
        raise AssertionError(f"{sql}: {rows} rows instead of {answer}")
    return Round(by_duckdb, first, again)


def _took(action: Callable[[], int]) -> tuple[int, Took]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = action()
    return result, Took(time.perf_counter() - wall, time.process_time() - cpu)


def _median(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    return statistics.median(map(figure, rounds))


_INTRODUCTION = f"""\
# Benchmark of the embedded Athena

`make bench-athena` runs this benchmark and writes this page, in a few minutes.

The table `{TABLE}` has its objects in {_MONTHS} months. DuckDB reads the same files from a folder, by their names and
with Hive's partitions, as a script would. "First" is the first query of the embedded Athena, which has read nothing of
the table yet: it lists the objects, checks permissions, reads footers, counts the scanned bytes, and keeps what it read
for the next query ("again"). All figures are medians of {_ROUNDS} rounds, × is the median of the rounds' ratios.

Small objects are copied to memory. DuckDB reads large ones itself, straight from the embedded S3, each time: "again" is
then as long as DuckDB's own time.
"""


if __name__ == "__main__":
    main(sys.argv[1:])
