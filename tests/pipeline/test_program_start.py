"""How much CPU the program takes from its start to the finished graph."""

from __future__ import annotations

import pytest

from tests.benchmarks.program_start import measure

SECONDS = 5.0
"""The budget, on a machine that imports the provider's modules in the time below."""
IMPORTS = 1.1
SLOWER = 2.5
"""How much slower a machine may be."""


@pytest.mark.slow
def test_start_to_finished_graph_is_within_its_budget() -> None:
    found = measure(rounds=3)
    assert found.program / found.imports <= SECONDS / IMPORTS, found
    assert found.program <= SECONDS * SLOWER, found
