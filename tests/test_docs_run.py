"""The commands on the pages do what is said: they are run as printed, in the pages' order, on one local cloud.

What this cannot do is in `ELSEWHERE`, with the reason and the test that does it, if any.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from botocore.config import Config

from cli.lake import SavedLake
from cli.main import main
from cli.own_export import run_own_export
from cli.targets import find_target
from local.running_cloud import FOLDER_VARIABLE, RunningCloud
from spotify_simulator import Library
from spotify_simulator.privacy_export import write_privacy_export
from tests.cli.local_cloud.process import LocalCommands, local_commands
from tests.docs_commands import PAGES, ROOT, aws_call, shown_commands
from tests.docs_shell import Called, DocsShell
from tests.markdown import blocks, run_block

ELSEWHERE = {
    r"git pull": "needs a remote repository with a newer version",
    r"make setup": "downloads the packages",
    r"make demo": "would install the packages first; tests/cli/test_demo.py runs what it then runs",
    r"make test": "is these tests",
    r"make (fields )?docs.*": "tests/test_docs_extending.py runs it after the edits that the page shows",
    r"pulumi (?!stack output analyst).*": "needs Pulumi and an AWS account; tests/engine/ has a fake account",
    r"\.venv/bin/spotify-etl login.*": "needs a browser and a Spotify account; tests/cli/test_target_commands.py has a "
    "browser that agrees",
    r"\.venv/bin/spotify-etl query --shell": "needs a terminal; tests/cli/query/test_shell.py types into one",
    r"\.venv/bin/spotify-etl local up --spotify live.*": "needs a Spotify account",
}
"""Commands that are not run here, as patterns → why."""
LIBRARIES = {
    "awswrangler": "is not a dependency of this project",
    "pyathena": "is not a dependency of this project",
    "sqlalchemy": "is not a dependency of this project",
}
"""Libraries of examples in Python that are not run → why."""
SHOWN = [page for page in PAGES[:-1] if page.name != "commands.md" and (blocks(page, "sh") or blocks(page, "console"))]
"""Pages with commands, apart from the one that is generated from the help."""
SHOWN.sort(key=lambda page: page.name != "import-history.md")
PROGRAMS = (".venv/bin/spotify-etl", "aws", "duckdb", "git", "make", "pulumi", "python")
ANY_AWS = {"connecting.md", "permissions.md"}
"""Pages whose commands act on the AWS of the environment."""
USE_LOCAL_CLOUD = 'eval "$(.venv/bin/spotify-etl local env)"'
"""What makes that the local cloud, as docs/connecting.md says."""
TYPED = {"purge": "local\n"}
"""What is typed at the prompt of a command."""
UNHEALTHY = {"doctor", "status"}
"""Commands whose exit status 1 says that the pipeline needs attention."""
STARTED = {"--advance": "in the local cloud: "}
"""Option of `local up` → what is printed when it has done that."""


class OwnExport:
    """Makes the lake of the one export of these tests once, whichever command asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, paths: Sequence[Path], folder: Path, **options: Any) -> SavedLake:
        if not self._folder.exists():
            self._folder.mkdir()
            self._saved = run_own_export(paths, self._folder, **options)
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        return dataclasses.replace(self._saved, database=folder / self._saved.database.name)


