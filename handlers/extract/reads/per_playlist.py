"""The entries of playlists, one snapshot each, read when the playlist has a new version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.reads.full_read import FullRead
from handlers.extract.reads.paging import Cursor, Pass, Record
from handlers.extract.reads.playlists import Listing, Playlist, owns
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.shortfall import ASKED, SHORT, ShortReadError, with_short_runs
from handlers.extract.reads.state import CompleteRead, is_superseded
from handlers.extract.reads.unit_log import Unit
from handlers.extract.spotify.errors import (
    AppForbiddenError,
    ForbiddenError,
    LockedError,
    LoginError,
    OutOfTimeError,
    SpotifyError,
)
from handlers.raw.state import Content, Slot, StateFile
from handlers.streams import STREAMS, Stream

NOT_OWNED = "not_owned"
"""Reason of a collaborative playlist whose user is no collaborator."""
NO_PLAYLISTS = "no_own_playlists"
"""Reason of a library without a playlist that may be read."""
REFUSAL_DAYS = 7
"""Days after which a playlist that never was read and was refused is asked for again, and after which one that was read
counts as another's."""


def read_per_playlist(run: RunContext, stream: Stream) -> None:
    """Read every playlist of the user whose version is new.

    Playlists that are neither the user's own nor collaborative are no unit: Spotify would answer 403 for each, every
    day. The table `playlists` names their owners.

    State: `{"playlists": {<id>: {"snapshot_id", "read": {read_id, mode, keys, records, begun_at, extracted_at}, "open",
    "short", "asked", "refused_at", "refused_snapshot_id"}}}`: since when Spotify refuses a collaborative playlist, and
    which version.
    """
    try:
        listing = _listing(run)
    except SpotifyError as error:
        run.unit_log.note_failure(stream, error)
        return
    playlists = list(listing.readable(run.account))
    if listing.is_short and (not playlists or not run.unit_log.has("playlists")):
        # Nothing else says that playlists may be missing.
        run.unit_log.note_failure(stream, ShortReadError())
    if not playlists:
        if not listing.is_short:
            run.unit_log.note_skipped([stream], NO_PLAYLISTS)
        return
    state = run.state(stream)
    read: list[tuple[Playlist, Unit]] = []
    for playlist in playlists:
        if not run.is_left(stream, playlist.id):
            continue
        with run.unit_log.unit(stream, playlist.id, mode="full") as unit:
            slot = _slot(state, playlist, listing)
            if _stands(run, slot, playlist, unit):
                continue
            _read(run, stream, slot, playlist, unit)
        if unit.status == "complete":
            read.append((playlist, unit))
    if read:
        _read_moved(run, stream, state, read)


def _listing(run: RunContext) -> Listing:
    """The run's listing of playlists; asked for where the run does not read that stream.

    Raises:
        SpotifyError: the run has none.
    """
    if run.listing is None:
        try:
            run.listing = _list(run, alone=True)
        except SpotifyError as error:
            run.listing = error
    if isinstance(run.listing, LockedError | OutOfTimeError | LoginError):
        raise run.listing
    if isinstance(run.listing, SpotifyError):
        raise type(run.listing)(f"The playlists could not be listed: {run.listing}") from run.listing
    return run.listing


def _list(run: RunContext, *, alone: bool = False) -> Listing:
    """Ask which playlists there are.

    Args:
        run: the run.
        alone: whether nothing else in the run notes how many the listing lacks.
    """
    listing, slot = Listing(), Slot(run.state(STREAMS["playlists"]))
    shortfall = run.shortfall(slot)
    for record in run.records(STREAMS["playlists"], shortfall=shortfall):
        listing.add(record.value)
    listing.is_short = shortfall.is_short
    short_runs = shortfall.content(run.run_id)
    if alone and slot.content.get(SHORT) != short_runs:
        slot.update(lambda content: with_short_runs(content, short_runs))
    return listing


def _slot(state: StateFile, playlist: Playlist, listing: Listing) -> Slot:
    """What state holds of a playlist; playlists that are listed no more are forgotten with any change."""

    def tidy(whole: Content) -> Content:
        if listing.is_short:
            return whole
        return {"playlists": {name: one for name, one in whole["playlists"].items() if name in listing}}

    return Slot(state, "playlists", playlist.id, tidy=tidy)


