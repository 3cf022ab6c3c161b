"""The simulator refuses as Spotify does, and what it does not know it refuses loudly."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import requests
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyOauthError

from spotify_simulator import Fault, Simulator
from spotify_simulator.web.oauth import REFRESH_TOKEN_LIFE
from tests.spotify_simulator.spotify_session import SCOPES, Clock, access_token, client, get, library, oauth, running


def error_of(answer: requests.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["status"] == answer.status_code
    return answer.status_code, error["message"]


def test_access_token_is_good_for_an_hour() -> None:
    clock = Clock()
    with running(clock=clock) as simulator:
        token = access_token(simulator)
        clock.move(minutes=59, seconds=59)
        assert get(simulator, "me", token).status_code == 200
        clock.move(seconds=1)
        assert error_of(get(simulator, "me", token)) == (401, "The access token expired")


def test_wrong_and_missing_access_token() -> None:
    with running() as simulator:
        assert error_of(get(simulator, "me", "made-up")) == (401, "Invalid access token")
        bare = requests.get(f"{simulator.api_url}me", timeout=60)
        assert error_of(bare) == (401, "No token provided")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("me/playlists", "playlist-read-private"),
        ("playlists/any/items", "playlist-read-private"),
        ("me/tracks", "user-library-read"),
        ("me/albums", "user-library-read"),
        ("me/player/recently-played", "user-read-recently-played"),
        ("me/shows", "user-library-read"),
        ("me/episodes", "user-library-read"),
        ("me/following?type=artist", "user-follow-read"),
        ("me/top/tracks", "user-top-read"),
        ("me/top/artists", "user-top-read"),
    ],
)
def test_each_endpoint_needs_its_scope(path: str, scope: str) -> None:
    with running() as simulator:
        lacking = access_token(simulator, tuple(one for one in SCOPES if one != scope))
        assert error_of(get(simulator, path, lacking)) == (403, "Insufficient client scope")
        assert get(simulator, path, access_token(simulator, (scope,))).status_code != 403


def test_collaborative_playlists_are_listed_only_with_their_scope() -> None:
    with running() as simulator:
        with_it = get(simulator, "me/playlists").json()
        without = get(simulator, "me/playlists", access_token(simulator, ("playlist-read-private",))).json()
        assert any(one and one["collaborative"] for one in with_it["items"])
        assert not any(one and one["collaborative"] for one in without["items"])
        assert without["total"] < with_it["total"]


def test_entries_of_other_peoples_playlists_are_forbidden() -> None:
    with running() as simulator, client(simulator) as spotify:
        unreadable = [playlist for playlist in simulator.library.playlists if not playlist.readable]
        assert any(playlist.collaborative for playlist in unreadable)
        for playlist in unreadable:
            with pytest.raises(SpotifyException) as refused:
                spotify.playlist_items(playlist.playlist_id)
            assert refused.value.http_status == 403


def test_unknown_playlist_is_not_found() -> None:
    with running() as simulator:
        assert error_of(get(simulator, "playlists/2ZONg885GRx1XlgcsNVzLk/items"))[0] == 404
        assert error_of(get(simulator, "playlists/2ZONg885GRx1XlgcsNVzLk"))[0] == 404
        assert error_of(get(simulator, "albums/2ZONg885GRx1XlgcsNVzLk/tracks"))[0] == 404
        assert simulator.unmodelled == []


def test_refresh_token_dies_six_months_after_the_consent_however_often_it_is_used() -> None:
    clock = Clock()
    with running(clock=clock) as simulator:
        token = simulator.authorize(SCOPES)
        clock.move(days=REFRESH_TOKEN_LIFE.days - 1)
        auth = oauth(simulator, token)
        refreshed = auth.refresh_access_token(token)
        assert refreshed["refresh_token"] == token
        assert refreshed["expires_in"] == 3600
        clock.now += timedelta(days=1)
        with pytest.raises(SpotifyOauthError) as refused:
            auth.refresh_access_token(token)
        assert (refused.value.error, refused.value.error_description) == ("invalid_grant", "Refresh token expired")
        auth._session.close()


def test_refused_tokens() -> None:
    with running() as simulator:
        revoked = simulator.authorize(SCOPES)
        simulator.revoke(revoked)
        cases = [
            (revoked, None, "invalid_grant"),
            ("made-up", None, "invalid_grant"),
            (simulator.authorize(SCOPES), "wrong", "invalid_client"),
        ]
        for token, secret, error in cases:
            auth = oauth(simulator, token, secret)
            with pytest.raises(SpotifyOauthError) as refused:
                auth.refresh_access_token(token)
            assert refused.value.error == error
            auth._session.close()


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic !"}, {"Authorization": "Bearer YTpi"}])
def test_token_endpoint_knows_its_client(header: dict[str, str]) -> None:
    with running() as simulator:
        answer = requests.post(
            f"{simulator.accounts_url}api/token", data={"grant_type": "refresh_token"}, headers=header, timeout=60
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_other_grants_are_refused() -> None:
    with running() as simulator:
        answer = requests.post(
            f"{simulator.accounts_url}api/token",
            data={"grant_type": "password"},
            auth=(simulator.client_id, simulator.client_secret),
            timeout=60,
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("me/tracks", {"limit": "0"}, "Invalid limit"),
        ("me/tracks", {"limit": "51"}, "Invalid limit"),
        ("me/albums", {"limit": "many"}, "Invalid limit"),
        ("me/tracks", {"offset": "-1"}, "Invalid offset"),
        ("me/player/recently-played", {"limit": "51"}, "Invalid limit"),
        ("me/player/recently-played", {"before": "yesterday"}, "Invalid before"),
        ("me/player/recently-played", {"before": "1", "after": "1"}, "Only one of after and before may be specified"),
    ],
)
def test_bad_parameters(path: str, params: dict[str, str], message: str) -> None:
    with running() as simulator:
        assert error_of(get(simulator, path, params=params)) == (400, message)


@pytest.mark.parametrize("path", ["search?q=a", "me/player", "shows/2ZONg885GRx1XlgcsNVzLk", "me/audiobooks"])
def test_address_that_is_not_modelled_is_loud(path: str) -> None:
    with running() as simulator:
        status, message = error_of(get(simulator, path))
        assert status == 404
        assert message.startswith(f"The simulator does not model GET /v1/{path.partition('?')[0]}")
        assert simulator.unmodelled == [f"GET /v1/{path}"]


def test_parameter_and_method_that_are_not_modelled_are_loud() -> None:
    with running() as simulator:
        token = access_token(simulator)
        assert error_of(get(simulator, "me/tracks", token, {"market": "DE"}))[0] == 400
        deleted = requests.delete(
            f"{simulator.api_url}me/tracks", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        assert deleted.status_code == 404
        assert simulator.unmodelled == ["GET /v1/me/tracks?market=DE", "DELETE /v1/me/tracks"]


def test_episodes_must_be_asked_for() -> None:
    with running() as simulator:
        odd = max(
            simulator.library.readable_playlists,
            key=lambda one: sum(
                entry.item is not None and entry.item.type == "episode"
                for entry in simulator.library.playlist_entries(one.playlist_id)
            ),
        )
        path = f"playlists/{odd.playlist_id}/items"
        pages = [{"limit": "50", "offset": str(offset)} for offset in range(0, odd.total or 0, 50)]
        refused = [answer for page in pages if (answer := get(simulator, path, params=page)).status_code == 400]
        assert "additional_types=track,episode" in error_of(refused[0])[1]
        both = {"additional_types": "track,episode"}
        assert [get(simulator, path, params=page | both).status_code for page in pages] == [200] * len(pages)
        assert len(simulator.unmodelled) == len(refused)


def test_removed_path_answers_only_in_extended_quota_mode() -> None:
    with running(shape="extended") as simulator:
        own = simulator.library.readable_playlists[0]
        params = {"additional_types": "track,episode"}
        old = get(simulator, f"playlists/{own.playlist_id}/tracks", params=params)
        assert old.json() == get(simulator, f"playlists/{own.playlist_id}/items", params=params).json()


def statuses(simulator: Simulator, path: str, times: int) -> list[int]:
    token = access_token(simulator)
    return [get(simulator, path, token).status_code for _ in range(times)]


def test_fault_strikes_the_chosen_requests() -> None:
    with running() as simulator:
        simulator.faults.append(
            Fault("/me/tracks", nth=(2, 4), status=503, body="<html>", headers={"Retry-After": "7"})
        )
        assert statuses(simulator, "me/tracks", 5) == [200, 503, 200, 503, 200]
        assert statuses(simulator, "me/albums", 2) == [200, 200]
        simulator.faults[:] = [Fault("/me/tracks", status=429, body='{"error": 1}', headers={"Retry-After": "7"})]
        answer = get(simulator, "me/tracks")
        assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (429, "7", {"error": 1})
        assert simulator.requests[-1].status == 429
        simulator.faults.clear()
        assert statuses(simulator, "me/tracks", 1) == [200]


def test_fault_breaks_the_connection() -> None:
    with running() as simulator:
        token = access_token(simulator)
        simulator.faults.append(Fault("/me", nth=[1], action="reset"))
        with pytest.raises(requests.ConnectionError):
            get(simulator, "me", token)
        assert simulator.requests[-1].status == 0
        assert get(simulator, "me", token).status_code == 200


def test_fault_of_the_token_endpoint() -> None:
    with running() as simulator:
        simulator.faults.append(Fault("/api/token", status=502, body="<html>Bad gateway</html>"))
        token = simulator.authorize(SCOPES)
        auth = oauth(simulator, token)
        with pytest.raises(SpotifyOauthError):
            auth.refresh_access_token(token)
        auth._session.close()


def test_nothing_is_left_running() -> None:
    before = set(threading.enumerate())
    with running(library(saved_tracks=5, playlists=1)) as simulator:
        get(simulator, "me")
    left: list[Any] = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    assert left == []
