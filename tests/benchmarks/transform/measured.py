"""One contender on one raw object, in this process alone; prints what it took as a line of JSON.

`python -m tests.benchmarks.transform.measured CONTENDER RAW FOLDER`
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

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
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mb": _peak_mb()}
    print(json.dumps(took))


def _peak_mb() -> float:
    """The most memory this process ever held at once; on Linux in kB, elsewhere in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "linux" else peak / 1024**2


if __name__ == "__main__":
    main(*sys.argv[1:])
