"""The accounts service: every grant by the real spotipy, rotation, revocation, and the app as a whole refused."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth, SpotifyOauthError

from spotify_simulator import Quota, Simulator
from spotify_simulator.web.oauth import REFRESH_TOKEN_LIFE
from tests.spotify_simulator.spotify_session import (
    SCOPES,
    START,
    Clock,
    access_token,
    client,
    get,
    library,
    oauth,
    running,
)

REDIRECT = "http://127.0.0.1:8888/callback"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Iterator[Simulator]:
    small = library(saved_tracks=60, playlists=2, saved_albums=3, plays_per_day=5, oddities=False)
    with running(small, clock) as simulator:
        yield simulator


@contextmanager
def login(simulator: Simulator, redirect_uri: str = REDIRECT) -> Iterator[SpotifyOAuth]:
    """A login as spotipy does it, up to the browser."""
    auth = SpotifyOAuth(
        client_id=simulator.client_id,
        client_secret=simulator.client_secret,
        redirect_uri=redirect_uri,
        scope=["user-library-read", "user-top-read"],
        state="of-this-login",
        open_browser=False,
        requests_timeout=60,
        cache_handler=MemoryCacheHandler(),
    )
    auth.OAUTH_AUTHORIZE_URL = f"{simulator.accounts_url}authorize"
    auth.OAUTH_TOKEN_URL = f"{simulator.accounts_url}api/token"
    yield auth
    auth._session.close()


def clicked(auth: SpotifyOAuth) -> str:
    """Where the browser is sent after the user has answered."""
    page = requests.get(auth.get_authorize_url(), allow_redirects=False, timeout=60)
    assert page.status_code == 302, page.text
    return page.headers["Location"]


def token_request(simulator: Simulator, **form: str) -> requests.Response:
    return requests.post(
        f"{simulator.accounts_url}api/token",
        data=form,
        auth=(simulator.client_id, simulator.client_secret),
        timeout=60,
    )


def test_consent_in_the_browser_becomes_a_token_of_its_scopes(simulator: Simulator, clock: Clock) -> None:
    with login(simulator) as auth:
        location = clicked(auth)
        assert location.startswith(f"{REDIRECT}?")
        state, code = auth.parse_auth_response_url(location)
        assert state == "of-this-login"
        auth.get_access_token(code, as_dict=False, check_cache=False)
        token = auth.cache_handler.get_cached_token()
        assert (token["scope"], token["expires_in"]) == ("user-library-read user-top-read", 3600)
        assert get(simulator, "me/tracks", token["access_token"]).status_code == 200
        assert get(simulator, "me/playlists", token["access_token"]).status_code == 403
        clock.move(days=REFRESH_TOKEN_LIFE.days - 1)
        assert get(simulator, "me", auth.refresh_access_token(token["refresh_token"])["access_token"]).ok


def test_a_code_is_good_once_for_ten_minutes_and_for_its_redirect(simulator: Simulator, clock: Clock) -> None:
    with login(simulator) as auth:
        codes = [parse_qs(urlsplit(clicked(auth)).query)["code"][0] for _ in range(3)]
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    assert token_request(simulator, code=codes[0], **form).ok
    assert token_request(simulator, code=codes[0], **form).json()["error_description"] == "Invalid authorization code"
    elsewhere = {**form, "redirect_uri": "http://127.0.0.1:1/"}
    assert token_request(simulator, code=codes[1], **elsewhere).json() == {
        "error": "invalid_grant",
        "error_description": "Invalid redirect URI",
    }
    clock.move(minutes=10)
    late = token_request(simulator, code=codes[2], **form)
    assert (late.status_code, late.json()["error_description"]) == (400, "Authorization code expired")


def test_a_user_who_declines_sends_no_code(simulator: Simulator) -> None:
    simulator.consent = False
    with login(simulator) as auth:
        location = clicked(auth)
        assert parse_qs(urlsplit(location).query) == {"error": ["access_denied"], "state": ["of-this-login"]}
        with pytest.raises(SpotifyOauthError, match="access_denied"):
            auth.parse_auth_response_url(location)


@pytest.mark.parametrize(
    ("redirect_uri", "taken"),
    [
        ("http://127.0.0.1:9/callback", True),
        ("http://[::1]:9/callback", True),
        ("https://example.org/callback", True),
        ("http://localhost:9/callback", False),
        ("https://localhost:9/callback", False),
        ("http://192.168.1.4/callback", False),
        ("http://example.org/callback", False),
        ("", False),
    ],
)
def test_redirect_addresses_that_spotify_takes(simulator: Simulator, redirect_uri: str, taken: bool) -> None:
    with login(simulator, redirect_uri or "none") as auth:
        page = requests.get(auth.get_authorize_url(), allow_redirects=False, timeout=60)
        assert page.status_code == (302 if taken else 400)
        assert taken or page.text == "INVALID_CLIENT: Invalid redirect URI"


def test_the_consent_page_knows_its_app_and_its_redirects(simulator: Simulator) -> None:
    simulator.redirect_uris = {"http://127.0.0.1:1234/"}
    with login(simulator) as auth:
        assert requests.get(auth.get_authorize_url(), timeout=60).text == "INVALID_CLIENT: Invalid redirect URI"
        auth.redirect_uri = "http://127.0.0.1:1234/"
        assert clicked(auth).startswith("http://127.0.0.1:1234/?code=")
        implicit = auth.get_authorize_url().replace("response_type=code", "response_type=token")
        assert requests.get(implicit, timeout=60).text == "response_type must be code"
        auth.client_id = "somebody"
        assert requests.get(auth.get_authorize_url(), timeout=60).text == "INVALID_CLIENT: Invalid client"
        assert simulator.unmodelled == []
        odd = requests.get(f"{simulator.accounts_url}authorize", params={"nonce": "x"}, timeout=60)
        assert odd.status_code == 400
        assert simulator.unmodelled == ["GET /authorize?nonce=x"]


VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("challenge", "verifier", "refused"),
    [
        (CHALLENGE, VERIFIER, None),
        (CHALLENGE, "w" * 43, ("invalid_grant", "code_verifier was incorrect")),
        (CHALLENGE, CHALLENGE, ("invalid_grant", "code_verifier was incorrect")),
        (CHALLENGE, None, ("invalid_request", "code_verifier required")),
        (None, VERIFIER, ("invalid_grant", "code_verifier was incorrect")),
        (None, None, None),
    ],
)
def test_a_code_is_exchanged_with_the_verifier_of_its_challenge(
    simulator: Simulator, challenge: str | None, verifier: str | None, refused: tuple[str, str] | None
) -> None:
    with login(simulator) as auth:
        pkce = f"&code_challenge={challenge}&code_challenge_method=S256" if challenge else ""
        page = requests.get(f"{auth.get_authorize_url()}{pkce}", allow_redirects=False, timeout=60)
        code = parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code}
    answer = token_request(simulator, **form, **({"code_verifier": verifier} if verifier else {}))
    if refused:
        assert (answer.status_code, answer.json()) == (400, {"error": refused[0], "error_description": refused[1]})
        again = token_request(simulator, **form, code_verifier=VERIFIER)
        assert again.json()["error_description"] == "Invalid authorization code"
    else:
        assert answer.json()["refresh_token"]


@pytest.mark.parametrize(
    ("pkce", "said"),
    [
        (f"code_challenge={CHALLENGE}", "code_challenge and code_challenge_method must be sent together"),
        ("code_challenge_method=S256", "code_challenge and code_challenge_method must be sent together"),
        (f"code_challenge={CHALLENGE}&code_challenge_method=plain", "code_challenge_method must be S256"),
        ("code_challenge=x&code_challenge_method=S256", "code_challenge must be the base64url of a SHA-256"),
    ],
)
def test_the_consent_page_takes_no_other_challenge_than_a_hash(simulator: Simulator, pkce: str, said: str) -> None:
    with login(simulator) as auth:
        page = requests.get(f"{auth.get_authorize_url()}&{pkce}", allow_redirects=False, timeout=60)
    assert (page.status_code, page.text) == (400, said)


def test_an_app_without_a_user_reads_the_catalogue_and_nothing_of_anybody(simulator: Simulator) -> None:
    auth = SpotifyClientCredentials(
        simulator.client_id, simulator.client_secret, cache_handler=MemoryCacheHandler(), requests_timeout=60
    )
    auth.OAUTH_TOKEN_URL = f"{simulator.accounts_url}api/token"
    with requests.Session() as session:
        spotify = spotipy.Spotify(auth_manager=auth, requests_session=session, requests_timeout=60)
        spotify.prefix = simulator.api_url
        album = simulator.library.saved_albums[0].item
        track = simulator.library.saved_tracks[0].track
        assert spotify.album_tracks(album.album_id)["total"] == len(simulator.library.album_tracks(album.album_id))
        assert spotify.album(album.album_id)["id"] == album.album_id
        assert spotify.track(track.track_id)["uri"] == track.uri
        for path, refusal in {
            "me": (401, "Valid user authentication required"),
            "me/tracks": (403, "Insufficient client scope"),
            f"playlists/{simulator.library.playlists[0].playlist_id}/items": (403, "Insufficient client scope"),
        }.items():
            with pytest.raises(SpotifyException) as refused:
                spotify._get(path)
            assert refused.value.http_status == refusal[0]
            assert refusal[1] in refused.value.msg
    answer = token_request(simulator, grant_type="client_credentials").json()
    assert set(answer) == {"access_token", "token_type", "expires_in"}
    auth._session.close()


def test_a_refresh_may_bring_a_new_refresh_token_and_kill_the_old_one(simulator: Simulator, clock: Clock) -> None:
    simulator.rotate_refresh_tokens = True
    first = simulator.authorize(SCOPES)
    auth = oauth(simulator, first)
    rotated = auth.refresh_access_token(first)
    second = rotated["refresh_token"]
    assert second != first
    assert auth.cache_handler.get_cached_token()["refresh_token"] == second
    assert get(simulator, "me", rotated["access_token"]).ok
    with pytest.raises(SpotifyOauthError) as refused:
        auth.refresh_access_token(first)
    assert (refused.value.error, refused.value.error_description) == ("invalid_grant", "Refresh token revoked")
    clock.now = START + REFRESH_TOKEN_LIFE - timedelta(seconds=1)
    third = auth.refresh_access_token(second)["refresh_token"]
    clock.move(seconds=1)
    with pytest.raises(SpotifyOauthError) as refused:
        auth.refresh_access_token(third)
    assert refused.value.error_description == "Refresh token expired", "six months from the consent, however renewed"
    auth._session.close()


def test_a_consent_taken_back_takes_its_access_tokens_along_and_no_others(simulator: Simulator) -> None:
    simulator.rotate_refresh_tokens = True
    first, other = simulator.authorize(SCOPES), simulator.authorize(SCOPES)
    answer = token_request(simulator, grant_type="refresh_token", refresh_token=first).json()
    kept = token_request(simulator, grant_type="refresh_token", refresh_token=other).json()
    simulator.revoke(first)
    assert get(simulator, "me", answer["access_token"]).status_code == 401
    assert get(simulator, "me", kept["access_token"]).status_code == 200
    refused = token_request(simulator, grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert refused.json() == {"error": "invalid_grant", "error_description": "Refresh token revoked"}
    unknown = token_request(simulator, grant_type="refresh_token", refresh_token="made-up")
    assert unknown.json() == {"error": "invalid_grant", "error_description": "Invalid refresh token"}
    with pytest.raises(KeyError):
        simulator.revoke("made-up")


def test_access_tokens_can_be_made_to_expire_at_once(simulator: Simulator) -> None:
    before = access_token(simulator)
    simulator.expire_access_tokens()
    refused = get(simulator, "me", before)
    assert (refused.status_code, refused.json()["error"]["message"]) == (401, "The access token expired")
    assert get(simulator, "me", access_token(simulator)).status_code == 200


def test_without_premium_everything_is_refused_in_plain_text(simulator: Simulator) -> None:
    simulator.premium = False
    simulator.quotas.append(Quota("all", [""], 0))
    with client(simulator) as spotify:
        for read in (spotify.me, spotify.current_user_saved_tracks, spotify.current_user_playlists):
            with pytest.raises(SpotifyException) as refused:
                read()
            assert refused.value.http_status == 403
            assert "Active premium subscription required for the owner of the app." in refused.value.msg
    answer = get(simulator, "me")
    assert answer.headers["Content-Type"].startswith("text/plain")
    app = token_request(simulator, grant_type="client_credentials").json()["access_token"]
    album = simulator.library.saved_albums[0].item.album_id
    assert get(simulator, f"albums/{album}", app).status_code == 403
    simulator.premium = True
    simulator.quotas.clear()
    assert get(simulator, "me").status_code == 200


def test_a_user_who_is_not_registered_is_refused_everything_though_login_works(simulator: Simulator) -> None:
    simulator.allow_listed = False
    token = access_token(simulator)
    for path in ("me", "me/tracks", "me/playlists", f"albums/{simulator.library.saved_albums[0].item.album_id}"):
        answer = get(simulator, path, token)
        assert (answer.status_code, "the user may not be registered" in answer.text) == (403, True)
