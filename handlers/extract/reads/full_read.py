"""One full pass over a list: interrupted by a lock, budget, deadline or failure, and resumed by a later run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeAlias

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.reads.observer import Observer
from handlers.extract.reads.paging import Cursor, MovedError, Pass, Record
from handlers.extract.reads.record_keys import canonical_json
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.served_records import ServedRecords
from handlers.extract.reads.shortfall import Shortfall, ShortReadError, with_short_runs
from handlers.extract.reads.state import CompleteRead, ConcurrentReadError
from handlers.extract.reads.unit_log import Unit
from handlers.extract.spotify.errors import ForbiddenError, NotFoundError, RefusedError, SpotifyError
from handlers.layout import parse_time
from handlers.raw.objects import RawWriter
from handlers.raw.state import Content, Slot
from handlers.streams import Stream

SourceRecords: TypeAlias = Iterator[tuple[Record, Mapping[str, Any]]]
"""Records with their context."""
Source: TypeAlias = Callable[[Cursor | None, Pass], SourceRecords]
"""Yields every record, or those after a cursor; raises what `paging.records` raises."""

# After these errors there is no point in resuming after the last record.
_FINAL = (ForbiddenError, NotFoundError, RefusedError)


@dataclass(frozen=True, kw_only=True)
class OpenRead:
    """An interrupted pass, as the state keeps it."""

    read_id: str
    run_id: str
    """Run that started it."""
    started_at: datetime
    """`begun_at` in the state."""
    version: str | None
    """What must not have changed in the list: the `snapshot_id` of a playlist."""
    keys: tuple[str, ...]
    """Raw objects so far."""
    records: int
    """Lines in them."""
    cursor: Cursor
    """`place` in the state."""
    digest: str
    """Chained digest of all records so far; '' if there is no baseline."""
    seen: Content
    """What the observer has seen."""
    served: str
    """Digests of the records so far, packed by `ServedRecords`."""

    def content(self) -> Content:
        """Return the form stored in the state."""
        return {
            "read_id": self.read_id,
            "run_id": self.run_id,
            "begun_at": layout.written(self.started_at),
            "version": self.version,
            "keys": list(self.keys),
            "records": self.records,
            "place": self.cursor.content(),
            "digest": self.digest,
            "seen": self.seen,
            "served": self.served,
        }

    @classmethod
    def parse(cls, content: object) -> OpenRead | None:
        """Parse stored content; return None for anything else, so that the read starts again."""
        if not isinstance(content, dict):
            return None
        cursor, started_at = Cursor.parse(content.get("place")), parse_time(content.get("begun_at"))
        read_id, run_id, digest, served = (content.get(name) for name in ("read_id", "run_id", "digest", "served"))
        keys, records, version, seen = (content.get(name) for name in ("keys", "records", "version", "seen"))
        if (
            cursor is None
            or started_at is None
            or not isinstance(read_id, str)
            or not isinstance(run_id, str)
            or not isinstance(digest, str)
            or not isinstance(keys, list)
            or not all(_is_raw_key(key) for key in keys)
            or type(records) is not int
            or not (version is None or isinstance(version, str))
            or not isinstance(seen, dict)
            or not isinstance(served, str)
            or ServedRecords.parse(served) is None
        ):
            return None
        return cls(
            read_id=read_id,
            run_id=run_id,
            started_at=started_at,
            version=version,
            keys=tuple(keys),
            records=records,
            cursor=cursor,
            digest=digest,
            seen=seen,
            served=served,
        )


@dataclass(frozen=True)
class Baseline:
    """The last complete read and the digest of its records: a list that equals it need not be written."""

    read: CompleteRead | None
    digest: object


@dataclass(frozen=True)
class FinishedRead:
    """A pass that reached the end of the list and is completely uploaded."""

    read: CompleteRead
    digest: str
    resumed: bool
    """Whether an earlier run started it."""


@dataclass(kw_only=True)
class FullRead:
    """Reads a whole list."""

    run: RunContext
    unit: Unit
    slot: Slot
    """The unit's section of the state; this class writes only `open` and `short` in it."""
    source: Source
    resumable: bool = True
    """Whether it may be resumed after the last record; otherwise it starts again."""
    short: int = 0
    """A later run also starts again if it reads fewer records, because those added at the front would be missed."""
    version: str | None = None
    """What must not have changed in the list to resume."""
    baseline: Baseline | None = None
    """A list that equals it is not written again; None to write every list."""
    previous: CompleteRead | None = None
    """The last complete read, which the views show until there is a newer one."""
    listed: int = 0
    """The total according to another list; counts if this one claims to be empty."""
    observer: Observer | None = None
    """Sees every record of the pass that counts."""

    def __post_init__(self) -> None:
        self._held: object = None
        self.total: int | None = None
        """The list's latest total."""
        self._shortfall = Shortfall.load(self.slot, self.run.run_id, listed=self.listed)

    def read(self) -> FinishedRead | None:
        """Read to the end; return None if the list equals the baseline; the unit is then `unchanged`.

        A list that changes meanwhile is read again, at most once; an interrupted pass is kept in state.

        Raises:
            SpotifyError: a request failed.
            ShortReadError: the list ended before its own total; what was read of it is uploaded.
            ConcurrentReadError: another run has resumed the same read.
        """
        self._held = self.slot.content.get("open")
        opened = self._usable(OpenRead.parse(self._held))
        for repeatable in (True, True, False) if opened else (True, False):
            served = ServedRecords.parse(opened.served) if opened else None
            one_pass = Pass(shortfall=self._shortfall, served=served, repeatable=repeatable)
            try:
                finished = self._read_pass(opened, one_pass)
            except MovedError:
                LOG.info(
                    "The list changed while it was read: reading it again.",
                    extra={"stream": self.unit.stream, "unit": self.unit.unit},
                )
                opened = None
                self.unit.restart()
            else:
                self.total = one_pass.total
                return finished
        raise AssertionError("the last pass accepts the list as it is")

    def state_after(self, content: Content, read: CompleteRead) -> Content:
        """Return the state without the finished read, and with the count of short runs.

        Raises:
            ConcurrentReadError: the state held the read, and another run has advanced it meanwhile.
        """
        held = content.get("open")
        if held != self._held and isinstance(self._held, dict) and self._held.get("read_id") == read.read_id:
            raise ConcurrentReadError
        # One that another run has started meanwhile is that run's.
        rest = {name: value for name, value in content.items() if name != "open" or held != self._held}
        return with_short_runs(rest, self._shortfall.content(self.run.run_id))

    def _usable(self, opened: OpenRead | None) -> OpenRead | None:
        if opened is None or not self.resumable or opened.version != self.version:
            return None
        if opened.run_id != self.run.run_id and (self.run.full or opened.cursor.position < self.short):
            return None
        # Its rows so far must outlast the views' next complete read.
        return opened if self.run.is_retained(opened.started_at) else None

    def _read_pass(self, opened: OpenRead | None, one_pass: Pass) -> FinishedRead | None:
        if opened:
            self.unit.read_id = opened.read_id
        started_at = opened.started_at if opened else times.now()
        self._shortfall.begin()
        cursor, digest = (opened.cursor, opened.digest) if opened else (None, "")
        last: Record | None = None
        earlier_keys = opened.keys if opened else ()
        lines = opened.records if opened else 0
        observer = self.observer or Observer()
        observer.begin(opened.seen if opened else None)
        raw = self.run.writer(self.unit, earlier_keys, hold=self.baseline is not None and not opened)

        def progress() -> OpenRead | None:
            read_id = self.unit.read_id
            reached = last.cursor if last else cursor
            # A later run would not know about records that are missing before the cursor.
            if reached is None or read_id is None or not self.resumable or self._shortfall.missing:
                return None
            return OpenRead(
                read_id=read_id,
                run_id=opened.run_id if opened else self.run.run_id,
                started_at=started_at,
                version=self.version,
                keys=(*earlier_keys, *raw.keys),
                records=lines + raw.records,
                cursor=reached,
                digest=digest,
                seen=observer.content(),
                served=one_pass.served.content(),
            )

        try:
            with self.run.counted(raw, self.unit):
                saved = 0
                for record, context in self.source(cursor, one_pass):
                    raw.add(record.value, record.response, context)
                    if self.baseline is not None:
                        digest = chain_digest(digest, record.value)
                    observer.see(record.value)
                    last = record
                    if len(raw.keys) > saved:
                        saved = len(raw.keys)
                        self._save(progress())
                equal = self._equal_to_baseline(opened, raw, digest)
                if equal:
                    raw.discard()
        except _FINAL:
            raise
        except SpotifyError:
            self._save(progress())
            raise
        read = self.unit.finished_read((*earlier_keys, *raw.keys), lines + raw.records, started_at)
        resumed = opened is not None and opened.run_id != self.run.run_id
        return self._finish(FinishedRead(read, digest, resumed=resumed), equal)

    def _finish(self, finished: FinishedRead, equal: CompleteRead | None) -> FinishedRead | None:
        if self._shortfall.is_short:
            self._end_short(finished.read, written=equal is None)
        if equal is None:
            return finished
        self._shortfall.save(self.slot, self.run.run_id)
        self.unit.unchanged(equal)
        return None

    def _equal_to_baseline(self, opened: OpenRead | None, raw: RawWriter, digest: str) -> CompleteRead | None:
        baseline = self.baseline
        if baseline is None or baseline.read is None or opened or raw.keys:
            return None
        return baseline.read if baseline.digest == digest and self.run.is_current(baseline.read) else None

    def _end_short(self, read: CompleteRead, *, written: bool) -> NoReturn:
        """End the unit as short. The views show the read if no earlier one has more or the list is chronically short.

        Raises:
            ShortReadError: always.
        """
        self.slot.update(lambda content: self.state_after(content, read))
        previous = self.previous if self.previous and self.run.is_retained(self.previous.started_at) else None
        has_less = previous is not None and read.records - self._shortfall.repeated < previous.records
        if written and (self._shortfall.is_chronic or not has_less):
            self.unit.publish(read)
        raise ShortReadError

    def _save(self, opened: OpenRead | None) -> None:
        """Store the progress for a later run to resume.

        Raises:
            ConcurrentReadError: another run has started or advanced a read meanwhile.
        """
        if opened is None:
            return
        content = opened.content()

        def change(held: Content) -> Content:
            if held.get("open") not in (self._held, content):
                raise ConcurrentReadError
            return {**held, "open": content}

        self.slot.update(change)
        self._held = content


def stream_source(run: RunContext, stream: Stream) -> Source:
    """Return a source of the stream's records, without context."""

    def source(after: Cursor | None, one_pass: Pass) -> SourceRecords:
        for record in run.records(stream, one_pass=one_pass, after=after):
            yield record, {}

    return source


def _is_raw_key(key: object) -> bool:
    try:
        return isinstance(key, str) and bool(layout.RawKey.parse(key))
    except layout.ForeignKeyError:
        return False


def chain_digest(digest: str, value: Any) -> str:
    """Return the digest of a list with one more record; unlike one over all bytes, it can be resumed."""
    return hashlib.sha256(digest.encode("ascii") + canonical_json(value)).hexdigest()
