"""Every fault of the catalogue is what it says, met by the real spotipy and requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import spotipy
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyOauthError

from spotify_simulator import FAULTS, Simulator
from spotify_simulator.web.faults import Fault
from tests.spotify_simulator.spotify_session import SCOPES, access_token, client, get, library, oauth, running

API = [name for name in FAULTS if not name.startswith("token_")]
TOKEN = [name for name in FAULTS if name.startswith("token_")]


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    small = library(saved_tracks=60, playlists=2, saved_albums=3, plays_per_day=5, oddities=False)
    with running(small) as simulator:
        yield simulator


@pytest.fixture
def simulator(served: Simulator) -> Iterator[Simulator]:
    yield served
    served.faults.clear()


@pytest.fixture
def spotify(simulator: Simulator) -> Iterator[spotipy.Spotify]:
    with client(simulator) as spotify:
        spotify.me()
        yield spotify


def refusal(status: int, said: str, retry_after: str | None = None, reason: str | None = None) -> Callable[..., None]:
    def check(spotify: spotipy.Spotify) -> None:
        with pytest.raises(SpotifyException) as refused:
            spotify.current_user_saved_tracks()
        error = refused.value
        assert error.http_status == status
        assert said in error.msg
        assert (error.headers.get("Retry-After"), error.reason) == (retry_after, reason)

    return check


def raises(kind: type[Exception]) -> Callable[..., None]:
    def check(spotify: spotipy.Spotify) -> None:
        with pytest.raises(kind) as broken:
            spotify.current_user_saved_tracks()
        assert type(broken.value) is kind

    return check


def answers(expected: Any) -> Callable[..., None]:
    def check(spotify: spotipy.Spotify) -> None:
        assert spotify.current_user_saved_tracks() == expected

    return check


def names(address: str) -> Callable[..., None]:
    def check(spotify: spotipy.Spotify) -> None:
        page = spotify.current_user_saved_tracks(limit=20)
        assert page["next"] == address.format(spotify.prefix)
        assert len(page["items"]) == 20

    return check


def holds(items: int, *, ends: bool, too_many: int = 0) -> Callable[..., None]:
    def check(spotify: spotipy.Spotify) -> None:
        page = spotify.current_user_saved_tracks(limit=20)
        assert (len(page["items"]), page["next"] is None, page["total"]) == (items, ends, 60 + too_many)

    return check


def arrives_whole(spotify: spotipy.Spotify) -> None:
    assert len(spotify.current_user_saved_tracks(limit=20)["items"]) == 20


SERVER_ERRORS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
SEEN: dict[str, Callable[[spotipy.Spotify], None]] = {
    **{f"error_{status}_json": refusal(status, phrase) for status, phrase in SERVER_ERRORS.items()},
    **{
        f"error_{status}_html": refusal(status, f"<h1>{status} {phrase}</h1>")
        for status, phrase in SERVER_ERRORS.items()
    },
    **{f"error_{status}_empty": refusal(status, "") for status in SERVER_ERRORS},
    "rate_limit_short": refusal(429, "API rate limit exceeded", "3"),
    "rate_limit_long": refusal(429, "API rate limit exceeded", "86400"),
    "rate_limit_without_retry_after": refusal(429, "API rate limit exceeded"),
    "rate_limit_unreadable_retry_after": refusal(429, "API rate limit exceeded", "in a while"),
    "rate_limit_plain_text": refusal(429, "Too many requests", "3"),
    "quota_exceeded": refusal(429, "Too many requests", "72000", "QUOTA_EXCEEDED"),
    "quota_exceeded_without_retry_after": refusal(429, "Too many requests", None, "QUOTA_EXCEEDED"),
    "unavailable_with_retry_after": refusal(503, "Service unavailable", "5"),
    "reset": raises(requests.ConnectionError),
    "reset_in_body": raises(requests.exceptions.ChunkedEncodingError),
    "cut_body": raises(requests.exceptions.ChunkedEncodingError),
    "no_answer": raises(requests.ReadTimeout),
    "slow_drip": arrives_whole,
    "empty_body": answers(None),
    "html_body": answers(None),
    "truncated_json": answers(None),
    "json_list": answers([]),
    "json_string": answers("OK"),
    "json_null": answers(None),
    "json_empty_object": answers({}),
    "gzip_garbage": raises(requests.exceptions.ContentDecodingError),
    "access_token_expired": refusal(401, "The access token expired"),
    "forbidden": refusal(403, "Forbidden"),
    "forbidden_premium_required": refusal(403, "Active premium subscription required"),
    "forbidden_plain_text": refusal(403, "the user may not be registered"),
    "not_found": refusal(404, "Resource not found"),
    "error_is_a_string": raises(AttributeError),
    "next_elsewhere": names("https://elsewhere.invalid/v1/me/tracks?offset=50&limit=50"),
    "next_in_a_circle": names("{}me/tracks?limit=20&offset=0"),
    "page_ends_early": holds(10, ends=True),
    "page_ends_empty": holds(0, ends=True),
    "list_ends_early": holds(10, ends=True),
    "total_too_high": holds(20, ends=False, too_many=3),
}


@pytest.mark.parametrize("name", API)
def test_a_fault_of_the_web_api_is_what_it_says(simulator: Simulator, spotify: spotipy.Spotify, name: str) -> None:
    fault = FAULTS[name]("/me/tracks", seconds=0.2)
    simulator.faults.append(fault)
    if fault.action == "hang":
        fault.seconds = 10.0
        spotify.requests_timeout = 0.1
    SEEN[name](spotify)
    spotify.requests_timeout = 5
    if FAULTS[name].transient:
        arrives_whole(spotify)
    else:
        SEEN[name](spotify)
    assert spotify.current_user_saved_albums()["total"] == 3, "it strikes its path only"


def refused_with(error: str, description: str | None = None) -> Callable[[Any], None]:
    def check(refresh: Callable[[], Any]) -> None:
        with pytest.raises(SpotifyOauthError) as refused:
            refresh()
        assert error in refused.value.error
        assert refused.value.error_description == description

    return check


def broken_with(kind: type[Exception]) -> Callable[[Any], None]:
    def check(refresh: Callable[[], Any]) -> None:
        with pytest.raises(kind):
            refresh()

    return check


def without_access_token(refresh: Callable[[], Any]) -> None:
    assert "access_token" not in refresh()


SEEN_OF_TOKENS = {
    "token_refresh_token_expired": refused_with("invalid_grant", "Refresh token expired"),
    "token_refresh_token_revoked": refused_with("invalid_grant", "Refresh token revoked"),
    "token_invalid_client": refused_with("invalid_client", "Invalid client secret"),
    "token_rate_limit": refused_with("Too many requests"),
    "token_error_500_html": refused_with("<h1>500 Internal Server Error</h1>"),
    "token_reset": broken_with(requests.ConnectionError),
    "token_no_answer": broken_with(requests.ReadTimeout),
    "token_html_body": broken_with(requests.JSONDecodeError),
    "token_without_access_token": without_access_token,
}


@pytest.mark.parametrize("name", TOKEN)
def test_a_fault_of_the_token_endpoint_is_what_it_says(simulator: Simulator, name: str) -> None:
    token = simulator.authorize(SCOPES)
    fault = FAULTS[name](seconds=10.0)
    simulator.faults.append(fault)
    auth = oauth(simulator, token)
    auth.requests_timeout = 0.2 if fault.action == "hang" else 5
    SEEN_OF_TOKENS[name](lambda: auth.refresh_access_token(token))
    assert get(simulator, "me", "any").status_code == 401, "the Web API goes on"
    if FAULTS[name].transient:
        auth.requests_timeout = 5
        assert auth.refresh_access_token(token)["access_token"]
    else:
        SEEN_OF_TOKENS[name](lambda: auth.refresh_access_token(token))
    auth._session.close()


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_says_what_it_is_and_where_it_was_seen(name: str) -> None:
    known = FAULTS[name]
    assert known.doc.endswith(".")
    assert known.source.startswith(("https://", "spotipy 2.26.0"))
    assert known("/some").nth == ((1,) if known.transient else None)
    assert known("/some", nth=(3, 5)).nth == (3, 5)
    assert known("/some") is not known("/some"), "each counts for itself"


def test_a_fault_of_the_web_api_needs_a_path() -> None:
    with pytest.raises(ValueError, match="pass part of one"):
        FAULTS["reset"]()


def test_the_catalogue_can_be_varied(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    simulator.faults.append(FAULTS["rate_limit_short"]("/me/tracks", nth=(2,), headers={"Retry-After": "11"}))
    arrives_whole(spotify)
    refusal(429, "API rate limit exceeded", "11")(spotify)
    arrives_whole(spotify)


def test_a_page_inside_an_answer_is_led_astray_too(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    simulator.faults.append(FAULTS["next_elsewhere"]("/v1/me/following"))
    assert spotify.current_user_followed_artists(limit=5)["artists"]["next"].startswith("https://elsewhere.invalid/")


def test_what_did_not_arrive_whole_is_logged_as_broken(simulator: Simulator, spotify: spotipy.Spotify) -> None:
    whole = get(simulator, "me/tracks", access_token(simulator)).content
    for name, size in {
        "reset": 0,
        "no_answer": 0,
        "cut_body": len(whole) // 2,
        "reset_in_body": len(whole) // 2,
    }.items():
        simulator.faults[:] = [FAULTS[name]("/me/tracks", seconds=0.0)]
        with pytest.raises(requests.RequestException):
            spotify.current_user_saved_tracks()
        logged = simulator.requests[-1]
        assert (logged.status, logged.size) == (0, size)


def test_an_answer_of_the_token_endpoint_that_is_lost_was_given_all_the_same(simulator: Simulator) -> None:
    token = simulator.authorize(SCOPES)
    simulator.rotate_refresh_tokens = True
    simulator.faults.append(Fault("/api/token", (1,), "cut"))
    auth = oauth(simulator, token)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        auth.refresh_access_token(token)
    with pytest.raises(SpotifyOauthError, match="revoked"):
        auth.refresh_access_token(token)
    simulator.rotate_refresh_tokens = False
    auth._session.close()
