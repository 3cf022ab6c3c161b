"""What may come of a request instead of an answer; each message is one sentence with what to do."""

from __future__ import annotations

from datetime import datetime

from handlers import layout


class SpotifyError(Exception):
    """A request that Spotify did not answer as documented, or that was not made at all."""


class LoginError(SpotifyError):
    """Nothing works until somebody logs in again."""


class ForbiddenError(SpotifyError):
    """403: this app or user may not have it."""


class AppForbiddenError(ForbiddenError):
    """403 that speaks of the app or of its consent, and not of what was asked for."""


class NotFoundError(SpotifyError):
    """404: it is gone, or an algorithmic playlist."""


class RefusedError(SpotifyError):
    """Another 4xx."""


class MalformedResponseError(SpotifyError):
    """An answer that is cut, is no JSON, or has another shape than documented."""


class UnavailableError(SpotifyError):
    """5xx, a reset connection or a time-out, after retries: the only failure that passes by itself."""


class OutOfTimeError(SpotifyError):
    """The invocation is about to end."""


class LockedError(SpotifyError):
    """429 for longer than an invocation should wait."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"Spotify takes no requests of this kind until {layout.written(until)}.")
        self.until = until
