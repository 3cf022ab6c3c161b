"""Measures the queries over years of hourly runs, and writes docs/scale.md.

`make bench-scale` does all of it; with `--trino`, Trino's times over the most years, too. With numbers of years as
arguments, the tables are only printed. The repeated day is one of the pipeline's own, in the embedded cloud (see
`years.py`).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from cli.athena_queries import FinishedQuery, execute, named_queries
from cli.lake import download_tables, stored_views
from handlers.layout import TABLES_PREFIX, partition_in
from handlers.tables import TABLES
from spotify_simulator import LibraryPlan
from tests.benchmarks.markdown import table
from tests.benchmarks.memory import peak_mb
from tests.benchmarks.scale.opened import Opened, opened
from tests.benchmarks.scale.peer import DuckDbPeer
from tests.benchmarks.scale.years import DayOfObjects, Years, day_of_objects
from tests.e2e.world import TIMEZONE, World, world
from tests.trino.distribution import fetch, find_java
from tests.trino.server import TrinoServer
from tests.trino.view_descriptions import remove_descriptions_of_views

_PAGE = Path(__file__).parents[3] / "docs" / "scale.md"
_YEARS = (1, 3, 10)
_PLAN = LibraryPlan(saved_tracks=500, playlists=12, saved_albums=40, plays_per_day=240, timezone=TIMEZONE)
"""A listener with as many plays as a day has time for."""
_FIRST_BACK = 2
"""Days before the repeated one that the first copy is of: the day in between is the pipeline's first."""
_USD_PER_GET = 0.0004 / 1000
"""https://aws.amazon.com/s3/pricing/ (us-east-1)."""
_QUESTIONS = {
    "count(*) from listens": "SELECT count(*) FROM listens",
    "current_tracks": "SELECT count(*), count(name) FROM current_tracks",
    "current_profile": "SELECT * FROM current_profile",
}
"""Asked beside the named queries."""


@dataclass(frozen=True)
class Answer:
    """What one query took."""

    opened: Opened
    scanned: int
    """Bytes."""
    cost: float
    """What AWS bills for it: Athena and S3's requests, in US dollars."""
    athena_seconds: float
    """In the embedded Athena, once it has read the objects."""
    duckdb_seconds: float
    trino_seconds: float | None


@dataclass(frozen=True)
class Lake:
    """A lake of some years, and its answers."""

    years: int
    plays: int
    listens: int
    objects: dict[str, dict[str, int]]
    """Table → partition → objects."""
    size: int
    """Bytes."""
    cold_seconds: float
    """Of the first query of `listens`."""
    answers: dict[str, Answer]


