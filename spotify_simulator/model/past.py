"""The far past of a large library: saved tracks that are computed when they are read and not kept in memory.

Everything follows from a track's position, which its id encodes. A library of a million saved tracks is therefore
created as fast as one of ten thousand, and all its pages are equally fast.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from spotify_simulator.model.catalogue import new_album, new_artist, new_track
from spotify_simulator.model.entities import Album, Artist, Track
from spotify_simulator.model.holdings import SavedTrack
from spotify_simulator.model.random_streams import random_stream

_TRACKS_AN_ALBUM = 10
_ALBUMS_AN_ARTIST = 4

_BASE62 = string.digits + string.ascii_letters
_PAIRS = [first + second for first in _BASE62 for second in _BASE62]
_IDS = 62**22


@dataclass(frozen=True)
class Past:
    """Whole albums, saved one after the other."""

    seed: int
    """The library's seed."""
    size: int
    """Number of tracks."""
    begin: datetime
    """When the first one was saved."""
    end: datetime
    """A time after the last one was saved."""

    def saved_tracks(self, begin: int, end: int) -> Iterator[SavedTrack]:
        """Yield some of the saved tracks, oldest first; positions start at 0."""
        place = begin
        while place < end:
            first = place // _TRACKS_AN_ALBUM * _TRACKS_AN_ALBUM
            tracks = self._tracks(place // _TRACKS_AN_ALBUM)
            while place < min(end, first + _TRACKS_AN_ALBUM):
                yield SavedTrack(self._moment(place), tracks[place - first])
                place += 1

    def track(self, track_id: str) -> Track | None:
        """Return the track of an id, or None if it is not one of these."""
        place = self._ids("tracks").place(track_id)
        if place >= self.size:
            return None
        return self._tracks(place // _TRACKS_AN_ALBUM)[place % _TRACKS_AN_ALBUM]

    def album(self, album_id: str) -> Album | None:
        """Return the album of an id, or None if it is not one of these."""
        place = self._ids("albums").place(album_id)
        return self._album(place) if place < self._albums else None

    def album_tracks(self, album_id: str) -> list[Track] | None:
        """Return the tracks of the album of an id in their order, or None if it is not one of these."""
        place = self._ids("albums").place(album_id)
        return self._tracks(place) if place < self._albums else None

    def artist(self, artist_id: str) -> Artist | None:
        """Return the artist of an id, or None if it is not one of these."""
        place = self._ids("artists").place(artist_id)
        return self._artist(place) if place * _ALBUMS_AN_ARTIST < self._albums else None

    def artist_albums(self, artist_id: str) -> list[Album]:
        """Return the albums of the artist of an id; none if it is not one of these."""
        first = self._ids("artists").place(artist_id) * _ALBUMS_AN_ARTIST
        return [self._album(place) for place in range(first, min(first + _ALBUMS_AN_ARTIST, self._albums))]

    @property
    def _albums(self) -> int:
        return -(-self.size // _TRACKS_AN_ALBUM)

    def _artist(self, place: int) -> Artist:
        return new_artist(random_stream(self.seed, "past artist", place), self._ids("artists").at(place))

    def _album(self, place: int) -> Album:
        artist = self._artist(place // _ALBUMS_AN_ARTIST)
        size = min(_TRACKS_AN_ALBUM, self.size - place * _TRACKS_AN_ALBUM)
        return new_album(random_stream(self.seed, "past album", place), (artist,), size, self._ids("albums").at(place))

    def _tracks(self, place: int) -> list[Track]:
        album = self._album(place)
        rng = random_stream(self.seed, "past tracks", place)
        ids, first = self._ids("tracks"), place * _TRACKS_AN_ALBUM
        return [
            new_track(rng, album, album.artists, 1 + number, ids.at(first + number))
            for number in range(album.total_tracks)
        ]

    def _moment(self, place: int) -> datetime:
        # Now and then two have the same second, as elsewhere in the library.
        place -= place % 40 == 25
        return self.begin + timedelta(seconds=int((self.end - self.begin).total_seconds()) * place // self.size)

    def _ids(self, kind: str) -> _Ids:
        return self._all_ids[kind]

    @cached_property
    def _all_ids(self) -> dict[str, _Ids]:
        return {kind: _Ids.drawn(self.seed, kind) for kind in ("tracks", "albums", "artists")}


@dataclass(frozen=True)
class _Ids:
    """Ids of 22 characters that encode a position invisibly: an affine map of all such ids."""

    factor: int
    inverse: int
    shift: int

    @classmethod
    def drawn(cls, seed: int, kind: str) -> _Ids:
        rng = random_stream(seed, "ids of the past", kind)
        factor = rng.randrange(_IDS)
        # Only a factor that is coprime to 62 is invertible.
        while factor % 2 == 0 or factor % 31 == 0:
            factor += 1
        return cls(factor, pow(factor, -1, _IDS), rng.randrange(_IDS))

    def at(self, place: int) -> str:
        number = (self.factor * place + self.shift) % _IDS
        pairs = []
        for _ in range(11):
            number, pair = divmod(number, 62 * 62)
            pairs.append(_PAIRS[pair])
        return "".join(reversed(pairs))

    def place(self, entity_id: str) -> int:
        """Return the position, which is out of range if the id is not one of these."""
        if len(entity_id) != 22 or not all(character in _BASE62 for character in entity_id):
            return _IDS
        number = 0
        for character in entity_id:
            number = number * 62 + _BASE62.index(character)
        return (number - self.shift) * self.inverse % _IDS
