"""`spotify-etl query --shell` with typed keys and a made-up workgroup."""

from __future__ import annotations

import io
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from cli.errors import CommandError
from cli.query.request import QueryRequest
from cli.query.shell import QueryCompleter, is_complete, run_shell
from cli.targets import Target
from tests.cli.query.fake_athena import OUTPUTS, FakeAthena

ROWS = '"n"\n"7"\n'
Type = Callable[[FakeAthena, str], str]


class Glue:
    """A database with one view."""

    def get_paginator(self, _: str) -> Glue:
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        columns = [{"Name": "artist_name"}, {"Name": "listened_at"}]
        yield {"TableList": [{"Name": "listens", "StorageDescriptor": {"Columns": columns}}]}


@pytest.fixture
def type_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Type]:
    """Types keys into a shell and returns what it printed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("cli.athena_queries._SHORTEST_POLL", 0)
    before = signal.getsignal(signal.SIGINT)

    def typed(athena: FakeAthena, keys: str) -> str:
        clients: dict[str, Any] = {"athena": athena, "s3": athena, "glue": Glue()}
        target = Target("the stack dev", OUTPUTS, clients.__getitem__)
        console = Console(file=io.StringIO(), width=120)
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys)
            run_shell(target, console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    yield typed
    signal.signal(signal.SIGINT, before)


def test_sql_over_several_lines_and_named_queries_are_answered(type_keys: Type) -> None:
    athena = FakeAthena([("n", "integer")], ROWS)
    printed = type_keys(athena, "SELECT 1\rAS n;\r\roverview\r\\q\r")
    assert athena.started == ["SELECT 1\nAS n", "SELECT 2"]
    assert printed.count("│ 7 │") == 2


def test_error_and_ctrl_c_end_only_the_query(type_keys: Type) -> None:
    failing = FakeAthena(states=["FAILED"], reason="COLUMN_NOT_FOUND: no")
    printed = type_keys(failing, "SELECT a;\rdropped\x03SELECT b;\r\x04")
    assert failing.started == ["SELECT a", "SELECT b"]
    assert printed.count("The query failed in Athena: COLUMN_NOT_FOUND: no.\n") == 2
    stopped = FakeAthena(states=["RUNNING", "CTRL-C"])
    assert "The query was stopped.\n" in type_keys(stopped, "SELECT a;\rexit\r")
    assert stopped.stopped == ["q"]


def test_history_is_kept_for_the_user_alone(type_keys: Type, tmp_path: Path) -> None:
    type_keys(FakeAthena([("n", "integer")], ROWS), "SELECT 1;\r\\q\r")
    history = tmp_path / "spotify-etl" / "query-history"
    assert "+SELECT 1;\n" in history.read_text("utf-8")
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    # The key for the line before the last one, which was \q.
    again = FakeAthena([("n", "integer")], ROWS)
    type_keys(again, "\x1b[A\x1b[A\r\\q\r")
    assert again.started == ["SELECT 1"]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("top", ["top_artists"]),
        ("SELECT * FROM lis", ["listened_at", "listens"]),
        ("SELECT top", []),
        ("SELECT art", ["artist_name"]),
        ("sel", ["SELECT"]),
        ("", []),
        ("SELECT ", []),
    ],
)
def test_names_and_words_are_completed(typed: str, offered: list[str]) -> None:
    completer = QueryCompleter(["top_artists"], ["listens", "artist_name", "listened_at", "listens"])
    found = completer.get_completions(Document(typed), CompleteEvent())
    assert [one.text for one in found] == offered


@pytest.mark.parametrize(
    ("text", "complete"),
    [("SELECT 1", False), ("SELECT 1;", True), ("SELECT 1; \n", True), ("\\q", True), ("Overview", True), (" ", True)],
)
def test_enter_runs_what_is_complete(text: str, complete: bool) -> None:
    assert is_complete(text, ["overview"]) == complete


def test_shell_is_alone_and_needs_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"^Pass --shell alone: it reads queries from the terminal, and"):
        QueryRequest(name="overview", interactive=True).checked_form()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match=r"^--shell needs a terminal: pass SQL from elsewhere with --file\.$"):
        QueryRequest(interactive=True).checked_form()
