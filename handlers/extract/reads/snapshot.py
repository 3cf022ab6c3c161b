"""Streams that are read whole: written only when they differ from their last complete read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.extract.reads import paging
from handlers.extract.reads.full_read import Finished, FullRead, Known, plain
from handlers.extract.reads.observer import Observer
from handlers.extract.reads.paging import Cursor, Pass, Record
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.state import CompleteRead, is_superseded
from handlers.extract.reads.unit_log import Unit
from handlers.raw.state import Content, Slot
from handlers.streams import Stream


def read_snapshot(run: RunContext, stream: Stream, observer: Observer | None = None) -> Unit:
    """Read the whole stream.

    State: `{"complete": {read_id, mode, keys, records, begun_at, extracted_at}, "digest", "open", "short", "asked"}`.

    Args:
        run: the run.
        stream: what to read.
        observer: is shown every record of the pass that counts.
    """

    def ranked(_behind: Cursor | None, one_pass: Pass) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        for time_range in stream.time_ranges:
            for record in run.records(stream, shortfall=one_pass.shortfall, params={"time_range": time_range}):
                yield record, {"time_range": time_range, "rank": record.position + 1}

    slot = Slot(run.state(stream))
    with run.unit_log.unit(stream, mode="full") as unit:
        read_unit(
            FullRead(
                run,
                unit,
                slot,
                ranked if stream.time_ranges else plain(run, stream),
                # Ranks of one read are of one moment.
                resumable=stream.paging != "none" and not stream.time_ranges,
                short=paging.REPEATABLE_PAGES * stream.page_size,
                observer=observer,
            )
        )
    return unit


def read_unit(whole: FullRead) -> None:
    """Read a list and keep it in its slot; what equals the last complete read is `unchanged`.

    Raises:
        SpotifyError: a request failed.
        ShortReadError: the list ended before its own total.
        ConcurrentReadError: another run has gone on with the same read.
    """
    content = whole.slot.content
    whole.previous = CompleteRead.parse(content.get("complete"))
    whole.known = Known(whole.previous, content.get("digest"))
    finished = whole.read()
    if finished:
        whole.slot.update(lambda content: _changed(whole.kept(content, finished.read), finished))
        whole.unit.complete(finished.read)


def _changed(content: Content, finished: Finished) -> Content:
    if is_superseded(content.get("complete"), finished.read):
        return content
    return {**content, "complete": finished.read.content(), "digest": finished.digest}
