"""The modelled endpoints of the Web API: path, scope, parameters and response of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from spotify_simulator.model.entities import Album, Artist, Episode
from spotify_simulator.model.holdings import Play, Playlist, PlaylistEntry
from spotify_simulator.model.library import Library
from spotify_simulator.model.saved import SAVED_KINDS, Saved, SavedKind, T
from spotify_simulator.model.top_lists import TIME_RANGES, TimeRange
from spotify_simulator.web.errors import ApiError, UnmodelledError
from spotify_simulator.web.paging import (
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    cursor_of,
    fixed_offset_page,
    limit_of,
    offset_of,
    offset_page,
)
from spotify_simulator.web.removed import REMOVED, REMOVED_PARAMETERS
from spotify_simulator.web.shapes import SAVED_SHAPES, Json
from spotify_simulator.web.user_shapes import UserShapes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READ_PLAYLISTS = "playlist-read-private"
_READ_COLLABORATIVE = "playlist-read-collaborative"
_ID = re.compile("[0-9A-Za-z]{22}")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Call:
    """One request to an endpoint, already authorized."""

    library: Library
    shapes: UserShapes
    scopes: frozenset[str]
    ids: Mapping[str, str]
    """Variable parts of the path."""
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the Web API."""

    path: str
    """Below `/v1/`, as a werkzeug rule."""
    answer: Callable[[Call], Json]
    parameters: frozenset[str] = frozenset()
    scope: str | None = None
    extended_only: bool = False
    needs_user: bool = True
    """Whether it refuses an app without a user's consent."""


def _profile(call: Call) -> Json:
    return call.shapes.profile(call.library.profile)


def _playlists(call: Call) -> Json:
    listed = call.library.listed_playlists
    if _READ_COLLABORATIVE not in call.scopes:
        listed = tuple(one for one in listed if not (isinstance(one, Playlist) and one.collaborative))
    return offset_page(
        f"{call.shapes.api_url}me/playlists", call.parameters, len(listed), _slices(listed), call.shapes.listed_playlist
    )


def _playlist(call: Call) -> Json:
    playlist = _known_playlist(call)
    if not playlist.readable or _READ_PLAYLISTS not in call.scopes:
        return call.shapes.full_playlist(playlist, None)
    page = fixed_offset_page(*_entries_of(playlist, call), 0, LARGEST_LIMIT)
    return call.shapes.full_playlist(playlist, page)


def _playlist_items(call: Call) -> Json:
    playlist = _known_playlist(call)
    if not playlist.readable:
        raise ApiError(403, "Forbidden")
    return offset_page(*_entries_of(playlist, call))


def _entries_of(
    playlist: Playlist, call: Call
) -> tuple[str, Mapping[str, str], int, Callable[[int, int], Sequence[PlaylistEntry]], Callable[[PlaylistEntry], Json]]:
    """Return the arguments for a page of a playlist's entries."""
    kinds = call.parameters.get("additional_types", "").split(",")

    def shape(entry: PlaylistEntry) -> Json:
        if isinstance(entry.item, Episode) and "episode" not in kinds:
            raise UnmodelledError("episodes in playlists without additional_types=track,episode", 400)
        return call.shapes.playlist_entry(entry)

    return (
        f"{call.shapes.api_url}playlists/{playlist.playlist_id}/items",
        call.parameters,
        playlist.total or 0,
        lambda offset, limit: call.library.some_playlist_entries(playlist.playlist_id, offset, limit),
        shape,
    )


def _known_playlist(call: Call) -> Playlist:
    return _known(call.library.playlist(_id(call, "playlist_id")))


def _known(thing: _T | None) -> _T:
    if thing is None:
        raise ApiError(404, "Resource not found")
    return thing


def _id(call: Call, name: str) -> str:
    return _base62(call.ids[name])


