"""Which quota groups Spotify takes no requests for."""

from __future__ import annotations

from datetime import datetime

from handlers.extract import times
from handlers.extract.spotify import LockedError


class Locks:
    """Quota groups with the time until which they are locked."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def check(self, group: str) -> None:
        """Let a stream of the group go on.

        Raises:
            LockedError: the group is locked.
        """
        until = self._until.get(group)
        if until is not None and until > times.now():
            raise LockedError(until)

    def lock(self, group: str, until: datetime) -> None:
        """Take no request of the group until then."""
        self._until[group] = max(until, self._until.get(group, until))
