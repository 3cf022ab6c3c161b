"""Runs every contender on every size, in turn and in separate processes; prints the tables and writes the docs page.

`python -m tests.benchmarks.transform [ITEMS …]`: without sizes, all of them are measured and the page is written.
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
"""Number of playlist items in the raw object, and the number of rounds."""

_INTRODUCTION = f"""\
# Benchmarks of the transform

`make bench` runs these benchmarks and writes this page, in about a quarter of an hour on two cores.

[Another page](benchmark-athena.md) compares the embedded Athena with DuckDB (`make bench-athena`).

A raw object with the given number of playlist items (full track objects, as Spotify sends them to a new app) is
converted to the tables `playlist_items`, `tracks`, `albums`, `artists`, `track_artists` and `album_artists` as zstd
Parquet. Every contender gets the same gzip file and {THREADS} threads, writes every column, and runs in its own
process, in turn with the others; the rows that they write are checked to be the same. Wall and CPU times are medians
and exclude importing libraries; peak is the most memory that the process held at any time; × is the contender's wall
time divided by this transform's (the median over the rounds).

- this transform: checks every line against its schema, sets bad lines aside, detects new fields, and counts schema
  drift. It writes tracks, albums and artists once per block of 8 MB, the others once per object, hence its extra rows.
- DuckDB: explicit types, the JSON parsed once into a table, one query per table.
- Polars: explicit types, one scan in batches of 50,000 lines, one sink per table.
- per record: `json.loads` for each line and lists of dictionaries, as in tutorials, but written every 50,000 lines by
  pyarrow and without duplicates.

"""


@dataclass(frozen=True)
class Figures:
    """The measurements of a contender: one figure per round."""

    wall: list[float]
    cpu: list[float]
    peak_mb: list[float]


def main(sizes: list[int]) -> None:
    """Measure, print, and write the page if all sizes were measured."""
    report = "".join(_report(items) for items in sizes or ROUNDS)
    if not sizes:
        PAGE.write_text(_INTRODUCTION + report + _machine(), encoding="utf-8")


def _report(items: int) -> str:
    raw = raw_object(RAW, items)
    with tempfile.TemporaryDirectory() as scratch:
        figures, rows = _measure(raw, Path(scratch), ROUNDS.get(items, 1))
    text = "\n".join(_table(items, raw.stat().st_size, figures, rows)) + "\n\n"
    print(text, end="", flush=True)
    return text


def _measure(raw: Path, scratch: Path, rounds: int) -> tuple[dict[str, Figures], dict[str, dict[str, int]]]:
    figures = {contender: Figures([], [], []) for contender in CONTENDERS}
    for number in range(rounds):
        for contender, took in figures.items():
            folder = scratch / contender
            folder.mkdir(exist_ok=True)
            for name, value in _run("measured", contender, raw, folder).items():
                getattr(took, name).append(value)
        print(f"{raw.name}: round {number + 1} of {rounds}", file=sys.stderr)
    return figures, _run("checked", scratch)


def _run(module: str, *arguments: str | Path) -> Any:
    command = [sys.executable, "-m", f"tests.benchmarks.transform.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _table(
    items: int, size: int, figures: Mapping[str, Figures], rows: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    ours = figures["ours"]
    rounds = len(ours.wall)
    yield f"## {items:,} items ({size / 1e6:,.1f} MB of gzip, {rounds} round{'s' if rounds > 1 else ''})\n"
    yield "| | wall s | × | CPU s | peak MB | rows written |\n|---|--:|--:|--:|--:|--:|"
    for contender, name in CONTENDERS.items():
        took = figures[contender]
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
