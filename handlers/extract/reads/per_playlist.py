"""The entries of playlists, one snapshot each, read when the playlist has a new version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers import layout
from handlers.extract import times
from handlers.extract.logs import logger
from handlers.extract.reads.full_read import FullRead
from handlers.extract.reads.paging import Pass, Place, Record
from handlers.extract.reads.playlists import Listing, Playlist, owns
from handlers.extract.reads.run_context import Work
from handlers.extract.reads.shortfall import ASKED, SHORT, ShortReadError, with_short_runs
from handlers.extract.reads.state import CompleteRead, newer
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


def read_per_playlist(work: Work, stream: Stream) -> None:
    """Read every playlist of the user whose version is new.

    Playlists that are neither the user's own nor collaborative are no unit: Spotify would answer 403 for each, every
    day. The table `playlists` names their owners.

    State: `{"playlists": {<id>: {"snapshot_id", "read": {read_id, mode, keys, records, begun_at, extracted_at}, "open",
    "short", "asked", "refused_at", "refused_snapshot_id"}}}`: since when Spotify refuses a collaborative playlist, and
    which version.
    """
    try:
        listing = _listing(work)
    except SpotifyError as error:
        work.ledger.note_failure(stream, error)
        return
    playlists = list(listing.readable(work.account))
    if listing.is_short and (not playlists or not work.ledger.has("playlists")):
        # Nothing else says that playlists may be missing.
        work.ledger.note_failure(stream, ShortReadError())
    if not playlists:
        if not listing.is_short:
            work.ledger.note_skipped([stream], NO_PLAYLISTS)
        return
    state = work.state(stream)
    read: list[tuple[Playlist, Unit]] = []
    for playlist in playlists:
        if not work.is_left(stream, playlist.id):
            continue
        with work.ledger.unit(stream, playlist.id, mode="full") as unit:
            slot = _slot(state, playlist, listing)
            if _stands(work, slot, playlist, unit):
                continue
            _read(work, stream, slot, playlist, unit)
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
            work.listing = _list(work, alone=True)
        except SpotifyError as error:
            work.listing = error
    if isinstance(work.listing, LockedError | OutOfTimeError | LoginError):
        raise work.listing
    if isinstance(work.listing, SpotifyError):
        raise type(work.listing)(f"The playlists could not be listed: {work.listing}") from work.listing
    return work.listing


def _list(work: Work, *, alone: bool = False) -> Listing:
    """Ask which playlists there are.

    Args:
        work: the run.
        alone: whether nothing else in the run notes how many the listing lacks.
    """
    listing, slot = Listing(), Slot(work.state(STREAMS["playlists"]))
    shortfall = work.shortfall(slot)
    for record in work.records(STREAMS["playlists"], shortfall=shortfall):
        listing.add(record.value)
    listing.is_short = shortfall.is_short
    short_runs = shortfall.content(work.run_id)
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


def _stands(work: Work, slot: Slot, playlist: Playlist, unit: Unit) -> bool:
    """Note a playlist that need not be read."""
    held = slot.content
    if playlist.snapshot_id is None:
        return False
    read = CompleteRead.parse(held.get("read"))
    refused_at = times.parsed(held.get("refused_at"))
    if refused_at and read is None and held.get("refused_snapshot_id") == playlist.snapshot_id:
        if work.full or work.days_since(refused_at) >= REFUSAL_DAYS:
            return False
        unit.skip(NOT_OWNED)
        return True
    if read is None or held.get("snapshot_id") != playlist.snapshot_id or not work.stands(read):
        return False
    unit.unchanged(read)
    return True


def _read(work: Work, stream: Stream, slot: Slot, playlist: Playlist, unit: Unit) -> None:
    def source(behind: Place | None, one_pass: Pass) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        # Its version, and not its length, tells whether it changed meanwhile.
        for record in work.records(
            stream, playlist.id, shortfall=one_pass.shortfall, served=one_pass.served, behind=behind
        ):
            yield (
                record,
                {"playlist_id": playlist.id, "snapshot_id": playlist.snapshot_id, "position": record.position},
            )

    whole = FullRead(
        work,
        unit,
        slot,
        source,
        resumable=playlist.snapshot_id is not None,
        version=playlist.snapshot_id,
        previous=CompleteRead.parse(slot.content.get("read")),
        listed=playlist.total,
    )
    try:
        finished = whole.run()
    except ForbiddenError as error:
        if not _passes_over(work, slot, playlist, error):
            raise
        unit.skip(NOT_OWNED)
        return
    if finished is None:
        raise AssertionError("a list without a known one is never unchanged")
    slot.update(lambda content: _changed(whole.kept(content, finished.read), playlist, finished.read))
    unit.complete(finished.read)


def _passes_over(work: Work, slot: Slot, playlist: Playlist, error: ForbiddenError) -> bool:
    """Whether a refusal says that the user is no collaborator.

    Of a playlist that never was read it does at once, of another one when it has lasted some days.
    """
    if owns(work.account, playlist) or isinstance(error, AppForbiddenError):
        return False
    refusal = {"refused_at": layout.written(times.now()), "refused_snapshot_id": playlist.snapshot_id}
    was_read = CompleteRead.parse(slot.content.get("read")) is not None
    since = times.parsed(slot.content.get("refused_at"))
    slot.update(lambda content: {**refusal, **content} if was_read else {**content, **refusal})
    return not was_read or (since is not None and work.days_since(since) >= REFUSAL_DAYS)


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
        moved = listing.get(playlist.id)
        if moved is None or moved.snapshot_id in (None, playlist.snapshot_id):
            continue
        with work.ledger.again(unit):
            unit.begin_again()
            _read(work, stream, _slot(state, playlist, listing), moved, unit)


def _changed(content: Content, playlist: Playlist, read: CompleteRead) -> Content:
    """The playlist's state with the new version."""
    if newer(content.get("read"), read):
        return content
    rest = {name: content[name] for name in ("open", SHORT, ASKED) if name in content}
    return {"snapshot_id": playlist.snapshot_id, "read": read.content(), **rest}
