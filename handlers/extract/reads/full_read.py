"""One full pass over a list: cut off by a lock, a budget, a deadline or a failure, and gone on with by a later run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
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
from handlers.extract.reads.shortfall import SHORT, ShortReadError, with_short_runs
from handlers.extract.reads.state import CompleteRead, ConcurrentReadError
from handlers.extract.reads.unit_log import Unit
from handlers.extract.spotify.errors import ForbiddenError, NotFoundError, RefusedError, SpotifyError
from handlers.raw.objects import RawWriter
from handlers.raw.state import Content, Slot
from handlers.streams import Stream

Source: TypeAlias = Callable[[Cursor | None, Pass], Iterator[tuple[Record, Mapping[str, Any]]]]
"""Gives every record with its context, or those behind a place; raises as `paging.records` does."""

# After these nothing is gained by going on behind the last record.
_FINAL = (ForbiddenError, NotFoundError, RefusedError)


@dataclass(frozen=True)
class OpenRead:
    """A pass that was cut off, as state keeps it."""

    read_id: str
    run_id: str
    """Run that began it."""
    begun_at: str
    version: str | None
    """What of the list must not have changed: the `snapshot_id` of a playlist."""
    keys: tuple[str, ...]
    """Raw objects so far."""
    records: int
    """Lines in them."""
    place: Cursor
    digest: str
    """Of all records so far, one chained to the other; '' where nothing is compared with it."""
    seen: Content
    """What the observer has seen."""
    served: str
    """Digests of the records so far, as `ServedRecords` packs them."""

    def content(self) -> Content:
        """The form in which state holds it."""
        return {**asdict(self), "keys": list(self.keys), "place": self.place.content()}

    @classmethod
    def parse(cls, content: object) -> OpenRead | None:
        """What state holds; None where it is something else, so that the read begins again."""
        if not isinstance(content, dict):
            return None
        place, begun_at = Cursor.parse(content.get("place")), times.parse(content.get("begun_at"))
        texts = [content.get(name) for name in ("read_id", "run_id", "digest")]
        keys, records, version, seen = (content.get(name) for name in ("keys", "records", "version", "seen"))
        served = ServedRecords.parse(content.get("served"))
        if (
            place is None
            or begun_at is None
            or not all(isinstance(text, str) for text in texts)
            or not isinstance(keys, list)
            or not all(_is_raw_key(key) for key in keys)
            or type(records) is not int
            or not (version is None or isinstance(version, str))
            or not isinstance(seen, dict)
            or served is None
        ):
            return None
        read_id, run_id, digest = map(str, texts)
        return cls(
            read_id,
            run_id,
            content["begun_at"],
            version,
            tuple(keys),
            records,
            place,
            digest,
            seen,
            content["served"],
        )

    @property
    def begun(self) -> datetime:
        """When it was begun."""
        moment = times.parse(self.begun_at)
        if moment is None:
            raise ValueError(f"{self.begun_at!r} is no time")
        return moment


@dataclass(frozen=True)
class Known:
    """The last complete read and the digest of its records: what equals it need not be written."""

    read: CompleteRead | None
    digest: object


@dataclass(frozen=True)
class Finished:
    """A pass that reached the end of the list, with all of it uploaded."""

    read: CompleteRead
    digest: str
    resumed: bool
    """Whether an earlier run began it."""


@dataclass
class FullRead:
    """What is read whole, and how.

    Args:
        run: the run.
        unit: its row of the manifest.
        slot: the part of the state that is the unit's; `open` in it is this module's.
        source: the list.
        resumable: whether it may be gone on with behind the last record; else it begins again.
        short: with fewer records a later run begins again too, since what has come in front would be missing.
        version: what of the list must not have changed for that.
        known: what equals it is not written again; None: everything is written.
        previous: the last complete read, which views show until there is a newer one.
        listed: how many records another list says there are; counts where this one says that it is empty.
        observer: is shown every record of the pass that counts.
    """

    run: RunContext
    unit: Unit
    slot: Slot
    source: Source
    resumable: bool = True
    short: int = 0
    version: str | None = None
    known: Known | None = None
    previous: CompleteRead | None = None
    listed: int = 0
    observer: Observer | None = None

    def __post_init__(self) -> None:
        self._held: object = None
        self.total: int | None = None
        """The last length that the list named."""
        self._shortfall = self.run.shortfall(self.slot, listed=self.listed)

    def read(self) -> Finished | None:
        """Read to the end; None where the list equals its last complete read, which the unit then says.

        A list that changes while it is read is begun again, at most once; what a cut left is kept in state.

        Raises:
            SpotifyError: a request failed.
            ShortReadError: the list ended before its own total; what was read of it is uploaded.
            ConcurrentReadError: another run has gone on with the same read.
        """
        self._held = self.slot.content.get("open")
        opened = self._usable(OpenRead.parse(self._held))
        for repeatable in (True, True, False) if opened else (True, False):
            try:
                served = ServedRecords.parse(opened.served) if opened else None
                one_pass = Pass(repeatable=repeatable, shortfall=self._shortfall, served=served)
                finished = self._pass(opened, one_pass)
            except MovedError:
                LOG.info("The list changed while it was read: it is read once more.", extra=self._names())
                opened = None
                self.unit.begin_again()
            else:
                self.total = one_pass.total
                return finished
        raise AssertionError("the last pass takes the list as it is")

    def kept(self, content: Content, read: CompleteRead) -> Content:
        """State without the read that is finished now, and with what it says of the list's length.

        Raises:
            ConcurrentReadError: it was kept in state, and another run has moved it meanwhile.
        """
        held = content.get("open")
        if held != self._held and self._is_ours(self._held, read.read_id):
            raise ConcurrentReadError
        # One that another run has begun meanwhile is that run's.
        rest = {name: value for name, value in content.items() if name != "open" or held != self._held}
        return with_short_runs(rest, self._shortfall.content(self.run.run_id))

    def _usable(self, opened: OpenRead | None) -> OpenRead | None:
        if opened is None or not self.resumable or opened.version != self.version:
            return None
        if opened.run_id != self.run.run_id and (self.run.full or opened.place.position < self.short):
            return None
        # What it became so far must outlast the views' next complete read.
        return opened if self.run.days_since(opened.begun) * 2 <= self.run.retention_days else None

    def _pass(self, opened: OpenRead | None, one_pass: Pass) -> Finished | None:
        if opened:
            self.unit.read_id = opened.read_id
        begun_at = opened.begun_at if opened else layout.written(times.now())
        self._shortfall.begin()
        behind, digest = (opened.place, opened.digest) if opened else (None, "")
        last: Record | None = None
        before = opened.keys if opened else ()
        lines = opened.records if opened else 0
        observer = self.observer or Observer()
        observer.begin(opened.seen if opened else None)
        raw = self.run.writer(self.unit, before, hold=self.known is not None and not opened)

        def state() -> OpenRead | None:
            read_id = self.unit.read_id
            place = last.place if last else behind
            # A later run would not know of records that are missing before its place.
            if place is None or read_id is None or not self.resumable or self._shortfall.missing:
                return None
            keys, count = (*before, *raw.keys), lines + raw.records
            run_id = opened.run_id if opened else self.run.run_id
            seen, served = observer.content(), one_pass.served.content()
            return OpenRead(read_id, run_id, begun_at, self.version, keys, count, place, digest, seen, served)

        try:
            with self.run.counted(raw, self.unit):
                saved = 0
                for record, context in self.source(behind, one_pass):
                    raw.add(record.value, record.answer, context)
                    if self.known is not None:
                        digest = chained(digest, record.value)
                    observer.see(record.value)
                    last = record
                    if len(raw.keys) > saved:
                        saved = len(raw.keys)
                        self._keep(state())
                equal = self._equal_to_known(opened, raw, digest)
                if equal:
                    raw.discard()
        except _FINAL:
            raise
        except SpotifyError:
            self._keep(state())
            raise
        read = self.unit.ended((*before, *raw.keys), lines + raw.records, begun_at)
        resumed = opened is not None and opened.run_id != self.run.run_id
        return self._ended(Finished(read, digest, resumed=resumed), equal)

    def _ended(self, finished: Finished, equal: CompleteRead | None) -> Finished | None:
        if self._shortfall.is_short:
            self._end_short(finished.read, written=equal is None)
        if equal is None:
            return finished
        self._note_length()
        self.unit.unchanged(equal)
        return None

    def _equal_to_known(self, opened: OpenRead | None, raw: RawWriter, digest: str) -> CompleteRead | None:
        known = self.known
        if known is None or known.read is None or opened or raw.keys:
            return None
        return known.read if known.digest == digest and self.run.stands(known.read) else None

    def _end_short(self, read: CompleteRead, *, written: bool) -> NoReturn:
        """End the unit as short. Views show what was read unless an earlier read has more, and for some runs at most.

        Raises:
            ShortReadError: always.
        """
        self.slot.update(lambda content: self.kept(content, read))
        previous = self.previous if self.previous and self.run.lasts(self.previous) else None
        has_less = previous is not None and read.records - self._shortfall.repeated < previous.records
        if written and (self._shortfall.is_chronic or not has_less):
            self.unit.cover(read)
        raise ShortReadError

    def _note_length(self) -> None:
        short_runs = self._shortfall.content(self.run.run_id)
        if self.slot.content.get(SHORT) != short_runs:
            self.slot.update(lambda content: with_short_runs(content, short_runs))

    def _keep(self, opened: OpenRead | None) -> None:
        """Have a later run go on here.

        Raises:
            ConcurrentReadError: another run has begun or moved a read meanwhile.
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

    @staticmethod
    def _is_ours(held: object, read_id: str) -> bool:
        return isinstance(held, dict) and held.get("read_id") == read_id

    def _names(self) -> dict[str, str]:
        return {"stream": self.unit.stream, "unit": self.unit.unit}


def plain(run: RunContext, stream: Stream) -> Source:
    """The records of a stream that lack nothing."""

    def source(behind: Cursor | None, one_pass: Pass) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        for record in run.records(stream, one_pass=one_pass, behind=behind):
            yield record, {}

    return source


def _is_raw_key(key: object) -> bool:
    try:
        return isinstance(key, str) and bool(layout.RawKey.parse(key))
    except layout.ForeignKeyError:
        return False


def chained(digest: str, value: Any) -> str:
    """The digest of a list with one more record; it can be taken up again, unlike one over all bytes."""
    return hashlib.sha256(digest.encode("ascii") + canonical_json(value)).hexdigest()