def _stands(run: RunContext, slot: Slot, playlist: Playlist, unit: Unit) -> bool:
    """Note a playlist that need not be read."""
    held = slot.content
    if playlist.snapshot_id is None:
        return False
    read = CompleteRead.parse(held.get("read"))
    refused_at = times.parse(held.get("refused_at"))
    if refused_at and read is None and held.get("refused_snapshot_id") == playlist.snapshot_id:
        if run.full or run.days_since(refused_at) >= REFUSAL_DAYS:
            return False
        unit.skip(NOT_OWNED)
        return True
    if read is None or held.get("snapshot_id") != playlist.snapshot_id or not run.stands(read):
        return False
    unit.unchanged(read)
    return True


def _read(run: RunContext, stream: Stream, slot: Slot, playlist: Playlist, unit: Unit) -> None:
    def source(behind: Cursor | None, one_pass: Pass) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        # Its version, and not its length, tells whether it changed meanwhile.
        for record in run.records(
            stream, playlist.id, shortfall=one_pass.shortfall, served=one_pass.served, behind=behind
        ):
            yield (
                record,
                {"playlist_id": playlist.id, "snapshot_id": playlist.snapshot_id, "position": record.position},
            )

    whole = FullRead(
        run,
        unit,
        slot,
        source,
        resumable=playlist.snapshot_id is not None,
        version=playlist.snapshot_id,
        previous=CompleteRead.parse(slot.content.get("read")),
        listed=playlist.total,
    )
    try:
        finished = whole.read()
    except ForbiddenError as error:
        if not _passes_over(run, slot, playlist, error):
            raise
        unit.skip(NOT_OWNED)
        return
    if finished is None:
        raise AssertionError("a list without a known one is never unchanged")
    slot.update(lambda content: _changed(whole.kept(content, finished.read), playlist, finished.read))
    unit.complete(finished.read)


def _passes_over(run: RunContext, slot: Slot, playlist: Playlist, error: ForbiddenError) -> bool:
    """Whether a refusal says that the user is no collaborator.

    Of a playlist that never was read it does at once, of another one when it has lasted some days.
    """
    if owns(run.account, playlist) or isinstance(error, AppForbiddenError):
        return False
    refusal = {"refused_at": layout.written(times.now()), "refused_snapshot_id": playlist.snapshot_id}
    was_read = CompleteRead.parse(slot.content.get("read")) is not None
    since = times.parse(slot.content.get("refused_at"))
    slot.update(lambda content: {**refusal, **content} if was_read else {**content, **refusal})
    return not was_read or (since is not None and run.days_since(since) >= REFUSAL_DAYS)


def _read_moved(run: RunContext, stream: Stream, state: StateFile, done: list[tuple[Playlist, Unit]]) -> None:
    """Read those once more that changed while they were read: their pages may not fit together.

    A playlist that moves again meanwhile shows another version to the next run, which reads it.
    """
    listed = next((unit for unit in run.unit_log.units if unit.stream == "playlists"), done[-1][1])
    try:
        listing = _list(run)
    except LoginError:
        raise
    except SpotifyError as error:
        # What was read stays noted under the version before: if that has moved, the next run reads again.
        LOG.warning("The playlists could not be listed once more.", extra={"cause": str(error)})
        return
    finally:
        run.unit_log.charge(listed)
    for playlist, unit in done:
        moved = listing.get(playlist.id)
        if moved is None or moved.snapshot_id in (None, playlist.snapshot_id):
            continue
        with run.unit_log.again(unit):
            unit.begin_again()
            _read(run, stream, _slot(state, playlist, listing), moved, unit)


def _changed(content: Content, playlist: Playlist, read: CompleteRead) -> Content:
    """The playlist's state with the new version."""
    if is_superseded(content.get("read"), read):
        return content
    rest = {name: content[name] for name in ("open", SHORT, ASKED) if name in content}
    return {"snapshot_id": playlist.snapshot_id, "read": read.content(), **rest}
