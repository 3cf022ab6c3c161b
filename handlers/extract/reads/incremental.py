"""Streams that are served newest first: read down to the watermark, and periodically in full, to detect removals."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.reads.full_read import FullRead, stream_source
from handlers.extract.reads.observer import Observer
from handlers.extract.reads.paging import MovedError, Pass, Record
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.shortfall import Shortfall, ShortReadError, with_short_runs
from handlers.extract.reads.state import CompleteRead
from handlers.extract.reads.unit_log import Unit
from handlers.extract.spotify.errors import SpotifyError
from handlers.layout import parse_time
from handlers.raw.state import Content, Slot
from handlers.streams import FULL_READ_DAYS, Stream

TOTAL = "total"
"""The state's key for the list's total at the last read."""
_MAX_CLOCK_SKEW = timedelta(days=1)
"""An `added_at` further in the future is ignored: as the watermark it would hide everything added until then."""


@dataclass(frozen=True)
class Watermark:
    """The newest `added_at` that was read, with the items that were added at that time."""

    added_at: datetime | None = None
    """None if nothing was saved yet."""
    uris: frozenset[str] = frozenset()

    def content(self) -> Content:
        """Return the form stored in the state."""
        return {"added_at": layout.written(self.added_at) if self.added_at else None, "uris": sorted(self.uris)}

    @classmethod
    def parse(cls, content: object) -> Watermark | None:
        """Parse stored content; return None for anything else, so that the list is read in full."""
        if not isinstance(content, dict) or not isinstance(uris := content.get("uris"), list):
            return None
        added_at = _added_at(content)
        if added_at is None and content.get("added_at") is not None:
            return None
        return cls(added_at, frozenset(uri for uri in uris if isinstance(uri, str)))

    def merged(self, other: Watermark) -> Watermark:
        """Return the higher of the two; if they are equal, one with the items of both."""
        if other.added_at is None or (self.added_at is not None and self.added_at > other.added_at):
            return self
        if self.added_at == other.added_at:
            return Watermark(self.added_at, self.uris | other.uris)
        return other

    def covers(self, added_at: datetime, uri: str) -> bool:
        """Return whether a record has already been read."""
        return self.added_at is not None and (
            added_at < self.added_at or (added_at == self.added_at and uri in self.uris)
        )

    def is_above(self, added_at: datetime) -> bool:
        """Return whether everything added then or earlier has already been read."""
        return self.added_at is not None and added_at < self.added_at


class _UnaccountedError(ShortReadError):
    """The list has grown by more records than were found above the watermark."""


def read_incremental(run: RunContext, stream: Stream) -> None:
    """Read what was added since the watermark; the whole list on the first run, once a week, and in every full run.

    The keys of a read are those of the last full read and of all increments since, so that the newest manifest is
    enough, even if an earlier one was lost.

    State: `{"full": read, "increments": [read, …], "watermark": {added_at, uris}, "total", "open", "short",
    "asked"}`, each read `{read_id, mode, keys, records, begun_at, extracted_at}` with only its own keys.
    """
    slot = Slot(run.state(stream))
    series, watermark = _Series.parse(slot.content), Watermark.parse(slot.content.get("watermark"))
    due = series is None or run.full or run.days_since(series.full.extracted_at) >= FULL_READ_DAYS
    if due or not series or not watermark or isinstance(slot.content.get("open"), dict):
        with run.unit_log.unit(stream, mode="full") as unit:
            _read_all(run, stream, slot, unit)
    else:
        with run.unit_log.unit(stream, mode="incremental") as unit:
            _read_increment(run, stream, slot, unit, watermark, series)


@dataclass(frozen=True)
class _Series:
    """The last full read and the increments since."""

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
        """Return the series of a newer full read, with the increments that other runs have added since it started."""
        return _Series(full, tuple(one for one in self.increments if one.extracted_at >= full.started_at))

    @property
    def whole(self) -> CompleteRead:
        """The whole series as a single read, with the id of its newest read."""
        reads = (self.full, *self.increments)
        newest = reads[-1]
        keys = tuple(key for read in reads for key in read.keys)
        return replace(newest, keys=keys, records=sum(read.records for read in reads))

    def content(self) -> Content:
        return {"full": self.full.content(), "increments": [one.content() for one in self.increments]}


def order_key(record: Any) -> tuple[datetime, str] | None:
    """Return when an item was added, and its URI or ''; None for a record without a usable time."""
    added_at = _added_at(record) if isinstance(record, dict) else None
    if added_at is None:
        return None
    item = record.get("item") or record.get("track")
    uri = item.get("uri") if isinstance(item, dict) else None
    return added_at, uri if isinstance(uri, str) else ""


def _added_at(content: Content) -> datetime | None:
    moment = parse_time(content.get("added_at"))
    return None if moment is None or moment > times.now() + _MAX_CLOCK_SKEW else moment


def _read_all(run: RunContext, stream: Stream, slot: Slot, unit: Unit, *, listed: int = 0) -> None:
    observer = _WatermarkObserver()
    series = _Series.parse(slot.content)
    # It expires when its full read does, but includes what has been added since.
    previous = replace(series.full, records=series.whole.records) if series else None
    whole = FullRead(
        run=run,
        unit=unit,
        slot=slot,
        source=stream_source(run, stream),
        previous=previous,
        listed=listed,
        observer=observer,
    )
    finished = whole.read()
    if finished is None:
        raise AssertionError("a list without a baseline is never unchanged")
    slot.update(
        lambda content: _with_full(
            {**whole.state_after(content, finished.read), TOTAL: whole.total}, finished.read, observer.watermark
        )
    )
    unit.complete(_whole(slot, finished.read))
    if finished.resumed:
        _catch_up(run, stream, slot, unit, finished.read)


def _catch_up(run: RunContext, stream: Stream, slot: Slot, unit: Unit, full: CompleteRead) -> None:
    """Read what was added since an earlier run started the full read, as part of the same unit.

    Raises:
        SpotifyError: some of it may be missing; the views show the full read.
    """
    series, watermark = _Series.parse(slot.content), Watermark.parse(slot.content.get("watermark"))
    if series is None or watermark is None:
        return
    unit.read_id = uuid.uuid4().hex
    try:
        one_pass = Pass(shortfall=Shortfall.load(slot, run.run_id))
        _increment(run, stream, slot, unit, watermark, series, one_pass)
    except SpotifyError:
        unit.read_id = full.read_id
        unit.publish(_whole(slot, full))
        raise
    unit.complete(replace(_whole(slot, full), read_id=full.read_id, mode=full.mode))


def _whole(slot: Slot, read: CompleteRead) -> CompleteRead:
    series = _Series.parse(slot.content)
    return series.whole if series else read


def _read_increment(run: RunContext, stream: Stream, slot: Slot, unit: Unit, old: Watermark, series: _Series) -> None:
    shortfall = Shortfall.load(slot, run.run_id)
    for repeatable in (True, False):
        shortfall.begin()
        one_pass = Pass(shortfall=shortfall, repeatable=repeatable)
        try:
            _increment(run, stream, slot, unit, old, series, one_pass)
        except MovedError:
            unit.restart()
        except _UnaccountedError:
            LOG.info("The list has grown by more records than were found: reading it in full.")
            unit.restart()
            unit.mode = "full"
            _read_all(run, stream, slot, unit, listed=one_pass.total or 0)
            return
        else:
            return


def _increment(
    run: RunContext, stream: Stream, slot: Slot, unit: Unit, old: Watermark, series: _Series, one_pass: Pass
) -> None:
    observer, started_at = _WatermarkObserver(), times.now()
    # Records without a time count as new only if they precede a new one; otherwise they would be written every day.
    undated: list[Record] = []
    raw = run.writer(unit, hold=False)
    reached_end = True
    with run.counted(raw, unit):
        for record in run.records(stream, one_pass=one_pass):
            at = order_key(record.value)
            if at is None:
                undated.append(record)
                continue
            if old.is_above(at[0]):
                reached_end = False
                break
            if old.covers(*at):
                continue
            for one in (*undated, record):
                raw.add(one.value, one.response)
            undated.clear()
            observer.see(record.value)
    growth = 0 if reached_end else _growth(slot, one_pass)
    _raise_if_short(run, slot, one_pass.shortfall, growth - raw.records)
    if not raw.keys:
        slot.update(lambda content: {**content, TOTAL: one_pass.total})
        unit.unchanged(series.whole)
        return
    # The unit may belong to a full read that this increment completes.
    read = replace(unit.finished_read(raw.keys, raw.records, started_at), mode="incremental")
    slot.update(lambda content: _with_increment({**content, TOTAL: one_pass.total}, series, read, observer.watermark))
    unit.complete(_whole(slot, read))


def _raise_if_short(run: RunContext, slot: Slot, shortfall: Shortfall, unaccounted: int) -> None:
    """Raise if records are missing from the increment.

    Args:
        run: the run.
        slot: the stream's state.
        shortfall: what the pages missed.
        unaccounted: how many more records the list has gained than were found.

    Raises:
        _UnaccountedError: records are unaccounted for, and the run has not used its one extra request to find them.
        ShortReadError: records are missing.
    """
    if shortfall.spend_request(unaccounted):
        raise _UnaccountedError
    shortfall.add_missing(unaccounted)
    if not shortfall.is_short:
        return
    # The missing records may be newer than the watermark, so it is not moved.
    if short_runs := shortfall.content(run.run_id):
        slot.update(lambda content: with_short_runs(content, short_runs))
    raise ShortReadError


def _growth(slot: Slot, one_pass: Pass) -> int:
    """Return how many records the list has gained since the last read; removals count against it."""
    before, now = slot.content.get(TOTAL), one_pass.total
    return now - before if type(before) is int and now is not None else 0


class _WatermarkObserver(Observer):
    """Computes the watermark of a pass."""

    def __init__(self) -> None:
        self.watermark = Watermark()

    def begin(self, seen: Content | None) -> None:
        self.watermark = Watermark.parse(seen) or Watermark()

    def see(self, value: Any) -> None:
        # Most records of a full read are older than its first.
        if (at := order_key(value)) and not self.watermark.is_above(at[0]):
            self.watermark = self.watermark.merged(Watermark(at[0], frozenset({at[1]})))

    def content(self) -> Content:
        return self.watermark.content()


def _with_full(content: Content, read: CompleteRead, watermark: Watermark) -> Content:
    held = _Series.parse(content)
    raised = {**content, "watermark": _merged(content, watermark)}
    if held is None:
        return {**raised, **_Series(read).content()}
    # A read that started later includes everything in this one, and whatever was added in between.
    return raised if held.full.started_at > read.started_at else {**raised, **held.after(read).content()}


def _with_increment(content: Content, series: _Series, read: CompleteRead, watermark: Watermark) -> Content:
    held = _Series.parse(content) or series
    return {**content, "watermark": _merged(content, watermark), **held.with_increment(read).content()}


def _merged(content: Content, watermark: Watermark) -> Content:
    """Return the higher watermark: another run may have read further meanwhile."""
    return (Watermark.parse(content.get("watermark")) or Watermark()).merged(watermark).content()
