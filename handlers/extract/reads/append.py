"""Streams of which Spotify serves only the newest records: what no earlier run has seen is written."""

from __future__ import annotations

from collections.abc import Sequence

from handlers import layout
from handlers.extract import times
from handlers.extract.reads.record_keys import record_key
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.state import CompleteRead, is_superseded
from handlers.raw.state import Content
from handlers.streams import Stream

SEEN_RECORDS = 500
"""How many records state remembers: ten times what Spotify serves, since plays come late and out of order."""


def read_append(run: RunContext, stream: Stream) -> None:
    """Read the first page, which is all there is, and write what is new; all of it when asked to.

    State: `{"last": {read_id, mode, keys, records, begun_at, extracted_at}, "seen": ["<played_at> <item uri>", …]}`,
    the oldest seen first.
    """
    state = run.state(stream)
    with run.unit_log.unit(stream, mode="incremental") as unit:
        last = CompleteRead.parse(state.content.get("last"))
        known = set(_seen(state.content))
        served: dict[str, None] = {}
        begun_at = layout.written(times.now())
        raw = run.writer(unit, hold=False)
        with run.counted(raw, unit):
            for record in run.first_page(stream):
                name = record_key(record.value)
                if name not in served and (run.full or name not in known):
                    raw.add(record.value, record.answer)
                served[name] = None
        if last and not raw.keys and not run.full:
            unit.unchanged(last)
            return
        read = unit.ended(raw.keys, raw.records, begun_at)
        oldest_first = list(reversed(served))
        state.update(lambda content: _changed(content, read, oldest_first))
        unit.complete(read)


def _seen(content: Content) -> list[str]:
    seen = content.get("seen")
    return [name for name in seen if isinstance(name, str)] if isinstance(seen, list) else []


def _changed(content: Content, read: CompleteRead, served: Sequence[str]) -> Content:
    """State after the read, with what another run has seen meanwhile."""
    fresh = set(served)
    seen = [name for name in _seen(content) if name not in fresh] + list(served)
    last = content["last"] if is_superseded(content.get("last"), read) else read.content()
    return {"last": last, "seen": seen[-SEEN_RECORDS:]}
