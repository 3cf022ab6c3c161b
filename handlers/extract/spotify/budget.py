"""How many requests a run, and each stream of it, may make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from handlers.extract.spotify.errors import SpotifyError

RUN_REQUESTS = 4000
"""Requests of one run over all its invocations. Spotify publishes neither its quota nor the size of its buckets
(https://developer.spotify.com/documentation/web-api/concepts/quota-modes), and users report locks of a day after
anything from a hundred calls on. So this is no quota but a safety net: a daily run takes 20 to 80 requests and a first
load of a large library about 1 000; what asks for more is a loop, or a library that is read over several days anyway.
"""
STREAM_REQUESTS = 2500
"""Requests of one stream in one run: 125 000 saved tracks. One stream alone cannot take the whole run's budget, so that
those behind it get their turn."""


class BudgetError(SpotifyError):
    """The run or the stream has asked for as much as it may."""


class Budget:
    """What is left of the budget of one run; the client draws on it.

    Args:
        run_limit: requests of the run.
        stream_limit: requests of each stream.
        spent_before: by stream, what earlier invocations of the run have asked for.
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
        """Have requests count as the stream's; those outside of any count as the run's alone."""
        before, self._stream = self._stream, name
        try:
            yield
        finally:
            self._stream = before

    @property
    def is_exhausted(self) -> bool:
        """Whether no request is left, of the run's or of the present stream's."""
        return self._run_is_spent or self._stream_is_spent

    @property
    def _run_is_spent(self) -> bool:
        return self._spent.total() >= self._run_limit

    @property
    def _stream_is_spent(self) -> bool:
        return bool(self._stream) and self._spent[self._stream] >= self._stream_limit

    def spend(self) -> None:
        """Draw one request.

        Raises:
            BudgetError: there is none left.
        """
        if self._run_is_spent:
            raise BudgetError(
                f"The {self._run_limit} requests that a run may make are spent: "
                "the next run goes on where this one stopped."
            )
        if self._stream_is_spent:
            raise BudgetError(
                f"The {self._stream_limit} requests that {self._stream} may make in one run are spent: "
                "the next run goes on where this one stopped."
            )
        self.charge(1)

    def charge(self, requests: int) -> None:
        """Note requests that were made without asking: retries."""
        self._spent[self._stream] += requests
