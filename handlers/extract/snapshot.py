"""Streams that are read whole: written only when they differ from their last complete read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from handlers.extract.ledger import Unit
from handlers.extract.paging import Pass
from handlers.extract.state import CompleteRead, Content, StateFile, newer
from handlers.extract.work import Work
from handlers.streams import Stream


def read_snapshot(work: Work, stream: Stream, observe: Callable[[Any], None] | None = None) -> Unit:
    """Read the whole stream.

    State: `{"complete": {read_id, mode, keys, records, extracted_at}, "digest"}`.

    Args:
        work: the run.
        stream: what to read.
        observe: is shown every record of the pass that counts.
    """
    state = work.state(stream)
    with work.ledger.unit(stream, mode="full") as unit:
        for one_pass in work.passes(unit):
            _read(work, stream, state, unit, one_pass, observe)
    return unit


def _read(
    work: Work, stream: Stream, state: StateFile, unit: Unit, one_pass: Pass, observe: Callable[[Any], None] | None
) -> None:
    last = CompleteRead.parse(state.content.get("complete"))
    digest = hashlib.sha256()
    observed: list[Any] = []
    with work.writer(unit, hold=True) as raw:
        for record in work.records(stream, one_pass=one_pass):
            raw.add(record)
            digest.update(canonical(record.value))
            if observe:
                observed.append(record.value)
        if one_pass.void:
            raw.discard()
            return
        if observe:
            for value in observed:
                observe(value)
        seen = digest.hexdigest()
        if last and work.stands(last) and state.content.get("digest") == seen:
            raw.discard()
            unit.unchanged(last)
            return
    read = unit.complete(raw)
    state.update(lambda content: _changed(content, read, seen))


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its keys; each ends with a newline."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _changed(content: Content, read: CompleteRead, digest: str) -> Content:
    if newer(content.get("complete"), read):
        return content
    return {"complete": read.content(), "digest": digest}
