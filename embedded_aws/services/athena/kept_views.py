"""Views whose rows are kept as tables, since computing them takes long and many queries read the same ones.

The rows of a view change only with the tables that it reads and with the SQL of the views between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb

from embedded_aws.services.athena.cancellation import Cancellation

_SCHEMA = "$kept"
_WAIT_SECONDS = 0.1
"""How often whoever waits for another query looks whether to stop waiting."""


@dataclass(frozen=True)
class ViewState:
    """A view as a query would read it now."""

    name: str
    """Its qualified and quoted name in DuckDB."""
    content: tuple[Any, ...]
    """What its rows depend on."""
    create: Callable[[str | None], str]
    """Returns the statement that creates it: on its own query, or on a table of that name."""


@dataclass
class _Kept:
    state: ViewState
    table: str
    ready: threading.Event = field(default_factory=threading.Event)
    """Set when its rows are there, or cannot be kept."""
    is_kept: bool = False


class KeptViews:
    """Decides which views read their rows from a table.

    Args:
        connection: of the warehouse.
        lock: the warehouse's, which whoever calls a method holds.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, lock: threading.Lock) -> None:
        self._connection = connection
        self._lock = lock
        self._kept: dict[str, _Kept] = {}
        self._next = 0
        connection.execute(f'CREATE SCHEMA "{_SCHEMA}"')

    def refresh(self, states: Iterable[ViewState]) -> None:
        """Let views compute their rows again if these would be others now.

        Args:
            states: all views that a query reads, also through others.
        """
        for state in states:
            kept = self._kept.get(state.name)
            if kept is not None and kept.state.content != state.content:
                self._connection.execute(state.create(None))
                self.forget(state.name)

    def next_step(
        self, states: list[ViewState], snapshot: Callable[[], duckdb.DuckDBPyConnection]
    ) -> Callable[[Cancellation], None] | None:
        """Return what must be done, without the lock, before a query can read its views; None if nothing.

        Args:
            states: the views whose rows are worth keeping; `refresh` was called with them.
            snapshot: returns a connection that sees everything as it is now.
        """
        for state in states:
            kept = self._kept.get(state.name)
            if kept is None:
                self._next += 1
                kept = self._kept[state.name] = _Kept(state, f'"{_SCHEMA}"."{self._next}"')
                return self._computing(kept, snapshot())
            if not kept.ready.is_set():
                return _waiting(kept)
        return None

    def forget(self, name: str) -> None:
        """Drop the rows of a view that is about to be created again."""
        kept = self._kept.pop(name, None)
        if kept is not None and kept.is_kept:
            self._connection.execute(f"DROP TABLE {kept.table}")

    def _computing(self, kept: _Kept, cursor: duckdb.DuckDBPyConnection) -> Callable[[Cancellation], None]:
        def compute(cancellation: Cancellation) -> None:
            is_computed = is_wanted = False
            try:
                with cancellation.interrupting(cursor.interrupt):
                    cursor.execute(f"CREATE TABLE {kept.table} AS SELECT * FROM {kept.state.name}")  # noqa: S608 - quoted names
                    cursor.commit()
                is_computed = is_wanted = True
            except duckdb.Error:
                cancellation.check()
                # A row that no query may want cannot be computed: every query computes what it wants.
                is_wanted = True
            finally:
                cursor.close()
                with self._lock:
                    self._settle(kept, is_computed=is_computed, is_wanted=is_wanted)

        return compute

    def _settle(self, kept: _Kept, *, is_computed: bool, is_wanted: bool) -> None:
        is_current = self._kept.get(kept.state.name) is kept
        if is_current and not is_wanted:
            del self._kept[kept.state.name]
        elif is_current and is_computed:
            self._connection.execute(kept.state.create(kept.table))
            kept.is_kept = True
        elif is_computed:
            self._connection.execute(f"DROP TABLE {kept.table}")
        kept.ready.set()


def _waiting(kept: _Kept) -> Callable[[Cancellation], None]:
    def wait(cancellation: Cancellation) -> None:
        while not kept.ready.wait(_WAIT_SECONDS):
            cancellation.check()

    return wait
