"""The README of the simulator: its example runs as it stands."""

from __future__ import annotations

from pathlib import Path

from tests.markdown import blocks, run_block

README = Path(__file__).parents[2] / "spotify_simulator" / "README.md"


def test_example() -> None:
    (example,) = blocks(README, "python")
    run_block(README, example)
