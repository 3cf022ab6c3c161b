"""What is to be done later in simulated time: retries and ends of crawls."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Worker(Protocol):
    """One of the parts that the run loop asks in turn."""

    def next_due(self) -> datetime | None:
        """When the engine has something to do next, UTC; a moment not after now if at once, None if never."""

    def run_due(self) -> bool:
        """Do what is due now; whether there was anything."""


class Timers:
    """An engine of single actions, done in order of time and then of entry. Any thread may add to it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = itertools.count()
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._lock = threading.Lock()

    def add(self, due: datetime, action: Callable[[], None]) -> None:
        """Have an action done once the simulated clock has come to `due`."""
        with self._lock:
            heapq.heappush(self._entries, (due, next(self._numbers), action))

    def next_due(self) -> datetime | None:
        """When the first action is due."""
        with self._lock:
            return self._entries[0][0] if self._entries else None

    def run_due(self) -> bool:
        """Do the first action if it is due."""
        with self._lock:
            if not self._entries or self._entries[0][0] > self._now():
                return False
            _, _, action = heapq.heappop(self._entries)
        action()
        return True
