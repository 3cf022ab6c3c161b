"""Measures the compaction of a partition, by the number and size of its objects.

`make bench-compact` prints the table: reading from and writing to a folder, so without the time that S3 takes; each
case in a process of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.handlers.compact.big_partition import write
from tests.handlers.compact.test_memory import compacted

CASES = ((150, 50), (2_000, 1_000), (20, 100_000))
"""Objects and rows of each: a day of hourly runs, many, and large ones."""


def main() -> None:
    """Measure and print."""
    sys.stdout.write(
        "| objects | rows | Parquet MB | s | CPU s | Parquet MB per CPU s | rows per CPU s | peak MB |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
    for objects, rows in CASES:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), objects, rows)
            took = compacted(Path(folder))
        size, cpu = took["read_mb"], took["cpu_seconds"]
        sys.stdout.write(
            f"| {objects:,} | {objects * rows:,} | {size:.1f} | {took['seconds']:.1f} | {cpu:.1f} | {size / cpu:.1f}"
            f" | {objects * rows / cpu:,.0f} | {took['peak_mb']:.0f} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
