"""Streams that are read whole: written only when they differ from their last complete read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from handlers.extract.ledger import Unit
from handlers.extract.state import CompleteRead, Content, newer
from handlers.extract.work import Work
from handlers.streams import Stream


def read_snapshot(work: Work, stream: Stream, observe: Callable[[Any], None] | None = None) -> Unit:
    """Read the whole stream.

    State: `{"complete": {read_id, mode, keys, records, extracted_at}, "digest"}`.

    Args:
        work: the run.
        stream: what to read.
        observe: is shown every record.
    """
    state = work.state(stream)
    with work.ledger.unit(stream, mode="full") as unit:
        last = CompleteRead.parse(state.content.get("complete"))
        digest = hashlib.sha256()
        with work.writer(unit, hold=True) as raw:
            for record in work.records(stream):
                raw.add(record)
                digest.update(canonical(record.value))
                if observe:
                    observe(record.value)
            seen = digest.hexdigest()
            if last and work.stands(last) and state.content.get("digest") == seen:
                raw.discard()
                unit.unchanged(last)
                return unit
        read = unit.complete(raw)
        state.update(lambda content: _changed(content, read, seen))
    return unit


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its keys; each ends with a newline."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _changed(content: Content, read: CompleteRead, digest: str) -> Content:
    if newer(content.get("complete"), read):
        return content
    return {"complete": read.content(), "digest": digest}
