"""Quota groups that Spotify has locked, shared by all runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.spotify.errors import LockedError
from handlers.layout import parse_time
from handlers.raw.state import Content, StateError, StateFile

_LONGEST = timedelta(days=8)
"""A lock lasts a week at most; with clock skew, anything later is invalid."""
_MARGIN_SECONDS = 1.0
"""Extra wait after the end of a lock, since the state has milliseconds and clocks differ."""


class QuotaLocks:
    """Quota groups and the time until which each is locked.

    Locks outlast a login, even with another app or account: Spotify counts the requests of all apps of a developer
    together (https://developer.spotify.com/blog/2026-07-23-web-api-quota-updates).

    State: `{"groups": {<group>: "<until>"}}`, read on first use.

    Args:
        state: the object at `layout.LOCKS_STATE_KEY`.
        wait: waits that many seconds if the invocation has the time, and returns whether it did.
    """

    def __init__(self, state: StateFile, wait: Callable[[float], bool]) -> None:
        self._state = state
        self._wait = wait
        self._until: dict[str, datetime] = {}
        self._inherited: set[str] = set()
        """Groups that an earlier run locked."""
        self._loaded = False

    def check(self, group: str) -> None:
        """Wait for an earlier run's lock if it ends within this invocation; raise for any other lock.

        A lock of 24 hours that began minutes after the last daily run still holds when the next one starts: without
        the wait it would cost another day. A lock of this run ends the group's streams.

        Raises:
            LockedError: the group is locked.
        """
        if not self._loaded:
            self._loaded = True
            held = _parse(self._state.content)
            self._inherited = held.keys() - self._until.keys()
            self._until = _later(self._until, held)
        until = self._until.get(group)
        seconds = (until - times.now()).total_seconds() if until else 0
        if until is None or seconds <= 0:
            return
        if group not in self._inherited or not self._wait(seconds + _MARGIN_SECONDS):
            raise LockedError(until)
        del self._until[group]

    def lock(self, group: str, until: datetime) -> None:
        """Lock the group in this run and in others; of two times the later one applies."""
        self._until = _later(self._until, {group: until})
        self._inherited.discard(group)
        try:
            self._state.update(self._merged)
        except StateError as error:
            LOG.warning(
                "The quota lock could not be saved: it applies to this run only.",
                extra={"group": group, "cause": str(error)},
            )

    @contextmanager
    def guard(self, group: str) -> Iterator[None]:
        """Run requests of a group only if it is not locked, and lock it if Spotify does.

        Raises:
            LockedError: the group is or becomes locked.
        """
        self.check(group)
        try:
            yield
        except LockedError as error:
            self.lock(group, error.until)
            raise

    def _merged(self, content: Content) -> Content:
        """Merge this run's locks into the state; drop expired and invalid ones."""
        now = times.now()
        self._until = _later(self._until, _parse(content))
        held = {group: layout.written(until) for group, until in self._until.items() if until > now}
        return {"groups": held} if held or content else content


def _parse(content: Content) -> dict[str, datetime]:
    groups = content.get("groups")
    if not isinstance(groups, dict):
        return {}
    latest = times.now() + _LONGEST
    read = {group: parse_time(until) for group, until in groups.items()}
    return {group: until for group, until in read.items() if until is not None and until <= latest}


def _later(one: dict[str, datetime], other: dict[str, datetime]) -> dict[str, datetime]:
    return {group: max(locks[group] for locks in (one, other) if group in locks) for group in {**one, **other}}
