"""What `make test` tries of a long list: a sample. `make test-all` tries everything."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Any

import pytest

VARIABLE = "SPOTIFY_ETL_TEST_SAMPLES"
"""Set by conftest.py where the slow tests are left out."""


def sampled(values: Iterable[Any], quick: Iterable[Any] | int = 1) -> list[Any]:
    """Return parameters of which all but a few are marked slow.

    Args:
        values: parameters, as `pytest.mark.parametrize` takes them.
        quick: those that `make test` tries: some of the values, or how many of the first.
    """
    every = list(values)
    chosen = every[:quick] if isinstance(quick, int) else list(quick)
    if missing := [value for value in chosen if value not in every]:
        raise ValueError(f"{missing} are not among the values.")
    return [value if value in chosen else _slow(value) for value in every]


def examples(thorough: int, quick: int) -> int:
    """Return how many examples a property is tried on."""
    return quick if VARIABLE in os.environ else thorough


def some(values: Iterable[str], quick: Collection[str]) -> list[str]:
    """Return the values that a test goes through by itself: in `make test`, the quick ones."""
    every = list(values)
    if missing := set(quick) - set(every):
        raise ValueError(f"{sorted(missing)} are not among the values.")
    return [value for value in every if value in quick] if VARIABLE in os.environ else every


def _slow(value: Any) -> Any:
    if hasattr(value, "marks"):
        return pytest.param(*value.values, id=value.id, marks=[*value.marks, pytest.mark.slow])
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
