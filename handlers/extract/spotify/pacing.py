"""A steady pace of requests."""

from __future__ import annotations

from time import monotonic, sleep

INTERVAL_SECONDS = 0.1
"""From the begin of one request to that of the next. Spotify counts requests in a rolling window of 30 seconds
(https://developer.spotify.com/documentation/web-api/concepts/rate-limits) and does not say how many it takes: 300 in a
window, which is no burst, is what apps are reported to get along with."""


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
