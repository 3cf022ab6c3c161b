"""Which quota groups Spotify takes no requests for, over all runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.spotify.errors import LockedError
from handlers.raw.state import Content, StateError, StateFile

_LONGEST = timedelta(days=8)
"""A lock lasts a week at most, and clocks differ: what is further ahead is nonsense."""

_MARGIN_SECONDS = 1.0
"""How much longer than to its end a lock is waited for: state keeps milliseconds, and clocks differ."""


class QuotaLocks:
    """Quota groups with the time until which they are locked.

    They outlast a login, also one with another app or account: Spotify counts the quota of all apps of a developer
    together (https://developer.spotify.com/blog/2026-07-23-web-api-quota-updates).

    State: `{"groups": {<group>: "<until>"}}`, read when it is first asked for.

    Args:
        state: `layout.LOCKS_STATE_KEY`.
        wait_for_lock: waits so many seconds if there is time for it, and says whether it did.
    """

    def __init__(self, state: StateFile, wait_for_lock: Callable[[float], bool]) -> None:
        self._state = state
        self._wait_out = wait_for_lock
        self._until: dict[str, datetime] = {}
        self._found: set[str] = set()
        """Groups that an earlier run found locked."""
        self._loaded = False

    def check(self, group: str) -> None:
        """Let a stream of the group go on, once a lock of an earlier run that ends within the invocation is over.

        A lock of 24 hours that began minutes after the last daily run still holds when the next one begins: without
        the wait it would cost another day. One of this run ends the group's streams: Spotify has just said no.

        Raises:
            LockedError: the group is locked.
        """
        if not self._loaded:
            self._loaded = True
            held = _parsed(self._state.content)
            self._found = held.keys() - self._until.keys()
            self._until = _later(self._until, held)
        until = self._until.get(group)
        seconds = (until - times.now()).total_seconds() if until else 0
        if until is None or seconds <= 0:
            return
        if group not in self._found or not self._wait_out(seconds + _MARGIN_SECONDS):
            raise LockedError(until)
        del self._until[group]

    def lock(self, group: str, until: datetime) -> None:
        """Take no request of the group until then, in this run and in others; of two times the later one holds."""
        self._until = _later(self._until, {group: until})
        self._found.discard(group)
        try:
            self._state.update(self._merged)
        except StateError as error:
            LOG.warning("The lock holds for this run only.", extra={"group": group, "cause": str(error)})

    @contextmanager
    def guard(self, group: str) -> Iterator[None]:
        """Ask nothing of a locked group, and lock it where Spotify says so.

        Raises:
            LockedError: the group is locked, or is now.
        """
        self.check(group)
        try:
            yield
        except LockedError as error:
            self.lock(group, error.until)
            raise

    def _merged(self, content: Content) -> Content:
        """State with what this run knows; locks that are over, and nonsense, are dropped."""
        now = times.now()
        self._until = _later(self._until, _parsed(content))
        held = {group: layout.written(until) for group, until in self._until.items() if until > now}
        return {"groups": held} if held or content else content


def _parsed(content: Content) -> dict[str, datetime]:
    groups = content.get("groups")
    if not isinstance(groups, dict):
        return {}
    latest = times.now() + _LONGEST
    read = {group: times.parse(until) for group, until in groups.items()}
    return {group: until for group, until in read.items() if until is not None and until <= latest}


def _later(one: dict[str, datetime], other: dict[str, datetime]) -> dict[str, datetime]:
    return {group: max(locks[group] for locks in (one, other) if group in locks) for group in {**one, **other}}
