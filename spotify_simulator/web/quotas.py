"""Quotas and rate limits: how much of a group of addresses may be asked, and for how long the group is locked then.

Spotify publishes neither numbers nor groups. That there are groups, each with a lock of its own, is what apps in
Development Mode report: https://developer.spotify.com/documentation/web-api/concepts/rate-limits and
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
    """How many requests a group of addresses takes before it is locked.

    Attributes:
        name: of the group.
        paths: regular expressions, each for the begin of a path below `/v1/`: `me/playlists`, `playlists/`, `me/?$`.
        requests: how many are served before the next one meets the lock.
        lock: for how long, from the request that meets it first; afterwards the count begins anew.
        window: counts only requests as young as this; None counts all since the last lock.
        retry_after: whether a refusal says how long the lock lasts.
        kind: `quota` says `QUOTA_EXCEEDED` in its refusals, `rate` does not.
        locks: how often the group is locked at most; None for no end.
        plain_text: whether the refusal is a sentence and no JSON, as seen of rate limits.
        locked_until: end of the present or the last lock.
        refused_while_locked: requests that met a lock that had been announced before: a polite client has none.
    """

    name: str
    paths: Sequence[str]
    requests: int
    lock: timedelta = timedelta(hours=24)
    window: timedelta | None = None
    retry_after: bool = True
    kind: Literal["quota", "rate"] = "quota"
    locks: int | None = None
    plain_text: bool = False
    locked_until: datetime | None = None
    refused_while_locked: int = 0
    _served: deque[datetime] = field(default_factory=deque)

    def covers(self, path: str) -> bool:
        """Whether a path below `/v1/` belongs to the group."""
        return any(re.match(pattern, path) for pattern in self.paths)

    def is_locked(self, now: datetime) -> bool:
        """Whether a lock was announced that lasts still."""
        return self.locked_until is not None and now < self.locked_until

    def is_used_up(self, now: datetime) -> bool:
        """Whether one more request is too many."""
        if self.locks == 0:
            return False
        while self.window is not None and self._served and self._served[0] <= now - self.window:
            self._served.popleft()
        return len(self._served) >= self.requests

    def serve(self, now: datetime) -> None:
        """Count a request that is served."""
        self._served.append(now)

    def announce(self, now: datetime) -> None:
        """Lock the group."""
        self.locked_until = now + self.lock
        self._served.clear()
        if self.locks is not None:
            self.locks -= 1

    def refusal(self, now: datetime) -> TooManyRequestsError:
        """What a locked group answers."""
        left = None
        if self.retry_after and self.locked_until is not None:
            left = math.ceil((self.locked_until - now).total_seconds())
        return TooManyRequestsError(self.name, left, quota=self.kind == "quota", plain_text=self.plain_text)


def note_refused(quotas: Iterable[Quota], path: str, now: datetime) -> None:
    """Count a request that is made although its group's lock is known, whatever else becomes of it."""
    for quota in quotas:
        if quota.covers(path) and quota.is_locked(now):
            quota.refused_while_locked += 1


def take(quotas: Iterable[Quota], path: str, now: datetime) -> None:
    """Count a request against every group it belongs to.

    Args:
        quotas: in order; the first that refuses does.
        path: below `/v1/`.
        now: moment of the request.

    Raises:
        TooManyRequestsError: a group is locked, or is from now on; the request then counts for none.
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