def main() -> None:
    """Measure, print, and write the page if nothing else was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("years", type=int, nargs="*", default=list(_YEARS))
    parser.add_argument("--trino", action="store_true", help="measure Trino over the most years, too")
    asked = parser.parse_args()
    console = Console(stderr=True)
    whole = tuple(asked.years) == _YEARS
    with _trino(console, wanted=asked.trino) as trino:
        day, lakes = _measured(sorted(asked.years), trino, console)
    page = _page(day, lakes)
    sys.stdout.write(page)
    if whole:
        _PAGE.write_text(page, encoding="utf-8")


@contextmanager
def _trino(console: Console, *, wanted: bool) -> Iterator[TrinoServer | None]:
    if not wanted:
        yield None
        return
    java = find_java()
    say = console.print
    with tempfile.TemporaryDirectory() as folder, TrinoServer(java, fetch(java, say), Path(folder), say) as server:
        yield server


def _measured(years: Sequence[int], trino: TrinoServer | None, console: Console) -> tuple[DayOfObjects, list[Lake]]:
    lakes = []
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), _PLAN, every_stream=True) as one:
        console.print("living through two days …")
        one.live(2)
        if one.errors():
            raise AssertionError(one.errors())
        day, history, latest = day_of_objects(one), Years(one), _FIRST_BACK
        for number in years:
            earliest = _FIRST_BACK - 1 + 365 * number
            console.print(f"writing {number} {'year' if number == 1 else 'years'} …")
            history.write(earliest, latest)
            latest = earliest + 1
            _crawl(one)
            lakes.append(_lake(one, number, trino if number == years[-1] else None, console))
    return day, lakes


def _crawl(one: World) -> None:
    (crawler,) = one.cloud.client("glue").get_crawlers()["Crawlers"]
    one.cloud.client("glue").start_crawler(Name=crawler["Name"])
    one.cloud.run_until(one.cloud.now + timedelta(minutes=15))


def _lake(one: World, years: int, trino: TrinoServer | None, console: Console) -> Lake:
    objects, size = _objects(one)
    athena = one.cloud.client("athena")
    views = stored_views(one.cloud.client("glue"), one.outputs["glue_database_name"])
    queries = _QUESTIONS | {
        name: query["QueryString"] for name, query in named_queries(athena, one.outputs["named_queries"]).items()
    }
    began = time.perf_counter()
    listens = int(one.query("SELECT count(*) FROM listens").rows[0][0] or 0)
    cold = time.perf_counter() - began
    plays = int(one.query("SELECT count(*) FROM plays").rows[0][0] or 0)
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        bucket = one.outputs["transformed_bucket_name"]
        tables = download_tables(one.cloud.client("s3"), bucket, Path(folder))
        with closing(DuckDbPeer(tables, views)) as peer, _reading(trino, one):
            for name, sql in queries.items():
                answers[name] = _answer(one, sql, opened(sql, objects), peer, trino)
                console.print(f"{years} years: {name}: {answers[name]}")
    return Lake(years, plays, listens, objects, size, cold, answers)


@contextmanager
def _reading(trino: TrinoServer | None, one: World) -> Iterator[None]:
    if trino is None:
        yield
        return
    remove_descriptions_of_views(one)
    with trino.reading(one.cloud.server):
        yield


def _objects(one: World) -> tuple[dict[str, dict[str, int]], int]:
    objects: dict[str, dict[str, int]] = {table: {} for table in TABLES}
    size = 0
    pages = one.cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=one.outputs["transformed_bucket_name"], Prefix=TABLES_PREFIX):
        for found in page.get("Contents", ()):
            place = partition_in(found["Key"])
            if place is not None:
                table, partition = place
                objects[table][partition] = objects[table].get(partition, 0) + 1
                size += found["Size"]
    return objects, size


def _answer(one: World, sql: str, found: Opened, peer: DuckDbPeer, trino: TrinoServer | None) -> Answer:
    database, workgroup = one.outputs["glue_database_name"], one.outputs["athena_workgroup_name"]

    athena = one.cloud.client("athena")

    def in_athena() -> FinishedQuery:
        return execute(athena, sql, database=database, workgroup=workgroup)

    in_athena()
    finished = in_athena()
    statistics = athena.get_query_execution(QueryExecutionId=finished.id)["QueryExecution"]["Statistics"]
    return Answer(
        opened=found,
        scanned=finished.scanned,
        cost=finished.usd + found.objects * _USD_PER_GET,
        athena_seconds=statistics["EngineExecutionTimeInMillis"] / 1000,
        duckdb_seconds=_peer_seconds(peer, sql),
        trino_seconds=None if trino is None else _seconds(lambda: trino.query(sql, database=database)),
    )


def _peer_seconds(peer: DuckDbPeer, sql: str) -> float:
    """Return how long DuckDB takes; what takes long is not asked again."""
    first = peer.seconds(sql)
    return first if first > 1 else min(first, peer.seconds(sql))


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _page(day: DayOfObjects, lakes: Sequence[Lake]) -> str:
    per_day = sum(day.objects.values())
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    head = ("years", "plays", "`listens`", "objects", "without compaction", "size", "first query of `listens`")
    rows = (
        (
            f"{lake.years}",
            f"{lake.plays:,}",
            f"{lake.listens:,}",
            f"{sum(sum(found.values()) for found in lake.objects.values()):,}",
            f"{per_day * 365 * lake.years:,}",
            f"{lake.size / 1e6:,.1f} MB",
            f"{lake.cold_seconds:,.1f} s",
        )
        for lake in lakes
    )
    trino = _TRINO if any(map(_has_trino, lakes)) else ""
    return (
        f"{_INTRODUCTION}{trino}\n{machine}; the process held {peak_mb():,.0f} MB at most.\n\n## The lake\n\n"
        f"A day adds {per_day:,} objects of {day.size / 1e3:,.0f} kB in all before it is compacted.\n\n"
        + table(head, rows, names=1)
        + "".join(map(_answers, lakes))
    )


def _answers(lake: Lake) -> str:
    head = (
        "query",
        "scans",
        "objects opened",
        "scanned",
        "US cents",
        "embedded",
        "DuckDB",
        "embedded ÷ DuckDB",
        *(["Trino"] if _has_trino(lake) else []),
    )
    rows = (
        (
            f"`{name}`",
            f"{answer.opened.scans}",
            f"{answer.opened.objects:,}",
            f"{answer.scanned / 1e6:,.2f} MB",
            f"{answer.cost * 100:.3f}",
            f"{answer.athena_seconds:.2f} s",
            f"{answer.duckdb_seconds:.2f} s",
            f"{answer.athena_seconds / answer.duckdb_seconds:.2f}",
            *([] if answer.trino_seconds is None else [f"{answer.trino_seconds:.1f} s"]),
        )
        for name, answer in lake.answers.items()
    )
    return f"\n## {lake.years} {'year' if lake.years == 1 else 'years'}\n\n{table(head, rows, names=1)}"


def _has_trino(lake: Lake) -> bool:
    return any(answer.trino_seconds is not None for answer in lake.answers.values())


_INTRODUCTION = """\
# Years of hourly runs

`make bench-scale` runs this benchmark and writes this page. One day of the pipeline in the embedded cloud, with every
stream and a listener who plays 240 tracks a day, is repeated backwards for years: each day with its own times, runs and
keys, in objects as the compaction leaves them.

- Objects opened: every object of every scan, since Trino, and so Athena, makes a request for each.
- Scanned and US cents: what Athena counts and bills, with S3's requests.
- Embedded: the embedded Athena, once it has read the objects.
- DuckDB: the same question, asked of DuckDB over the same files, and the ratio of the two.
"""
_TRINO = "- Trino: one server on the same machine, reading the embedded S3.\n"


if __name__ == "__main__":
    main()
