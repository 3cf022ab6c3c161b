"""The commands that the pages show, run in the pages' order on a local cloud."""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.running_cloud import FOLDER_VARIABLE, RunningCloud
from spotify_simulator import Library, LibraryPlan
from spotify_simulator.privacy_export import write_privacy_export
from tests.cli.local_cloud.process import LocalCommands
from tests.docs_commands import ROOT
from tests.markdown import blocks

LOCAL_PART = "## Deploy it"
"""The heading of the README at which its local part ends."""
ELSEWHERE = {
    "make demo": "tests/cli/test_demo.py",
    "make test": "it runs the tests",
    "spotify-etl demo --export my_spotify_data.zip": "tests/cli/test_own_export.py",
    "spotify-etl local up --spotify live --detach": "Spotify itself; tests/cli/local_cloud/test_up.py",
    "spotify-etl login --local": "a person in a browser; tests/cli/test_target_commands.py",
    "spotify-etl local up --empty --detach": "the lines after it; tests/engine/test_every_command.py",
    "pulumi stack init local": "tests/engine/test_every_command.py",
    "pulumi up -s local --config-file .local/cloud/Pulumi.local.yaml": "AWS's provider; tests/engine/",
}
"""Lines of the pages that are run elsewhere → where, or why they cannot be run here."""
PROGRAMS = {
    "spotify-etl": '-m cli "$@"',
    "aws": '-m tests.aws_command "$@"',
    "duckdb": """-c 'import duckdb, sys; duckdb.connect(sys.argv[1]).sql(sys.argv[2]).show()' "$@\"""",
    "python": '"$@"',
}
"""Programs of the pages → what the Python of these tests is run with in their place."""
CONNECTING = ROOT / "docs/connecting.md"
SHOWN_ON = date(2026, 11, 2)
"""The day on which the sessions in docs/operating.md were recorded."""


class Reader:
    """A reader of the pages, who types what they show into one shell after another, in one folder.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local = LocalCommands(folder / "working")
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name, arguments in PROGRAMS.items():
            (programs / name).write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}\n")
            (programs / name).chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "BROWSER": "true %s",
            "COLUMNS": "200",
            FOLDER_VARIABLE: str(self.local.working),
        }

    def types(self, lines: str, *, given: str = "") -> str:
        """Run lines in a shell; return what they printed, or stop at the first that fails."""
        done = subprocess.run(
            ["/bin/sh", "-ec", self._with_port(lines)],
            cwd=self.folder,
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def types_until_ready(self, line: str) -> None:
        """Run a line that keeps a cloud in the foreground, and end it with Ctrl-C once it is ready."""
        with subprocess.Popen(
            shlex.split(self._with_port(line)),
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            deadline = time.monotonic() + 400
            while RunningCloud.find(self.local.working) is None:
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < deadline
                time.sleep(0.2)
            os.killpg(process.pid, signal.SIGINT)
            printed, _ = process.communicate(timeout=60)
        assert "The local cloud is running." in printed
        assert RunningCloud.find(self.local.working) is None

    def ends(self) -> None:
        """End what was left running."""
        if (left := RunningCloud.find(self.local.working)) is not None:
            os.kill(left.pid, signal.SIGKILL)

    def _with_port(self, lines: str) -> str:
        return lines.replace("spotify-etl local up", f"spotify-etl local up --port {self.local.port}")


def lines_of(page: str, until: str | None = None) -> list[str]:
    """Return the lines of a page's blocks of shell commands, without comments."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    found = [block for block in blocks(path, "sh") if until is None or text.index(block) < text.index(until)]
    lines = "".join(found).replace("\\\n", " ").splitlines()
    return [" ".join(re.split(r"\s+#", line)[0].split()) for line in lines]


def without_folder(line: str) -> str:
    return line.replace(".venv/bin/", "")


def sessions() -> list[tuple[str, str]]:
    """Return each command of the sessions in docs/operating.md with what the page shows of its output."""
    found = [block.partition("\n") for block in blocks(ROOT / "docs/operating.md", "console")]
    return [(command.removeprefix("$ "), shown) for command, _, shown in found]


