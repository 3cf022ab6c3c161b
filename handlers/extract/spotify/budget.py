"""How many requests a run, and each stream of it, may make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from handlers.extract.spotify.errors import SpotifyError

RUN_REQUESTS = 4000
"""Requests of one run over all its invocations. Spotify does not publish its quotas
(https://developer.spotify.com/documentation/web-api/concepts/quota-modes), and users report locks of a day after as few
as a hundred calls. So this is only a safety net: a daily run takes 20 to 80 requests and the first load of a large
library about 1 000; more is a loop, or a library that takes several days to read anyway."""
STREAM_REQUESTS = 2500
"""Requests of one stream in one run, enough for 125 000 saved tracks; less than the run's, so that the streams after it
get their turn."""


class BudgetError(SpotifyError):
    """The run or the stream has made all the requests it may."""


class Budget:
    """The request budget of one run.

    Args:
        run_limit: requests of the run.
        stream_limit: requests of each stream.
        spent_before: requests of the run's earlier invocations, by stream.
    """

    def __init__(
        self,
        run_limit: int = RUN_REQUESTS,
        stream_limit: int = STREAM_REQUESTS,
        spent_before: Mapping[str, int] | None = None,
    ) -> None:
        self._run_limit = run_limit
        self._stream_limit = stream_limit
        self._spent: Counter[str] = Counter(spent_before or {})
        self._stream = ""

    @contextmanager
    def stream(self, name: str) -> Iterator[None]:
        """Count requests towards the stream; outside this context they count towards the run only."""
        before, self._stream = self._stream, name
        try:
            yield
        finally:
            self._stream = before

    @property
    def is_exhausted(self) -> bool:
        """Whether the run or the current stream has no request left."""
        return self._is_run_exhausted or self._is_stream_exhausted

    @property
    def _is_run_exhausted(self) -> bool:
        return self._spent.total() >= self._run_limit

    @property
    def _is_stream_exhausted(self) -> bool:
        return bool(self._stream) and self._spent[self._stream] >= self._stream_limit

    def spend(self) -> None:
        """Spend one request.

        Raises:
            BudgetError: there is none left.
        """
        if self._is_run_exhausted:
            raise BudgetError(
                f"The run has made its {self._run_limit} requests: the next run continues where it stopped."
            )
        if self._is_stream_exhausted:
            raise BudgetError(
                f"{self._stream} has made its {self._stream_limit} requests: the next run continues where it stopped."
            )
        self.charge(1)

    def charge(self, requests: int) -> None:
        """Count requests that were made without `spend`: urllib3's retries."""
        self._spent[self._stream] += requests
