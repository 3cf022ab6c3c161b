"""The endpoints of the Web API that are modelled: address, consent, parameters and answer of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from local.spotify.entities import Album, Episode
from local.spotify.errors import ApiError, UnmodelledError
from local.spotify.holdings import Play, Playlist, PlaylistEntry
from local.spotify.library import Library
from local.spotify.paging import LARGEST_LIMIT, cursor_of, fixed_offset_page, limit_of, offset_page
from local.spotify.shapes import Json
from local.spotify.user_shapes import UserShapes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READ_PLAYLISTS = "playlist-read-private"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Call:
    """One request to an endpoint, already authorized."""

    library: Library
    shapes: UserShapes
    scopes: frozenset[str]
    ids: Mapping[str, str]
    """Variable parts of the address."""
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    """One address of the Web API."""

    path: str
    """Below `/v1/`, as a rule of werkzeug."""
    answer: Callable[[Call], Json]
    parameters: frozenset[str] = frozenset()
    scope: str | None = None
    extended_only: bool = False


def _profile(call: Call) -> Json:
    return call.shapes.profile(call.library.profile)


def _playlists(call: Call) -> Json:
    listed = call.library.listed_playlists
    if "playlist-read-collaborative" not in call.scopes:
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
    """Return what makes a page of a playlist's entries."""
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
    playlist = call.library.playlist(call.ids["playlist_id"])
    if playlist is None:
        raise ApiError(404, "Resource not found")
    return playlist


def _saved_tracks(call: Call) -> Json:
    return offset_page(
        f"{call.shapes.api_url}me/tracks",
        call.parameters,
        call.library.saved_track_count,
        call.library.some_saved_tracks,
        call.shapes.saved_track,
    )


def _saved_albums(call: Call) -> Json:
    return offset_page(
        f"{call.shapes.api_url}me/albums",
        call.parameters,
        call.library.saved_album_count,
        call.library.some_saved_albums,
        lambda entry: call.shapes.saved_album(entry, _first_tracks(entry.album, call)),
    )


def _first_tracks(album: Album, call: Call) -> Json:
    tracks = call.library.album_tracks(album.album_id)
    url = f"{call.shapes.api_url}albums/{album.album_id}/tracks"
    return fixed_offset_page(url, {}, len(tracks), _slices(tracks), call.shapes.simplified_track, 0, LARGEST_LIMIT)


def _album_tracks(call: Call) -> Json:
    album_id = call.ids["album_id"]
    if album_id not in call.library.albums:
        raise ApiError(404, "Resource not found")
    tracks = call.library.album_tracks(album_id)
    url = f"{call.shapes.api_url}albums/{album_id}/tracks"
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
        # A full page names a next one even where nothing follows, and that one is empty.
        "next": f"{url}?{urlencode({'before': oldest, 'limit': limit})}" if len(plays) == limit else None,
        "cursors": {"after": str(_cursor(plays[0])), "before": oldest} if plays else None,
        "limit": limit,
        "href": f"{url}?{urlencode(call.parameters)}" if call.parameters else url,
    }


def _cursor(play: Play) -> int:
    return (play.played_at - _EPOCH) // timedelta(milliseconds=1)


def _slices(things: Sequence[_T]) -> Callable[[int, int], Sequence[_T]]:
    return lambda offset, limit: things[offset : offset + limit]


_PAGED = frozenset({"limit", "offset"})
_ITEMS = _PAGED | {"additional_types"}

ENDPOINTS = (
    Endpoint("me", _profile),
    Endpoint("me/playlists", _playlists, _PAGED, _READ_PLAYLISTS),
    Endpoint("me/tracks", _saved_tracks, _PAGED, "user-library-read"),
    Endpoint("me/albums", _saved_albums, _PAGED, "user-library-read"),
    Endpoint(
        "me/player/recently-played",
        _recently_played,
        frozenset({"limit", "after", "before"}),
        "user-read-recently-played",
    ),
    Endpoint("playlists/<playlist_id>", _playlist, frozenset({"additional_types"})),
    Endpoint("playlists/<playlist_id>/items", _playlist_items, _ITEMS, _READ_PLAYLISTS),
    Endpoint("playlists/<playlist_id>/tracks", _playlist_items, _ITEMS, _READ_PLAYLISTS, extended_only=True),
    Endpoint("albums/<album_id>/tracks", _album_tracks, _PAGED),
)
