"""Measures how long each function takes to import: compared with its libraries alone, and without byte code.

`make bench-imports` prints both tables; every import is measured in a process of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.packaging import PYTHON, byte_code_compiler
from tests.benchmarks.isolated_imports import import_seconds, unpack, without_byte_code

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
    "compact": (
        "aws_lambda_powertools", "aws_lambda_powertools.metrics", "boto3", "pyarrow", "pyarrow.compute",
        "pyarrow.parquet",
    ),
}  # fmt: skip
"""The libraries that each function imports; pyarrow and boto3 dominate."""


def main() -> None:
    """Measure and print."""
    _compare_with_libraries()
    python = byte_code_compiler()
    if python is None:
        sys.exit(f"Cold starts with and without byte code are not measured: there is no python{PYTHON} on PATH.")
    _compare_with_sources(python)


def _compare_with_sources(python: str) -> None:
    """Print the CPU of a cold start's imports from layers without and with byte code, in Lambda's Python."""
    sys.stdout.write("\n| function | sources | byte code | byte code ÷ sources |\n| --- | ---: | ---: | ---: |\n")
    for function in LIBRARIES:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            compiled, sources = unpack(function, Path(folder)), unpack(function, Path(other))
            without_byte_code(sources)
            pairs = [
                (import_seconds(python, function, sources), import_seconds(python, function, compiled))
                for _ in range(ROUNDS)
            ]
        ratio = statistics.median(second / first for first, second in pairs)
        first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
        sys.stdout.write(f"| {function} | {first:.2f} s | {second:.2f} s | {ratio:.2f} |\n")
        sys.stdout.flush()


def _compare_with_libraries() -> None:
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
