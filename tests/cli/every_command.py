"""Each operator's command once, in an order in which each works on what those before have left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cli.main import root_command
from spotify_simulator import Library
from spotify_simulator.privacy_export import write_privacy_export
from tests.pipeline.program import ROOT

ELSEWHERE = {
    "demo": "acts on no stack: tests/cli/test_demo.py",
    "local": "is the local cloud itself: tests/cli/local_cloud/",
    "login": "needs a browser, here and in tests/cli/test_target_commands.py one that agrees",
}
"""Commands that are run elsewhere → why, and where."""


def write_inputs(folder: Path) -> None:
    """Write a small privacy export and labels, which the commands import."""
    start = datetime.now(UTC)
    library = Library.seeded(5, start=start, saved_tracks=3, plays_per_day=2)
    write_privacy_export(library, folder, start, zipped=True).rename(folder / "export.zip")
    (folder / "labels.csv").write_text("subject,label,excluded\nAbba,sleep,true\n")


EVERY_COMMAND: tuple[tuple[str, str, str], ...] = (
    ("extract --streams profile,recently_played", "", "requests to Spotify"),
    ("import-history export.zip", "", "plays"),
    ("labels labels.csv", "", "They replace all earlier ones"),
    ("crawl", "", "views"),
    ("compact", "", "objects before"),
    ("query", "", "top_artists"),
    ("query overview --format csv", "", "listens"),
    ("report --out report.html", "", "report.html"),
    ("export --format duckdb,csv --out exported", "", "exported"),
    ("status --json", "", '"healthy"'),
    ("logs --since 2d", "", "Stream read."),
    ("replay --stream profile", "", "transformed again"),
    ("doctor", "", "Workgroup"),
    ("purge --before 2020-01-01", "local\n", "Deleted "),
    ("purge --all", "local\n", "Deleted "),
)
"""Command, what it is given at its prompt, and a part of what it prints.

Each cloud of these tests was deployed as the stack `local`, which is the name that `purge` asks for.
"""


def commands_on_targets() -> set[str]:
    """Return the names of all commands that act on a stack or on the local cloud."""
    return set(root_command().commands) - set(ELSEWHERE)


def run_every_command(folder: Path, target: tuple[str, ...], name: str, environment: Mapping[str, str]) -> list[str]:
    """Run each command as a process in a folder with `write_inputs`; return what went wrong.

    Args:
        folder: the current folder.
        target: options that choose the target.
        name: the target's name, which each command prints.
        environment: additional environment variables.
    """
    wrong = []
    for line, given, expected in EVERY_COMMAND:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *line.split(), *target],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        # The state of a pipeline that has just begun needs attention, which these two say with their exit status.
        fine = {0, 1} if line.split()[0] in {"status", "doctor"} else {0}
        if done.returncode not in fine or expected not in done.stdout or "unexpected error" in done.stderr:
            wrong.append(f"{line}: {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        # A permission that is missing.
        if line == "doctor" and "not checked" in done.stdout:
            wrong.append(f"{line}:\n{done.stdout}")
        named = f"Using the {'stack ' + name if name != 'local' else 'local cloud'}"
        if named not in done.stdout + done.stderr:
            wrong.append(f"{line} does not say on what it acts")
    return wrong
