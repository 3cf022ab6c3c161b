"""`spotify-etl demo` as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from cli.main import main
from handlers.streams import READABLE_STREAMS

ROOT = Path(__file__).parents[2]


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from cli.entry import main; main()", "demo", "--folder", str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"COLUMNS": "120"} | environment,
    )


def test_a_folder_of_somebody_elses_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "demo", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, *capsys.readouterr()) == (
        1,
        "",
        f"{tmp_path} contains other files: pass another --folder.\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with start(tmp_path) as demo:
        _, error = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert error == f"{tmp_path} contains other files: pass another --folder.\n"
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


@pytest.mark.slow
def test_a_folder_that_only_looks_like_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "own.csv").write_text("mine")
    with start(tmp_path) as demo:
        _, error = demo.communicate(timeout=60)
    assert (demo.returncode, error) == (1, f"{tmp_path} contains other files: pass another --folder.\n")
    assert (tmp_path / "tables" / "own.csv").read_text() == "mine"


@pytest.mark.slow
def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with start(file) as demo:
        _, error = demo.communicate(timeout=60)
    assert (demo.returncode, error) == (1, f"{file} cannot be used (File exists): pass another --folder.\n")


@pytest.mark.slow
def test_counts_are_those_of_the_model_and_the_tables_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "demo of o'brien"
    # Neither a broken profile nor a stranger's endpoint reaches the demo.
    with start(folder, "--days", "1", "--seed", "3", AWS_PROFILE="gone", AWS_ENDPOINT_URL="http://127.0.0.1:9") as demo:
        output, error = demo.communicate(timeout=300)
    assert (demo.returncode, error) == (0, "")
    counted = re.findall(r"│ (\w+) +│ +(\d+) │ +(\d+) │ (equal|DIFFERENT)", output)
    lists = {f"current_{stream.table}" for stream in READABLE_STREAMS.values() if stream.mode != "append"}
    assert {name for name, *_ in counted} == lists | {"listens", "labels", "current_labels"}
    assert all(rows == model and verdict == "equal" for _, rows, model, verdict in counted)
    listens = next(int(rows) for name, rows, *_ in counted if name == "listens")
    with duckdb.connect() as connection:
        [[found]] = connection.execute(
            f"SELECT count(*) FROM '{str(folder).replace(chr(39), chr(39) * 2)}/tables/plays/*/*.parquet'"
        ).fetchall()
    assert found == listens
    assert "20261102T042000Z-hourly: skipped, not_logged_in" in output
    assert "rejected: The setting spotify-etl:dailyAt = '25:00' is not allowed" in output
    command = next(line for line in output.splitlines() if "duckdb.connect" in line)
    example = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S602 - as a person pastes it
    assert "artist_name" in example.stdout


def has_ended(group: int) -> bool:
    """Return whether no process of the group is left, waiting a while for those that are just ending."""
    for _ in range(600):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1, 6, 12])
def test_an_interrupt_ends_it_with_one_sentence_and_leaves_nothing_running(tmp_path: Path, seconds: int) -> None:
    with start(tmp_path / "demo") as demo:
        time.sleep(seconds)  # somewhere in its start, its deployment, its first day
        os.killpg(demo.pid, signal.SIGINT)
        _, error = demo.communicate(timeout=60)
        assert demo.returncode == 130
        # On a busy machine, a second may not be enough for the imports.
        early = seconds == 1 and error == "Stopped before anything was started.\n"
        assert early or error == "Stopped. Everything that this command had started has been shut down.\n"
        assert has_ended(demo.pid)
