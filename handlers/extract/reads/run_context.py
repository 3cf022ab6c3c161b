"""What reading any stream needs to know about the run."""

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
from handlers.extract.reads.state import CompleteRead, open_state
from handlers.extract.reads.unit_log import Unit, UnitLog
from handlers.extract.spotify.account import Account
from handlers.extract.spotify.client import Response, SpotifyClient
from handlers.extract.spotify.errors import SpotifyError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.raw.bucket import RawBucket
from handlers.raw.objects import RawWriter
from handlers.raw.state import StateFile
from handlers.streams import Stream


@dataclass(kw_only=True)
class RunContext:
    """One run for one account."""

    client: SpotifyClient
    bucket: RawBucket
    folder: Path
    """Holds parts until they are uploaded."""
    unit_log: UnitLog
    account: Account
    run_id: str
    scheduled_at: datetime
    """When the run was scheduled, which is the day that it reads for."""
    full: bool
    """Whether to read and write everything, even if unchanged."""
    retention_days: int
    """How long the transformed bucket keeps what a read becomes."""
    locks: QuotaLocks
    catalogue: tuple[CatalogueUri, ...] = ()
    """What the stream `catalogue` reads."""
    has_unit: Callable[[str, str], bool] | None = None
    """Returns whether earlier invocations of the run left a unit of a stream to this one; None if there were none."""
    listing: Listing | SpotifyError | None = None
    """The run's listing of playlists, or why there is none; None if not requested yet."""

    def state(self, stream: Stream) -> StateFile:
        """Return the state that earlier runs left for the stream."""
        return open_state(self.bucket, layout.state_key(self.account.id, stream.name))

    def is_left(self, stream: Stream, unit: str) -> bool:
        """Return whether this invocation is to read the unit."""
        return self.has_unit is None or self.has_unit(stream.name, unit)

    def writer(self, unit: Unit, earlier_keys: Sequence[str] = (), *, hold: bool) -> RawWriter:
        """Return a writer for the unit's read.

        Args:
            unit: the unit.
            earlier_keys: keys of the read that are already uploaded.
            hold: upload nothing before the end, so that it can be dropped.
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
            earlier_keys=earlier_keys,
            hold=hold,
            keep_on_error=SpotifyError,
        )

    @contextmanager
    def counted(self, raw: RawWriter, unit: Unit) -> Iterator[None]:
        """Upload the rest at the end, and count all uploads as the unit's."""
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
        one_pass: Pass,
        after: Cursor | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Iterator[Record]:
        """Yield the records of a stream or of one of its units, as `paging.records` does.

        Raises:
            SpotifyError: a request failed, or the stream's quota group is locked.
            MovedError: see `paging.records`.
        """
        with self.locks.guard(stream.quota_group):
            yield from records(self.client, stream, unit, one_pass=one_pass, after=after, params=params)

    def first_page(self, stream: Stream) -> list[Record]:
        """Return the records of a stream's first page.

        Raises:
            SpotifyError: the request failed, or the stream's quota group is locked.
        """
        with self.locks.guard(stream.quota_group):
            return first_page(self.client, stream)

    def get(self, path: str, group: str) -> Response:
        """Get a single path.

        Raises:
            SpotifyError: the request failed, or the quota group is locked.
        """
        with self.locks.guard(group):
            return self.client.get(path)

    def days_since(self, moment: datetime) -> int:
        """Return the whole days, by date, from a moment to this run."""
        return (self.scheduled_at.date() - moment.date()).days

    def is_current(self, read: CompleteRead) -> bool:
        """Return whether a read need not be repeated: it is not about to expire, and the run is not full."""
        return not self.full and self.is_retained(read.started_at)

    def is_retained(self, started_at: datetime) -> bool:
        """Return whether the rows of a read that started then are not about to expire."""
        return self.days_since(started_at) * 2 <= self.retention_days
