"""The README of the embedded AWS: its examples run as they stand, and print what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from embedded_aws import EmbeddedAws
from tests.markdown import blocks, run_block

README = Path(__file__).parents[2] / "embedded_aws" / "README.md"


_ANY_PYTHON = """
import boto3
import pytest

@pytest.fixture
def embedded_aws_any_python():
    return True

def test_a_function_asks_for_another_python(embedded_aws):
    role = embedded_aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    for runtime in ("python3.12", "python3.13"):
        boto3.client("lambda").create_function(
            FunctionName=runtime.replace(".", "-"), Runtime=runtime, Handler="main.handler", Role=role,
            Code={"ZipFile": b"PK\\x05\\x06" + bytes(18)},
        )
"""


def test_quick_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick_start, *_ = blocks(README, "python")
    run_block(README, quick_start)


def test_real_time_and_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, served, *_ = blocks(README, "python")
    assert "port=4566" in served
    run_block(README, served.replace("port=4566", "port=0"))
    assert (tmp_path / "account" / "account.sqlite").is_file()


@pytest.mark.slow
def test_the_fixture_and_its_example(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["embedded_aws.pytest_plugin"]\n', encoding="utf-8")
    (tmp_path / "test_example.py").write_text(blocks(README, "python")[2], encoding="utf-8")
    # As another test of the same session, in which boto3 has a session already.
    (tmp_path / "test_second.py").write_text(blocks(README, "python")[2], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_the_fixture_lets_functions_ask_for_any_python(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["embedded_aws.pytest_plugin"]\n', encoding="utf-8")
    (tmp_path / "test_any.py").write_text(_ANY_PYTHON, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_recorded_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = blocks(README, "python")[3]
    with EmbeddedAws(tmp_path, start=datetime(2026, 3, 2, tzinfo=UTC)) as aws:
        exec(recorded, {"aws": aws, "json": json, "timedelta": timedelta})  # noqa: S102 - our own documentation
    # An account without roles.
    assert capsys.readouterr().out == ""


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
