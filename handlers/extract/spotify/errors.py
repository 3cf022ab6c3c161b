"""Errors of a request; each message is one sentence that says what to do."""

from __future__ import annotations

from datetime import datetime

from handlers import layout


class SpotifyError(Exception):
    """A request failed, got an undocumented response, or was not made at all."""


class LoginError(SpotifyError):
    """Nothing works until the user logs in again."""


class ForbiddenError(SpotifyError):
    """403: this app or user may not read it."""


class AppForbiddenError(ForbiddenError):
    """403 caused by the app or its consent rather than by what was requested."""


class NotFoundError(SpotifyError):
    """404: deleted, or an algorithmic playlist."""


class RefusedError(SpotifyError):
    """Another 4xx."""


class MalformedResponseError(SpotifyError):
    """A response that is truncated, is not valid JSON, or has an undocumented shape."""


class UnavailableError(SpotifyError):
    """5xx, a reset connection or a time-out, after retries: the only transient failure."""


class OutOfTimeError(SpotifyError):
    """The invocation is about to time out."""


class LockedError(SpotifyError):
    """429 for longer than an invocation should wait."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"Spotify accepts no requests of this kind until {layout.written(until)}: the next run after that reads it."
        )
        self.until = until
