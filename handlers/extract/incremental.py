"""Streams that are served newest first: read down to the watermark, and at times whole to see what is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.extract import times
from handlers.extract.paging import Record
from handlers.extract.state import CompleteRead, Content, StateFile, newer
from handlers.extract.work import Work
from handlers.streams import FULL_READ_DAYS, Stream


@dataclass(frozen=True)
class Watermark:
    """The newest `added_at` that was read, with the items that were added at that very moment."""

    added_at: datetime | None = None
    """None where nothing was saved yet."""
    uris: frozenset[str] = frozenset()

    def content(self) -> Content:
        """The form in which state holds it."""
        return {"added_at": times.written(self.added_at) if self.added_at else None, "uris": sorted(self.uris)}

    @classmethod
    def parse(cls, content: object) -> Watermark | None:
        """What state holds; None where it is something else, so that all is read again."""
        if not isinstance(content, dict) or not isinstance(uris := content.get("uris"), list):
            return None
        added_at = times.parsed(content.get("added_at"))
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


def read_incremental(work: Work, stream: Stream) -> None:
    """Read what was added since the watermark; all of it the first time, weekly and when asked to.

    State: `{"full": read, "last": read, "watermark": {added_at, uris}}`, each read `{read_id, mode, keys, records,
    extracted_at}`; `last` is the newest read that wrote something, `full` the newest that was whole.
    """
    state = work.state(stream)
    content = state.content
    full, last = CompleteRead.parse(content.get("full")), CompleteRead.parse(content.get("last"))
    watermark = Watermark.parse(content.get("watermark"))
    if full and last and watermark and not work.event.full and work.days_since(full.extracted) < FULL_READ_DAYS:
        _read_increment(work, stream, state, watermark, last)
    else:
        _read_whole(work, stream, state)


def place(record: Any) -> tuple[datetime, str] | None:
    """When an item was added, and its URI or ''; None for a record without a place in the order."""
    added_at = times.parsed(record.get("added_at")) if isinstance(record, dict) else None
    if added_at is None:
        return None
    item = record.get("item") or record.get("track")
    uri = item.get("uri") if isinstance(item, dict) else None
    return added_at, uri if isinstance(uri, str) else ""


def _read_whole(work: Work, stream: Stream, state: StateFile) -> None:
    with work.ledger.unit(stream, mode="full") as unit:
        for one_pass in work.passes(unit):
            top = _Top()
            with work.writer(unit, hold=False) as raw:
                for record in work.records(stream, one_pass=one_pass):
                    raw.add(record)
                    if at := place(record.value):
                        top.see(*at)
            if not one_pass.void:
                _keep(state, unit.complete(raw), top.watermark)


def _read_increment(work: Work, stream: Stream, state: StateFile, old: Watermark, last: CompleteRead) -> None:
    with work.ledger.unit(stream, mode="incremental") as unit:
        for one_pass in work.passes(unit):
            top = _Top()
            # Records without a place in the order count as new only between new ones, or they would be written each
            # day.
            placeless: list[Record] = []
            new = 0
            with work.writer(unit, hold=False) as raw:
                for record in work.records(stream, one_pass=one_pass):
                    at = place(record.value)
                    if at is None:
                        placeless.append(record)
                        continue
                    if old.is_above(at[0]):
                        break
                    if old.covers(*at):
                        continue
                    for one in (*placeless, record):
                        raw.add(one)
                        new += 1
                    placeless.clear()
                    top.see(*at)
            if one_pass.void:
                continue
            if new:
                _keep(state, unit.complete(raw), top.watermark)
            else:
                unit.unchanged(last)


def _keep(state: StateFile, read: CompleteRead, watermark: Watermark) -> None:
    state.update(lambda content: _changed(content, read, watermark))


class _Top:
    """The watermark of what is being read."""

    def __init__(self) -> None:
        self._added_at: datetime | None = None
        self._uris: set[str] = set()

    def see(self, added_at: datetime, uri: str) -> None:
        if self._added_at is None or added_at > self._added_at:
            self._added_at = added_at
            self._uris.clear()
        if added_at == self._added_at:
            self._uris.add(uri)

    @property
    def watermark(self) -> Watermark:
        return Watermark(self._added_at, frozenset(self._uris))


def _changed(content: Content, read: CompleteRead, watermark: Watermark) -> Content:
    """State after the read; what another run has read meanwhile is kept where it is newer."""
    held = Watermark.parse(content.get("watermark")) or Watermark()
    changed = {**content, "watermark": held.passed_by(watermark).content()}
    for name in ("full", "last") if read.mode == "full" else ("last",):
        if not newer(content.get(name), read):
            changed[name] = read.content()
    return changed
