"""Streams that are served newest first: read down to the watermark, and at times whole to see what is gone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.reads.full_read import FullRead, plain
from handlers.extract.reads.observer import Observer
from handlers.extract.reads.paging import MovedError, Pass, Record
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.shortfall import Shortfall, ShortReadError, with_short_runs
from handlers.extract.reads.state import CompleteRead
from handlers.extract.reads.unit_log import Unit
from handlers.extract.spotify.errors import SpotifyError
from handlers.raw.state import Content, Slot
from handlers.streams import FULL_READ_DAYS, Stream

TOTAL = "total"
"""Name under which state keeps the length of the list at the last read."""
_CLOCKS_DIFFER = timedelta(days=1)
"""Further ahead nothing was added: as a watermark such a moment would hide all that is added until then."""


@dataclass(frozen=True)
class Watermark:
    """The newest `added_at` that was read, with the items that were added at that very moment."""

    added_at: datetime | None = None
    """None where nothing was saved yet."""
    uris: frozenset[str] = frozenset()

    def content(self) -> Content:
        """The form in which state holds it."""
        return {"added_at": layout.written(self.added_at) if self.added_at else None, "uris": sorted(self.uris)}

    @classmethod
    def parse(cls, content: object) -> Watermark | None:
        """What state holds; None where it is something else, so that all is read again."""
        if not isinstance(content, dict) or not isinstance(uris := content.get("uris"), list):
            return None
        added_at = _added_at(content)
        if added_at is None and content.get("added_at") is not None:
            return None
        return cls(added_at, frozenset(uri for uri in uris if isinstance(uri, str)))

    def passed_by(self, other: Watermark) -> Watermark:
        """The higher of the two; of two that are level, one that knows the items of both."""
        if other.added_at is None or (self.added_at is not None and self.added_at > other.added_at):
            return self
        if self.added_at == other.added_at:
            return Watermark(self.added_at, self.uris | other.uris)
        return other

    def covers(self, added_at: datetime, uri: str) -> bool:
        """Whether a record was read before."""
        return self.added_at is not None and (
            added_at < self.added_at or (added_at == self.added_at and uri in self.uris)
        )

    def is_above(self, added_at: datetime) -> bool:
        """Whether everything from this moment on downwards was read before."""
        return self.added_at is not None and added_at < self.added_at


class _UnaccountedError(ShortReadError):
    """The list has grown by more records than lie above the watermark."""


def read_incremental(run: RunContext, stream: Stream) -> None:
    """Read what was added since the watermark; all of it the first time, weekly and when asked to.

    The keys of a read are those of the last full read and of all increments since, so that the newest read alone says
    what there is, even where the manifest of an earlier one was lost.

    State: `{"full": read, "increments": [read, …], "watermark": {added_at, uris}, "total", "open", "short",
    "asked"}`, each read `{read_id, mode, keys, records, begun_at, extracted_at}` with its own keys alone.
    """
    slot = Slot(run.state(stream))
    series, watermark = _Series.parse(slot.content), Watermark.parse(slot.content.get("watermark"))
    due = series is None or run.full or run.days_since(series.full.extracted) >= FULL_READ_DAYS
    if due or not series or not watermark or isinstance(slot.content.get("open"), dict):
        _read_whole(run, stream, slot)
    else:
        _read_increment(run, stream, slot, watermark, series)


@dataclass(frozen=True)
class _Series:
    """The last full read and what was read on top of it."""

    full: CompleteRead
    increments: tuple[CompleteRead, ...] = ()

    @classmethod
    def parse(cls, content: Content) -> _Series | None:
        full, kept = CompleteRead.parse(content.get("full")), content.get("increments")
        increments = [CompleteRead.parse(one) for one in kept] if isinstance(kept, list) else []
        if full is None or not isinstance(kept, list) or None in increments:
            return None
        return cls(full, tuple(one for one in increments if one))

    def with_increment(self, read: CompleteRead) -> _Series:
        return _Series(self.full, (*self.increments, read))

    def after(self, full: CompleteRead) -> _Series:
        """The series of a newer full read: what others have added since that began stays."""
        return _Series(full, tuple(one for one in self.increments if one.extracted >= full.begun))

    @property
    def whole(self) -> CompleteRead:
        """All of it as one read, under the name of the newest."""
        reads = (self.full, *self.increments)
        newest = reads[-1]
        keys = tuple(key for read in reads for key in read.keys)
        return replace(newest, keys=keys, records=sum(read.records for read in reads))

    def content(self) -> Content:
        return {"full": self.full.content(), "increments": [one.content() for one in self.increments]}


def place(record: Any) -> tuple[datetime, str] | None:
    """When an item was added, and its URI or ''; None for a record without a place in the order."""
    added_at = _added_at(record) if isinstance(record, dict) else None
    if added_at is None:
        return None
    item = record.get("item") or record.get("track")
    uri = item.get("uri") if isinstance(item, dict) else None
    return added_at, uri if isinstance(uri, str) else ""


def _added_at(content: Content) -> datetime | None:
    moment = times.parse(content.get("added_at"))
    return None if moment is None or moment > times.now() + _CLOCKS_DIFFER else moment


def _read_whole(run: RunContext, stream: Stream, slot: Slot) -> None:
    with run.unit_log.unit(stream, mode="full") as unit:
        _read_all(run, stream, slot, unit)


def _read_all(run: RunContext, stream: Stream, slot: Slot, unit: Unit, *, listed: int = 0) -> None:
    top = _Top()
    series = _Series.parse(slot.content)
    # It lasts as long as its full read does, and has what was added since.
    previous = replace(series.full, records=series.whole.records) if series else None
    whole = FullRead(run, unit, slot, plain(run, stream), previous=previous, listed=listed, observer=top)
    finished = whole.read()
    if finished is None:
        raise AssertionError("a list without a known one is never unchanged")
    slot.update(
        lambda content: _with_full(
            {**whole.kept(content, finished.read), TOTAL: whole.total}, finished.read, top.watermark
        )
    )
    unit.complete(_whole(slot, finished.read))
    if finished.resumed:
        _catch_up(run, stream, slot, unit, finished.read)


def _catch_up(run: RunContext, stream: Stream, slot: Slot, unit: Unit, full: CompleteRead) -> None:
    """Read what was added since an earlier run began the full read, as part of the same unit.

    Raises:
        SpotifyError: some of it may be missing; views show the full read.
    """
    series, watermark = _Series.parse(slot.content), Watermark.parse(slot.content.get("watermark"))
    if series is None or watermark is None:
        return
    unit.read_id = uuid.uuid4().hex
    try:
        one_pass = Pass(repeatable=False, shortfall=run.shortfall(slot))
        _increment(run, stream, slot, unit, watermark, series, one_pass)
    except SpotifyError:
        unit.read_id = full.read_id
        unit.cover(_whole(slot, full))
        raise
    unit.complete(replace(_whole(slot, full), read_id=full.read_id, mode=full.mode))


def _whole(slot: Slot, read: CompleteRead) -> CompleteRead:
    series = _Series.parse(slot.content)
    return series.whole if series else read


def _read_increment(run: RunContext, stream: Stream, slot: Slot, old: Watermark, series: _Series) -> None:
    with run.unit_log.unit(stream, mode="incremental") as unit:
        shortfall = run.shortfall(slot)
        for repeatable in (True, False):
            shortfall.begin()
            one_pass = Pass(repeatable=repeatable, shortfall=shortfall)
            try:
                _increment(run, stream, slot, unit, old, series, one_pass)
            except MovedError:
                unit.begin_again()
            except _UnaccountedError:
                LOG.info("The list has grown by more than was found: it is read whole.")
                unit.begin_again()
                unit.mode = "full"
                _read_all(run, stream, slot, unit, listed=one_pass.total or 0)
                return
            else:
                return


def _increment(
    run: RunContext, stream: Stream, slot: Slot, unit: Unit, old: Watermark, series: _Series, one_pass: Pass
) -> None:
    top, begun_at = _Top(), layout.written(times.now())
    # Records without a place in the order count as new only between new ones, or they would be written each day.
    placeless: list[Record] = []
    raw = run.writer(unit, hold=False)
    is_read_whole = True
    with run.counted(raw, unit):
        for record in run.records(stream, one_pass=one_pass):
            at = place(record.value)
            if at is None:
                placeless.append(record)
                continue
            if old.is_above(at[0]):
                is_read_whole = False
                break
            if old.covers(*at):
                continue
            for one in (*placeless, record):
                raw.add(one.value, one.answer)
            placeless.clear()
            top.see(record.value)
    if one_pass.shortfall:
        growth = 0 if is_read_whole else _growth(slot, one_pass)
        _end_short(run, slot, one_pass.shortfall, growth - raw.records)
    if not raw.keys:
        slot.update(lambda content: {**content, TOTAL: one_pass.total})
        unit.unchanged(series.whole)
        return
    # The unit may be that of a full read, which this one completes.
    read = replace(unit.ended(raw.keys, raw.records, begun_at), mode="incremental")
    slot.update(lambda content: _with_increment({**content, TOTAL: one_pass.total}, series, read, top.watermark))
    unit.complete(_whole(slot, read))


def _end_short(run: RunContext, slot: Slot, shortfall: Shortfall, unaccounted: int) -> None:
    """End an increment that lacks something; where it does not, nothing happens.

    Args:
        run: the run.
        slot: the stream's state.
        shortfall: what the pages lacked.
        unaccounted: by how many records more than were found the list has grown.

    Raises:
        _UnaccountedError: the list has grown by more, and this run has not asked for anything yet.
        ShortReadError: something is missing.
    """
    if shortfall.spend_request(unaccounted):
        raise _UnaccountedError
    shortfall.lack(unaccounted)
    if not shortfall.is_short:
        return
    # What it lacks may be newer than the watermark, which therefore stays where it was.
    if short_runs := shortfall.content(run.run_id):
        slot.update(lambda content: with_short_runs(content, short_runs))
    raise ShortReadError


def _growth(slot: Slot, one_pass: Pass) -> int:
    """By how many records the list is longer than at the last read; what was removed since makes it less."""
    before, now = slot.content.get(TOTAL), one_pass.total
    return now - before if type(before) is int and now is not None else 0


class _Top(Observer):
    """The watermark of what is being read."""

    def __init__(self) -> None:
        self.watermark = Watermark()

    def begin(self, seen: Content | None) -> None:
        self.watermark = Watermark.parse(seen) or Watermark()

    def see(self, value: Any) -> None:
        if at := place(value):
            self.watermark = self.watermark.passed_by(Watermark(at[0], frozenset({at[1]})))

    def content(self) -> Content:
        return self.watermark.content()


def _with_full(content: Content, read: CompleteRead, watermark: Watermark) -> Content:
    held = _Series.parse(content)
    passed = {**content, "watermark": _passed(content, watermark)}
    if held is None:
        return {**passed, **_Series(read).content()}
    # One that began later has all that this one has, and what was added in between, which the watermark has passed.
    return passed if held.full.begun > read.begun else {**passed, **held.after(read).content()}


def _with_increment(content: Content, series: _Series, read: CompleteRead, watermark: Watermark) -> Content:
    held = _Series.parse(content) or series
    return {**content, "watermark": _passed(content, watermark), **held.with_increment(read).content()}


def _passed(content: Content, watermark: Watermark) -> Content:
    """The higher watermark: another run may have read further meanwhile."""
    return (Watermark.parse(content.get("watermark")) or Watermark()).passed_by(watermark).content()
