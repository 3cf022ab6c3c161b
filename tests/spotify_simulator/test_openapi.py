"""Every answer of the simulator is as Spotify's OpenAPI file has it, but for deviations that are known and named."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spotify_simulator import Library
from spotify_simulator.model.saved import SAVED_KINDS
from spotify_simulator.web.endpoints import ENDPOINTS, Call, Endpoint
from spotify_simulator.web.removed import REMOVED
from spotify_simulator.web.user_shapes import UserShapes
from tests.spotify_simulator import openapi
from tests.spotify_simulator.spotify_session import SCOPES, library
from tests.thoroughness import sampled

SCHEMAS = {
    one.path: template
    for one in ENDPOINTS
    for template in openapi.paths()
    if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), f"/{one.path}")
}
"""Spotify's name of each endpoint that is modelled."""


class Reader:
    """Asks endpoints for all that they have, without a network between."""

    def __init__(self, served: Library, *, extended: bool) -> None:
        self._library = served
        self.extended = extended
        self._shapes = UserShapes("http://spotify.test/v1/", extended=extended, resume_points=True)

    def answers(self, endpoint: Endpoint) -> Iterator[Any]:
        """Every page for every id that the library gives a reason to ask for."""
        for ids in self._ids(endpoint.path):
            yield from self._pages(endpoint, ids)

    def _pages(self, endpoint: Endpoint, ids: Mapping[str, str]) -> Iterator[Any]:
        parameters = dict(self._parameters(endpoint))
        while True:
            answer = endpoint.answer(Call(self._library, self._shapes, frozenset(SCOPES), ids, parameters))
            yield answer
            page = answer["artists"] if endpoint.path == "me/following" else answer
            if not page.get("next"):
                return
            if "offset" in page:
                parameters["offset"] = str(page["offset"] + page["limit"])
            else:
                parameters |= {name: page["cursors"][name] for name in ("after", "before") if name in page["next"]}

    def _parameters(self, endpoint: Endpoint) -> Iterator[tuple[str, str]]:
        if "additional_types" in endpoint.parameters:
            yield "additional_types", "track,episode"
        if "type" in endpoint.parameters:
            yield "type", "artist"
        # Short lists in several pages.
        if endpoint.path in {"artists/<artist_id>/albums", *(kind.path for kind in SAVED_KINDS if kind.size)}:
            yield "limit", "3"

    def _ids(self, path: str) -> list[dict[str, str]]:
        one = self._library
        if "<playlist_id>" in path:
            playlists = one.readable_playlists if path.count("/") > 1 else one.playlists
            return [{"playlist_id": playlist.playlist_id} for playlist in playlists]
        if "<album_id>" in path:
            return [{"album_id": saved.item.album_id} for saved in one.saved_albums]
        if "<artist_id>" in path:
            return [{"artist_id": artist.artist_id} for artist in one.followed_artists]
        if "<track_id>" in path:
            return [{"track_id": saved.track.track_id} for saved in one.listed_saved_tracks]
        return [{}]


def modelled(*, extended: bool) -> list[Endpoint]:
    """The endpoints that answer; of two with the same path the first counts."""
    first = {one.path: one for one in reversed(ENDPOINTS)}
    return [one for path, one in first.items() if path in SCHEMAS and (extended or path not in REMOVED)]


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, bool], list[Any]]:
    """All answers by endpoint and quota mode, over days in which the listener hears all sorts of things."""
    found: dict[tuple[str, bool], list[Any]] = {}
    for extended in (False, True):
        served = library(playlists=20, saved_shows=25, saved_episodes=45)
        for endpoint in modelled(extended=extended):
            found[endpoint.path, extended] = list(Reader(served, extended=extended).answers(endpoint))
        plays = next(one for one in ENDPOINTS if one.path == "me/player/recently-played")
        for _ in range(4):
            served.evolve_to(served.moment + timedelta(hours=14))
            found[plays.path, extended] += Reader(served, extended=extended).answers(plays)
    return found


