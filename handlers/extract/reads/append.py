"""Streams of which Spotify serves only the newest records: records that no earlier run has seen are written."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.extract import times
from handlers.extract.reads.record_keys import record_key
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.state import CompleteRead, is_superseded
from handlers.raw.state import Content
from handlers.streams import Stream

SEEN_RECORDS = 500
"""Number of records that the state remembers: ten times what Spotify serves, since plays arrive late and unordered."""


def read_append(run: RunContext, stream: Stream) -> None:
    """Read the only page and write the new records, or all of them in a full run.

    State: `{"last": {read_id, mode, keys, records, begun_at, extracted_at}, "seen": ["<played_at> <item uri>", …]}`,
    the oldest seen first.
    """
    state = run.state(stream)
    with run.unit_log.unit(stream, mode="incremental") as unit:
        last = CompleteRead.parse(state.content.get("last"))
        known = set(_seen(state.content))
        served: dict[str, None] = {}
        started_at = times.now()
        raw = run.writer(unit, hold=False)
        with run.counted(raw, unit):
            for record in run.first_page(stream):
                key = record_key(record.value)
                if key not in served and (run.full or key not in known):
                    raw.add(record.value, record.response)
                served[key] = None
        if last and not raw.keys and not run.full:
            unit.unchanged(last)
            return
        read = unit.finished_read(raw.keys, raw.records, started_at)
        oldest_first = list(reversed(served))
        state.update(lambda content: _changed(content, read, oldest_first))
        unit.complete(read)


def _seen(content: Content) -> list[str]:
    seen = content.get("seen")
    return [key for key in seen if isinstance(key, str)] if isinstance(seen, list) else []


def _changed(content: Content, read: CompleteRead, served: Sequence[str]) -> Content:
    """Return the state after the read, including what another run has seen meanwhile."""
    fresh = set(served)
    seen = [key for key in _seen(content) if key not in fresh] + list(served)
    last = content["last"] if is_superseded(content.get("last"), read) else read.content()
    return {"last": last, "seen": seen[-SEEN_RECORDS:]}
