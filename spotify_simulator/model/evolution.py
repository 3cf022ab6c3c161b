"""How the library changes on one day: what is saved and removed, also in playlists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from spotify_simulator.model.catalogue import Catalogue
from spotify_simulator.model.entities import Track
from spotify_simulator.model.holdings import Play, PlaylistEntry, Profile
from spotify_simulator.model.listening import plays_of
from spotify_simulator.model.naming import playlist_name
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.model.random_streams import random_stream
from spotify_simulator.model.saved import ALBUMS, SAVED_KINDS, SavedKind, T
from spotify_simulator.model.seeding import new_playlist
from spotify_simulator.model.state import State


@dataclass(frozen=True)
class Change:
    """Something that happens at a moment."""

    at: datetime
    apply: Callable[[State], None]


@dataclass(frozen=True)
class World:
    """Everything that stays the same while a library evolves."""

    seed: int
    plan: LibraryPlan
    catalogue: Catalogue
    profile: Profile
    first_day: date
    """Local date of the library's start."""


def agenda(day: date, world: World, state: State) -> list[Change]:
    """Return what happens on a local day, in order, given the library at its beginning."""
    plays = day_of_plays(day, world, state)
    heard = [play.track for play in plays if play.track.track_id not in state.saved_tracks]
    editor = _Editor(day, world)
    changes = [
        *(_played(play) for play in plays),
        *editor.saving(heard),
        *editor.editing(state),
        *editor.tidying(state),
        *_Editor(day, world, "subscriptions").collecting(state),
    ]
    # The sort is stable: what happens in the same second keeps its order.
    return sorted(changes, key=lambda change: change.at)


def day_of_plays(day: date, world: World, state: State) -> list[Play]:
    """Return the plays of a local day, oldest first, given the library at its beginning."""
    return plays_of(day, random_stream(world.seed, "plays", day), world.plan, world.catalogue, world.profile, state)


def _played(play: Play) -> Change:
    return Change(play.ended_at, lambda state: state.plays.append(play))


class _Editor:
    """Chooses the changes of one day; elements of lists, which change meanwhile, are given as fractions."""

    def __init__(self, day: date, world: World, purpose: str = "changes") -> None:
        self._day = day
        self._world = world
        self._rng = random_stream(world.seed, purpose, day)

    def saving(self, heard: list[Track]) -> Iterator[Change]:
        """Yield the tracks and albums that are saved and removed; nothing of a kind that was planned empty.

        Args:
            heard: tracks played on the day that are not saved yet.
        """
        rng, plan, catalogue = self._rng, self._world.plan, self._world.catalogue
        if plan.saved_tracks:
            for _ in range(rng.randrange(4, 10)):
                yield self._saved_track(rng.choice(heard if heard and rng.random() < 0.5 else catalogue.all_tracks))
            for _ in range(rng.randrange(1, 4)):
                yield self._unsaved_track(rng.random())
        yield from self._of_kind(ALBUMS)

    def editing(self, state: State) -> Iterator[Change]:
        """Yield the entries added to and removed from the user's own and shared playlists."""
        rng = self._rng
        readable = list(state.entries)
        for playlist_id in rng.sample(readable, min(len(readable), rng.randrange(2, 5))):
            at = self._moment()
            tracks = [rng.choice(self._world.catalogue.all_tracks) for _ in range(rng.randrange(1, 6))]
            yield self._added(playlist_id, tracks, at)
        filled = [playlist_id for playlist_id, entries in state.entries.items() if len(entries) > 5]
        for playlist_id in rng.sample(filled, min(len(filled), rng.randrange(1, 4))):
            for _ in range(rng.randrange(1, 4)):
                yield self._removed(playlist_id, rng.random())

    def tidying(self, state: State) -> Iterator[Change]:
        """Yield the changes of whole playlists: created, renamed, emptied, left."""
        rng = self._rng
        number = (self._day - self._world.first_day).days
        own = [one.playlist_id for one in state.playlists.values() if one.access == "owner"]
        followed = [one.playlist_id for one in state.playlists.values() if one.access == "follower"]
        small = [playlist_id for playlist_id in own if 0 < len(state.entries[playlist_id]) <= 12]
        if own and number % 3 == 1:
            yield from self._created()
        if own and number % 3 == 2:
            playlist_id, name = rng.choice(own), playlist_name(rng)
            yield self._change(lambda state: state.rename_playlist(playlist_id, name))
        if small and number % 4 == 3:
            emptied = rng.choice(small)
            yield self._change(lambda state: state.clear_playlist(emptied))
        if len(followed) > 1 and number % 7 == 4:
            left = rng.choice(followed)
            yield self._change(lambda state: state.drop_playlist(left))

    def collecting(self, state: State) -> Iterator[Change]:
        """Yield what is saved and removed of every kind but tracks and albums."""
        for kind in SAVED_KINDS:
            if kind is not ALBUMS:
                yield from self._of_kind(kind, len(state.saved(kind)))

    def _of_kind(self, kind: SavedKind[T], count: int | None = None) -> Iterator[Change]:
        """Yield what is saved and removed of a kind; nothing where the library was planned without it.

        Args:
            kind: the kind.
            count: how many things there are to remove one of; None: as many as there are at that moment.
        """
        if kind.size_in(self._world.plan):
            for _ in range(kind.daily_saves(self._rng)):
                yield self._saved(kind, kind.picked(self._rng, self._world.catalogue))
            if self._rng.random() < kind.daily_removal:
                share = self._rng.random()
                yield self._change(
                    lambda state: state.saved(kind).remove(
                        int(share * (len(state.saved(kind)) if count is None else count))
                    )
                )

    def _created(self) -> Iterator[Change]:
        rng = self._rng
        playlist = new_playlist(rng, playlist_name(rng), self._world.profile.user, "owner")
        at = self._moment()
        tracks = rng.sample(self._world.catalogue.all_tracks, rng.randrange(3, 15))
        yield Change(at, lambda state: state.add_playlist(playlist, (), first=True))
        yield self._added(playlist.playlist_id, tracks, at)

    def _saved_track(self, track: Track) -> Change:
        at = self._moment()
        slot = self._rng.random()

        def save(state: State) -> None:
            state.saved_tracks.save(track, at)
            # What was just found is played a lot.
            state.rotation[int(slot * len(state.rotation))] = track

        return Change(at, save)

    def _unsaved_track(self, share: float) -> Change:
        return self._change(lambda state: state.saved_tracks.unsave(int(share * len(state.saved_tracks))))

    def _saved(self, kind: SavedKind[T], item: T) -> Change:
        at = self._moment()
        return Change(at, lambda state: state.saved(kind).save(item, at))

    def _added(self, playlist_id: str, tracks: list[Track], at: datetime) -> Change:
        user_id = self._world.profile.user.user_id
        return Change(
            at, lambda state: state.add_entries(playlist_id, [PlaylistEntry(track, at, user_id) for track in tracks])
        )

    def _removed(self, playlist_id: str, share: float) -> Change:
        return self._change(
            lambda state: state.remove_entry(playlist_id, int(share * len(state.entries.get(playlist_id, ()))))
        )

    def _change(self, apply: Callable[[State], None]) -> Change:
        return Change(self._moment(), apply)

    def _moment(self) -> datetime:
        clock = time(self._rng.randrange(8, 24), self._rng.randrange(60), self._rng.randrange(60))
        return datetime.combine(self._day, clock, self._world.plan.zone).astimezone(UTC)
