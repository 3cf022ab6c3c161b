"""Cancelling a query while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AGAIN_SECONDS = 0.05
"""How often DuckDB is interrupted: it forgets an interrupt that comes just before a statement."""


class QueryCancelledError(Exception):
    """The query was cancelled."""


class Cancellation:
    """Whether a query is cancelled; interrupts the statement that runs meanwhile."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._changed = threading.Condition()
        self._interrupt: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Cancel the query; its thread notices soon."""
        self._cancelled.set()
        threading.Thread(target=self._keep_interrupting, daemon=True).start()

    def check(self) -> None:
        """Raise `QueryCancelledError` if the query is cancelled."""
        if self._cancelled.is_set():
            raise QueryCancelledError

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call a function if the query is cancelled in this context."""
        with self._changed:
            self.check()
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._changed:
                self._interrupt = None
                self._changed.notify_all()

    def _keep_interrupting(self) -> None:
        with self._changed:
            while self._interrupt is not None:
                self._interrupt()
                self._changed.wait(_AGAIN_SECONDS)
