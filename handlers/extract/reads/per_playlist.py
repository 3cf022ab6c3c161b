"""The entries of playlists: one snapshot each, read when the playlist has a new version."""

from __future__ import annotations

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.reads.full_read import FullRead, SourceRecords
from handlers.extract.reads.paging import Cursor, Pass
from handlers.extract.reads.playlists import ListedPlaylist, Listing
from handlers.extract.reads.run_context import RunContext
from handlers.extract.reads.shortfall import ASKED, SHORT, Shortfall, ShortReadError
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
from handlers.layout import parse_time
from handlers.raw.state import Content, Slot, StateFile
from handlers.streams import STREAMS, Stream

NOT_OWNED = "not_owned"
"""Reason of a collaborative playlist on which the user is not a collaborator."""
NO_PLAYLISTS = "no_own_playlists"
"""Reason of a library without a readable playlist."""
REFUSAL_DAYS = 7
"""Days after which a refused playlist is requested again if it was never read, and is given up if it was."""


def read_per_playlist(run: RunContext, stream: Stream) -> None:
    """Read every playlist of the user that has a new version.

    Playlists that are neither the user's own nor collaborative are not units: Spotify would respond with 403 for each,
    every day. The table `playlists` has their owners.

    State: `{"playlists": {<id>: {"snapshot_id", "read": {read_id, mode, keys, records, begun_at, extracted_at}, "open",
    "short", "asked", "refused_at", "refused_snapshot_id"}}}`; the last two say since when, and at which version,
    Spotify has refused a collaborative playlist.
    """
    try:
        listing = _run_listing(run)
    except SpotifyError as error:
        run.unit_log.add_failed(stream, error)
        return
    playlists = list(listing.readable(run.account))
    if listing.is_short and (not playlists or not run.unit_log.has_stream("playlists")):
        # No other unit reports that playlists may be missing.
        run.unit_log.add_failed(stream, ShortReadError())
    if not playlists:
        if not listing.is_short:
            run.unit_log.add_skipped([stream], NO_PLAYLISTS)
        return
    state = run.state(stream)
    read: list[tuple[ListedPlaylist, Unit]] = []
    for playlist in playlists:
        if not run.is_left(stream, playlist.id):
            continue
        with run.unit_log.unit(stream, playlist.id, mode="full") as unit:
            slot = _slot(state, playlist, listing)
            if _needs_no_read(run, slot, playlist, unit):
                continue
            _read(run, stream, slot, playlist, unit)
        if unit.status == "complete":
            read.append((playlist, unit))
    if read:
        _reread_changed(run, stream, state, read)


def _run_listing(run: RunContext) -> Listing:
    """Return the run's listing of playlists; request it if the run does not read that stream.

    Raises:
        SpotifyError: the playlists could not be listed.
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
    """List the playlists.

    Args:
        run: the run.
        alone: whether nothing else in the run records the listing's shortfall.
    """
    listing, slot = Listing(), Slot(run.state(STREAMS["playlists"]))
    shortfall = Shortfall.load(slot, run.run_id)
    for record in run.records(STREAMS["playlists"], one_pass=Pass(shortfall=shortfall, watch_total=False)):
        listing.add(record.value)
    listing.is_short = shortfall.is_short
    if alone:
        shortfall.save(slot, run.run_id)
    return listing


def _slot(state: StateFile, playlist: ListedPlaylist, listing: Listing) -> Slot:
    """Return a playlist's section of the state; every change drops playlists that are no longer listed."""

    def tidy(whole: Content) -> Content:
        if listing.is_short:
            return whole
        return {"playlists": {name: one for name, one in whole["playlists"].items() if name in listing}}

    return Slot(state, "playlists", playlist.id, tidy=tidy)


