"""Measures one contender on one raw object in a process of its own; prints the figures as a line of JSON.

`python -m tests.benchmarks.transform.measured CONTENDER RAW FOLDER`
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path

from tests.benchmarks.memory import peak_mb

THREADS = 2
"""The number of threads that every contender may use."""

CONTENDERS = {
    "ours": "this transform",
    "duckdb_peer": "DuckDB",
    "polars_peer": "Polars",
    "per_record": "per record",
}
"""The contenders' names, by module."""


def main(contender: str, raw: str, folder: str) -> None:
    """Measure a contender, not counting its import."""
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    module = importlib.import_module(f"tests.benchmarks.transform.{contender}")
    wall, cpu = time.perf_counter(), time.process_time()
    module.make_tables(Path(raw), Path(folder))
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()}
    print(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
