"""The real spotipy reads the simulator: every list ends, and holds exactly what the model holds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
import spotipy

from spotify_simulator import Library, Simulator
from spotify_simulator.model.entities import LocalTrack
from spotify_simulator.model.holdings import MalformedPlaylist
from tests.spotify_simulator.spotify_session import START, Clock, access_token, all_pages, client, get, library, running
from tests.thoroughness import sampled


@dataclass
class Setting:
    library: Library
    clock: Clock
    simulator: Simulator
    spotify: spotipy.Spotify
    shape: str

    @property
    def entry_key(self) -> str:
        return "track" if self.shape == "extended" else "item"


@pytest.fixture(params=sampled(["development", "extended"]))
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    served, clock = library(), Clock()
    shape: Literal["development", "extended"] = request.param
    with running(served, clock, shape) as simulator, client(simulator) as spotify:
        yield Setting(served, clock, simulator, spotify, shape)
        assert simulator.unmodelled == []


def sent(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def test_profile(setting: Setting) -> None:
    answer = setting.spotify.me()
    profile = setting.library.profile
    assert (answer["account_id"], answer["id"]) == (profile.account_id, profile.user.user_id)
    assert answer["display_name"] == profile.user.display_name
    assert answer["images"][0]["url"] == profile.images[0].url


def test_saved_tracks_are_those_of_the_model(setting: Setting) -> None:
    elements = all_pages(setting.spotify, setting.spotify.current_user_saved_tracks(limit=50))
    assert [(each["track"]["uri"], each["added_at"]) for each in elements] == [
        (entry.track.uri, int(entry.added_at.timestamp()) if entry.malformed else sent(entry.added_at))
        for entry in setting.library.listed_saved_tracks
    ]
    assert len([one for one in setting.simulator.requests if one.path == "/v1/me/tracks"]) == 4
    assert [each["track"]["name"] for each in elements] == [
        entry.track.name for entry in setting.library.listed_saved_tracks
    ]


def test_saved_albums_are_those_of_the_model_with_all_their_tracks(setting: Setting) -> None:
    elements = all_pages(setting.spotify, setting.spotify.current_user_saved_albums(limit=20))
    assert [(each["album"]["id"], each["added_at"]) for each in elements] == [
        (entry.item.album_id, sent(entry.added_at)) for entry in setting.library.saved_albums
    ]
    assert any(each["album"]["tracks"]["next"] for each in elements)
    for each in elements:
        inner = all_pages(setting.spotify, each["album"]["tracks"])
        expected = setting.library.album_tracks(each["album"]["id"])
        assert [track["id"] for track in inner] == [track.track_id for track in expected]
        assert each["album"]["total_tracks"] == each["album"]["tracks"]["total"] == len(expected)


def test_listing_of_playlists_is_the_models_nulls_included(setting: Setting) -> None:
    elements = all_pages(setting.spotify, setting.spotify.current_user_playlists(limit=7))
    listed = setting.library.listed_playlists
    assert len(elements) == len(listed) == 16
    totals = "tracks" if setting.shape == "extended" else "items"
    for element, one in zip(elements, listed, strict=True):
        if one is None:
            assert element is None
        elif isinstance(one, MalformedPlaylist):
            assert not isinstance(element.get("id"), str)
        else:
            assert (element["id"], element["snapshot_id"]) == (one.playlist_id, one.snapshot_id)
            assert element["name"] == one.name
            assert element[totals]["total"] == one.total
            assert element["owner"]["id"] == one.owner.user_id


def test_entries_of_every_readable_playlist_are_those_of_the_model(setting: Setting) -> None:
    count = 0
    for playlist in setting.library.readable_playlists:
        page = setting.spotify.playlist_items(playlist.playlist_id, limit=50)
        elements = all_pages(setting.spotify, page)
        expected = setting.library.playlist_entries(playlist.playlist_id)
        items = [element[setting.entry_key] for element in elements]
        assert [item and item["uri"] for item in items] == [entry.item and entry.item.uri for entry in expected]
        assert [item and item["type"] for item in items] == [entry.item and entry.item.type for entry in expected]
        assert [element["added_at"] for element in elements] == [sent(entry.added_at) for entry in expected]
        assert [element["added_by"] and element["added_by"]["id"] for element in elements] == [
            entry.added_by for entry in expected
        ]
        assert [element["is_local"] for element in elements] == [
            isinstance(entry.item, LocalTrack) for entry in expected
        ]
        assert page["total"] == len(expected)
        count += len(elements)
    assert count > 400


def test_playlist_names_its_entries_only_to_who_may_read_them(setting: Setting) -> None:
    key = "tracks" if setting.shape == "extended" else "items"
    for playlist in setting.library.playlists:
        answer = setting.spotify.playlist(playlist.playlist_id, additional_types=("track", "episode"))
        assert answer["snapshot_id"] == playlist.snapshot_id
        assert (key in answer) == playlist.readable
        if playlist.readable:
            elements = all_pages(setting.spotify, answer[key])
            assert len(elements) == len(setting.library.playlist_entries(playlist.playlist_id))


def test_recently_played_is_fifty_plays_and_then_an_empty_page(setting: Setting) -> None:
    page = setting.spotify.current_user_recently_played(limit=50)
    assert [(each["track"]["uri"], each["played_at"]) for each in page["items"]] == [
        (play.track.uri, f"{play.played_at:%Y-%m-%dT%H:%M:%S}.{play.played_at.microsecond // 1000:03d}Z")
        for play in setting.library.recent_plays
    ]
    assert len(page["items"]) == 50
    assert [each["context"] and each["context"]["uri"] for each in page["items"]] == [
        play.context and play.context.uri for play in setting.library.recent_plays
    ]
    last = setting.spotify.next(page)
    assert (last["items"], last["next"], last["cursors"]) == ([], None, None)


def test_recently_played_by_cursor(setting: Setting) -> None:
    plays = setting.library.recent_plays
    first = setting.spotify.current_user_recently_played(limit=20)
    assert isinstance(first["cursors"]["before"], str)
    assert first["cursors"] == {
        "after": str(int(plays[0].played_at.timestamp() * 1000)),
        "before": str(int(plays[19].played_at.timestamp() * 1000)),
    }
    elements = all_pages(setting.spotify, first)
    assert [each["track"]["uri"] for each in elements] == [play.track.uri for play in plays]
    newer = setting.spotify.current_user_recently_played(after=first["cursors"]["before"])
    assert [each["track"]["uri"] for each in newer["items"]] == [play.track.uri for play in plays[:19]]
    assert newer["next"] is None


def test_library_evolves_with_the_clock_between_requests(setting: Setting) -> None:
    before = setting.spotify.current_user_saved_tracks()["items"][0]
    setting.clock.move(days=2)
    # The access token is too old by then.
    with client(setting.simulator) as spotify:
        after = spotify.current_user_saved_tracks()["items"][0]
    assert before["added_at"] < after["added_at"]
    assert setting.library.moment == START + timedelta(days=2)
    newest = setting.library.saved_tracks[0]
    assert (after["track"]["uri"], after["added_at"]) == (newest.track.uri, sent(newest.added_at))


def test_pages_know_their_neighbours(setting: Setting) -> None:
    page = setting.spotify.current_user_saved_tracks(limit=20, offset=30)
    base = f"{setting.simulator.api_url}me/tracks"
    assert page["href"] == f"{base}?offset=30&limit=20"
    assert page["next"] == f"{base}?offset=50&limit=20"
    assert page["previous"] == f"{base}?offset=10&limit=20"
    assert (page["limit"], page["offset"], page["total"]) == (20, 30, 200)
    beyond = setting.spotify.current_user_saved_tracks(limit=50, offset=1_000)
    assert (beyond["items"], beyond["next"], beyond["total"]) == ([], None, 200)


def test_next_page_of_a_playlist_repeats_the_other_parameters(setting: Setting) -> None:
    longest = max(setting.library.readable_playlists, key=lambda playlist: playlist.total or 0)
    page = setting.spotify.playlist_items(longest.playlist_id, limit=10)
    assert page["next"].endswith("/items?offset=10&limit=10&additional_types=track%2Cepisode")


def test_many_clients_at_once_are_served_right() -> None:
    with running() as simulator:
        token = access_token(simulator)

        def read(offset: int) -> list[Any]:
            params = {"limit": "10", "offset": str(offset)}
            return [each["track"]["uri"] for each in get(simulator, "me/tracks", token, params).json()["items"]]

        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(read, range(0, 200, 10)))
        assert [uri for page in pages for uri in page] == [
            entry.track.uri for entry in simulator.library.listed_saved_tracks
        ]


def test_log_has_every_request() -> None:
    clock = Clock()
    with running(clock=clock) as simulator, client(simulator) as spotify:
        spotify.me()
        clock.move(minutes=3)
        spotify.current_user_playlists(limit=2)
        assert [(one.at, one.method, one.path, one.params, one.status) for one in simulator.requests] == [
            (START, "POST", "/api/token", {}, 200),
            (START, "GET", "/v1/me/", {}, 200),
            (START + timedelta(minutes=3), "GET", "/v1/me/playlists", {"limit": "2", "offset": "0"}, 200),
        ]
        assert all(one.size > 100 for one in simulator.requests)


def test_simulator_starts_once_and_can_start_again() -> None:
    simulator = Simulator(library(), Clock())
    with pytest.raises(RuntimeError, match="not running"):
        _ = simulator.api_url
    simulator.start()
    with pytest.raises(RuntimeError, match="is running"):
        simulator.start()
    simulator.stop()
    simulator.stop()
    with simulator:
        assert get(simulator, "me").status_code == 200
