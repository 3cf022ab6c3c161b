"""Quotas and rate limits: the number of requests to a group of endpoints, and the lock that follows.

Spotify publishes neither numbers nor groups. Apps in Development Mode report that there are groups, each with its own
lock: https://developer.spotify.com/documentation/web-api/concepts/rate-limits and
https://developer.spotify.com/documentation/web-api/concepts/quota-modes.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from spotify_simulator.web.errors import TooManyRequestsError


@dataclass
class Quota:
    """The number of requests to a group of endpoints before it is locked."""

    name: str
    """Name of the group."""
    paths: Sequence[str]
    """Regular expressions for the start of a path below `/v1/`: `me/playlists`, `playlists/`, `me/?$`."""
    requests: int
    """Number of requests served before the next one triggers the lock."""
    lock: timedelta = timedelta(hours=24)
    """Duration of the lock, from the request that triggers it; afterwards counting restarts."""
    window: timedelta | None = None
    """Only requests at most this old are counted; None: all since the last lock."""
    retry_after: bool = True
    """Whether a refusal says how long the lock lasts."""
    kind: Literal["quota", "rate"] = "quota"
    """`quota` refuses with `QUOTA_EXCEEDED`, `rate` does not."""
    locks: int | None = None
    """Maximum number of locks; None: unlimited."""
    plain_text: bool = False
    """Whether the refusal is plain text instead of JSON, as seen with rate limits."""
    locked_until: datetime | None = None
    """End of the current or the last lock."""
    refused_while_locked: int = 0
    """Requests made although an announced lock was in force: a polite client has none."""
    _served: deque[datetime] = field(default_factory=deque)

    def covers(self, path: str) -> bool:
        """Return whether a path below `/v1/` belongs to the group."""
        return any(re.match(pattern, path) for pattern in self.paths)

    def is_locked(self, now: datetime) -> bool:
        """Return whether an announced lock is still in force."""
        return self.locked_until is not None and now < self.locked_until

    def is_used_up(self, now: datetime) -> bool:
        """Return whether one more request would be too many."""
        if self.locks == 0:
            return False
        while self.window is not None and self._served and self._served[0] <= now - self.window:
            self._served.popleft()
        return len(self._served) >= self.requests

    def serve(self, now: datetime) -> None:
        """Count a served request."""
        self._served.append(now)

    def announce(self, now: datetime) -> None:
        """Lock the group."""
        self.locked_until = now + self.lock
        self._served.clear()
        if self.locks is not None:
            self.locks -= 1

    def refusal(self, now: datetime) -> TooManyRequestsError:
        """Return the refusal of a locked group."""
        left = None
        if self.retry_after and self.locked_until is not None:
            left = math.ceil((self.locked_until - now).total_seconds())
        return TooManyRequestsError(self.name, left, quota=self.kind == "quota", plain_text=self.plain_text)


def note_refused(quotas: Iterable[Quota], path: str, now: datetime) -> None:
    """Count a request made despite its group's announced lock, whatever else happens to it."""
    for quota in quotas:
        if quota.covers(path) and quota.is_locked(now):
            quota.refused_while_locked += 1


def take(quotas: Iterable[Quota], path: str, now: datetime) -> None:
    """Count a request against every group it belongs to.

    Args:
        quotas: in order; the first one that refuses counts.
        path: below `/v1/`.
        now: moment of the request.

    Raises:
        TooManyRequestsError: a group is locked, or becomes locked; the request is then not counted.
    """
    concerned = [quota for quota in quotas if quota.covers(path)]
    for quota in concerned:
        if quota.is_locked(now):
            raise quota.refusal(now)
    for quota in concerned:
        if quota.is_used_up(now):
            quota.announce(now)
            raise quota.refusal(now)
    for quota in concerned:
        quota.serve(now)
