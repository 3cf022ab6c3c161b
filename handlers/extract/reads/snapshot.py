"""Streams that are read in full, and written only if they differ from their last complete read."""

from __future__ import annotations

from handlers.extract.reads import paging
from handlers.extract.reads.full_read import Baseline, FinishedRead, FullRead, SourceRecords, stream_source
from handlers.extract.reads.observer import Observer
from handlers.extract.reads.paging import Cursor, Pass
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.state import CompleteRead, is_superseded
from handlers.extract.reads.unit_log import Unit
from handlers.raw.state import Content, Slot
from handlers.streams import Stream


def read_snapshot(run: RunContext, stream: Stream, observer: Observer | None = None) -> Unit:
    """Read the whole stream and return its unit.

    State: `{"complete": {read_id, mode, keys, records, begun_at, extracted_at}, "digest", "open", "short", "asked"}`.

    Args:
        run: the run.
        stream: stream to read.
        observer: sees every record of the pass that counts.
    """

    def ranked(_after: Cursor | None, one_pass: Pass) -> SourceRecords:
        for time_range in stream.time_ranges:
            unwatched = Pass(watch_total=False, shortfall=one_pass.shortfall)
            for record in run.records(stream, one_pass=unwatched, params={"time_range": time_range}):
                yield record, {"time_range": time_range, "rank": record.position + 1}

    with run.unit_log.unit(stream, mode="full") as unit:
        read_unit(
            FullRead(
                run=run,
                unit=unit,
                slot=Slot(run.state(stream)),
                source=ranked if stream.time_ranges else stream_source(run, stream),
                # All ranks of a read must be from the same time.
                resumable=stream.paging != "none" and not stream.time_ranges,
                short=paging.REPEATABLE_PAGES * stream.page_size,
                observer=observer,
            )
        )
    return unit


def read_unit(whole: FullRead) -> None:
    """Read a list and store it in its slot; a list that equals its last complete read is `unchanged`.

    Raises:
        SpotifyError: a request failed.
        ShortReadError: the list ended before its own total.
        ConcurrentReadError: another run has resumed the same read.
    """
    content = whole.slot.content
    whole.previous = CompleteRead.parse(content.get("complete"))
    whole.baseline = Baseline(whole.previous, content.get("digest"))
    finished = whole.read()
    if finished:
        whole.slot.update(lambda content: _changed(whole.state_after(content, finished.read), finished))
        whole.unit.complete(finished.read)


def _changed(content: Content, finished: FinishedRead) -> Content:
    if is_superseded(content.get("complete"), finished.read):
        return content
    return {**content, "complete": finished.read.content(), "digest": finished.digest}
