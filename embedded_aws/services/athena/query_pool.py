"""Queries that run beside each other, each in a thread of a small pool."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from embedded_aws.services.athena.cancellation import Cancellation, QueryCancelledError

_LEAST_THREADS = 2
_MOST_THREADS = 8
_LOOK_SECONDS = 0.1
"""How often whoever waits looks whether to stop waiting."""


class QueryPool:
    """Runs queries in threads, as many at once as there are cores; others wait for their turn."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._active: dict[str, tuple[Cancellation, Future[None]]] = {}
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Return how many queries are queued or running."""
        return len(self._active)

    def submit(self, identifier: str, work: Callable[[Cancellation], None]) -> None:
        """Run a query as soon as a thread is free.

        Args:
            identifier: of the query.
            work: runs it, handles whatever goes wrong, and gives up when it is cancelled.
        """
        cancellation = Cancellation()

        def run() -> None:
            try:
                work(cancellation)
            except QueryCancelledError:
                pass
            finally:
                self._forget(identifier)

        with self._changed:
            if self._threads is None:
                count = max(_LEAST_THREADS, min(os.cpu_count() or 1, _MOST_THREADS))
                self._threads = ThreadPoolExecutor(count, thread_name_prefix="athena")
            self._active[identifier] = (cancellation, self._threads.submit(run))

    def cancel(self, identifier: str) -> None:
        """Cancel a query; has no effect on one that has ended."""
        with self._changed:
            found = self._active.get(identifier)
        if found is None:
            return
        cancellation, future = found
        cancellation.cancel()
        if future.cancel():
            self._forget(identifier)

    def wait_for(self, identifier: str, seconds: float) -> None:
        """Wait until a query has ended, but not longer than some seconds of real time."""
        with self._changed:
            self._changed.wait_for(lambda: identifier not in self._active, seconds)

    def wait(self, is_stopping: Callable[[], bool]) -> bool:
        """Wait until no query is queued or running, or something stops the waiting.

        Returns:
            Whether there was one.
        """
        with self._changed:
            if not self._active:
                return False
            while self._active and not is_stopping():
                self._changed.wait(_LOOK_SECONDS)
            return True

    def close(self) -> None:
        """Cancel all queries and wait for their threads."""
        for identifier in list(self._active):
            self.cancel(identifier)
        with self._changed:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()

    def _forget(self, identifier: str) -> None:
        with self._changed:
            self._active.pop(identifier, None)
            self._changed.notify_all()