_ALBUMS = ("AlbumObject", "ArtistDiscographyAlbumObject", "SimplifiedAlbumObject")
_SHOW = "SimplifiedShowObject"
_PLAYLISTS = ("PlaylistObject", "SimplifiedPlaylistObject")
_IN_BOTH: dict[str, str] = {
    **{f"{album}.images: null": "seen, though the schema does not say so" for album in _ALBUMS},
    **{f"{album}.release_date: null": "reported by users" for album in (*_ALBUMS, "EpisodeObject")},
    **{f"{album}.release_date_precision: null": "reported by users" for album in (*_ALBUMS, "EpisodeObject")},
    **{f"{thing}.images: null": "as for albums" for thing in ("ArtistObject", "EpisodeObject", _SHOW, *_PLAYLISTS)},
    **{f"{playlist}.public: null": "the description says so" for playlist in _PLAYLISTS},
    **{f"{playlist}.primary_color: undocumented": "sent nevertheless" for playlist in _PLAYLISTS},
    **{
        f"{thing}.{name}: null": "a local file has no ids"
        for thing in ("SimplifiedAlbumObject", "SimplifiedArtistObject")
        for name in ("href", "id", "uri")
    },
    "TrackObject.href: null": "a local file has no ids",
    "TrackObject.id: null": "a local file has no ids",
    "SimplifiedAlbumObject.album_type: null": "a local file's album",
    "SimplifiedAlbumObject.release_date: missing": "a local file's album",
    "SimplifiedAlbumObject.release_date_precision: missing": "a local file's album",
    "SimplifiedAlbumObject.total_tracks: missing": "a local file's album",
    **{
        f"{item}.{name}: undocumented": "sent within playlists nevertheless"
        for item in ("TrackObject", "EpisodeObject")
        for name in ("track", "episode")
    },
    "PlaylistTrackObject.primary_color: undocumented": "sent nevertheless",
    "PlaylistTrackObject.video_thumbnail: undocumented": "sent nevertheless",
    "PlaylistTrackObject.added_at: null": "the description says so",
    "PlaylistTrackObject.added_by: null": "the description says so",
    "PagingPlaylistObject.items[]: null": "reported since November 2024",
    "PlaylistOwnerObject.href: null": "an owner may be unknown",
    "PlaylistOwnerObject.id: null": "an owner may be unknown",
    "PlaylistOwnerObject.uri: null": "an owner may be unknown",
    "PlaylistTracksRefObject.total: null": "reported by users",
    "CursorObject.after: null": "the last page of followed artists",
    "CursorPagingSimplifiedArtistObject.next: null": "the description says so",
    "CursorPagingPlayHistoryObject.next: null": "the description says so",
    "PlayHistoryObject.context: null": "what was played from nowhere",
    f"{_SHOW}.is_externally_hosted: null": "the description says so",
    "SimplifiedPlaylistObject.description: null": "reported by users",
    "SimplifiedPlaylistObject.id: no string": "malformed on purpose",
    "SavedTrackObject.added_at: no string": "malformed on purpose",
}
DEVIATIONS: dict[bool, dict[str, str]] = {
    False: _IN_BOTH
    | {
        "SimplifiedPlaylistObject.tracks: null": "renamed to items; null for some apps",
        "PlaylistTrackObject.item: null": "what Spotify does not have any more",
        "PlaylistTrackObject.item: unknown type": "clients are told to handle new types",
    },
    True: _IN_BOTH
    | {
        "PlaylistTrackObject.track: null": "what Spotify does not have any more",
        "PlaylistTrackObject.track: unknown type": "clients are told to handle new types",
    },
}
"""By whether the app is in extended quota mode: what is not as the schema says, and why it is so nevertheless."""

KINDS = {"me/top/tracks": {"track"}, "me/top/artists": {"artist"}, "playlists/<playlist_id>": {"track"}}
"""What is asked for of lists that may hold several kinds; the first pages of playlists happen to have tracks only."""
ANY = {"track", "episode"}
REMOVED_FIELDS = {
    "album_group", "available_markets", "country", "email", "explicit_content", "followers", "label", "linked_from",
    "popularity", "preview_url", "product", "publisher",
}  # fmt: skip
"""Parts of paths that Development Mode is not sent since February 2026."""
OTHER_SPELLING: dict[bool, dict[str, tuple[str, ...]]] = {
    False: {
        "me/playlists": ("items.tracks",),
        "playlists/<playlist_id>": ("tracks", "items.items.track"),
        "playlists/<playlist_id>/items": ("items.track",),
    },
    True: {
        "me/playlists": ("items.items",),
        "playlists/<playlist_id>": ("items", "tracks.items.item"),
        "playlists/<playlist_id>/items": ("items.item",),
        "playlists/<playlist_id>/tracks": ("items.item",),
    },
}
"""Where the schemas have a thing under two names, the one that a quota mode is not sent."""
_ALBUM_HAS_NOT = {"external_ids.ean", "external_ids.isrc", "genres"}
UNFILLED: dict[str, set[str]] = {
    "me": {"followers.href"},
    "me/tracks": {"items.track.external_ids.upc"},
    "me/albums": {*(f"items.album.{name}" for name in _ALBUM_HAS_NOT), "items.album.tracks.previous"},
    "me/following": {"artists.items.followers.href", "artists.cursors.before"},
    "me/top/tracks": {"items.external_ids.upc"},
    "me/top/artists": {"items.followers.href"},
    "me/player/recently-played": {
        "items.track.external_ids.upc",
        "items.track.external_ids.ean",
        "items.track.album.restrictions.reason",
        "total",
    },
    "playlists/<playlist_id>": {
        *(f"items.{name}" for name in ("previous", "items.item.external_ids.upc", "items.item.restrictions.reason")),
        *(f"tracks.{name}" for name in ("previous", "items.track.external_ids.upc", "items.track.restrictions.reason")),
        "tracks.items.track.preview_url",
    },
    "playlists/<playlist_id>/items": {"items.item.external_ids.upc", "items.track.external_ids.upc"},
    "playlists/<playlist_id>/tracks": {"items.track.external_ids.upc"},
    "albums/<album_id>": {*_ALBUM_HAS_NOT, "tracks.previous"},
    "artists/<artist_id>": {"followers.href"},
    "tracks/<track_id>": {"external_ids.upc"},
}
"""What no answer fills in either quota mode: ids of another kind of thing, what is always null or empty, the page
before the first one, and what only things have that are not on it: nobody plays what is restricted."""


