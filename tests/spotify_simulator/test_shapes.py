"""What the answers look like in what Spotify's schemas do not say; what they say is test_openapi's."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import spotipy

from spotify_simulator import Library
from tests.spotify_simulator.openapi import keys
from tests.spotify_simulator.spotify_session import SCOPES, Clock, all_pages, client, library, running

Shape = Literal["development", "extended"]


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
        "playlists": all_pages(spotify, spotify.current_user_playlists()),
        "playlist_items": [
            entry
            for playlist in served.readable_playlists
            for entry in all_pages(spotify, spotify.playlist_items(playlist.playlist_id))
        ],
        "saved_episodes": all_pages(spotify, spotify.current_user_saved_episodes(limit=50)),
        "recently_played": spotify.current_user_recently_played()["items"],
    }


@pytest.fixture(scope="module")
def development() -> dict[str, list[Any]]:
    return read_all("development")


@pytest.fixture(scope="module")
def extended() -> dict[str, list[Any]]:
    return read_all("extended")


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
    assert all("resume_point" in saved["episode"] for saved in development["saved_episodes"])
    assert "resume_point" in set(keys(development["playlist_items"]))
    assert "resume_point" not in set(keys(without))


def test_collection_as_context(development: dict[str, list[Any]]) -> None:
    contexts = [play["context"] for play in development["recently_played"]]
    assert None in contexts
    collection = next(one for one in contexts if one and one["type"] == "collection")
    assert collection["uri"].startswith("spotify:user:")
    assert collection["external_urls"] == {"spotify": "https://open.spotify.com/collection"}
