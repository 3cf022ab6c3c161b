"""An app without a user: client credentials, one account for all, no consent."""

from __future__ import annotations

import base64
import json

import pytest

from handlers.extract.spotify.account import APP, identify
from handlers.extract.spotify.client import SpotifyClient
from handlers.extract.spotify.credentials import Secret
from handlers.extract.spotify.errors import LoginError, UnavailableError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.layout import LOCKS_STATE_KEY, LOGIN_STATE_KEY
from handlers.login_secret import Credentials, MalformedSecretError, NotLoggedInError
from tests.handlers.extract.fake_spotify import FakeSpotify, Reply
from tests.handlers.extract.stage import LOGIN, Stage

ARTIST = "artists/4Z8W4fKeB5YxbusRsdQVPb"
APP_LOGIN = {"client_id": "client-id", "client_secret": "client-secret-of-the-app"}


@pytest.fixture
def stage(empty_stage: Stage) -> Stage:
    empty_stage.spotify.things[ARTIST] = {"id": "4Z8W4fKeB5YxbusRsdQVPb", "type": "artist"}
    empty_stage.log_in(json.dumps(APP_LOGIN))
    return empty_stage


def client(spotify: FakeSpotify) -> SpotifyClient:
    def on_rotation(*_: str) -> None:
        raise AssertionError("there is no refresh token to rotate")

    credentials = Credentials(
        client_id=APP_LOGIN["client_id"], client_secret=APP_LOGIN["client_secret"], refresh_token=""
    )
    return SpotifyClient(credentials, on_rotation, f"{spotify.url}v1/", spotify.url, lambda: 900.0, auth_mode="app")


def test_app_logs_in_with_its_secret_once(stage: Stage) -> None:
    app_client = client(stage.spotify)
    assert app_client.get(ARTIST).value["type"] == "artist"
    app_client.get(ARTIST)
    assert stage.spotify.token_calls == 1
    basic = base64.b64encode(b"client-id:client-secret-of-the-app").decode()
    assert stage.spotify.token_authorizations == [f"Basic {basic}"]


def test_expired_access_token_is_renewed_once(stage: Stage) -> None:
    app_client = client(stage.spotify)
    app_client.get(ARTIST)
    stage.spotify.revoke_access_token()
    app_client.get(ARTIST)
    assert stage.spotify.token_calls == 2
    stage.spotify.always[ARTIST] = Reply(401, {"error": {"status": 401, "message": "No"}})
    with pytest.raises(LoginError, match=r"its own access token \(401\): run `spotify-etl login --app` again"):
        app_client.get(ARTIST)


@pytest.mark.parametrize("code", ["invalid_client", "invalid_grant"])
def test_refused_app_names_what_to_do_and_is_not_tried_again(stage: Stage, code: str) -> None:
    stage.spotify.token_faults.append(Reply(400, {"error": code}))
    with pytest.raises(LoginError) as raised:
        client(stage.spotify).get(ARTIST)
    assert str(raised.value) == (
        f"Spotify refuses the app's login (HTTP 400, {code}): "
        "check its client id and secret, then run `spotify-etl login --app` again."
    )
    assert (stage.spotify.token_calls, stage.spotify.requests) == (1, [])


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"access_token": 7, "expires_in": 3600}'])
def test_malformed_token_response_is_no_crash(stage: Stage, body: bytes) -> None:
    stage.spotify.token_faults.append(Reply(200, body))
    app_client = client(stage.spotify)
    with pytest.raises(UnavailableError):
        app_client.get(ARTIST)
    assert app_client.get(ARTIST).value["type"] == "artist"


def test_account_is_the_app_without_a_request(stage: Stage) -> None:
    state = stage.state(LOGIN_STATE_KEY)
    locks = QuotaLocks(stage.state(LOCKS_STATE_KEY), lambda _: False)
    assert identify(client(stage.spotify), state, "", refresh=True, locks=locks, auth_mode="app") == APP
    assert (APP.id, APP.user_id) == ("app", "")
    assert (stage.spotify.requests, stage.keys()) == ([], [])


def test_secret_needs_the_app_alone(stage: Stage) -> None:
    credentials = Secret(stage.secrets, stage.secret_arn).read("app")
    assert (credentials.client_id, credentials.client_secret, credentials.refresh_token) == (*APP_LOGIN.values(), "")
    assert (credentials.scopes, credentials.authorized_at) == (None, None)


def test_consent_in_the_secret_does_not_count(stage: Stage) -> None:
    stage.log_in(json.dumps(LOGIN))
    credentials = Secret(stage.secrets, stage.secret_arn).read("app")
    assert (credentials.refresh_token, credentials.scopes, credentials.authorized_at) == ("", None, None)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"client_id": "c"}, "client_secret is missing"),
        ({"client_id": " ", "client_secret": "s"}, "client_id is missing"),
        ({"client_id": "c", "client_secret": "gehëim"}, "client_secret has non-ASCII characters"),
        ([], "it is not a JSON object"),
    ],
)
def test_malformed_secret_names_the_command(stage: Stage, content: object, what: str) -> None:
    stage.log_in(json.dumps(content))
    with pytest.raises(MalformedSecretError) as raised:
        Secret(stage.secrets, stage.secret_arn).read("app")
    assert str(raised.value) == (
        f"The Spotify secret is not what `spotify-etl login --app` writes ({what}): "
        "run `spotify-etl login --app` again."
    )


def test_empty_secret_is_no_login(empty_stage: Stage) -> None:
    with pytest.raises(NotLoggedInError):
        Secret(empty_stage.secrets, empty_stage.secret_arn).read("app")
