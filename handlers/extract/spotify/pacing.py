"""The pace of requests."""

from __future__ import annotations

from time import monotonic, sleep

INTERVAL_SECONDS = 0.1
"""From the start of one request to the start of the next. Spotify counts requests in a rolling window of 30 seconds
(https://developer.spotify.com/documentation/web-api/concepts/rate-limits) and does not publish the limit; apps report
that 300 per window, without bursts, are fine."""


class Pace:
    """Keeps the interval between requests; the first one is free."""

    def __init__(self) -> None:
        self._next = 0.0

    def wait(self) -> None:
        """Sleep until a request may begin."""
        rest = self._next - monotonic()
        if rest > 0:
            sleep(rest)
        self._next = monotonic() + INTERVAL_SECONDS
