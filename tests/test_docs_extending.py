"""The edits that docs/extending.md shows do what it says: applied to a copy, the data arrives in the views."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.markdown import blocks

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/extending.md"
LEFT_OUT = (".git", ".venv", ".local", "build", "node_modules", "*_cache", "__pycache__", ".hypothesis", "*.egg-info")
CHECK = """
import json, sys
from pathlib import Path
from spotify_simulator import LibraryPlan
from spotify_simulator.model.saved import AUDIOBOOKS
from tests.e2e import model
from tests.e2e.world import world

plan = LibraryPlan(saved_tracks=1, playlists=0, saved_albums=0, plays_per_day=1, followed_artists=0, saved_shows=4)
streams = ["profile", "saved_tracks", "saved_shows", "saved_audiobooks"]
with world(Path(sys.argv[1]), plan, config={"streams": json.dumps(streams)}) as one:
    one.live(0)
    assert one.errors() == [], one.errors()
    rows = list(model.current_saved_audiobooks(one))
    answer = one.query(f"SELECT {', '.join(rows[0])} FROM current_saved_audiobooks")
    assert sorted(answer.rows) == sorted(tuple(map(model.text, row.values())) for row in rows), answer.rows
    answer = one.query("SELECT audiobook_id, name, edition FROM current_audiobooks")
    books = [saved.item for saved in one.library.saved(AUDIOBOOKS)]
    assert sorted(answer.rows) == sorted((book.audiobook_id, book.name, "Unabridged") for book in books), answer.rows
    answer = one.query("SELECT show_id, media_type FROM current_saved_shows")
    shows = [saved.item for saved in one.library.saved_shows]
    assert sorted(answer.rows) == sorted((show.show_id, show.media_type) for show in shows), answer.rows
    print(len(rows), len(books), len(shows))
"""


class StaleEditError(Exception):
    """An edit whose lines are not in the file, or more than once."""


def apply(diff: str, folder: Path) -> None:
    """Apply a diff without line numbers: the lines of a hunk that are there already must be there once.

    Raises:
        StaleEditError: they are not.
    """
    for _, path, body in re.findall(r"^--- (\S+)\n\+\+\+ b/(\S+)\n(.*?)(?=^--- |\Z)", diff, re.DOTALL | re.MULTILINE):
        file = folder / path
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        for hunk in body.removeprefix("@@\n").split("@@\n"):
            # An empty line of context may have lost its space.
            lines = [line if line.strip("\n") else f" {line}" for line in hunk.splitlines(keepends=True)]
            before = "".join(line[1:] for line in lines if line[0] in " -")
            after = "".join(line[1:] for line in lines if line[0] in " +")
            places = [found.start() for found in re.finditer(f"^{re.escape(before)}", text, re.MULTILINE)]
            if file.exists() and len(places) != 1:
                raise StaleEditError(f"{path} does not have these lines, or more than once:\n{before}")
            start = places[0]
            text = text[:start] + after + text[start + len(before) :]
        file.write_text(text, encoding="utf-8")


def run(folder: Path, *command: str) -> str:
    """Run a command in a folder and return its output."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make(folder: Path, command: str) -> None:
    """Run a command of the page, with the packages that are installed already."""
    name, *targets = command.split()
    run(folder, name, "-o", f"{sys.prefix}/ready", f"VENV={sys.prefix}", *targets)


@pytest.mark.slow
def test_examples_work_on_a_copy(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for diff in blocks(PAGE, "diff"):
        apply(diff, copy)
    for command in blocks(PAGE, "sh"):
        make(copy, command)

    generated = (
        "tests/handlers/test_tables.py",
        "tests/handlers/transform/test_golden.py",
        "tests/test_docs_reference.py",
    )
    run(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *generated)
    (tmp_path / "cloud").mkdir()
    counts = run(copy, sys.executable, "-c", CHECK, str(tmp_path / "cloud")).split()
    assert counts == ["5", "5", "4"]


def test_an_edit_that_does_not_fit_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("one = 1\ntwo = 2\ntwo = 2\n")
    apply("--- a/a.py\n+++ b/a.py\n@@\n one = 1\n+half = 0.5\n@@\n-one = 1\n+one = 1.0\n", tmp_path)
    assert file.read_text() == "one = 1.0\nhalf = 0.5\ntwo = 2\ntwo = 2\n"
    for lines in (" two = 2\n", " three = 3\n", " = 1\n"):
        with pytest.raises(StaleEditError, match=r"^a\.py does not have"):
            apply(f"--- a/a.py\n+++ b/a.py\n@@\n{lines}+more\n", tmp_path)


def test_edits_fit_today(tmp_path: Path) -> None:
    shown = "".join(blocks(PAGE, "diff"))
    edited = set(re.findall(r"^--- a/(\S+)", shown, re.MULTILINE))
    added = set(re.findall(r"^--- /dev/null\n\+\+\+ b/(\S+)", shown, re.MULTILINE))
    for path in edited | added:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if path not in added:
            shutil.copy(ROOT / path, tmp_path / path)
    for diff in blocks(PAGE, "diff"):
        apply(diff, tmp_path)
    for path in edited | added:
        if path.endswith(".json"):
            json.loads((tmp_path / path).read_text(encoding="utf-8"))
        else:
            compile((tmp_path / path).read_text(encoding="utf-8"), path, "exec")
