"""What each view must answer, from the simulator's own model alone: columns, and rows as Athena's text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from spotify_simulator.model.entities import Album, Artist, Episode, Image, Item, LocalTrack, Show, Track
from spotify_simulator.model.library import Library
from spotify_simulator.model.top_lists import TIME_RANGES
from tests.e2e.world import FIRST_HOURLY_RUN, TIMEZONE, World

Row = dict[str, Any]

_FIRST_PAGE_OF_ALBUM_TRACKS = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(value: Any) -> str | None:
    """A value as Athena prints it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value)


def current_profile(world: World) -> Iterable[Row]:
    profile = world.library.profile
    extended = world.extended
    yield {
        "user_id": profile.user.user_id,
        "uri": f"spotify:user:{profile.user.user_id}",
        "display_name": profile.user.display_name,
        "country": profile.country if extended else None,
        "email": profile.email if extended else None,
        "product": profile.product if extended else None,
        "followers": profile.followers if extended else None,
        "image_url": _image(profile.images),
    }


def current_playlists(world: World) -> Iterable[Row]:
    for playlist in world.library.playlists:
        yield {
            "playlist_id": playlist.playlist_id,
            "uri": playlist.uri,
            "name": playlist.name,
            "description": playlist.description,
            "owner_id": playlist.owner.user_id,
            "owner_name": playlist.owner.display_name,
            "is_public": playlist.public,
            "collaborative": playlist.collaborative,
            "snapshot_id": playlist.snapshot_id,
            "items_total": playlist.total,
            "primary_color": playlist.primary_color,
            "image_url": _image(playlist.images),
        }


def current_playlist_items(world: World) -> Iterable[Row]:
    for playlist in world.library.readable_playlists:
        for position, entry in enumerate(world.library.playlist_entries(playlist.playlist_id)):
            item = entry.item
            yield {
                "playlist_id": playlist.playlist_id,
                "snapshot_id": playlist.snapshot_id,
                "position": position,
                **_item(item),
                "episode_id": item.episode_id if isinstance(item, Episode) else None,
                "added_at": None if entry.added_at == _EPOCH else entry.added_at,
                "added_by_id": entry.added_by or None,
                "item_name": item.name if item else None,
                "show_name": item.show.name if isinstance(item, Episode) else None,
            }


def current_saved_tracks(world: World) -> Iterable[Row]:
    # An unsaved track stands until the next full read, which is a week after the last one.
    newest = {
        saved.track.uri: saved
        for morning in world.mornings[world.days - world.days % 7 :]
        for saved in reversed(world.library.at(morning).saved_tracks)
    }
    for saved in newest.values():
        yield {"added_at": saved.added_at, **_item(saved.track), "track_name": saved.track.name}


def current_saved_albums(world: World) -> Iterable[Row]:
    for saved in world.library.saved_albums:
        yield {
            "album_id": saved.item.album_id,
            "added_at": saved.added_at,
            "uri": saved.item.uri,
            "album_name": saved.item.name,
            "artist_name": _first_name(saved.item.artists),
        }


def current_followed_artists(world: World) -> Iterable[Row]:
    for artist in world.library.followed_artists:
        yield {"artist_id": artist.artist_id, "uri": artist.uri, "artist_name": artist.name}


def current_top_tracks(world: World) -> Iterable[Row]:
    for time_range in TIME_RANGES:
        for rank, track in enumerate(world.library.top_tracks(time_range), start=1):
            names = _item(track)
            yield {
                "time_range": time_range,
                "rank": rank,
                "item_uri": track.uri,
                "track_id": track.track_id,
                "track_name": track.name,
                **{name: names[name] for name in ("artist_name", "album_name", "duration_ms")},
            }


def current_top_artists(world: World) -> Iterable[Row]:
    for time_range in TIME_RANGES:
        for rank, artist in enumerate(world.library.top_artists(time_range), start=1):
            yield {
                "time_range": time_range,
                "rank": rank,
                "artist_id": artist.artist_id,
                "uri": artist.uri,
                "artist_name": artist.name,
            }


def current_saved_shows(world: World) -> Iterable[Row]:
    for saved in world.library.saved_shows:
        yield {
            "show_id": saved.item.show_id,
            "added_at": saved.added_at,
            "uri": saved.item.uri,
            "show_name": saved.item.name,
            "publisher": saved.item.publisher if world.extended else None,
            "total_episodes": saved.item.total_episodes,
        }


def current_saved_episodes(world: World) -> Iterable[Row]:
    for saved in world.library.saved_episodes:
        episode = saved.item
        yield {
            "episode_id": episode.episode_id,
            "added_at": saved.added_at,
            "uri": episode.uri,
            "episode_name": episode.name,
            "show_id": episode.show.show_id,
            "show_name": episode.show.name,
            "duration_ms": episode.duration_ms,
        }