def as_of_today(text: str) -> str:
    """Move the dates in a command by as many days as the page is old."""
    passed = datetime.now(UTC).date() - SHOWN_ON
    return re.sub(r"\d{4}-\d\d-\d\d", lambda day: str(date.fromisoformat(day[0]) + passed), text)


def frame(output: str) -> set[str]:
    """Return what of an output does not depend on the data: tables' columns, steps, checks and labels."""
    columns = {" ".join(line.split()) for line in output.splitlines() if line.startswith("┃")}
    steps = set(re.findall(r"^ ?\d+\. (\w[\w ]+?)   ", output, re.MULTILINE))
    checks = set(re.findall(r"^(?:ok|warn|fail|not checked) +(\S+(?: \S+)*)  ", output, re.MULTILINE))
    labels = set(re.findall(r"^([A-Z][a-z]+) {1,5}\S", output, re.MULTILINE))
    return columns | steps | checks | labels


def statements(code: str, running: RunningCloud) -> list[str]:
    """Return the SQL in an example in Python, whose other names are those of the local cloud.

    The libraries of these examples are not among the project's packages.
    """
    tree = ast.parse(code)
    options = {word.arg: word.value for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    named = {name: value.value for name, value in options.items() if isinstance(value, ast.Constant)}
    for address in (text for text in texts if text.startswith("awsathena+rest://")):
        parts = urlsplit(address)
        named |= dict(parse_qsl(parts.query)) | {
            "schema_name": parts.path.strip("/"),
            "region_name": str(parts.hostname).split(".")[1],
        }
    outputs = running.outputs
    expected = {
        **dict.fromkeys(("work_group", "workgroup"), outputs["athena_workgroup_name"]),
        **dict.fromkeys(("schema_name", "database"), outputs["glue_database_name"]),
        "region_name": running.region,
        "ctas_approach": False,
    }
    assert len(named) > 1
    assert named == {name: expected[name] for name in named}
    return [text for text in texts if text.startswith("SELECT")]


def test_nothing_is_left_out() -> None:
    shown = [*lines_of("README.md", LOCAL_PART), *lines_of("docs/local-cloud.md")]
    assert set(ELSEWHERE) <= {without_folder(line) for line in shown}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Provide a reader, and end the cloud that they leave running."""
    typing = Reader(tmp_path)
    yield typing
    typing.ends()


@pytest.mark.slow
def test_the_lines_of_the_readme_run_in_order(reader: Reader) -> None:
    now = datetime.now(UTC)
    # The card is of 2025.
    plan = LibraryPlan(plays_per_day=4, export_days=(now.date() - date(2025, 6, 1)).days)
    export = write_privacy_export(Library.planned(5, plan, start=now), reader.folder, now, zipped=True)
    assert export.name == "my_spotify_data.zip"
    for line in _here(lines_of("README.md", LOCAL_PART)):
        reader.types(line)
    assert (reader.folder / "2025.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_lines_of_the_other_pages_run_in_order(reader: Reader) -> None:
    foreground, advanced, *others = _here(lines_of("docs/local-cloud.md"))
    assert foreground.endswith("local up")
    reader.types_until_ready(foreground)
    # Three days would take minutes; tests/cli/local_cloud/ lets more time pass.
    assert advanced.endswith("local up --advance 3d")
    reader.types_until_ready(advanced.replace("3d", "1h"))
    # One shell, since the variables that a line sets are for those after it.
    printed = reader.types("\n".join(others))
    assert "spotify-etl-raw-" in printed

    running = reader.local.running
    for code in blocks(CONNECTING, "python"):
        for sql in statements(code, running):
            reader.types(f"spotify-etl query --local --sql {shlex.quote(sql)}")
    printed = reader.types("\n".join(['eval "$(spotify-etl local env)"', *_here(lines_of("docs/connecting.md"))]))
    assert '"QueryExecutionId"' in printed
    assert '"current_tracks"' in printed
    assert "listens" in printed.rpartition("artist_name")[2]

    for command, shown in sessions():
        given = "local\n" if command.startswith("spotify-etl purge") else ""
        printed = reader.types(f"{as_of_today(command)} --local || test $? = 1", given=given)
        assert frame(shown) - frame(printed) == set(), f"{command}\n{printed}"


def _here(lines: list[str]) -> Iterator[str]:
    return (line for line in lines if without_folder(line) not in ELSEWHERE)
