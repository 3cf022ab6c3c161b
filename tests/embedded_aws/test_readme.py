"""The README of the embedded AWS: its examples run as they stand, and print what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.markdown import blocks, run_block

README = Path(__file__).parents[2] / "embedded_aws" / "README.md"


def test_quick_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick_start, _ = blocks(README, "python")
    run_block(README, quick_start)


def test_the_pipeline_runs_and_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    _, pipeline = blocks(README, "python")
    (printed,) = blocks(README, "text")
    run_block(README, pipeline)
    assert capsys.readouterr().out == printed
