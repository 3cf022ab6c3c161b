r"""`spotify-etl query --shell`: several queries in a row, with history and completion.

SQL ends with a semicolon; a line with only the name of a named query runs it; `\q` leaves.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from rich.console import Console

from cli.errors import CommandError
from cli.presentation import print_line
from cli.query.answering import answer_query
from cli.query.request import QueryRequest
from cli.targets import Target, aws_errors
from cli.text import visible

_QUIT = frozenset({"\\q", "exit", "quit"})
_WORD = re.compile(r"[A-Za-z0-9_\\]+")
_KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "LEFT JOIN", "ON", "AS", "AND", "OR",
    "NOT", "IN", "LIKE", "BETWEEN", "IS NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "DISTINCT", "WITH", "UNION ALL",
    "DESC", "CAST", "COUNT", "SUM", "ROUND", "SHOW TABLES", "DESCRIBE",
)  # fmt: skip
_PROMPT, _NEXT_LINE = "sql> ", "  -> "


class QueryCompleter(Completer):
    """Completes the last word: names of queries, tables, views and columns, and the words of SQL.

    Args:
        queries: names of the named queries, which only a line of their own may hold.
        names: names of tables, views and columns.
    """

    def __init__(self, queries: Iterable[str], names: Iterable[str]) -> None:
        self._queries = sorted(queries)
        self._names = sorted(set(names))

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002 - the library's signature
        """Yield what the word before the cursor may become."""
        word = document.get_word_before_cursor(pattern=_WORD)
        if not word:
            return
        alone = document.text_before_cursor.strip() == word
        kinds: tuple[tuple[str, Iterable[str]], ...] = (
            ("query", self._queries if alone else ()),
            ("", self._names),
            ("", _KEYWORDS),
        )
        for kind, words in kinds:
            for one in words:
                if one.lower().startswith(word.lower()):
                    yield Completion(one, start_position=-len(word), display=visible(one), display_meta=kind)


def run_shell(target: Target, console: Console) -> None:
    """Read queries and answer them until the user leaves; errors and Ctrl-C end only the query.

    Args:
        target: where the queries run.
        console: where answers are printed.

    Raises:
        CommandError: AWS refused a request that is needed before the first query.
    """
    queries = target.output("named_queries")
    with aws_errors():
        completer = QueryCompleter(queries, _names(target))
    session = PromptSession[str](
        message=_PROMPT,
        completer=completer,
        complete_while_typing=False,
        history=_history(),
        multiline=True,
        prompt_continuation=_NEXT_LINE,
        key_bindings=_bindings(queries),
        enable_history_search=True,
    )
    # Ctrl-C ends a query, not the command, which would otherwise end with the status of an interrupted one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print_line(console, "SQL ends with a semicolon; the name of a named query runs it; Tab completes; \\q leaves.")
    for text in _lines(session.prompt):
        _answer(text, target, console, queries)


def is_complete(text: str, queries: Iterable[str]) -> bool:
    """Return whether Enter runs a text, and does not begin a new line."""
    stripped = text.strip()
    return not stripped or stripped.endswith(";") or stripped.lower() in {*_QUIT, *queries}


def _lines(prompt: Callable[[], str]) -> Iterator[str]:
    """Yield what the user types until they leave."""
    while True:
        try:
            text = prompt().strip()
        except KeyboardInterrupt:
            continue  # As in other shells, Ctrl-C drops the line.
        except EOFError:
            return
        if text.removesuffix(";").strip().lower() in _QUIT:
            return
        if text:
            yield text


def _answer(text: str, target: Target, console: Console, queries: Iterable[str]) -> None:
    name = text.removesuffix(";").strip().lower()
    request = QueryRequest(name=name) if name in queries else QueryRequest(sql=text)
    try:
        with aws_errors():
            answer_query(target, request, "table", console)
    except CommandError as error:
        print_line(console, (str(error), "red"))
    except KeyboardInterrupt:
        print_line(console, "The query was stopped.")


def _names(target: Target) -> Iterator[str]:
    pages = target.client("glue").get_paginator("get_tables").paginate(DatabaseName=target.output("glue_database_name"))
    for page in pages:
        for table in page["TableList"]:
            yield table["Name"]
            for column in [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", ())]:
                yield column["Name"]


def _bindings(queries: Iterable[str]) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text, queries):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    return bindings


def _history() -> History:
    """Return the history of earlier shells, which only the user can read; none if it cannot be kept."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "spotify-etl"
    path = folder / "query-history"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)
