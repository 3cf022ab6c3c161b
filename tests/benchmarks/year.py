"""Lives through a year of hourly runs in the embedded cloud, and compares every view with the simulator's model.

`make bench-year` does it and writes docs/year.md, in an hour or two on two cores. With a number of days as argument,
the table is only printed.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from cli.demo import log_in
from handlers.layout import TABLES_PREFIX
from handlers.streams import READABLE_STREAMS
from spotify_simulator import LibraryPlan
from tests.benchmarks.markdown import table
from tests.benchmarks.memory import peak_mb
from tests.e2e import model
from tests.e2e.world import FIRST_COMPACTION, TIMEZONE, World, on_day, world

_PAGE = Path(__file__).parents[2] / "docs" / "year.md"
_DAYS = 365
_STEP = 30
"""Days in a row of the table."""
_PLAN = LibraryPlan(saved_tracks=100, playlists=6, saved_albums=10, plays_per_day=60, timezone=TIMEZONE)
_CONFIG = {"transformedRetentionDays": "400"}
"""Longer than the year, since the model knows every item that was ever met."""
_LOGIN_DAYS = 150
"""Spotify's refresh tokens last six months."""
_AFTER_COMPACTION = FIRST_COMPACTION + timedelta(minutes=10)
_INTRODUCTION = f"""\
# A year of hourly runs

`make bench-year` runs this and writes this page. The deployed pipeline lives through simulated days in the embedded
cloud: a daily run of every stream, an hourly run of the plays, a crawl, the views and the compaction, each by its own
schedule. The listener plays {_PLAN.plays_per_day} tracks a day and keeps changing the library. At each row of the
table every view with a counterpart in the simulator's model had exactly the model's rows, and no step has failed.

- Objects and size: those of all tables, after the day's compaction.
- A day: wall time of a simulated day, on average since the row above, with a share of the row's comparison.
- `listens`: wall time of `SELECT count(*) FROM listens`, which first reads what is new.
- Memory: the most that the process of the cloud has held so far; the functions have their own.

"""


@dataclass(frozen=True)
class Milestone:
    """The lake after some days."""

    days: int
    runs: int
    plays: int
    objects: int
    size: int
    """Bytes of all objects."""
    seconds: float
    """Wall time of a simulated day, on average since the milestone before, with a share of its comparison."""
    listens_seconds: float
    """Of `SELECT count(*) FROM listens`, which reads the day's new objects first."""
    memory: float
    """The most that the process of the cloud has held so far, in MB."""


def main() -> None:
    """Live, print, and write the page after a whole year."""
    days = int(sys.argv[1]) if sys.argv[1:] else _DAYS
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder), _PLAN, every_stream=True, config=_CONFIG) as one,
    ):
        milestones = _lived(one, days, console)
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    page = f"{_INTRODUCTION}{machine}; {len(model.VIEWS)} views compared at each row.\n\n{_table(milestones)}"
    sys.stdout.write(page)
    if days == _DAYS:
        _PAGE.write_text(page, encoding="utf-8")


def _lived(one: World, days: int, console: Console) -> list[Milestone]:
    milestones: list[Milestone] = []
    different: dict[str, int] = {}
    began = time.perf_counter()
    for day in range(1, days + 1):
        one.live(day)
        reached = day % _STEP == 0 or day == days
        if reached:
            different.update((name, day) for name in _different(one, console) if name not in different)
        one.cloud.run_until(on_day(day, _AFTER_COMPACTION))
        if day % _LOGIN_DAYS == 0:
            log_in(one.cloud, one.outputs["spotify_secret_name"], tuple(READABLE_STREAMS))
        if reached:
            before = milestones[-1].days if milestones else 0
            milestones.append(_milestone(one, day, (time.perf_counter() - began) / (day - before)))
            console.print(milestones[-1])
            began = time.perf_counter()
    if different or one.errors():
        raise AssertionError(
            "\n".join(
                [*(f"{name} differs from the model since day {day}" for name, day in different.items()), *one.errors()]
            )
        )
    return milestones


def _milestone(one: World, days: int, seconds: float) -> Milestone:
    s3, bucket = one.cloud.client("s3"), one.outputs["transformed_bucket_name"]
    sizes = [
        found["Size"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=TABLES_PREFIX)
        for found in page.get("Contents", ())
    ]
    began = time.perf_counter()
    ((plays,),) = one.query("SELECT count(*) FROM listens").rows
    took = time.perf_counter() - began
    ((runs,),) = one.query("SELECT count(DISTINCT run_id) FROM run_attempts").rows
    return Milestone(days, int(runs or 0), int(plays or 0), len(sizes), sum(sizes), seconds, took, peak_mb())


def _different(one: World, console: Console) -> list[str]:
    """Return the views that differ from the model."""
    account = one.library.account_id
    names = []
    for name, rows in model.VIEWS.items():
        expected = list(rows(one))
        columns = ["account_id", *expected[0]]
        found = Counter(one.query(f'SELECT {", ".join(columns)} FROM "{name}"').rows)
        wanted = Counter(tuple(map(model.text, (account, *row.values()))) for row in expected)
        if found != wanted:
            names.append(name)
            for head, rest in (("missing", wanted - found), ("unexpected", found - wanted)):
                console.print(f"{name}: {rest.total():,} rows {head}, such as {[*rest][:3]}")
    return names


def _table(milestones: list[Milestone]) -> str:
    head = ("days", "runs", "plays", "objects", "size", "a day", "`listens`", "memory")
    rows = (
        (
            f"{one.days:,}",
            f"{one.runs:,}",
            f"{one.plays:,}",
            f"{one.objects:,}",
            f"{one.size / 1e6:,.1f} MB",
            f"{one.seconds:.1f} s",
            f"{one.listens_seconds:.1f} s",
            f"{one.memory:,.0f} MB",
        )
        for one in milestones
    )
    return table(head, rows)


if __name__ == "__main__":
    main()
