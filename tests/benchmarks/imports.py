"""Measures how long each function takes to import, compared with its libraries alone.

`make bench-imports` prints the table; every import is measured in a process of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 15
LIBRARIES = {
    "extract": (
        "aws_lambda_powertools", "aws_lambda_powertools.metrics", "boto3", "requests", "spotipy", "spotipy.oauth2",
    ),
    "transform": (
        "aws_lambda_powertools", "aws_lambda_powertools.metrics", "aws_lambda_powertools.utilities.batch",
        "aws_lambda_powertools.utilities.data_classes", "boto3", "isal.isal_zlib", "pyarrow", "pyarrow.compute",
        "pyarrow.json", "pyarrow.parquet",
    ),
    "publish": ("aws_lambda_powertools", "aws_lambda_powertools.metrics", "boto3"),
}  # fmt: skip
"""The libraries that each function imports; pyarrow and boto3 dominate."""


def main() -> None:
    """Measure and print."""
    head = "| function | libraries | handler | handler ÷ libraries |\n| --- | ---: | ---: | ---: |\n"
    sys.stdout.write(head)
    for function, libraries in LIBRARIES.items():
        alone = f"import {', '.join(libraries)}"
        whole = f"import handlers.{function}.handler"
        pairs = [(_seconds(alone), _seconds(whole)) for _ in range(ROUNDS)]
        ratio = statistics.median(second / first for first, second in pairs)
        first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
        sys.stdout.write(f"| {function} | {first:.2f} s | {second:.2f} s | {ratio:.2f} |\n")
        sys.stdout.flush()


def _seconds(statement: str) -> float:
    """Return how many seconds a statement takes in a new process, not counting the process's start."""
    timed = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    environment = {"POWERTOOLS_SERVICE_NAME": "bench", "POWERTOOLS_METRICS_NAMESPACE": "bench", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", timed], env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    main()
