"""The model of a Spotify library at a point in simulated time: the simulator serves it, tests compare with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Any, Self

from spotify_simulator.model.catalogue import new_catalogue
from spotify_simulator.model.entities import Album, Artist, Episode, Show, Track
from spotify_simulator.model.evolution import Change, World, agenda, day_of_plays
from spotify_simulator.model.history import ExportedPlay, exported_plays
from spotify_simulator.model.holdings import (
    Malformed,
    MalformedPlaylist,
    Play,
    Playlist,
    PlaylistEntry,
    Profile,
    SavedTrack,
)
from spotify_simulator.model.past import Past
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.model.saved import ALBUMS, ARTISTS, EPISODES, SHOWS, Saved, SavedKind, T
from spotify_simulator.model.seeding import first_state, new_profile
from spotify_simulator.model.state import State
from spotify_simulator.model.top_lists import TimeRange, TopLists

REMEMBERED_PLAYS = 50
"""Number of plays that the Web API remembers."""


class Library:
    """One account's library, the same for the same seed, plan and start; made by `seeded` or `planned`.

    Everything is as of `moment`, the time of the last call of `evolve_to`.
    """

    def __init__(self, world: World, origin: State, start: datetime) -> None:
        self._world = world
        self._origin = origin
        self._start = start
        self._state = origin.copy()
        self._moment = start
        self._day = world.first_day
        self._pending: deque[Change] = deque()
        self._top_lists: tuple[date, TopLists] | None = None
        self._begin_day(after=start)

    @classmethod
    def seeded(cls, seed: int, *, start: datetime, **sizes: Any) -> Self:
        """Return a library as planned by `LibraryPlan(**sizes)`.

        Raises:
            TypeError: `LibraryPlan` has no such field.
            ValueError: `start` has no time zone, or a size is not possible.
        """
        return cls.planned(seed, LibraryPlan(**sizes), start=start)

    @classmethod
    def planned(cls, seed: int, plan: LibraryPlan, *, start: datetime) -> Self:
        """Return a library as planned.

        Raises:
            ValueError: `start` has no time zone.
        """
        if start.tzinfo is None:
            raise ValueError(f"The library's start {start} has no time zone: give an aware datetime.")
        start = start.astimezone(UTC)
        return cls(*_beginning(seed, plan, start), start)

    @property
    def moment(self) -> datetime:
        """How far the library has evolved, UTC."""
        return self._moment

    def evolve_to(self, moment: datetime) -> None:
        """Apply all changes up to and including a moment; an earlier one has no effect.

        The result does not depend on the steps taken.
        """
        if moment <= self._moment:
            return
        self._moment = moment.astimezone(UTC)
        while True:
            while self._pending and self._pending[0].at <= moment:
                self._pending.popleft().apply(self._state)
            if self._pending or self._midnight(self._day + timedelta(days=1)) > moment:
                return
            self._day += timedelta(days=1)
            self._begin_day()

    def at(self, moment: datetime) -> Library:
        """Return the same library as it is at another moment, earlier ones included.

        Raises:
            ValueError: the moment lies before the library's start.
        """
        if moment < self._start:
            raise ValueError(f"{moment} lies before the library's start, {self._start}.")
        library = Library(self._world, self._origin, self._start)
        library.evolve_to(moment)
        return library

    @property
    def profile(self) -> Profile:
        """The account's user."""
        return self._world.profile

    @property
    def account_id(self) -> str:
        """The account's immutable id."""
        return self.profile.account_id

    @property
    def playlists(self) -> tuple[Playlist, ...]:
        """The well-formed playlists in the order of their listing."""
        return tuple(one for one in self.listed_playlists if isinstance(one, Playlist))

    @property
    def readable_playlists(self) -> tuple[Playlist, ...]:
        """The playlists whose entries the user may read."""
        return tuple(playlist for playlist in self.playlists if playlist.readable)

    @property
    def listed_playlists(self) -> tuple[Playlist | MalformedPlaylist | None, ...]:
        """Every element of the listing of playlists, null and malformed ones included."""
        return tuple(self._state.playlists[one] if isinstance(one, str) else one for one in self._state.listing)

    def playlist(self, playlist_id: str) -> Playlist | None:
        """Return a playlist of the library, or None."""
        return self._state.playlists.get(playlist_id)

    def playlist_entries(self, playlist_id: str) -> tuple[PlaylistEntry, ...]:
        """Return the entries of a playlist in their order; the index is the position.

        Raises:
            KeyError: the library has no such playlist, or the user may not read it.
        """
        return tuple(self._state.entries[playlist_id])

    def some_playlist_entries(self, playlist_id: str, offset: int, limit: int) -> list[PlaylistEntry]:
        """Return some entries of a playlist; raises as `playlist_entries` does."""
        return self._state.entries[playlist_id][offset : offset + limit]

    @property
    def saved_tracks(self) -> tuple[SavedTrack, ...]:
        """The saved tracks, newest first, without malformed ones."""
        return tuple(entry for entry in self.listed_saved_tracks if not entry.malformed)

    @property
    def listed_saved_tracks(self) -> tuple[SavedTrack, ...]:
        """Every element of the listing of saved tracks, newest first, malformed ones included."""
        return tuple(self.some_saved_tracks(0, self.saved_track_count))

    def some_saved_tracks(self, offset: int, limit: int) -> list[SavedTrack]:
        """Return some of `listed_saved_tracks`."""
        end = max(0, self.saved_track_count - offset)
        return self._state.saved_tracks.some(max(0, end - limit), end)[::-1]

    @property
    def saved_track_count(self) -> int:
        """Number of `listed_saved_tracks`."""
        return len(self._state.saved_tracks)

    def saved(self, kind: SavedKind[T]) -> tuple[Saved[T], ...]:
        """Return what is saved of a kind, newest first."""
        return self._state.saved(kind).newest_first()

    @property
    def saved_albums(self) -> tuple[Saved[Album], ...]:
        """The saved albums, newest first."""
        return self.saved(ALBUMS)

    @property
    def saved_shows(self) -> tuple[Saved[Show], ...]:
        """The saved shows, newest first."""
        return self.saved(SHOWS)

    @property
    def saved_episodes(self) -> tuple[Saved[Episode], ...]:
        """The saved episodes, newest first."""
        return self.saved(EPISODES)

    @property
    def followed_artists(self) -> tuple[Artist, ...]:
        """The followed artists in the order in which they are served: that of their ids, which are the cursors."""
        return tuple(sorted((followed.item for followed in self.saved(ARTISTS)), key=lambda artist: artist.artist_id))

    def top_tracks(self, time_range: TimeRange) -> tuple[Track, ...]:
        """Return the tracks the user listens to most, by rank; constant during a local day."""
        return self._top().tracks(time_range)

    def top_artists(self, time_range: TimeRange) -> tuple[Artist, ...]:
        """Return the artists the user listens to most, by rank; constant during a local day."""
        return self._top().artists(time_range)

    @property
    def plays(self) -> tuple[Play, ...]:
        """Every play so far, oldest first; some lie before the library's start."""
        return tuple(self._state.plays)

    @property
    def recent_plays(self) -> tuple[Play, ...]:
        """The plays that the Web API remembers, newest first."""
        return tuple(reversed(self._state.plays[-REMEMBERED_PLAYS:]))

    def plays_polled_since(self, first_poll: datetime) -> tuple[Play, ...]:
        """Return the plays, oldest first, that a client gets who polls every hour.

        Args:
            first_poll: not before the library's start.
        """
        remembered = self.at(first_poll).recent_plays
        since = remembered[-1].ended_at if remembered else first_poll
        newest_first = takewhile(lambda play: play.ended_at >= since, reversed(self._state.plays))
        return tuple(reversed(list(newest_first)))

    def streaming_history(self, until: datetime) -> Iterator[dict[str, Any]]:
        """Return the elements of `exported_plays`.

        Args:
            until: not before the library's start.
        """
        return (play.record for play in self.exported_plays(until))

    def exported_plays(self, until: datetime) -> Iterator[ExportedPlay]:
        """Return the plays in a privacy export: the complete history, the oldest first.

        Args:
            until: not before the library's start.
        """
        return exported_plays(self._world, self._origin, (self if until == self._moment else self.at(until)).plays)

    @property
    def malformed(self) -> tuple[Malformed, ...]:
        """The records that are currently malformed, without null elements."""
        tracks = [
            Malformed("me/tracks", "added_at is a number", entry)
            for entry in self._state.saved_tracks.recent
            if entry.malformed
        ]
        reasons = {"no_id": "has no id", "numeric_id": "id is a number"}
        playlists = [
            Malformed("me/playlists", reasons[one.fault], one)
            for one in self._state.listing
            if isinstance(one, MalformedPlaylist)
        ]
        return (*tracks, *playlists)

    @property
    def artists(self) -> dict[str, Artist]:
        """The catalogue's artists by id, whether the library has them or not; without those of the far past."""
        return self._world.catalogue.artists

    @property
    def albums(self) -> dict[str, Album]:
        """The catalogue's albums by id; without those of the far past."""
        return self._world.catalogue.albums

    @property
    def tracks(self) -> dict[str, Track]:
        """The catalogue's tracks by id; without those of the far past."""
        return self._world.catalogue.tracks

    @property
    def shows(self) -> dict[str, Show]:
        """The catalogue's shows by id."""
        return self._world.catalogue.shows

    @property
    def episodes(self) -> dict[str, Episode]:
        """The catalogue's episodes by id."""
        return self._world.catalogue.episodes

    def album_tracks(self, album_id: str) -> list[Track]:
        """Return the tracks of an album in their order.

        Raises:
            KeyError: there is no such album.
        """
        if album_id in self.albums:
            return self._world.catalogue.album_tracks[album_id]
        tracks = self._past.album_tracks(album_id)
        if tracks is None:
            raise KeyError(album_id)
        return tracks

    def artist_albums(self, artist_id: str) -> list[Album]:
        """Return the albums of an artist, and then those of others on which the artist appears; newest first each.

        Raises:
            KeyError: there is no such artist.
        """
        artist = self.artist(artist_id)
        if artist is None:
            raise KeyError(artist_id)
        albums = list(self._world.catalogue.artist_albums.get(artist_id, {}).values())
        if artist_id not in self.artists:
            albums = self._past.artist_albums(artist_id)
        newest_first = sorted(albums, key=lambda album: album.release_date or "", reverse=True)
        return sorted(newest_first, key=lambda album: album.group_for(artist) == "appears_on")

    def artist(self, artist_id: str) -> Artist | None:
        """Return an artist, or None."""
        return self.artists.get(artist_id) or self._past.artist(artist_id)

    def album(self, album_id: str) -> Album | None:
        """Return an album, or None."""
        return self.albums.get(album_id) or self._past.album(album_id)

    def track(self, track_id: str) -> Track | None:
        """Return a track, or None."""
        return self.tracks.get(track_id) or self._past.track(track_id)

    @property
    def _past(self) -> Past:
        return self._origin.saved_tracks.past

    def uris_to_ask_for(self) -> tuple[str, str, str]:
        """Return the URI of something of each kind that can be requested by id.

        Returns:
            The artist with the most albums, an album of theirs, and a track of that.
        """
        artist = max(self.artists.values(), key=lambda one: len(self.artist_albums(one.artist_id)))
        album = self.artist_albums(artist.artist_id)[0]
        return artist.uri, album.uri, self.album_tracks(album.album_id)[0].uri

    def _top(self) -> TopLists:
        if self._top_lists is None or self._top_lists[0] != self._day:
            lists = TopLists(self._day, self._world, self._origin, self._state.plays)
            self._top_lists = (self._day, lists)
        return self._top_lists[1]

    def _begin_day(self, after: datetime | None = None) -> None:
        changes = agenda(self._day, self._world, self._state)
        self._pending = deque(change for change in changes if after is None or change.at > after)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._world.plan.zone)


@lru_cache(maxsize=4)
def _beginning(seed: int, plan: LibraryPlan, start: datetime) -> tuple[World, State]:
    """Return what a library begins with, which it copies before it changes: tests plan the same few libraries often."""
    catalogue = new_catalogue(seed, plan)
    profile = new_profile(seed)
    state = first_state(seed, plan, catalogue, profile, start)
    world = World(seed, plan, catalogue, profile, start.astimezone(plan.zone).date())
    for ago in range(plan.history_days, -1, -1):
        day = world.first_day - timedelta(days=ago)
        state.plays += [play for play in day_of_plays(day, world, state) if play.ended_at <= start]
    return world, state
