"""Callbacks at moments of simulated time, such as retries and the ends of crawls."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Worker(Protocol):
    """A service that acts on its own as time passes."""

    def next_due(self) -> datetime | None:
        """Return when there is work next, in UTC: now or earlier for work that is due, None for none at all."""

    def run_due(self) -> bool:
        """Do the work that is due now; return whether there was any."""


class Timers:
    """Callbacks in order of their time, then in order of `call_at`. Any thread may add one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = itertools.count()
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._lock = threading.Lock()

    def call_at(self, due: datetime, callback: Callable[[], None]) -> None:
        """Call back once the simulated clock reaches `due`."""
        with self._lock:
            heapq.heappush(self._entries, (due, next(self._numbers), callback))

    def next_due(self) -> datetime | None:
        """Return when the first callback is due."""
        with self._lock:
            return self._entries[0][0] if self._entries else None

    def run_due(self) -> bool:
        """Call the first callback if it is due."""
        with self._lock:
            if not self._entries or self._entries[0][0] > self._now():
                return False
            _, _, callback = heapq.heappop(self._entries)
        callback()
        return True
