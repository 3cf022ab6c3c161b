"""Runs pytest in a process that ends at once: to take thousands of modules apart takes seconds."""

from __future__ import annotations

import atexit
import os
import sys

import pytest

# An exception of pytest itself leaves it.
_code = 1


def _end() -> None:
    sys.stdout.flush()
    os._exit(_code)


if __name__ == "__main__":
    # Registered first, called last.
    atexit.register(_end)
    _code = pytest.main(sys.argv[1:])
