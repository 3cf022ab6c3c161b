"""Work that is due at moments of simulated time, such as retries and the ends of crawls.

An entry is plain data, a handler's name and its argument, so a data folder can keep it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol


class Worker(Protocol):
    """A service that acts on its own as time passes."""

    def next_due(self) -> datetime | None:
        """Return when there is work next, in UTC: now or earlier for work that is due, None for none at all."""

    def run_due(self) -> bool:
        """Do the work that is due now; return whether there was any."""


class InterruptedWorkError(Exception):
    """The event loop ends while work is being done: it is done again at the next start."""


Entry = tuple[datetime, int, str, Any]
"""When it is due, its number, its handler's name and the argument."""


class Timers:
    """Entries in order of their time, then in order of `call_at`. Any thread may add one.

    An entry is kept until its handler returns: if the process is killed in between, it runs again.

    Args:
        now: returns the simulated time.
        on_error: called with a handler's name and what it raised.
    """

    def __init__(self, now: Callable[[], datetime], on_error: Callable[[str, Exception], None]) -> None:
        self._now = now
        self._on_error = on_error
        self._numbers = itertools.count()
        self._entries: list[Entry] = []
        self._running: dict[int, Entry] = {}
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._lock = threading.Lock()

    def register(self, handler: str, function: Callable[[Any], None]) -> None:
        """Name the function that handles entries."""
        self._handlers[handler] = function

    def call_at(self, due: datetime, handler: str, argument: Any) -> None:
        """Call a handler once the simulated clock reaches `due`.

        Args:
            due: aware time.
            handler: name of a registered handler.
            argument: its argument, which can be pickled.
        """
        with self._lock:
            heapq.heappush(self._entries, (due, next(self._numbers), handler, argument))

    def call_now(self, handler: str, argument: Any) -> None:
        """Call a handler in this thread."""
        with self._lock:
            entry = (self._now(), next(self._numbers), handler, argument)
            self._running[entry[1]] = entry
        self._run(entry)

    def next_due(self) -> datetime | None:
        """Return when the first entry is due."""
        with self._lock:
            return self._entries[0][0] if self._entries else None

    def run_due(self) -> bool:
        """Run the first entry if it is due."""
        with self._lock:
            if not self._entries or self._entries[0][0] > self._now():
                return False
            entry = heapq.heappop(self._entries)
            self._running[entry[1]] = entry
        self._run(entry)
        return True

    def state(self) -> list[Entry]:
        """Return the entries that have not been handled to the end."""
        with self._lock:
            return sorted([*self._running.values(), *self._entries], key=lambda entry: entry[:2])

    def restore(self, entries: list[Entry]) -> None:
        """Continue with the entries of an earlier run."""
        with self._lock:
            self._entries = sorted(entries, key=lambda entry: entry[:2])
            self._numbers = itertools.count(max((number for _, number, _, _ in entries), default=-1) + 1)

    def _run(self, entry: Entry) -> None:
        _, number, handler, argument = entry
        try:
            self._handlers[handler](argument)
        except InterruptedWorkError:
            with self._lock:
                heapq.heappush(self._entries, entry)
            raise
        except Exception as error:  # noqa: BLE001 - the others must run
            self._on_error(handler, error)
        finally:
            with self._lock:
                del self._running[number]
