"""What the reading of any stream works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from handlers import layout
from handlers.extract.account import Account
from handlers.extract.event import Event
from handlers.extract.ledger import Ledger, Unit
from handlers.extract.locks import Locks
from handlers.extract.logs import logger
from handlers.extract.paging import Pass, Record, first_page, records
from handlers.extract.playlists import Listing
from handlers.extract.raw import RawWriter
from handlers.extract.spotify import LockedError, SpotifyClient, SpotifyError
from handlers.extract.state import CompleteRead, StateFile
from handlers.extract.storage import Bucket
from handlers.streams import Stream


@dataclass
class Work:
    """One run in one account."""

    client: SpotifyClient
    bucket: Bucket
    folder: Path
    """Where parts lie until they are uploaded."""
    ledger: Ledger
    account: Account
    event: Event
    retention_days: int
    """How long the transformed bucket keeps what a read becomes."""
    listing: Listing | SpotifyError | None = None
    """The playlists that the run has listed, or why it could not; None before."""
    locks: Locks = field(default_factory=Locks)

    def state(self, stream: Stream) -> StateFile:
        """What earlier runs left for the stream."""
        return StateFile(self.bucket, layout.state_key(self.account.id, stream.name))

    @contextmanager
    def writer(self, unit: Unit, *, hold: bool) -> Iterator[RawWriter]:
        """Raw objects of the unit's read.

        Args:
            unit: gets the numbers of what was uploaded.
            hold: upload nothing before the end, so that it may be dropped.
        """
        if unit.read_id is None:
            raise ValueError("a unit without a read writes nothing")
        raw = RawWriter(
            self.bucket,
            self.folder,
            stream=unit.stream,
            unit=unit.unit,
            run_id=self.event.run_id,
            read_id=unit.read_id,
            account_id=self.account.id,
            hold=hold,
        )
        try:
            with raw:
                yield raw
        finally:
            unit.records += raw.records
            unit.objects += len(raw.keys)

    def passes(self, unit: Unit) -> Iterator[Pass]:
        """One pass over a stream, and another where the first is void; a list that moves again is taken as it is."""
        first = Pass(repeatable=True)
        yield first
        if first.void:
            logger.info("The list changed while it was read: it is read once more.", extra={"stream": unit.stream})
            unit.begin_again()
            yield Pass(repeatable=False)

    def records(self, stream: Stream, unit: str = "", one_pass: Pass | None = None) -> Iterator[Record]:
        """Every record of a stream or of one playlist.

        Raises:
            SpotifyError: a request failed, or the stream's quota group is locked.
        """
        with self._in_group(stream.quota_group):
            yield from records(self.client, stream, unit, one_pass)

    def first_page(self, stream: Stream) -> list[Record]:
        """The records of a stream's first page.

        Raises:
            SpotifyError: the request failed, or the stream's quota group is locked.
        """
        with self._in_group(stream.quota_group):
            return first_page(self.client, stream)

    def days_since(self, moment: datetime) -> int:
        """Whole days, by date, from a moment to this run."""
        return (self.event.scheduled_at.date() - moment.date()).days

    def stands(self, read: CompleteRead) -> bool:
        """Whether a read may stand for another day: what it became is not about to expire."""
        return not self.event.full and self.days_since(read.extracted) * 2 <= self.retention_days

    @contextmanager
    def _in_group(self, group: str) -> Iterator[None]:
        """Ask nothing of a locked quota group, and lock it for the rest of the run where Spotify says so."""
        self.locks.check(group)
        try:
            yield
        except LockedError as error:
            self.locks.lock(group, error.until)
            raise