def current_catalogue(world: World) -> Iterable[Row]:
    for uri in world.catalogue:
        for found in _requested(world.library, uri):
            row: Row = {"requested_uri": uri, "item_uri": found.uri, "name": found.name}
            artists: tuple[Artist, ...] = () if isinstance(found, Artist) else found.artists
            album = found.album if isinstance(found, Track) else found if isinstance(found, Album) else None
            yield row | {
                "item_type": type(found).__name__.lower(),
                "artist_name": _first_name(artists),
                "album_name": found.album.name if isinstance(found, Track) else None,
                "release_date": album.release_date if album else None,
                "total_tracks": album.total_tracks if album else None,
                "duration_ms": found.duration_ms if isinstance(found, Track) else None,
            }


def listens(world: World) -> Iterable[Row]:
    for play in world.library.plays_polled_since(FIRST_HOURLY_RUN):
        names = _item(play.track)
        yield {
            "source": "recently_played",
            "played_at": play.played_at,
            "played_at_local": play.played_at.astimezone(ZoneInfo(TIMEZONE)),
            "item_uri": play.track.uri,
            "item_type": "track",
            "track_id": play.track.track_id,
            "track_name": play.track.name,
            "artist_name": names["artist_name"],
            "album_name": names["album_name"],
            "duration_ms": play.track.duration_ms,
            "context_type": play.context.type if play.context else None,
            "context_uri": play.context.uri if play.context else None,
        }


def current_tracks(world: World) -> Iterable[Row]:
    met = _Met(world)
    for track in met.tracks.values():
        full = track.track_id in met.full_tracks
        yield {
            "track_id": track.track_id,
            "uri": track.uri,
            "name": track.name,
            "album_id": track.album.album_id,
            "disc_number": track.disc_number,
            "track_number": track.track_number,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "isrc": track.isrc if full else None,
            "is_playable": track.is_playable,
            "popularity": track.popularity if full and world.extended else None,
            "linked_from_id": track.linked_from_id if world.extended else None,
        }


def current_albums(world: World) -> Iterable[Row]:
    met = _Met(world)
    for album in met.albums.values():
        full = album.album_id in met.full_albums
        yield {
            "album_id": album.album_id,
            "uri": album.uri,
            "name": album.name,
            "album_type": album.album_type,
            "release_date": album.release_date,
            "release_date_precision": album.release_date_precision,
            "release_year": _year(album.release_date),
            "released_on": _day(album.release_date),
            "total_tracks": album.total_tracks,
            "upc": album.upc if full else None,
            "label": album.label if full and world.extended else None,
            "image_url": _image(album.images),
        }


def current_artists(world: World) -> Iterable[Row]:
    met = _Met(world)
    for artist in met.artists.values():
        # Simplified artists come along with tracks and albums; full ones are followed, on top or in the catalogue.
        full = artist.artist_id in met.full_artists
        yield {
            "artist_id": artist.artist_id,
            "uri": artist.uri,
            "name": artist.name,
            "genres": artist.genres if full else None,
            "popularity": artist.popularity if full and world.extended else None,
            "followers": artist.followers if full and world.extended else None,
            "image_url": _image(artist.images) if full else None,
        }


def current_shows(world: World) -> Iterable[Row]:
    for show in _Met(world).shows.values():
        yield {
            "show_id": show.show_id,
            "uri": show.uri,
            "name": show.name,
            "description": show.description,
            "publisher": show.publisher if world.extended else None,
            "media_type": show.media_type,
            "languages": show.languages,
            "explicit": show.explicit,
            "total_episodes": show.total_episodes,
            "image_url": _image(show.images),
        }


def current_episodes(world: World) -> Iterable[Row]:
    for episode in _Met(world).episodes.values():
        yield {
            "episode_id": episode.episode_id,
            "uri": episode.uri,
            "name": episode.name,
            "show_id": episode.show.show_id,
            "description": episode.description,
            "duration_ms": episode.duration_ms,
            "explicit": episode.explicit,
            "release_date": episode.release_date,
            "languages": episode.languages,
            "image_url": _image(episode.images),
        }


def current_track_artists(world: World) -> Iterable[Row]:
    for track in _Met(world).tracks.values():
        for position, artist in enumerate(track.artists):
            yield {"track_id": track.track_id, "position": position, "artist_id": artist.artist_id}


def current_album_artists(world: World) -> Iterable[Row]:
    for album in _Met(world).albums.values():
        for position, artist in enumerate(album.artists):
            yield {"album_id": album.album_id, "position": position, "artist_id": artist.artist_id}


VIEWS: Mapping[str, Callable[[World], Iterable[Row]]] = {
    view.__name__: view
    for view in (
        current_profile,
        current_playlists,
        current_playlist_items,
        current_saved_tracks,
        current_saved_albums,
        current_followed_artists,
        current_top_tracks,
        current_top_artists,
        current_saved_shows,
        current_saved_episodes,
        current_catalogue,
        listens,
        current_tracks,
        current_albums,
        current_artists,
        current_shows,
        current_episodes,
        current_track_artists,
        current_album_artists,
    )
}


