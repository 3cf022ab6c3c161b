"""The README of the embedded AWS: its examples run as they stand, and print what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.markdown import blocks, run_block

README = Path(__file__).parents[2] / "embedded_aws" / "README.md"


def test_quick_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick_start, _, _ = blocks(README, "python")
    run_block(README, quick_start)


def test_real_time_and_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, served, _ = blocks(README, "python")
    assert "port=4566" in served
    run_block(README, served.replace("port=4566", "port=0"))
    assert (tmp_path / "account" / "account.sqlite").is_file()


@pytest.mark.slow
def test_the_pipeline_runs_and_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    *_, pipeline = blocks(README, "python")
    (printed,) = blocks(README, "text")
    run_block(README, pipeline)
    assert capsys.readouterr().out == printed


def test_the_map_names_only_what_exists() -> None:
    text = README.read_text(encoding="utf-8").partition("## Where to find what")[2].partition("## An example")[0]
    folder = README.parent
    for row in re.findall(r"^\| (`.*)$", text, re.MULTILINE):
        where, contents = row.split(" | ", 1)
        room = folder / re.findall(r"`([^`]+)`", where)[0] if "/" in where else folder
        named = re.findall(r"`([\w/]+(?:\.py|/))`", row)
        assert named
        assert [name for name in named if not (folder / name).exists() and not (room / name).exists()] == []
        assert contents
