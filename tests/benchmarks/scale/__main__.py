"""Measures the queries over years of hourly runs, and writes docs/scale.md.

`make bench-scale` does all of it, with Trino's times for a few questions over the most years, and needs what
`make test-trino` needs. With numbers of years as arguments, the tables are only printed. The repeated days are the
pipeline's own, in the embedded cloud (see `years.py`).
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
from dataclasses import dataclass, replace
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
from tests.benchmarks.scale.opened import Objects, Opened, opened
from tests.benchmarks.scale.peer import DuckDbPeer
from tests.benchmarks.scale.years import DayOfObjects, Years
from tests.e2e.world import TIMEZONE, World, world
from tests.trino.distribution import fetch, find_java
from tests.trino.server import TrinoServer
from tests.trino.view_descriptions import remove_descriptions_of_views

_PAGE = Path(__file__).parents[3] / "docs" / "scale.md"
_YEARS = (1, 3, 10)
_ACCOUNTS = 5
_LISTENER = LibraryPlan(
    saved_tracks=100,
    playlists=4,
    saved_albums=10,
    followed_artists=10,
    top_items=20,
    plays_per_day=60,
    timezone=TIMEZONE,
)
"""Of whom five play a million tracks in ten years."""
_COLLECTOR = replace(_LISTENER, saved_tracks=100_000)
_FIRST_BACK = 2
"""Days before `DAY` that the first copy is of: the day in between is the pipeline's first."""
_USD_PER_GET = 0.0004 / 1000
"""https://aws.amazon.com/s3/pricing/ (us-east-1)."""
_QUESTIONS = {
    "count(*) from listens": "SELECT count(*) FROM listens",
    "current_tracks": "SELECT count(*), count(name) FROM current_tracks",
    "current_profile": "SELECT * FROM current_profile",
}
"""Asked beside the named queries, and of Trino, whose minutes for all of them would be hours."""
_TRINO_HEAP = 8_000
"""MB: what windows over all plays of ten years need."""


@dataclass(frozen=True)
class Answer:
    """What one query took."""

    opened: Opened
    uncompacted: Opened
    """What it would open if nothing had been compacted."""
    scanned: int
    """Bytes."""
    athena_cost: float
    """In US dollars, without S3's requests."""
    first_seconds: float
    """In the embedded Athena, which first reads the columns that no query has needed so far."""
    athena_seconds: float
    """The same once more."""
    duckdb_seconds: float
    trino_seconds: float | None

    def cost(self, opened: Opened) -> float:
        """Return what AWS bills for it and for opening so many objects, in US dollars."""
        return self.athena_cost + opened.objects * _USD_PER_GET


@dataclass(frozen=True)
class Lake:
    """A lake of some years, and its answers."""

    years: int
    day: DayOfObjects
    uncompacted: int
    """Objects that there would be."""
    plays: int
    listens: int
    objects: int
    size: int
    """Bytes."""
    cold_seconds: float
    """Of the first query of `listens`."""
    answers: dict[str, Answer]