class Reader:
    """Someone who tries everything that the pages say, in a folder like the project's.

    Args:
        folder: an empty folder.
        local: the local cloud of the pages.
    """

    def __init__(self, folder: Path, local: LocalCommands) -> None:
        self._folder, self._local = folder, local
        self._shell = DocsShell(folder, PROGRAMS, self._run)
        self.opened: list[str] = []
        (folder / "docs").symlink_to(ROOT / "docs")
        [labels] = blocks(ROOT / "docs/queries.md", "csv")
        (folder / "my_labels.csv").write_text(labels, "utf-8")
        end = datetime(2025, 12, 31, tzinfo=UTC)
        library = Library.seeded(5, start=end, saved_tracks=3, plays_per_day=2)
        write_privacy_export(library, folder, end, zipped=True)

    def open(self, address: str) -> bool:
        """Stand in for a browser."""
        self.opened.append(address)
        return True

    def close(self) -> None:
        self._shell.close()

    def read(self, page: Path) -> list[Called]:
        """Run the blocks of a page in one shell, on a local cloud that runs; return what was called."""
        running = RunningCloud.find(self._local.working)
        if running is not None and not running.outputs:
            self._local.done("down")
            self._local.done("up", "--detach")
        elif running is None:
            self._local.done("up", "--detach", "--port", str(self._local.port))
            # Whose history a page imports.
            self._cli(["extract", "--streams", "profile"])
        before = [USE_LOCAL_CLOUD] if page.name in ANY_AWS else []
        return self._shell.run([*before, *lines_of(page)], {"HOME": str(self._folder)})

    def try_python(self, page: Path) -> list[str]:
        """Run the examples in Python for which the libraries are there; return the others."""
        with pytest.MonkeyPatch.context() as patch:
            for line in self._cli(["local", "env"])[1].splitlines():
                if line.startswith("export "):
                    name, _, value = shlex.split(line)[1].partition("=")
                    patch.setenv(name, value)
            # As in a program of its own: that of an earlier test has its credentials.
            patch.setattr(boto3, "DEFAULT_SESSION", None)
            examples = blocks(page, "python")
            left = [text for text in examples if imported(text) & set(LIBRARIES)]
            for text in examples:
                if text not in left:
                    run_block(page, text)
        return left

    def try_sql(self, page: Path) -> None:
        """Run what the page shows of Athena's SQL in the workgroup, and of DuckDB's on the copy that it made."""
        for text in blocks(page, "sql"):
            if text.startswith("FROM queries."):
                self._duckdb(["my_music/spotify.duckdb", text])
            else:
                self._cli(["query", "--sql", f"{text.rstrip().removesuffix(',')} SELECT * FROM parameters"])

    def _run(self, called: Called) -> tuple[int, str]:
        line = " ".join(called.words)
        if any(re.fullmatch(pattern, line) for pattern in ELSEWHERE):
            return 0, ""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in called.environment.items():
                if name.startswith("AWS_"):
                    patch.setenv(name, value)
            name, *arguments = called.words
            status, printed = getattr(self, f"_{name.rpartition('/')[2].replace('spotify-etl', 'cli')}")(arguments)
        return status, printed

    def _cli(self, arguments: list[str]) -> tuple[int, str]:
        if arguments[:2] == ["local", "up"]:
            return self._up(arguments[2:])
        # Runs of this day are those that there are.
        arguments = [re.sub(r"^2026-11-0\d$", f"{datetime.now(UTC):%Y-%m-%d}", each) for each in arguments]
        status, output = 0, io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(io.StringIO()) as errors,
        ):
            patch.setattr(sys, "argv", [".venv/bin/spotify-etl", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(TYPED.get(arguments[0], "")))
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        printed = output.buffer.getvalue().decode()
        if status == 1 and arguments[0] in UNHEALTHY and "unexpected" not in errors.getvalue():
            status = 0
        assert status == 0, (arguments, printed[-2000:], errors.getvalue())
        return status, printed

    def _up(self, options: list[str]) -> tuple[int, str]:
        if RunningCloud.find(self._local.working) is not None:
            self._local.done("down")
        # An hour is like another, and costs CPU.
        options = ["2h" if option == "3d" else option for option in options]
        options += ["--port", str(self._local.port)]
        if "--empty" in options:
            # Beside the other, which the pages that follow ask.
            options += ["--data", str(self._folder / "empty")]
        if "--detach" in options:
            return 0, self._local.done("up", *options)
        [ready] = [text for option, text in STARTED.items() if option in options] or ["Try, in another terminal:"]
        with self._local.begin(*options) as process:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if ready in line:
                    process.send_signal(signal.SIGINT)
        # The second sentence if Ctrl-C came before it began to wait for it.
        assert re.search("The local cloud has ended|Everything that this command had started has been shut", printed)
        return 0, printed

    def _aws(self, arguments: list[str]) -> tuple[int, str]:
        if arguments == ["s3", "ls"]:
            return 0, str(client("s3").list_buckets()["Buckets"])
        service, method, parameters = aws_call(("aws", *arguments))
        if method == "attach_user_policy":
            client(service).create_user(UserName=parameters["UserName"])
        answer = getattr(client(service), method)(**parameters)
        wanted = arguments[arguments.index("--query") + 1] if "--query" in arguments else "@"
        # The same library as the AWS CLI's; it has no types.
        search: Any = importlib.import_module("jmespath").search
        found = search(wanted, answer)
        assert found, arguments
        return 0, str(found)

    def _pulumi(self, arguments: list[str]) -> tuple[int, str]:
        assert arguments[:2] == ["stack", "output"]
        return 0, str(self._local.running.outputs[arguments[2]])

    def _duckdb(self, arguments: list[str]) -> tuple[int, str]:
        file, sql = arguments
        with duckdb.connect(file, read_only=True) as database:
            return 0, str(database.sql(sql).fetchall())

    def _python(self, arguments: list[str]) -> tuple[int, str]:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.strip()
        return 0, done.stdout


def client(service: str) -> Any:
    """Return a client by nothing but the environment, as the AWS CLI has it."""
    return boto3.Session().client(service, config=Config(proxies={}))  # type: ignore[call-overload] # literal types


def imported(text: str) -> set[str]:
    """Return the packages that an example in Python imports."""
    return {name.partition(".")[0] for name in re.findall(r"^(?:import|from) ([\w.]+)", text, re.MULTILINE)}


@cache
def lines_of(page: Path) -> list[str]:
    """Return the shell lines of a page, in its order: those of its blocks, and those after a prompt."""
    shell = {text: text.splitlines() for text in blocks(page, "sh")}
    sessions = {
        text: [line[2:] for line in text.splitlines() if line.startswith("$ ")] for text in blocks(page, "console")
    }
    text = page.read_text("utf-8")
    return [line for block in sorted({**shell, **sessions}, key=text.index) for line in {**shell, **sessions}[block]]


@pytest.fixture(scope="module", name="reader")
def fixture_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    working = tmp_path_factory.mktemp("cloud") / "working"
    with pytest.MonkeyPatch.context() as patch, local_commands(working) as local:
        patch.setenv(FOLDER_VARIABLE, str(working))
        # Chosen when the module was imported.
        patch.setitem(find_target.__kwdefaults__ or {}, "working", working)
        # Without Pulumi, the local cloud is what there is.
        patch.setenv("PATH", "/usr/bin:/bin")
        patch.setenv("COLUMNS", "200")
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setattr("cli.following._POLL_SECONDS", 0.2)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.chdir(folder)
        reader = Reader(folder, local)
        own_export = OwnExport(tmp_path_factory.mktemp("lake") / "own")
        for module in ("cli.demo", "cli.own_export"):
            patch.setattr(f"{module}.run_own_export", own_export)
        patch.setattr(webbrowser, "open", reader.open)
        yield reader
        reader.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_the_commands_of_a_page_work_as_printed(page: Path, reader: Reader) -> None:
    called = [one.words for one in reader.read(page)]
    name = str(page.relative_to(ROOT))
    shown = [one.words for one in shown_commands() if one.page == name and one.program != "eval"]
    # What the shell has to fill in is not called as it is shown.
    assert [words for words in shown if words not in called and "$" not in "".join(words)] == []
    assert all(imported(text) & set(LIBRARIES) for text in reader.try_python(page))
    reader.try_sql(page)


def test_no_exception_is_stale() -> None:
    lines = [" ".join(one.words) for one in shown_commands()]
    assert [pattern for pattern in ELSEWHERE if not any(re.fullmatch(pattern, line) for line in lines)] == []
    needed = set().union(*(imported(text) for page in SHOWN for text in blocks(page, "python")))
    assert [name for name in LIBRARIES if name not in needed or importlib.util.find_spec(name)] == []
