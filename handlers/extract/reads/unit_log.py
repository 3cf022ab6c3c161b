"""What a run says of each stream and unit that it covers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from handlers import layout
from handlers.extract import times
from handlers.extract.reads.shortfall import SHORT, ShortReadError
from handlers.extract.reads.state import CompleteRead, ConcurrentReadError
from handlers.extract.spotify.budget import BudgetError
from handlers.extract.spotify.errors import LockedError, LoginError, OutOfTimeError, SpotifyError
from handlers.raw.manifest import UnitRow, UnitStatus
from handlers.streams import Stream

CONTINUED = "continued"
"""Reason of a unit with which the next invocation of the run goes on."""

Mode = Literal["full", "incremental"]


@dataclass
class Unit(UnitRow):
    """One row of the manifest in the making."""

    error: SpotifyError | None = field(default=None, repr=False)
    """Why it is not complete; no part of the manifest."""

    def ended(self, keys: Sequence[str], records: int, begun_at: str) -> CompleteRead:
        """The unit's read, of which all is uploaded and which ends now.

        Raises:
            ValueError: the unit was not begun.
        """
        if self.read_id is None or self.mode is None:
            raise ValueError("a unit that was not begun cannot be complete")
        return CompleteRead(self.read_id, self.mode, tuple(keys), records, begun_at, layout.written(times.now()))

    def complete(self, read: CompleteRead) -> None:
        """Note that the read is finished and all of it uploaded."""
        self._finish("complete", read)

    def unchanged(self, read: CompleteRead) -> None:
        """Note that Spotify holds what an earlier read has written."""
        self.mode, self.read_id = read.mode, read.read_id
        self._finish("unchanged", read)

    def begin_again(self) -> None:
        """Start another read; what was requested and written so far stays counted."""
        self.status, self.reason, self.read_id = "failed", None, uuid.uuid4().hex
        self.read_complete, self.read_keys, self.read_records = False, [], 0

    def skip(self, reason: str) -> None:
        """Note that there was nothing to read."""
        self.status, self.reason, self.mode, self.read_id = "skipped", reason, None, None

    def cover(self, read: CompleteRead) -> None:
        """Have views show the read, whatever the unit's status."""
        self.read_complete, self.read_keys, self.read_records = True, list(read.keys), read.records

    def _finish(self, status: UnitStatus, read: CompleteRead) -> None:
        self.status, self.reason, self.read_id = status, None, read.read_id
        self.cover(read)


class UnitLog:
    """The units of a run in the order in which they were begun.

    Args:
        continues: whether another invocation goes on where this one runs out of time.
    """

    def __init__(self, *, continues: bool = False) -> None:
        self._out_of_time = CONTINUED if continues else "out_of_time"
        self.units: list[Unit] = []
        self.account_id: str | None = None
        self.count_requests: Callable[[], int] = lambda: 0
        """Requests of the run so far."""
        self._charged = 0

    def has(self, stream: str) -> bool:
        """Whether a unit of the stream is noted."""
        return any(unit.stream == stream for unit in self.units)

    @contextmanager
    def unit(self, stream: Stream, unit: str = "", mode: Mode | None = None) -> Iterator[Unit]:
        """Note one unit. A failure of Spotify's ends the unit and not the run, but for a login that is refused.

        Raises:
            LoginError: no other unit will get anything either.
        """
        noted = Unit(stream.name, unit, mode, uuid.uuid4().hex if mode else None)
        self.units.append(noted)
        with self.again(noted):
            yield noted

    @contextmanager
    def again(self, noted: Unit) -> Iterator[None]:
        """Go on with a unit that is noted already, in the same way.

        Raises:
            LoginError: no other unit will get anything either.
        """
        try:
            yield
        except LockedError as error:
            noted.status, noted.reason, noted.error = "partial", "locked", error
            noted.locked_until = layout.written(error.until)
        except OutOfTimeError as error:
            noted.status, noted.reason, noted.error = "partial", self._out_of_time, error
        except BudgetError as error:
            noted.status, noted.reason, noted.error = "partial", "budget", error
        except ShortReadError as error:
            noted.status, noted.reason, noted.error = "partial", SHORT, error
        except ConcurrentReadError as error:
            noted.status, noted.reason = "partial", str(error)
        except SpotifyError as error:
            noted.status, noted.reason, noted.error = "failed", str(error), error
            if isinstance(error, LoginError):
                raise
        finally:
            self.charge(noted)

    def note_failure(self, stream: Stream, error: SpotifyError) -> None:
        """Note a stream that could not even be begun.

        Raises:
            LoginError: it is one.
        """
        with self.unit(stream):
            raise error

    def note_skipped(self, streams: Sequence[Stream], reason: str) -> None:
        """Note streams that are not read, for the same reason."""
        for stream in streams:
            self.units.append(unit := Unit(stream.name))
            unit.skip(reason)

    def note_end(self, streams: Sequence[Stream], reason: str, error: SpotifyError | None = None) -> None:
        """Note why the run ended before its time: for streams not begun, and for the unit that was cut off."""
        begun = {unit.stream for unit in self.units}
        self.units += [Unit(stream.name) for stream in streams if stream.name not in begun]
        for unit in self.units:
            if unit.status == "failed" and unit.reason is None:
                unit.reason, unit.error = reason, error
        if self.units:
            # What was asked before the first unit was begun.
            self.charge(self.units[0])

    def charge(self, unit: Unit) -> None:
        """Count the requests since the last call as the unit's."""
        total = self.count_requests()
        unit.requests += total - self._charged
        self._charged = total
