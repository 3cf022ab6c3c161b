"""Runs the fast tests in two processes at once, each with the files of its folders.

With pytest-xdist, which `make test-all` uses, every process collects all tests and sends each result to another one:
a tenth of the CPU time of `make test`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

FIRST = (
    "tests/e2e",
    "tests/embedded_aws",
    "tests/handlers/compact",
)
"""Folders of the first process, with about half of the work; the second has all others."""
FAST = "not slow and not engine and not browser and not clients and not terraform and not trino"


def run_both(first: Sequence[str], second: Sequence[str]) -> int:
    """Run two commands at once and print their output one after the other; return the first exit code that is not 0."""
    with tempfile.TemporaryFile() as held:
        other = subprocess.Popen(second, stdout=held, stderr=subprocess.STDOUT)
        try:
            code = subprocess.run(first, check=False).returncode
        finally:
            # Ctrl-C interrupts all three.
            other_code = other.wait()
            held.seek(0)
            sys.stdout.flush()
            shutil.copyfileobj(held, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    return code or other_code


def commands(options: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the command of each process, with further options for pytest."""
    pytest = [sys.executable, "-m", "tests.pytest_process", "-m", FAST, *options]
    return [*pytest, *FIRST], [*pytest, "tests", *(f"--ignore={folder}" for folder in FIRST)]


if __name__ == "__main__":
    sys.exit(run_both(*commands(sys.argv[1:])))