def _base62(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ApiError(400, "Invalid base62 id")
    return text


def _saved_tracks(call: Call) -> Json:
    return offset_page(
        f"{call.shapes.api_url}me/tracks",
        call.parameters,
        call.library.saved_track_count,
        call.library.some_saved_tracks,
        call.shapes.saved_track,
    )


def _saved(kind: SavedKind[T]) -> Callable[[Call], Json]:
    def answer(call: Call) -> Json:
        saved = call.library.saved(kind)

        def element(one: Saved[T]) -> Json:
            item = (
                _saved_album(call, one.item)
                if isinstance(one.item, Album)
                else SAVED_SHAPES[kind.name](call.shapes, one.item)
            )
            return call.shapes.saved(one, kind.key, item)

        return offset_page(f"{call.shapes.api_url}{kind.path}", call.parameters, len(saved), _slices(saved), element)

    return answer


def _saved_album(call: Call, album: Album) -> Json:
    return call.shapes.full_album(album, _first_tracks(album, call))


def _first_tracks(album: Album, call: Call) -> Json:
    tracks = call.library.album_tracks(album.album_id)
    url = f"{call.shapes.api_url}albums/{album.album_id}/tracks"
    return fixed_offset_page(url, {}, len(tracks), _slices(tracks), call.shapes.simplified_track, 0, LARGEST_LIMIT)


def _followed_artists(call: Call) -> Json:
    if call.parameters.get("type") != "artist":
        raise ApiError(400, "Invalid type" if "type" in call.parameters else "Missing required field: type")
    limit = limit_of(call.parameters)
    after = _base62(call.parameters["after"]) if "after" in call.parameters else ""
    followed = call.library.followed_artists
    following = [artist for artist in followed if artist.artist_id > after]
    url = f"{call.shapes.api_url}me/following"
    last = following[limit - 1].artist_id if len(following) > limit else None
    return {
        "artists": {
            "href": f"{url}?{urlencode(call.parameters)}",
            "items": [call.shapes.full_artist(artist) for artist in following[:limit]],
            "limit": limit,
            "next": last and f"{url}?{urlencode({'type': 'artist', 'after': last, 'limit': limit})}",
            "cursors": {"after": last},
            "total": len(followed),
        }
    }


def _top_tracks(call: Call) -> Json:
    tracks = call.library.top_tracks(_time_range(call))
    url = f"{call.shapes.api_url}me/top/tracks"
    return offset_page(url, call.parameters, len(tracks), _slices(tracks), call.shapes.track)


def _top_artists(call: Call) -> Json:
    artists = call.library.top_artists(_time_range(call))
    url = f"{call.shapes.api_url}me/top/artists"
    return offset_page(url, call.parameters, len(artists), _slices(artists), call.shapes.full_artist)


def _time_range(call: Call) -> TimeRange:
    asked = call.parameters.get("time_range", "medium_term")
    for time_range in TIME_RANGES:
        if asked == time_range:
            return time_range
    raise ApiError(400, "Invalid time range")


def _artist(call: Call) -> Json:
    return call.shapes.full_artist(_known_artist(call))


def _artist_albums(call: Call) -> Json:
    artist = _known_artist(call)
    albums = call.library.artist_albums(artist.artist_id)
    default, largest = (DEFAULT_LIMIT, LARGEST_LIMIT) if call.shapes.extended else (5, 10)
    return fixed_offset_page(
        f"{call.shapes.api_url}artists/{artist.artist_id}/albums",
        call.parameters,
        len(albums),
        _slices(albums),
        lambda album: call.shapes.artists_album(album, artist),
        offset_of(call.parameters),
        limit_of(call.parameters, default, largest),
    )


def _known_artist(call: Call) -> Artist:
    return _known(call.library.artist(_id(call, "artist_id")))


def _track(call: Call) -> Json:
    return call.shapes.track(_known(call.library.track(_id(call, "track_id"))))


def _album(call: Call) -> Json:
    album = _known(call.library.album(_id(call, "album_id")))
    return call.shapes.full_album(album, _first_tracks(album, call))


def _album_tracks(call: Call) -> Json:
    album = _known(call.library.album(_id(call, "album_id")))
    tracks = call.library.album_tracks(album.album_id)
    url = f"{call.shapes.api_url}albums/{album.album_id}/tracks"
    return offset_page(url, call.parameters, len(tracks), _slices(tracks), call.shapes.simplified_track)


def _recently_played(call: Call) -> Json:
    limit = limit_of(call.parameters)
    after, before = cursor_of(call.parameters, "after"), cursor_of(call.parameters, "before")
    if after is not None and before is not None:
        raise ApiError(400, "Only one of after and before may be specified")
    plays = [
        play
        for play in call.library.recent_plays
        if (after is None or _cursor(play) > after) and (before is None or _cursor(play) < before)
    ][:limit]
    url = f"{call.shapes.api_url}me/player/recently-played"
    oldest = str(_cursor(plays[-1])) if plays else None
    return {
        "items": [call.shapes.play(play) for play in plays],
        # A full page always has a next one, which may be empty.
        "next": f"{url}?{urlencode({'before': oldest, 'limit': limit})}" if len(plays) == limit else None,
        "cursors": {"after": str(_cursor(plays[0])), "before": oldest} if plays else None,
        "limit": limit,
        "href": f"{url}?{urlencode(call.parameters)}" if call.parameters else url,
    }


def _removed(call: Call) -> Json:
    if call.shapes.extended:
        raise UnmodelledError("this endpoint, which only apps in extended quota mode may call", 404)
    raise ApiError(403, "Forbidden")


def _cursor(play: Play) -> int:
    return (play.played_at - _EPOCH) // timedelta(milliseconds=1)


def _slices(things: Sequence[_T]) -> Callable[[int, int], Sequence[_T]]:
    return lambda offset, limit: things[offset : offset + limit]


_PAGED = frozenset({"limit", "offset"})
_ITEMS = _PAGED | {"additional_types"}
_TOP = _PAGED | {"time_range"}
ENDPOINTS = (
    Endpoint("me", _profile),
    Endpoint("me/playlists", _playlists, _PAGED, _READ_PLAYLISTS),
    Endpoint("me/tracks", _saved_tracks, _PAGED, "user-library-read"),
    *(Endpoint(kind.path, _saved(kind), _PAGED, "user-library-read") for kind in SAVED_KINDS if kind.path),
    Endpoint(
        "me/player/recently-played",
        _recently_played,
        frozenset({"limit", "after", "before"}),
        "user-read-recently-played",
    ),
    Endpoint("playlists/<playlist_id>", _playlist, frozenset({"additional_types"})),
    Endpoint("playlists/<playlist_id>/items", _playlist_items, _ITEMS, _READ_PLAYLISTS),
    Endpoint("playlists/<playlist_id>/tracks", _playlist_items, _ITEMS, _READ_PLAYLISTS, extended_only=True),
    Endpoint("me/following", _followed_artists, frozenset({"type", "limit", "after"}), "user-follow-read"),
    Endpoint("me/top/tracks", _top_tracks, _TOP, "user-top-read"),
    Endpoint("me/top/artists", _top_artists, _TOP, "user-top-read"),
    Endpoint("artists/<artist_id>", _artist, needs_user=False),
    Endpoint("artists/<artist_id>/albums", _artist_albums, _PAGED, needs_user=False),
    Endpoint("albums/<album_id>", _album, needs_user=False),
    Endpoint("albums/<album_id>/tracks", _album_tracks, _PAGED, needs_user=False),
    Endpoint("tracks/<track_id>", _track, needs_user=False),
    # The first of two with the same path counts: in extended quota mode nothing was removed.
    *(Endpoint(path, _removed, REMOVED_PARAMETERS, needs_user=False) for path in REMOVED),
)

RESUME_POINTS_SCOPE = "user-read-playback-position"
"""Without it, shows and episodes are sent without the user's position in them."""

SCOPES = tuple(sorted({_READ_COLLABORATIVE, RESUME_POINTS_SCOPE, *(one.scope for one in ENDPOINTS if one.scope)}))
"""Every scope that affects a response."""
