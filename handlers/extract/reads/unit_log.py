"""The log of a run's units, from which its manifest is written."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from handlers import layout
from handlers.extract import times
from handlers.extract.reads.shortfall import SHORT, ShortReadError
from handlers.extract.reads.state import CompleteRead, ConcurrentReadError
from handlers.extract.spotify.budget import BudgetError
from handlers.extract.spotify.errors import LockedError, LoginError, OutOfTimeError, SpotifyError
from handlers.raw.manifest import CONTINUED, UnitRow, UnitStatus
from handlers.streams import Stream

ReadMode = Literal["full", "incremental"]


@dataclass(kw_only=True)
class Unit(UnitRow):
    """A row of the manifest under construction."""

    error: SpotifyError | None = field(default=None, repr=False)
    """Why the unit is not complete; not part of the manifest."""

    def finished_read(self, keys: Sequence[str], records: int, started_at: datetime) -> CompleteRead:
        """Return the unit's read, which is completely uploaded and ends now.

        Raises:
            ValueError: the unit was not started.
        """
        if self.read_id is None or self.mode is None:
            raise ValueError("a unit that was not started cannot be complete")
        return CompleteRead(
            read_id=self.read_id,
            mode=self.mode,
            keys=tuple(keys),
            records=records,
            started_at=started_at,
            extracted_at=times.now(),
        )

    def complete(self, read: CompleteRead) -> None:
        """Set the unit to complete: the read is finished and uploaded."""
        self._finish("complete", read)

    def unchanged(self, read: CompleteRead) -> None:
        """Set the unit to unchanged: Spotify holds what an earlier read has written."""
        self.mode, self.read_id = read.mode, read.read_id
        self._finish("unchanged", read)

    def restart(self) -> None:
        """Start another read; requests and records so far remain counted."""
        self.status, self.reason, self.read_id = "failed", None, uuid.uuid4().hex
        self.read_complete, self.read_keys, self.read_records = False, [], 0

    def skip(self, reason: str) -> None:
        """Set the unit to skipped: there was nothing to read."""
        self.status, self.reason, self.mode, self.read_id = "skipped", reason, None, None

    def publish(self, read: CompleteRead) -> None:
        """Make the views show the read, whatever the unit's status."""
        self.read_complete, self.read_keys, self.read_records = True, list(read.keys), read.records

    def _finish(self, status: UnitStatus, read: CompleteRead) -> None:
        self.status, self.reason, self.read_id = status, None, read.read_id
        self.publish(read)


class UnitLog:
    """The units of a run in the order in which they were started.

    Args:
        continues: whether another invocation continues where this one runs out of time.
    """

    def __init__(self, *, continues: bool = False) -> None:
        self._out_of_time = CONTINUED if continues else "out_of_time"
        self.units: list[Unit] = []
        self.account_id: str | None = None
        self.count_requests: Callable[[], int] = lambda: 0
        """Returns the run's requests so far."""
        self._charged = 0

    def has_stream(self, stream: str) -> bool:
        """Return whether there is a unit of the stream."""
        return any(unit.stream == stream for unit in self.units)

    @contextmanager
    def unit(self, stream: Stream, name: str = "", mode: ReadMode | None = None) -> Iterator[Unit]:
        """Add a unit and record its outcome. Spotify's errors end the unit, but not the run unless it is the login.

        Raises:
            LoginError: no other unit can be read either.
        """
        unit = Unit(stream=stream.name, unit=name, mode=mode, read_id=uuid.uuid4().hex if mode else None)
        self.units.append(unit)
        with self.resume(unit):
            yield unit

    @contextmanager
    def resume(self, unit: Unit) -> Iterator[None]:
        """Continue an existing unit as `unit` does a new one.

        Raises:
            LoginError: no other unit can be read either.
        """
        try:
            yield
        except ConcurrentReadError as error:
            unit.status, unit.reason = "partial", str(error)
        except SpotifyError as error:
            unit.error = error
            unit.status, unit.reason = "partial", self._partial_reason(error)
            if unit.reason is None:
                unit.status, unit.reason = "failed", str(error)
            if isinstance(error, LockedError):
                unit.locked_until = layout.written(error.until)
            if isinstance(error, LoginError):
                raise
        finally:
            self.charge_requests(unit)

    def _partial_reason(self, error: SpotifyError) -> str | None:
        """Return the reason of a unit that is only interrupted; None if it failed."""
        match error:
            case LockedError():
                return "locked"
            case OutOfTimeError():
                return self._out_of_time
            case BudgetError():
                return "budget"
            case ShortReadError():
                return SHORT
        return None

    def add_failed(self, stream: Stream, error: SpotifyError) -> None:
        """Add a stream that could not even be started.

        Raises:
            LoginError: if that is the error.
        """
        with self.unit(stream):
            raise error

    def add_skipped(self, streams: Sequence[Stream], reason: str) -> None:
        """Add streams that are not read, all for the same reason."""
        for stream in streams:
            self.units.append(unit := Unit(stream=stream.name))
            unit.skip(reason)

    def end_early(self, streams: Sequence[Stream], reason: str, error: SpotifyError | None = None) -> None:
        """Record why the run ended early, for the interrupted unit and the streams that were not started."""
        started = {unit.stream for unit in self.units}
        self.units += [Unit(stream=stream.name) for stream in streams if stream.name not in started]
        for unit in self.units:
            if unit.status == "failed" and unit.reason is None:
                unit.reason, unit.error = reason, error
        if self.units:
            # Requests made before the first unit was started.
            self.charge_requests(self.units[0])

    def charge_requests(self, unit: Unit) -> None:
        """Count the requests since the last call as the unit's."""
        total = self.count_requests()
        unit.requests += total - self._charged
        self._charged = total
