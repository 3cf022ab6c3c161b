"""The simulated clock of the whole process."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta

import time_machine


def real_now() -> datetime:
    """Return the real time in UTC, whatever is simulated."""
    if time_machine.escape_hatch.is_travelling():
        return time_machine.escape_hatch.datetime.datetime.now(UTC)
    return datetime.now(UTC)


def midnight_after(moment: datetime) -> datetime:
    """Return the midnight UTC at which a moment's day ends."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC) + timedelta(days=1)


class SimulatedClock:
    """A UTC clock that ticks in real time and can be moved forward, never back.

    Between `start` and `stop` it is the clock of the whole process: of `datetime.now` and `time.time`, and therefore of
    moto, boto3 and Flask. `time.monotonic` and waits stay real.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"The clock's start {start} has no time zone: use an aware datetime.")
        self._start = start.astimezone(UTC)
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self._moving = threading.Lock()

    @property
    def now(self) -> datetime:
        """The simulated time in UTC."""
        return datetime.now(UTC) if self._traveller else self._start

    @property
    def offset(self) -> timedelta:
        """How far the simulated time is ahead of the real time; negative if it is behind."""
        return self.now - real_now()

    def resume(self, offset: timedelta) -> None:
        """Start from the real time and an offset instead; only before `start`."""
        self._start = real_now() + offset

    def start(self) -> None:
        """Start simulating time."""
        self._travel = time_machine.travel(self._start, tick=True)
        self._traveller = self._travel.start()

    def stop(self) -> None:
        """Return to real time; `now` keeps the simulated time."""
        if self._travel is not None:
            self._start = self.now
            self._travel.stop()
            self._travel = self._traveller = None

    def move_to(self, moment: datetime) -> None:
        """Move forward to a time; one in the past has no effect."""
        with self._moving:
            self._move_by(max(moment - self.now, timedelta()))

    def move_by(self, seconds: float) -> datetime:
        """Move forward by 0 or more seconds and return the new time. Any thread may do so."""
        with self._moving:
            self._move_by(timedelta(seconds=seconds))
            return self.now

    def _move_by(self, span: timedelta) -> None:
        if self._traveller is None:
            self._start += span
        else:
            # A shift is atomic: other threads see the time before or after it.
            self._traveller.shift(span)
