"""The entries of playlists, one snapshot each, read when the playlist has a new version."""

from __future__ import annotations

from dataclasses import replace

from handlers.extract import times
from handlers.extract.ledger import Unit
from handlers.extract.logs import logger
from handlers.extract.playlists import Listing, Playlist, owns
from handlers.extract.spotify import (
    AppForbiddenError,
    ForbiddenError,
    LockedError,
    LoginError,
    OutOfTimeError,
    SpotifyError,
)
from handlers.extract.state import CompleteRead, Content, StateFile, newer
from handlers.extract.work import Work
from handlers.streams import STREAMS, Stream

NOT_OWNED = "not_owned"
"""Reason of a collaborative playlist whose user is no collaborator."""
NO_PLAYLISTS = "no_own_playlists"
"""Reason of a library without a playlist that may be read."""
REFUSAL_DAYS = 7
"""Days after which a playlist that Spotify refused is asked for again."""


def read_per_playlist(work: Work, stream: Stream) -> None:
    """Read every playlist of the user whose version is new.

    Playlists that are neither the user's own nor collaborative are no unit: Spotify would answer 403 for each, every
    day. The table `playlists` names their owners.

    State: `{"playlists": {<id>: {"snapshot_id", "read": {read_id, mode, keys, records, extracted_at}}}}`; of a
    collaborative playlist that Spotify refused and that never was read, `read` is null and `refused_at` says when.
    """
    try:
        listing = _listing(work)
    except SpotifyError as error:
        work.ledger.note_failure(stream, error)
        return
    playlists = list(listing.readable(work.account))
    if not playlists:
        work.ledger.note_skipped([stream], NO_PLAYLISTS)
        return
    state = work.state(stream)
    read: list[tuple[Playlist, Unit]] = []
    for playlist in playlists:
        with work.ledger.unit(stream, playlist.id, mode="full") as unit:
            if _stands(work, state, playlist, unit):
                continue
            _read(work, stream, state, playlist, unit, listing)
        if unit.status == "complete":
            read.append((playlist, unit))
    if read:
        _read_moved(work, stream, state, read)


def _listing(work: Work) -> Listing:
    """The run's listing of playlists; asked for where the run does not read that stream.

    Raises:
        SpotifyError: the run has none.
    """
    if work.listing is None:
        try:
            work.listing = _list(work)
        except SpotifyError as error:
            work.listing = error
    if isinstance(work.listing, LockedError | OutOfTimeError | LoginError):
        raise work.listing
    if isinstance(work.listing, SpotifyError):
        raise type(work.listing)(f"The playlists could not be listed: {work.listing}") from work.listing
    return work.listing


def _list(work: Work) -> Listing:
    listing = Listing()
    for record in work.records(STREAMS["playlists"]):
        listing.add(record.value)
    return listing


def _stands(work: Work, state: StateFile, playlist: Playlist, unit: Unit) -> bool:
    """Note a playlist that need not be read."""
    held = _held(state.content).get(playlist.id)
    if not isinstance(held, dict) or playlist.snapshot_id is None or held.get("snapshot_id") != playlist.snapshot_id:
        return False
    refused_at = times.parsed(held.get("refused_at"))
    if refused_at and not work.event.full and work.days_since(refused_at) < REFUSAL_DAYS:
        unit.skip(NOT_OWNED)
        return True
    read = CompleteRead.parse(held.get("read"))
    if read is None or not work.stands(read):
        return False
    unit.unchanged(read)
    return True


def _read(work: Work, stream: Stream, state: StateFile, playlist: Playlist, unit: Unit, listing: Listing) -> None:
    read: CompleteRead | None = None
    try:
        with work.writer(unit, hold=True) as raw:
            for record in work.records(stream, playlist.id):
                context = {
                    "playlist_id": playlist.id,
                    "snapshot_id": playlist.snapshot_id,
                    "position": record.position,
                }
                raw.add(record, context)
        read = unit.complete(raw)
    except ForbiddenError as error:
        # Only of a playlist that never was read does it say that the user is no collaborator.
        if owns(work.account, playlist) or isinstance(error, AppForbiddenError) or _was_read(state.content, playlist):
            raise
        unit.skip(NOT_OWNED)
    state.update(lambda content: _changed(content, playlist, read, listing))


def _read_moved(work: Work, stream: Stream, state: StateFile, done: list[tuple[Playlist, Unit]]) -> None:
    """Read those once more that changed while they were read: their pages may not fit together.

    A playlist that moves again meanwhile shows another version to the next run, which reads it.
    """
    listed = next((unit for unit in work.ledger.units if unit.stream == "playlists"), done[-1][1])
    try:
        listing = _list(work)
    except LoginError:
        raise
    except SpotifyError as error:
        # What was read stays noted under the version before: if that has moved, the next run reads again.
        logger.warning("The playlists could not be listed once more.", extra={"cause": str(error)})
        return
    finally:
        work.ledger.charge(listed)
    for playlist, unit in done:
        moved = listing.snapshot_of(playlist.id)
        if moved is None or moved == playlist.snapshot_id:
            continue
        with work.ledger.again(unit):
            unit.begin_again()
            _read(work, stream, state, replace(playlist, snapshot_id=moved), unit, listing)


def _held(content: Content) -> Content:
    held = content.get("playlists")
    return held if isinstance(held, dict) else {}


def _was_read(content: Content, playlist: Playlist) -> bool:
    held = _held(content).get(playlist.id)
    return isinstance(held, dict) and CompleteRead.parse(held.get("read")) is not None


def _changed(content: Content, playlist: Playlist, read: CompleteRead | None, listing: Listing) -> Content:
    """State with the new version, or the refusal where nothing was read, without playlists that are listed no more."""
    held = {name: one for name, one in _held(content).items() if name in listing}
    current = held.get(playlist.id)
    if read is None:
        if not _was_read(content, playlist):
            refused_at = times.written(times.now())
            held[playlist.id] = {"snapshot_id": playlist.snapshot_id, "read": None, "refused_at": refused_at}
    elif not isinstance(current, dict) or not newer(current.get("read"), read):
        held[playlist.id] = {"snapshot_id": playlist.snapshot_id, "read": read.content()}
    return {"playlists": held}
