"""How a run gets its access token, and what it does without one."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from handlers.extract.spotify import session
from handlers.extract.spotify.client import RESERVE_SECONDS
from handlers.extract.spotify.errors import LoginError, UnavailableError
from tests.handlers.extract.fake_spotify import Reply
from tests.handlers.extract.stage import LOGIN, Stage


def test_refused_refresh_token_is_tried_once(stage: Stage) -> None:
    stage.spotify.refresh_token = "another"
    client = stage.client()
    with pytest.raises(LoginError) as raised:
        client.get("me")
    assert str(raised.value) == (
        "Spotify no longer accepts the refresh token (invalid_grant; it lasts six months):"
        " run `spotify-etl login` again."
    )
    assert (stage.spotify.token_calls, stage.spotify.requests) == (1, [])


@pytest.mark.parametrize("reply", [Reply(500, b"<html>"), Reply(503, b"", {"Retry-After": "3600"}), Reply(resets=True)])
def test_failing_token_endpoint_is_retried(stage: Stage, reply: Reply) -> None:
    stage.spotify.token_faults.append(reply)
    stage.client().get("me")
    assert (stage.spotify.token_calls, stage.waits) == (2, [])


@pytest.mark.parametrize(
    ("reply", "calls", "sentence"),
    [
        (Reply(503, b""), 4, "Spotify issued no access token (HTTP 503): the next run tries again."),
        (Reply(500, b'["no"]'), 4, "Spotify issued no access token (HTTP 500): the next run tries again."),
        (Reply(resets=True), 2, "Spotify issued no access token (ConnectionError): the next run tries again."),
        (Reply(302, b"", {"Location": "/elsewhere"}), 1, "Spotify issued no access token (TooManyRedirects)"),
        (Reply(200, b'{"access_token": "\xc3\xa9", "expires_in": 3600}'), 1, "access token is unusable"),
        (Reply(200, b'{"access_token": "a\\nb", "expires_in": 3600}'), 1, "access token is unusable"),
    ],
)
def test_tries_for_a_token_end(stage: Stage, reply: Reply, calls: int, sentence: str) -> None:
    stage.spotify.token_faults.extend([reply] * 9)
    with pytest.raises(UnavailableError) as raised:
        stage.client().get("me")
    assert sentence in str(raised.value)
    assert (stage.spotify.token_calls, stage.spotify.requests) == (calls, [])


def test_token_endpoint_that_says_nothing_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TIMEOUTS", (3, 0.05))
    stage.spotify.token_faults.extend([Reply(silent_seconds=0.2)] * 3)
    with pytest.raises(UnavailableError, match="issued no access token \\(ConnectionError\\)"):
        stage.client().get("me")


def test_token_that_drips_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BODY_SECONDS", 0.05)
    stage.spotify.token_faults.append(Reply(200, b'{"access_token": "x"}' + b" " * 200, drips=True))
    with pytest.raises(UnavailableError, match="issued no access token \\(ReadTimeout\\)"):
        stage.client().get("me")


def test_short_wait_for_a_token_is_waited(stage: Stage) -> None:
    stage.spotify.token_faults.extend([Reply(429, b"Too many", {"Retry-After": "7"}), Reply(429, {"error": "slow"})])
    stage.client().get("me")
    assert stage.waits == [7.0, 2.0]


@pytest.mark.parametrize(("retry_after", "remaining"), [("31", 900.0), ("86400", 900.0), ("9", RESERVE_SECONDS + 8)])
def test_long_wait_for_a_token_is_left_to_the_next_run(stage: Stage, retry_after: str, remaining: float) -> None:
    stage.spotify.token_faults.append(Reply(429, b"", {"Retry-After": retry_after}))
    with pytest.raises(UnavailableError, match=r"no access token \(HTTP 429\): the next run tries again"):
        stage.client(remaining).get("me")
    assert (stage.waits, stage.spotify.token_calls) == ([], 1)


def test_waits_for_a_token_end(stage: Stage) -> None:
    stage.spotify.token_faults.extend([Reply(429, b"")] * 9)
    with pytest.raises(UnavailableError):
        stage.client().get("me")
    assert stage.waits == [1.0, 2.0, 4.0]


def test_rotation_keeps_the_rest_of_the_secret(stage: Stage) -> None:
    before = {**LOGIN, "authorized_at": "2026-07-01T08:00:00Z", "note": "mine"}
    stage.log_in(json.dumps(before))
    stage.spotify.rotate_to = "rotated-token"
    stage.client().get("me")
    assert stage.login() == {**before, "refresh_token": "rotated-token"}


@pytest.mark.parametrize("odd", [7, "", None, ["x"]])
def test_invalid_rotation_is_ignored(stage: Stage, odd: object) -> None:
    answer = {"access_token": "access-token-1", "expires_in": 3600, "refresh_token": odd}
    stage.spotify.token_faults.append(Reply(200, answer))
    stage.client().get("me")
    assert stage.login() == LOGIN


def test_form_of_a_token_call(stage: Stage) -> None:
    forms: list[Mapping[str, str]] = []
    original = stage.spotify.token

    def token(form: Mapping[str, str]) -> Reply:
        forms.append(form)
        return original(form)

    stage.spotify.token = token  # type: ignore[method-assign] # a look at what is sent
    stage.client().get("me")
    assert forms == [{"grant_type": "refresh_token", "refresh_token": LOGIN["refresh_token"]}]
