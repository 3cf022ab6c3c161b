"""The one simulated clock: this process travels in time, and every engine reads and moves it here."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import time_machine


def real_now() -> datetime:
    """Return the moment outside of any simulation, in UTC."""
    if time_machine.escape_hatch.is_travelling():
        return time_machine.escape_hatch.datetime.datetime.now(UTC)
    return datetime.now(UTC)


class SimulatedClock:
    """A UTC clock that runs at the speed of the real one and can be moved forward, never back.

    Between `start` and `stop` the whole process sees it: `datetime.now`, `time.time`, hence moto, boto3 and flask.
    `time.monotonic` and waits stay real.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"The clock's start {start} has no time zone: give an aware datetime.")
        self._start = start.astimezone(UTC)
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None
        self._moving = threading.Lock()

    @property
    def now(self) -> datetime:
        """The simulated moment, in UTC."""
        return datetime.now(UTC) if self._traveller else self._start

    def start(self) -> None:
        """Travel to the start."""
        self._travel = time_machine.travel(self._start, tick=True)
        self._traveller = self._travel.start()

    def stop(self) -> None:
        """Come back to the real time; the simulated moment stays readable."""
        if self._travel is not None:
            self._start = self.now
            self._travel.stop()
            self._travel = self._traveller = None

    def move_to(self, moment: datetime) -> None:
        """Move forward to a moment; one that is already past leaves the clock as it is."""
        with self._moving:
            self._move_by(max(moment - self.now, timedelta()))

    def move_by(self, seconds: float) -> datetime:
        """Move forward by a span, 0 or more, and return the new moment; any thread may do so."""
        with self._moving:
            self._move_by(timedelta(seconds=seconds))
            return self.now

    def _move_by(self, span: timedelta) -> None:
        if self._traveller is None:
            self._start += span
        else:
            # A shift is one assignment: threads that read the clock meanwhile see before or after, nothing between.
            self._traveller.shift(span)
