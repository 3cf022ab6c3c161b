"""Every contender on every size, in turn, each in a process of its own; prints the table and writes the docs page.

`python -m tests.benchmarks.transform [ITEMS …]`: without sizes all of them, and the page is written.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.transform.generated import raw_object
from tests.benchmarks.transform.measured import CONTENDERS, THREADS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "benchmarks.md"
RAW = ROOT / "build" / "benchmarks"
ROUNDS = {1_000: 5, 200_000: 5, 2_000_000: 1}
"""Playlist items in the raw object, and how often every contender gets it."""

_INTRODUCTION = f"""\
# Benchmarks of the transform

`make bench` repeats this and writes this page; about a quarter of an hour on two cores.

A raw object of so many playlist items, full track objects as Spotify sends them to a new app, becomes the tables
`playlist_items`, `tracks`, `albums`, `artists`, `track_artists` and `album_artists` as zstd Parquet. Every contender
gets the same gzip file and {THREADS} threads, writes every column, and runs in a process of its own, in turn with the
others; that they wrote the same rows is checked. Wall and CPU are medians, without the import of libraries; peak is all
the memory that the process ever held at once; × is the median, over the rounds, of how many times as long as this
transform a contender took.

- this transform: holds every line against its schema, sets aside the bad ones, looks for fields that are new, and
  counts drift. What is met on the way it writes once a block of 8 MB, the others once an object: hence its more rows.
- DuckDB: explicit types, the JSON parsed once into a table, a query a table.
- Polars: explicit types, one scan in batches of 50,000 lines, a sink a table.
- per record: `json.loads` a line and lists of dictionaries, as tutorials have it; but written every 50,000 lines, by
  pyarrow, and each thing once.

"""


@dataclass(frozen=True)
class Taken:
    """What a contender took for an object: a figure a round."""

    wall: list[float]
    cpu: list[float]
    peak_mb: list[float]


def main(sizes: list[int]) -> None:
    """Measure, print, and write the page if nothing is left out."""
    report = "".join(_report(items) for items in sizes or ROUNDS)
    if not sizes:
        PAGE.write_text(_INTRODUCTION + report + _machine(), encoding="utf-8")


def _report(items: int) -> str:
    raw = raw_object(RAW, items)
    with tempfile.TemporaryDirectory() as scratch:
        taken, rows = _measure(raw, Path(scratch), ROUNDS.get(items, 1))
    text = "\n".join(_table(items, raw.stat().st_size, taken, rows)) + "\n\n"
    print(text, end="", flush=True)
    return text


def _measure(raw: Path, scratch: Path, rounds: int) -> tuple[dict[str, Taken], dict[str, dict[str, int]]]:
    taken = {contender: Taken([], [], []) for contender in CONTENDERS}
    for number in range(rounds):
        for contender, took in taken.items():
            folder = scratch / contender
            folder.mkdir(exist_ok=True)
            for name, value in _run("measured", contender, raw, folder).items():
                getattr(took, name).append(value)
        print(f"{raw.name}: round {number + 1} of {rounds}", file=sys.stderr)
    return taken, _run("checked", scratch)


def _run(module: str, *arguments: str | Path) -> Any:
    command = [sys.executable, "-m", f"tests.benchmarks.transform.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _table(items: int, size: int, taken: Mapping[str, Taken], rows: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    ours = taken["ours"]
    rounds = len(ours.wall)
    yield f"## {items:,} items ({size / 1e6:,.1f} MB of gzip, {rounds} round{'s' if rounds > 1 else ''})\n"
    yield "| | wall s | × | CPU s | peak MB | rows written |\n|---|--:|--:|--:|--:|--:|"
    for contender, name in CONTENDERS.items():
        took = taken[contender]
        ratio = statistics.median(theirs / mine for theirs, mine in zip(took.wall, ours.wall, strict=True))
        written = sum(table[contender] for table in rows.values())
        yield (
            f"| {name} | {statistics.median(took.wall):.2f} | {ratio:.2f} | {statistics.median(took.cpu):.2f}"
            f" | {max(took.peak_mb):.0f} | {written:,} |"
        )


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("pyarrow", "isal", "duckdb", "polars"))
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {libraries}.\n"


if __name__ == "__main__":
    main([int(items) for items in sys.argv[1:]])
