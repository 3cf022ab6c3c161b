"""One contender on one raw object, in this process alone; prints what it took as a line of JSON.

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
"""What every contender may use."""

CONTENDERS = {
    "ours": "this transform",
    "duckdb_peer": "DuckDB",
    "polars_peer": "Polars",
    "per_record": "per record",
}
"""Module and name of each."""


def main(contender: str, raw: str, folder: str) -> None:
    """Import the contender, then measure it without its import."""
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    module = importlib.import_module(f"tests.benchmarks.transform.{contender}")
    wall, cpu = time.perf_counter(), time.process_time()
    module.make_tables(Path(raw), Path(folder))
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()}
    print(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
