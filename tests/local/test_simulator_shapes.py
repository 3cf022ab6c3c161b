"""What the answers look like: every documented field occurs filled, and none that the app's quota mode does not get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
import spotipy

from local.spotify import Library
from tests.local.spotify_session import SCOPES, Clock, all_pages, client, library, running

Shape = Literal["development", "extended"]

URLS = ("external_urls.spotify", "href", "id", "type", "uri")
ARTIST = {*URLS, "name"}
IMAGE = {"url", "height", "width"}
ALBUM = {
    *URLS, "album_type", "name", "release_date", "release_date_precision", "total_tracks", "restrictions.reason",
    *(f"images.{name}" for name in IMAGE), *(f"artists.{name}" for name in ARTIST),
}  # fmt: skip
SIMPLIFIED_TRACK = {
    *URLS, "disc_number", "duration_ms", "explicit", "is_local", "is_playable", "name", "restrictions.reason",
    "track_number", *(f"artists.{name}" for name in ARTIST),
}  # fmt: skip
TRACK = {*SIMPLIFIED_TRACK, "external_ids.isrc", "external_ids.ean", *(f"album.{name}" for name in ALBUM)}
SHOW = {
    *URLS, "description", "explicit", "html_description", "languages", "media_type", "name", "total_episodes",
    *(f"images.{name}" for name in IMAGE),
}  # fmt: skip
EPISODE = {
    "audio_preview_url", "description", "duration_ms", "html_description", "is_externally_hosted", "language",
    "languages", "name", "release_date", "release_date_precision", "resume_point.fully_played",
    "resume_point.resume_position_ms", *(f"images.{name}" for name in IMAGE), *(f"show.{name}" for name in SHOW),
}  # fmt: skip
FULL_ALBUM = {
    *ALBUM, "copyrights.text", "copyrights.type", "external_ids.upc",
    *(f"tracks.{name}" for name in ("href", "limit", "next", "offset", "total")),
    *(f"tracks.items.{name}" for name in SIMPLIFIED_TRACK),
}  # fmt: skip
PLAYLIST = {
    *URLS, "collaborative", "description", "name", "primary_color", "public", "snapshot_id", "owner.display_name",
    *(f"owner.{name}" for name in URLS), *(f"images.{name}" for name in IMAGE),
}  # fmt: skip
ENTRY = {"added_at", "is_local", *(f"added_by.{name}" for name in URLS)}
PLAY = {"played_at", *(f"context.{name}" for name in ("type", "uri", "href", "external_urls.spotify"))}
PROFILE = {*URLS, "account_id", "display_name", *(f"images.{name}" for name in IMAGE)}

RARE = {"external_ids.ean", "restrictions.reason", "album.restrictions.reason"}
"""Only of tracks that nobody plays."""

DOCUMENTED: dict[str, set[str]] = {
    "profile": PROFILE,
    "playlists": {*PLAYLIST, "items.href", "items.total"},
    "playlist_items": {*ENTRY, *(f"item.{name}" for name in TRACK | EPISODE), "item.track", "item.episode"},
    "saved_tracks": {"added_at", *(f"track.{name}" for name in TRACK)},
    "saved_albums": {"added_at", *(f"album.{name}" for name in FULL_ALBUM)},
    "recently_played": {*PLAY, *(f"track.{name}" for name in TRACK - RARE)},
}
EXTENDED_TRACK = {"available_markets", "popularity", "album.available_markets"}
EXTENDED: dict[str, set[str]] = {
    "profile": {
        "country", "email", "product", "followers.total", "explicit_content.filter_enabled",
        "explicit_content.filter_locked",
    },
    "playlists": {"tracks.href", "tracks.total"},
    "playlist_items": {
        *(f"track.{name}" for name in EXTENDED_TRACK), "track.linked_from.id", "track.preview_url",
        "track.show.publisher", "track.show.available_markets",
    },
    "saved_tracks": {
        *(f"track.{name}" for name in EXTENDED_TRACK), "track.preview_url",
        *(f"track.linked_from.{name}" for name in URLS),
    },
    "saved_albums": {
        "album.available_markets", "album.label", "album.popularity", "album.tracks.items.available_markets",
    },
    "recently_played": {f"track.{name}" for name in EXTENDED_TRACK},
}  # fmt: skip


def filled(value: Any, path: str = "") -> Iterator[str]:
    """The paths below a JSON value that hold something; elements of a list share their path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from filled(inner, f"{path}.{name}" if path else name)
        if path and value:
            yield path
    elif isinstance(value, list):
        for inner in value:
            yield from filled(inner, path)
        if value:
            yield path
    elif value is not None and value != "":
        yield path


