"""The real spotipy reads the rest: followed artists, top lists, shows, episodes and the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
import spotipy

from spotify_simulator import Library, Simulator
from spotify_simulator.model.top_lists import TIME_RANGES
from spotify_simulator.web.endpoints import ENDPOINTS
from spotify_simulator.web.removed import REMOVED
from tests.spotify_simulator.spotify_session import (
    SCOPES,
    START,
    Clock,
    access_token,
    all_pages,
    client,
    get,
    library,
    running,
)
from tests.thoroughness import sampled

UNKNOWN = "2ZONg885GRx1XlgcsNVzLk"
Shape = Literal["development", "extended"]


@pytest.fixture(scope="module", params=sampled(["development", "extended"]))
def simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    shape: Shape = request.param
    with running(library(followed_artists=70, saved_shows=22, saved_episodes=25), shape=shape) as running_one:
        yield running_one
        assert running_one.unmodelled == []


@pytest.fixture(scope="module")
def spotify(simulator: Simulator) -> Iterator[spotipy.Spotify]:
    with client(simulator) as one:
        yield one


def test_followed_artists_are_those_of_the_model(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    page = spotify.current_user_followed_artists(limit=50)["artists"]
    assert page["cursors"]["after"] == page["items"][-1]["id"]
    assert page["total"] == 70
    last = spotify.next(page)["artists"]
    assert (last["next"], last["cursors"], last["total"]) == (None, {"after": None}, 70)
    assert [artist["id"] for artist in page["items"] + last["items"]] == [
        artist.artist_id for artist in simulator.library.followed_artists
    ]
    assert len(spotify.current_user_followed_artists()["artists"]["items"]) == 20


def test_cursor_of_an_artist_that_is_followed_no_longer_still_stands(spotify: spotipy.Spotify) -> None:
    everybody = spotify.current_user_followed_artists(limit=50)["artists"]["items"]
    between = everybody[9]["id"][:-1] + ("z" if everybody[9]["id"][-1] != "z" else "0")
    following = spotify.current_user_followed_artists(after=between)["artists"]["items"]
    assert [artist["id"] for artist in following] == [artist["id"] for artist in everybody if artist["id"] > between][
        :20
    ]


@pytest.mark.parametrize("time_range", TIME_RANGES)
def test_top_lists_are_those_of_the_model(
    simulator: Simulator, spotify: spotipy.Spotify, time_range: Literal["short_term", "medium_term", "long_term"]
) -> None:
    tracks = all_pages(spotify, spotify.current_user_top_tracks(limit=50, time_range=time_range))
    artists = all_pages(spotify, spotify.current_user_top_artists(limit=50, time_range=time_range))
    assert [track["uri"] for track in tracks] == [track.uri for track in simulator.library.top_tracks(time_range)]
    assert [artist["uri"] for artist in artists] == [artist.uri for artist in simulator.library.top_artists(time_range)]
    assert len(tracks) > 50


def test_top_list_without_a_time_range_is_the_medium_one(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    for what in ("tracks", "artists"):
        answer = get(simulator, f"me/top/{what}").json()
        medium = get(simulator, f"me/top/{what}", params={"time_range": "medium_term"}).json()
        assert answer["items"] == medium["items"]
        assert get(simulator, f"me/top/{what}", params={"time_range": "ever"}).status_code == 400
    page = spotify.current_user_top_tracks(time_range="long_term")
    assert "time_range=long_term" in page["next"]


def test_saved_shows_and_episodes_are_those_of_the_model(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    shows = all_pages(spotify, spotify.current_user_saved_shows(limit=20))
    assert [(saved["show"]["id"], saved["added_at"]) for saved in shows] == [
        (saved.item.show_id, f"{saved.added_at:%Y-%m-%dT%H:%M:%SZ}") for saved in simulator.library.saved_shows
    ]
    episodes = all_pages(spotify, spotify.current_user_saved_episodes(limit=20))
    assert [(saved["episode"]["id"], saved["episode"]["show"]["id"]) for saved in episodes] == [
        (saved.item.episode_id, saved.item.show.show_id) for saved in simulator.library.saved_episodes
    ]
    assert (len(shows), len(episodes)) == (22, 25)


def test_tracks_albums_and_artists_by_id(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    one = simulator.library
    for saved in one.saved_tracks[:20]:
        assert spotify.track(saved.track.track_id)["name"] == saved.track.name
    for album in (saved.item for saved in one.saved_albums):
        answer = spotify.album(album.album_id)
        assert (answer["name"], answer["total_tracks"]) == (album.name, album.total_tracks)
        assert len(answer["tracks"]["items"]) == min(50, album.total_tracks)
        tracks = all_pages(spotify, answer["tracks"])
        assert [track["id"] for track in tracks] == [track.track_id for track in one.album_tracks(album.album_id)]
    for artist in one.followed_artists[:20]:
        answer = spotify.artist(artist.artist_id)
        assert (answer["name"], answer["genres"]) == (artist.name, list(artist.genres))


def test_albums_of_an_artist_are_those_of_the_model(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    busiest = max(simulator.library.artists, key=lambda one: len(simulator.library.artist_albums(one)))
    albums = simulator.library.artist_albums(busiest)
    elements = all_pages(spotify, spotify.artist_albums(busiest, limit=3))
    assert [element["id"] for element in elements] == [album.album_id for album in albums]
    own = [album for album in albums if busiest in {artist.artist_id for artist in album.artists}]
    assert albums[: len(own)] == own
    assert 0 < len(own) < len(albums)
    groups = [element.get("album_group") for element in elements]
    if "album_group" in elements[0]:
        assert groups == [album.album_type for album in own] + ["appears_on"] * (len(albums) - len(own))


@pytest.mark.parametrize(("shape", "default", "largest"), [("development", 5, 10), ("extended", 20, 50)])
def test_pages_of_an_artists_albums_are_small_for_new_apps(shape: Shape, default: int, largest: int) -> None:
    with running(shape=shape) as simulator:
        token = access_token(simulator)
        path = f"artists/{next(iter(simulator.library.artists))}/albums"
        assert get(simulator, path, token).json()["limit"] == default
        assert get(simulator, path, token, {"limit": str(largest)}).json()["limit"] == largest
        refused = get(simulator, path, token, {"limit": str(largest + 1)})
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, "Invalid limit")


@pytest.mark.parametrize("path", ["tracks/{}", "albums/{}", "albums/{}/tracks", "artists/{}", "artists/{}/albums"])
def test_ids_that_are_unknown_or_none(path: str) -> None:
    with running() as simulator:
        token = access_token(simulator)
        assert get(simulator, path.format(UNKNOWN), token).status_code == 404
        for wrong in ("any", UNKNOWN[:-1], UNKNOWN + "A", UNKNOWN[:-1] + "-"):
            refused = get(simulator, path.format(wrong), token)
            assert (refused.status_code, refused.json()["error"]["message"]) == (400, "Invalid base62 id")
        assert simulator.unmodelled == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "Missing required field: type"),
        ({"type": "user"}, "Invalid type"),
        ({"type": "artist", "after": "abc"}, "Invalid base62 id"),
        ({"type": "artist", "limit": "51"}, "Invalid limit"),
    ],
)
def test_followed_artists_must_be_asked_for_rightly(params: dict[str, str], message: str) -> None:
    with running() as simulator:
        refused = get(simulator, "me/following", params=params)
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, message)


def test_endpoints_that_new_apps_lost_are_refused_and_known() -> None:
    with running() as simulator, running(shape="extended") as extended:
        token, extended_token = access_token(simulator), access_token(extended)
        for path in REMOVED:
            address = path.replace("<", "").replace(">", "")
            refused = get(simulator, address, token, {"ids": f"{UNKNOWN},{UNKNOWN}"})
            assert (refused.status_code, refused.json()["error"]) == (403, {"status": 403, "message": "Forbidden"})
            get(extended, address, extended_token)
        assert simulator.unmodelled == []
        assert len(extended.unmodelled) == len(REMOVED) - 1
        assert not any("playlists/playlist_id/tracks" in one for one in extended.unmodelled)


def test_endpoints_that_no_user_stands_behind() -> None:
    assert {one.path for one in ENDPOINTS if not one.needs_user} - set(REMOVED) == {
        "tracks/<track_id>",
        "albums/<album_id>",
        "albums/<album_id>/tracks",
        "artists/<artist_id>",
        "artists/<artist_id>/albums",
    }


@pytest.mark.slow
def test_far_past_of_a_large_library_is_served_like_the_rest() -> None:
    large = Library.seeded(1, start=START, saved_tracks=1_000_000, playlists=0)
    with running(large, Clock()) as simulator, client(simulator, SCOPES) as spotify:
        page = spotify.current_user_saved_tracks(limit=50, offset=999_970)
        assert (len(page["items"]), page["next"], page["total"]) == (30, None, 1_000_000)
        assert [saved["track"]["id"] for saved in page["items"]] == [
            saved.track.track_id for saved in large.some_saved_tracks(999_970, 50)
        ]
        track = page["items"][-1]["track"]
        assert spotify.track(track["id"]) == track
        album = spotify.album(track["album"]["id"])
        assert track["id"] in {one["id"] for one in album["tracks"]["items"]}
        artist = track["artists"][0]["id"]
        assert spotify.artist(artist)["id"] == artist
        assert album["id"] in {one["id"] for one in spotify.artist_albums(artist, limit=10)["items"]}
