"""What the reading of any stream works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from handlers import layout
from handlers.catalogue_uris import CatalogueUri
from handlers.extract.reads.paging import Cursor, Pass, Record, first_page, records
from handlers.extract.reads.playlists import Listing
from handlers.extract.reads.served_records import ServedRecords
from handlers.extract.reads.shortfall import Shortfall
from handlers.extract.reads.state import CompleteRead, open_state
from handlers.extract.reads.unit_log import Unit, UnitLog
from handlers.extract.spotify.account import Account
from handlers.extract.spotify.client import Response, SpotifyClient
from handlers.extract.spotify.errors import SpotifyError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.raw.bucket import RawBucket
from handlers.raw.objects import RawWriter
from handlers.raw.state import Slot, StateFile
from handlers.streams import Stream


@dataclass
class RunContext:
    """One run in one account."""

    client: SpotifyClient
    bucket: RawBucket
    folder: Path
    """Where parts lie until they are uploaded."""
    unit_log: UnitLog
    account: Account
    run_id: str
    scheduled_at: datetime
    """When the run was to begin, which is the day that it reads for."""
    full: bool
    """Whether everything is to be read and written, also what has not changed."""
    retention_days: int
    """How long the transformed bucket keeps what a read becomes."""
    locks: QuotaLocks
    catalogue: tuple[CatalogueUri, ...] = ()
    """What the stream `catalogue` reads."""
    covers_unit: Callable[[str, str], bool] | None = None
    """Whether earlier invocations of the run have left a unit of a stream to this one; None: there were none."""
    listing: Listing | SpotifyError | None = None
    """The playlists that the run has listed, or why it could not; None before."""

    def state(self, stream: Stream) -> StateFile:
        """What earlier runs left for the stream."""
        return open_state(self.bucket, layout.state_key(self.account.id, stream.name))

    def is_left(self, stream: Stream, unit: str) -> bool:
        """Whether this invocation is to read the unit."""
        return self.covers_unit is None or self.covers_unit(stream.name, unit)

    def shortfall(self, slot: Slot, *, listed: int = 0) -> Shortfall:
        """What the lists of a unit lack in this run.

        Args:
            slot: the unit's part of the state.
            listed: as of `Shortfall`.
        """
        return Shortfall.of(slot, self.run_id, listed=listed)

    def writer(self, unit: Unit, before: Sequence[str] = (), *, hold: bool) -> RawWriter:
        """Raw objects of the unit's read.

        Args:
            unit: whose read it is.
            before: keys of the read that were uploaded already.
            hold: upload nothing before the end, so that it may be dropped.
        """
        if unit.read_id is None:
            raise ValueError("a unit without a read writes nothing")
        return RawWriter(
            self.bucket,
            self.folder,
            stream=unit.stream,
            unit=unit.unit,
            run_id=self.run_id,
            read_id=unit.read_id,
            account_id=self.account.id,
            before=before,
            hold=hold,
            keep_on_error=SpotifyError,
        )

    @contextmanager
    def counted(self, raw: RawWriter, unit: Unit) -> Iterator[None]:
        """Upload what is left at the end, and count to the unit what was uploaded."""
        try:
            with raw:
                yield
        finally:
            unit.records += raw.records
            unit.objects += len(raw.keys)

    def records(
        self,
        stream: Stream,
        unit: str = "",
        *,
        one_pass: Pass | None = None,
        shortfall: Shortfall | None = None,
        served: ServedRecords | None = None,
        behind: Cursor | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Iterator[Record]:
        """Every record of a stream or of one playlist, as `paging.records` gives them.

        Raises:
            SpotifyError: a request failed, or the stream's quota group is locked.
            MovedError: as there.
        """
        with self.locks.guard(stream.quota_group):
            yield from records(
                self.client,
                stream,
                unit,
                one_pass=one_pass,
                shortfall=shortfall,
                served=served,
                behind=behind,
                params=params,
            )

    def first_page(self, stream: Stream) -> list[Record]:
        """The records of a stream's first page.

        Raises:
            SpotifyError: the request failed, or the stream's quota group is locked.
        """
        with self.locks.guard(stream.quota_group):
            return first_page(self.client, stream)

    def get(self, path: str, group: str) -> Response:
        """One answer.

        Raises:
            SpotifyError: the request failed, or the quota group is locked.
        """
        with self.locks.guard(group):
            return self.client.get(path)

    def days_since(self, moment: datetime) -> int:
        """Whole days, by date, from a moment to this run."""
        return (self.scheduled_at.date() - moment.date()).days

    def stands(self, read: CompleteRead) -> bool:
        """Whether a read may stand for another day, and nobody asked for a new one."""
        return not self.full and self.lasts(read)

    def lasts(self, read: CompleteRead) -> bool:
        """Whether what a read became is not about to expire."""
        return self.days_since(read.begun) * 2 <= self.retention_days