def main() -> None:
    """Measure, print, and write the page if nothing else was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("years", type=int, nargs="*", default=list(_YEARS))
    parser.add_argument("--trino", action="store_true", help="ask Trino some of it over the most years")
    asked = parser.parse_args()
    console = Console(stderr=True)
    whole = tuple(asked.years) == _YEARS
    with _trino(console, wanted=asked.trino) as trino:
        lakes = _measured(_LISTENER, _ACCOUNTS, sorted(asked.years), trino, console)
    (collection,) = _measured(_COLLECTOR, 1, [1], None, console)
    page = _page(lakes, collection)
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
    with (
        tempfile.TemporaryDirectory() as folder,
        TrinoServer(java, fetch(java, say), Path(folder), say, heap=_TRINO_HEAP) as server,
    ):
        yield server


def _measured(
    plan: LibraryPlan, accounts: int, years: Sequence[int], trino: TrinoServer | None, console: Console
) -> list[Lake]:
    lakes = []
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), plan, every_stream=True) as one:
        console.print("living through two days …")
        one.live(2)
        if one.errors():
            raise AssertionError(one.errors())
        history, latest = Years(one, accounts), _FIRST_BACK
        for number in years:
            earliest = _FIRST_BACK - 1 + 365 * number
            console.print(f"writing {number} {'year' if number == 1 else 'years'} …")
            history.write(earliest, latest)
            latest = earliest + 1
            _crawl(one)
            lakes.append(_lake(one, number, history, trino if number == years[-1] else None, console))
    return lakes


def _crawl(one: World) -> None:
    (crawler,) = one.cloud.client("glue").get_crawlers()["Crawlers"]
    one.cloud.client("glue").start_crawler(Name=crawler["Name"])
    one.cloud.run_until(one.cloud.now + timedelta(minutes=15))


def _lake(one: World, years: int, history: Years, trino: TrinoServer | None, console: Console) -> Lake:
    objects, size = _objects(one)
    uncompacted = history.uncompacted()
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
                counts = opened(sql, objects), opened(sql, uncompacted)
                answers[name] = _answer(one, sql, counts, peer, trino if name in _QUESTIONS else None)
                console.print(f"{years} years: {name}: {answers[name]}")
    return Lake(years, history.day, _number(uncompacted), plays, listens, _number(objects), size, cold, answers)


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


def _number(objects: Objects) -> int:
    return sum(sum(found.values()) for found in objects.values())


def _answer(one: World, sql: str, counts: tuple[Opened, Opened], peer: DuckDbPeer, trino: TrinoServer | None) -> Answer:
    database, workgroup = one.outputs["glue_database_name"], one.outputs["athena_workgroup_name"]

    athena = one.cloud.client("athena")

    def in_athena() -> tuple[FinishedQuery, float]:
        finished = execute(athena, sql, database=database, workgroup=workgroup)
        statistics = athena.get_query_execution(QueryExecutionId=finished.id)["QueryExecution"]["Statistics"]
        return finished, statistics["EngineExecutionTimeInMillis"] / 1000

    _, first_seconds = in_athena()
    finished, seconds = in_athena()
    return Answer(
        opened=counts[0],
        uncompacted=counts[1],
        scanned=finished.scanned,
        athena_cost=finished.usd,
        first_seconds=first_seconds,
        athena_seconds=seconds,
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


def _page(lakes: Sequence[Lake], collection: Lake) -> str:
    trino = _TRINO if any(map(_has_trino, lakes)) else ""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    memory = f"the process, with both engines in it, held {peak_mb():,.0f} MB at most"
    return (
        f"{_INTRODUCTION}{trino}\n{machine}; {memory}.\n\n"
        f"## {_ACCOUNTS} accounts that play {_LISTENER.plays_per_day} tracks a day each\n\n{_lakes(lakes)}"
        + "".join(map(_answers, lakes))
        + f"\n## One account with {_COLLECTOR.saved_tracks:,} saved tracks\n\n"
        + f"{_lakes([collection])}{_answers(collection)}{_LIMITS}"
    )


def _lakes(lakes: Sequence[Lake]) -> str:
    head = ("years", "plays", "`listens`", "objects", "if not compacted", "size", "first query of `listens`")
    rows = (
        (
            f"{lake.years}",
            f"{lake.plays:,}",
            f"{lake.listens:,}",
            f"{lake.objects:,}",
            f"{lake.uncompacted:,}",
            f"{lake.size / 1e6:,.1f} MB",
            f"{lake.cold_seconds:,.1f} s",
        )
        for lake in lakes
    )
    day = lakes[0].day
    return (
        f"A day adds {sum(day.objects.values()):,} objects of {day.size / 1e3:,.0f} kB in all for each account, before"
        f" it is compacted.\n\n{table(head, rows, names=1)}"
    )


def _answers(lake: Lake) -> str:
    head = (
        "query",
        "scans",
        "objects opened",
        "if not compacted",
        "scanned",
        "US cents",
        "if not compacted",
        "embedded, first",
        "again",
        "DuckDB",
        "first ÷ DuckDB",
        *(["Trino"] if _has_trino(lake) else []),
    )
    rows = (
        (
            f"`{name}`",
            f"{answer.opened.scans}",
            f"{answer.opened.objects:,}",
            f"{answer.uncompacted.objects:,}",
            f"{answer.scanned / 1e6:,.2f} MB",
            f"{answer.cost(answer.opened) * 100:.3f}",
            f"{answer.cost(answer.uncompacted) * 100:.3f}",
            f"{answer.first_seconds:.2f} s",
            f"{answer.athena_seconds:.2f} s",
            f"{answer.duckdb_seconds:.2f} s",
            f"{answer.first_seconds / answer.duckdb_seconds:.2f}",
            *([_trino_cell(answer.trino_seconds)] if _has_trino(lake) else []),
        )
        for name, answer in lake.answers.items()
    )
    return f"\n### {lake.years} {'year' if lake.years == 1 else 'years'}\n\n{table(head, rows, names=1)}"


def _trino_cell(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f} s"


def _has_trino(lake: Lake) -> bool:
    return any(answer.trino_seconds is not None for answer in lake.answers.values())


_INTRODUCTION = """\
# Years of hourly runs

`make bench-scale` runs this benchmark and writes this page. Two days of the pipeline in the embedded cloud, with every
stream, are repeated backwards for years: each day with its own times, runs and keys, in objects as the compaction
leaves them. One of the two read the whole library; it is repeated once a week, the other one in between.

- Objects opened: every object of every scan, since Trino, and so Athena, makes a request for each.
- Scanned and US cents: what Athena counts and bills, with S3's requests.
- If not compacted: the same with the objects that the runs have written, at the price of the compacted bytes.
- Embedded: the embedded Athena, after the first query of `listens`: a query reads the columns that none has needed
  before, and again, what it has kept of the tables and views.
- DuckDB: the same question, asked of DuckDB over the same files, and the ratio of the two.
"""
_TRINO = "- Trino: a server on the same machine, with 8 GB, reading the embedded S3, asked a few questions once.\n"
_LIMITS = """
## Where one function ends

- **Extract**: an invocation works for up to 15 minutes and hands over to the next one; when the request budget of a run
  is used up, the next run continues. [A first load](benchmark-extract.md) of a million tracks takes nine of each.
- **Transform**: a raw object holds what one invocation has read of a stream, so a library of any size comes in pieces.
  The queue spreads them over up to five invocations at a time. [Time and memory](benchmarks.md) grow with the object,
  not with the library.
- **Compaction**: an invocation takes partition after partition, in memory that does not depend on their size, and
  leaves what it has no time for to the next one.
- **Athena** reads the objects of a scan in parallel. The times above are those of two cores.
"""


if __name__ == "__main__":
    main()