def keys(value: Any) -> Iterator[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def read_all(shape: Shape, scopes: tuple[str, ...] = SCOPES) -> dict[str, list[Any]]:
    served, clock = library(playlists=20), Clock()
    with running(served, clock, shape) as simulator:
        with client(simulator, scopes) as spotify:
            answers = read_lists(served, spotify)
        # Fifty plays do not have everything.
        for _ in range(4):
            clock.move(hours=14)
            with client(simulator, scopes) as spotify:
                answers["recently_played"] += spotify.current_user_recently_played()["items"]
        return answers


def read_lists(served: Library, spotify: spotipy.Spotify) -> dict[str, list[Any]]:
    return {
        "profile": [spotify.me()],
        "playlists": all_pages(spotify, spotify.current_user_playlists()),
        "playlist_items": [
            entry
            for playlist in served.readable_playlists
            for entry in all_pages(spotify, spotify.playlist_items(playlist.playlist_id))
        ],
        "saved_tracks": all_pages(spotify, spotify.current_user_saved_tracks(limit=50)),
        "saved_albums": all_pages(spotify, spotify.current_user_saved_albums(limit=50)),
        "recently_played": spotify.current_user_recently_played()["items"],
    }


@pytest.fixture(scope="module")
def development() -> dict[str, list[Any]]:
    return read_all("development")


@pytest.fixture(scope="module")
def extended() -> dict[str, list[Any]]:
    return read_all("extended")


@pytest.mark.parametrize("what", DOCUMENTED)
def test_every_documented_field_is_filled_somewhere(development: dict[str, list[Any]], what: str) -> None:
    assert DOCUMENTED[what] - set(filled(development[what])) == set()


@pytest.mark.parametrize("what", EXTENDED)
def test_extended_quota_mode_gets_the_other_fields_too(extended: dict[str, list[Any]], what: str) -> None:
    assert EXTENDED[what] - set(filled(extended[what])) == set()


def test_development_mode_gets_no_removed_field(development: dict[str, list[Any]]) -> None:
    removed = {
        "available_markets", "linked_from", "popularity", "label", "followers", "country", "email", "explicit_content",
        "product", "publisher", "album_group",
    }  # fmt: skip
    assert set(keys(development)) & removed == set()


def test_entries_are_spelt_as_the_quota_mode_says(
    development: dict[str, list[Any]], extended: dict[str, list[Any]]
) -> None:
    assert all("item" in entry and "track" not in entry for entry in development["playlist_items"])
    assert all("track" in entry and "item" not in entry for entry in extended["playlist_items"])
    listed = [element for element in development["playlists"] if element and "items" in element]
    assert {element.get("tracks", "absent") for element in listed} == {None, "absent"}
    assert all("items" not in element for element in extended["playlists"] if element)


def test_undocumented_keys_are_there(development: dict[str, list[Any]]) -> None:
    entries = development["playlist_items"]
    assert all({"primary_color", "video_thumbnail"} <= entry.keys() for entry in entries)
    marks = {
        (entry["item"]["track"], entry["item"]["episode"])
        for entry in entries
        if entry["item"] and "track" in entry["item"]
    }
    assert marks == {(True, False), (False, True)}


def test_local_file_has_no_ids(development: dict[str, list[Any]]) -> None:
    local = [entry["item"] for entry in development["playlist_items"] if entry["is_local"]]
    assert local
    for item in local:
        nothing = [item["id"], item["href"], item["album"]["id"], item["album"]["uri"], item["artists"][0]["id"]]
        assert nothing == [None] * 5
    assert {"spotify:local:David+Wise:Donkey+Kong+Country%3A+Tropical+Freeze:Snomads+Island:127"} < {
        item["uri"] for item in local
    }
    assert {"release_date" in item["album"] for item in local} == {True, False}


def test_resume_points_need_their_consent(development: dict[str, list[Any]]) -> None:
    without = read_all("development", tuple(scope for scope in SCOPES if scope != "user-read-playback-position"))
    assert "resume_point" in set(keys(development["playlist_items"]))
    assert "resume_point" not in set(keys(without))


def test_collection_as_context(development: dict[str, list[Any]]) -> None:
    contexts = [play["context"] for play in development["recently_played"]]
    assert None in contexts
    collection = next(one for one in contexts if one and one["type"] == "collection")
    assert collection["uri"].startswith("spotify:user:")
    assert collection["external_urls"] == {"spotify": "https://open.spotify.com/collection"}