def _needs_no_read(run: RunContext, slot: Slot, playlist: ListedPlaylist, unit: Unit) -> bool:
    """Set the unit of a playlist that need not be read; return whether it is one."""
    held = slot.content
    if playlist.snapshot_id is None:
        return False
    read = CompleteRead.parse(held.get("read"))
    refused_at = parse_time(held.get("refused_at"))
    if refused_at and read is None and held.get("refused_snapshot_id") == playlist.snapshot_id:
        if run.full or run.days_since(refused_at) >= REFUSAL_DAYS:
            return False
        unit.skip(NOT_OWNED)
        return True
    if read is None or held.get("snapshot_id") != playlist.snapshot_id or not run.is_current(read):
        return False
    unit.unchanged(read)
    return True


def _read(run: RunContext, stream: Stream, slot: Slot, playlist: ListedPlaylist, unit: Unit) -> None:
    def source(after: Cursor | None, one_pass: Pass) -> SourceRecords:
        # Its version tells whether it changed meanwhile, not its total.
        unwatched = Pass(shortfall=one_pass.shortfall, served=one_pass.served, watch_total=False)
        context = {"playlist_id": playlist.id, "snapshot_id": playlist.snapshot_id}
        for record in run.records(stream, playlist.id, one_pass=unwatched, after=after):
            yield record, {**context, "position": record.position}

    whole = FullRead(
        run=run,
        unit=unit,
        slot=slot,
        source=source,
        resumable=playlist.snapshot_id is not None,
        version=playlist.snapshot_id,
        previous=CompleteRead.parse(slot.content.get("read")),
        listed=playlist.total,
    )
    try:
        finished = whole.read()
    except ForbiddenError as error:
        if not _is_not_collaborator(run, slot, playlist, error):
            raise
        unit.skip(NOT_OWNED)
        return
    if finished is None:
        raise AssertionError("a list without a baseline is never unchanged")
    slot.update(lambda content: _changed(whole.state_after(content, finished.read), playlist, finished.read))
    unit.complete(finished.read)


def _is_not_collaborator(run: RunContext, slot: Slot, playlist: ListedPlaylist, error: ForbiddenError) -> bool:
    """Return whether a refusal means that the user is not a collaborator.

    For a playlist that was never read it does at once, for another one only after some days.
    """
    if playlist.is_owned_by(run.account) or isinstance(error, AppForbiddenError):
        return False
    refusal = {"refused_at": layout.written(times.now()), "refused_snapshot_id": playlist.snapshot_id}
    was_read = CompleteRead.parse(slot.content.get("read")) is not None
    since = parse_time(slot.content.get("refused_at"))
    slot.update(lambda content: {**refusal, **content} if was_read else {**content, **refusal})
    return not was_read or (since is not None and run.days_since(since) >= REFUSAL_DAYS)


def _reread_changed(run: RunContext, stream: Stream, state: StateFile, done: list[tuple[ListedPlaylist, Unit]]) -> None:
    """Read those again that changed while they were read: their pages may not fit together.

    A playlist that changes once more has a new version for the next run, which reads it.
    """
    listed = next((unit for unit in run.unit_log.units if unit.stream == "playlists"), done[-1][1])
    try:
        listing = _list(run)
    except LoginError:
        raise
    except SpotifyError as error:
        # The reads are stored under the old version: the next run reads what has changed.
        LOG.warning(
            "The playlists could not be listed again: the next run reads what changed.", extra={"cause": str(error)}
        )
        return
    finally:
        run.unit_log.charge_requests(listed)
    for playlist, unit in done:
        current = listing.get(playlist.id)
        if current is None or current.snapshot_id in (None, playlist.snapshot_id):
            continue
        with run.unit_log.resume(unit):
            unit.restart()
            _read(run, stream, _slot(state, playlist, listing), current, unit)


def _changed(content: Content, playlist: ListedPlaylist, read: CompleteRead) -> Content:
    """Return the playlist's state with the new version."""
    if is_superseded(content.get("read"), read):
        return content
    rest = {name: content[name] for name in ("open", SHORT, ASKED) if name in content}
    return {"snapshot_id": playlist.snapshot_id, "read": read.content(), **rest}