def filled(value: Any, place: str = "") -> Iterator[str]:
    """The paths below a JSON value at which there is something; elements of a list share theirs."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from filled(inner, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for inner in value:
            yield from filled(inner, place)
    if value not in (None, "", [], {}):
        yield place


def is_sent(place: str, path: str, *, extended: bool) -> bool:
    """Whether a quota mode is sent what the schema has at a place."""
    if not extended and REMOVED_FIELDS & set(place.split(".")):
        return False
    others = OTHER_SPELLING[extended].get(path, ())
    return not any(place == other or place.startswith(f"{other}.") for other in others)


def test_schemas_are_of_the_endpoints_that_are_modelled() -> None:
    assert {one.path for one in modelled(extended=True)} == {one.path for one in ENDPOINTS} - (
        set(REMOVED) - SCHEMAS.keys()
    )
    assert set(SCHEMAS.values()) <= set(openapi.paths())


@pytest.mark.parametrize("extended", sampled([False, True]))
def test_answers_are_as_documented_but_for_known_deviations(
    answers: dict[tuple[str, bool], list[Any]], *, extended: bool
) -> None:
    found = {
        deviation
        for (path, mode), all_of_them in answers.items()
        for answer in all_of_them
        for deviation in openapi.deviations(answer, openapi.answer(SCHEMAS[path]))
        if mode == extended
    }
    if not extended:
        found -= {f"{one.rpartition('.')[0]}.{name}: missing" for one in found for name in REMOVED_FIELDS}
    assert found == set(DEVIATIONS[extended])


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("path", SCHEMAS)
def test_everything_documented_is_filled_somewhere(
    answers: dict[tuple[str, bool], list[Any]], path: str, *, extended: bool
) -> None:
    if (path, extended) not in answers:
        assert path in REMOVED
        return
    documented = set(openapi.documented(openapi.answer(SCHEMAS[path]), KINDS.get(path, ANY)))
    expected = {place for place in documented if is_sent(place, path, extended=extended)}
    found = {place for answer in answers[path, extended] for place in filled(answer)}
    assert expected - found == {place for place in UNFILLED.get(path, ()) if place in expected}


def test_development_mode_is_sent_no_removed_field(answers: dict[tuple[str, bool], list[Any]]) -> None:
    sent = {part for (_, extended), some in answers.items() if not extended for part in openapi.keys(some)}
    assert sent & REMOVED_FIELDS == {"preview_url"}


def test_schemas_are_taken_without_words_and_examples() -> None:
    script = runpy.run_path(str(Path(__file__).parents[2] / "scripts/openapi_schemas.py"))
    documented = {
        "type": "object",
        "description": "A page.",
        "required": ["next"],
        "properties": {
            "next": {"type": "string", "nullable": True, "example": "https://example.com"},
            "items": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/TrackObject"}]}},
        },
    }
    types = script["types_of"](documented)
    assert types == {
        "type": "object",
        "required": ["next"],
        "properties": {
            "next": {"type": "string", "nullable": True},
            "items": {"type": "array", "items": {"allOf": [{"ref": "TrackObject"}]}},
        },
    }
    assert script["references"](types) == {"TrackObject"}
    assert set(script["PATHS"]) == set(openapi.paths())
