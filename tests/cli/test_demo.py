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

ROOT = Path(__file__).parents[2]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", "demo", "--folder", str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"COLUMNS": "120"},
    )


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with start(tmp_path) as demo:
        _, error = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert error == f"{tmp_path} holds something else: pass another --folder.\n"
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


@pytest.mark.slow
def test_counts_are_those_of_the_model_and_the_tables_can_be_read(tmp_path: Path) -> None:
    with start(tmp_path / "demo", "--days", "1", "--seed", "3") as demo:
        output, error = demo.communicate(timeout=300)
    assert (demo.returncode, error) == (0, "")
    counted = re.findall(r"│ (\w+) +│ +(\d+) │ +(\d+) │ (equal|DIFFERENT)", output)
    assert {name for name, *_ in counted} == {
        "current_playlist_items",
        "current_playlists",
        "current_profile",
        "current_saved_albums",
        "current_saved_tracks",
        "listens",
    }
    assert all(rows == model and verdict == "equal" for _, rows, model, verdict in counted)
    listens = next(int(rows) for name, rows, *_ in counted if name == "listens")
    with duckdb.connect() as connection:
        [[found]] = connection.execute(f"SELECT count(*) FROM '{tmp_path}/demo/tables/plays/*/*.parquet'").fetchall()
    assert found == listens
    assert "20261102T042000Z-hourly: skipped, not_logged_in" in output
    assert "refused: The setting spotify-etl:dailyAt = '25:00' is not allowed" in output


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1, 6, 12])
def test_an_interrupt_ends_it_with_one_sentence_and_leaves_nothing_running(tmp_path: Path, seconds: int) -> None:
    with start(tmp_path / "demo") as demo:
        time.sleep(seconds)
        os.killpg(demo.pid, signal.SIGINT)
        _, error = demo.communicate(timeout=60)
        assert (demo.returncode, error) == (130, "Stopped. Everything this command had started has ended.\n")
        with pytest.raises(ProcessLookupError):
            os.killpg(demo.pid, 0)