class _Met:
    """The entities that come along with what was read: at every daily run, and with every play."""

    def __init__(self, world: World) -> None:
        self.tracks: dict[str, Track] = {}
        self.albums: dict[str, Album] = {}
        self.artists: dict[str, Artist] = {}
        self.shows: dict[str, Show] = {}
        self.episodes: dict[str, Episode] = {}
        self.full_tracks: set[str] = set()
        self.full_albums: set[str] = set()
        self.full_artists: set[str] = set()
        self._catalogue = world.catalogue
        for morning in world.mornings:
            self._read(world.library.at(morning))
        for play in world.library.plays_polled_since(FIRST_HOURLY_RUN):
            self._add_track(play.track)

    def _read(self, library: Library) -> None:
        for saved in library.saved_tracks:
            self._add_track(saved.track)
        for playlist in library.readable_playlists:
            for entry in library.playlist_entries(playlist.playlist_id):
                if isinstance(entry.item, Track):
                    self._add_track(entry.item)
                elif isinstance(entry.item, Episode):
                    self._add_episode(entry.item)
        self._read_saved(library)
        self._read_more(library)

    def _read_saved(self, library: Library) -> None:
        for saved_album in library.saved_albums:
            self._add_full_album(library, saved_album.item)
        for saved_show in library.saved_shows:
            self.shows[saved_show.item.show_id] = saved_show.item
        for saved_episode in library.saved_episodes:
            self._add_episode(saved_episode.item)

    def _read_more(self, library: Library) -> None:
        self._add_full_artists(library.followed_artists)
        for time_range in TIME_RANGES:
            self._add_full_artists(library.top_artists(time_range))
            for track in library.top_tracks(time_range):
                self._add_track(track)
        for uri in self._catalogue:
            thing, *albums = _requested(library, uri)
            if isinstance(thing, Track):
                self._add_track(thing)
            elif isinstance(thing, Album):
                self._add_full_album(library, thing)
            else:
                self._add_full_artists([thing])
            for album in albums:
                assert isinstance(album, Album)
                self._add_album(album)

    def _add_episode(self, episode: Episode) -> None:
        self.episodes[episode.episode_id] = episode
        self.shows[episode.show.show_id] = episode.show

    def _add_full_album(self, library: Library, album: Album) -> None:
        self._add_album(album)
        self.full_albums.add(album.album_id)
        for track in library.album_tracks(album.album_id)[:_FIRST_PAGE_OF_ALBUM_TRACKS]:
            self.tracks[track.track_id] = track
            self._add_artists(track.artists)

    def _add_full_artists(self, artists: Iterable[Artist]) -> None:
        found = list(artists)
        self._add_artists(found)
        self.full_artists |= {artist.artist_id for artist in found}

    def _add_track(self, track: Track) -> None:
        self.tracks[track.track_id] = track
        self.full_tracks.add(track.track_id)
        self._add_album(track.album)
        self._add_artists(track.artists)

    def _add_album(self, album: Album) -> None:
        self.albums[album.album_id] = album
        self._add_artists(album.artists)

    def _add_artists(self, artists: Iterable[Artist]) -> None:
        self.artists |= {artist.artist_id: artist for artist in artists}


def _requested(library: Library, uri: str) -> list[Artist | Album | Track]:
    """What the catalogue's entry is, and the albums of an artist."""
    _, kind, name = uri.split(":")
    things: Mapping[str, Mapping[str, Artist | Album | Track]] = {
        "artist": library.artists,
        "album": library.albums,
        "track": library.tracks,
    }
    return [things[kind][name], *(library.artist_albums(name) if kind == "artist" else ())]


def _item(item: Item | None) -> Row:
    album_name = artist_name = None
    if isinstance(item, Track):
        album_name, artist_name = item.album.name, _first_name(item.artists)
    elif isinstance(item, LocalTrack):
        album_name, artist_name = item.album_name, item.artist_name
    return {
        "item_uri": item.uri if item else "",
        "item_type": item.type if item else None,
        "is_local": isinstance(item, LocalTrack),
        "is_available": item is not None,
        "track_id": item.track_id if isinstance(item, Track) else None,
        "artist_name": artist_name,
        "album_name": album_name,
        "duration_ms": item.duration_ms if item else None,
    }


def _first_name(artists: tuple[Artist, ...]) -> str | None:
    return artists[0].name if artists else None


def _image(images: tuple[Image, ...] | None) -> str | None:
    return images[0].url if images else None


def _year(release_date: str | None) -> int | None:
    return int((release_date or "")[:4] or 0) or None


def _day(release_date: str | None) -> date | None:
    try:
        return datetime.strptime(release_date or "", "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None
