"""Quotas lock their own group of addresses, say so as Spotify does, and end in simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import requests
from spotipy.exceptions import SpotifyException

from spotify_simulator import FAULTS, Quota, Simulator
from tests.spotify_simulator.spotify_session import Clock, access_token, client, get, library, running


@dataclass
class Setting:
    simulator: Simulator
    clock: Clock
    token: str

    def ask(self, path: str, times: int = 1) -> list[int]:
        return [self.answer(path).status_code for _ in range(times)]

    def answer(self, path: str) -> requests.Response:
        return get(self.simulator, path, self.token)


@pytest.fixture
def setting() -> Iterator[Setting]:
    clock = Clock()
    small = library(saved_tracks=60, playlists=2, saved_albums=3, plays_per_day=5, oddities=False)
    with running(small, clock) as simulator:
        yield Setting(simulator, clock, access_token(simulator))


def test_a_quota_that_is_used_up_locks_its_group_and_no_other(setting: Setting) -> None:
    quota = Quota("playlists", ["me/playlists", "playlists/"], 3)
    setting.simulator.quotas.append(quota)
    playlist = setting.simulator.library.playlists[0].playlist_id
    assert setting.ask("me/playlists", 2) == [200, 200]
    assert setting.ask(f"playlists/{playlist}") == [200]
    refused = setting.answer("me/playlists")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "86400")
    assert refused.json() == {
        "error": {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"},
    }
    assert quota.refused_while_locked == 0, "nobody could know before the first refusal"
    assert setting.ask("me/tracks", 4) == [200] * 4
    assert setting.ask(f"playlists/{playlist}") == [429]
    assert quota.refused_while_locked == 1
    assert [(one.quota, one.status) for one in setting.simulator.requests[-6:]] == [
        ("playlists", 429),
        *[(None, 200)] * 4,
        ("playlists", 429),
    ]


def test_spotipy_is_told_the_reason_and_the_wait(setting: Setting) -> None:
    setting.simulator.quotas.append(Quota("tracks", ["me/tracks"], 0, lock=timedelta(hours=6)))
    with client(setting.simulator) as spotify:
        with pytest.raises(SpotifyException) as refused:
            spotify.current_user_saved_tracks()
        assert (refused.value.http_status, refused.value.reason) == (429, "QUOTA_EXCEEDED")
        assert refused.value.headers["Retry-After"] == "21600"


def test_the_wait_grows_shorter_and_whoever_waits_that_long_is_served_anew(setting: Setting) -> None:
    quota = Quota("tracks", ["me/tracks"], 2, lock=timedelta(minutes=40))
    setting.simulator.quotas.append(quota)
    assert setting.ask("me/tracks", 3) == [200, 200, 429]
    setting.clock.move(minutes=10, milliseconds=1)
    assert setting.answer("me/tracks").headers["Retry-After"] == "1800"
    setting.clock.move(seconds=1800)
    assert setting.ask("me/tracks", 3) == [200, 200, 429]
    assert quota.refused_while_locked == 1


def test_a_quota_may_keep_silent_about_the_wait_and_lock_only_so_often(setting: Setting) -> None:
    setting.simulator.quotas.append(Quota("me", ["me/?$"], 1, timedelta(minutes=1), retry_after=False, locks=1))
    assert setting.ask("me") == [200]
    assert "Retry-After" not in setting.answer("me").headers
    setting.clock.move(minutes=1)
    assert setting.ask("me", 5) == [200] * 5


def test_a_rate_limit_counts_the_last_seconds_only(setting: Setting) -> None:
    half_minute = timedelta(seconds=30)
    rate = Quota("rate", [""], 3, timedelta(seconds=5), window=half_minute, kind="rate")
    setting.simulator.quotas.append(rate)
    for _ in range(4):
        assert setting.ask("me/tracks") == [200]
        setting.clock.move(seconds=10)
    assert setting.ask("me/tracks", 2) == [200, 429]
    refused = setting.answer("me/albums")
    assert (refused.headers["Retry-After"], refused.json()) == (
        "5",
        {"error": {"status": 429, "message": "API rate limit exceeded"}},
    )
    setting.clock.move(seconds=5)
    rate.plain_text = True
    assert setting.ask("me/tracks", 4) == [200, 200, 200, 429]
    assert setting.answer("me").text == "Too many requests"


def test_a_request_that_one_group_refuses_counts_in_none(setting: Setting) -> None:
    narrow, wide = Quota("narrow", ["me/tracks"], 1), Quota("wide", ["me"], 3)
    setting.simulator.quotas += [narrow, wide]
    assert setting.ask("me/tracks", 4) == [200, 429, 429, 429]
    assert setting.ask("me/albums", 3) == [200, 200, 429]
    assert setting.simulator.requests[-1].quota == "wide"
    assert (narrow.refused_while_locked, wide.refused_while_locked) == (2, 0)


def test_a_request_without_a_good_token_uses_nothing_up(setting: Setting) -> None:
    setting.simulator.quotas.append(Quota("all", [""], 1))
    assert [get(setting.simulator, "me", "made-up").status_code for _ in range(3)] == [401] * 3
    assert setting.ask("me", 2) == [200, 429]


def test_a_fault_does_not_hide_a_request_to_a_locked_group(setting: Setting) -> None:
    quota = Quota("tracks", ["me/tracks"], 0)
    setting.simulator.quotas.append(quota)
    assert setting.ask("me/tracks") == [429]
    setting.simulator.faults.append(FAULTS["error_502_html"]("me/tracks"))
    assert setting.ask("me/tracks") == [502]
    assert quota.refused_while_locked == 1
