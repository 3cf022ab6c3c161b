"""Refresh tokens that are replaced by concurrent runs, of which only the newest is valid."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from handlers.extract.spotify.client import ROTATION_SECONDS, SpotifyClient
from handlers.extract.spotify.credentials import Secret
from handlers.extract.spotify.errors import LoginError
from tests.handlers.extract.fake_spotify import Reply
from tests.handlers.extract.stage import LOGIN, Stage
from tests.thoroughness import sampled

REVOKED = Reply(400, {"error": "invalid_grant", "error_description": "Refresh token revoked"})


def replaced(stage: Stage, **changes: str) -> None:
    """Change the secret as another run or login would."""
    stage.log_in(json.dumps({**LOGIN, **changes}))


def test_token_that_another_run_has_rotated_is_read_again(stage: Stage) -> None:
    client = stage.client()
    stage.spotify.refresh_token = "rotated-token"
    replaced(stage, refresh_token="rotated-token")
    client.get("me")
    assert (stage.spotify.token_calls, stage.waits) == (2, [])


def test_token_that_another_run_is_about_to_write_is_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        replaced(stage, refresh_token="rotated-token")

    monkeypatch.setattr("handlers.extract.spotify.client.sleep", sleep)
    client = stage.client()
    stage.spotify.refresh_token = "rotated-token"
    client.get("me")
    assert waits == [ROTATION_SECONDS]


def test_token_that_was_not_replaced_needs_a_login(stage: Stage) -> None:
    stage.spotify.refresh_token = "another"
    with pytest.raises(LoginError, match=r"invalid_grant; it lasts six months\): run `spotify-etl login` again"):
        stage.client().get("me")
    assert (stage.spotify.token_calls, stage.waits) == (1, [ROTATION_SECONDS])


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another-app"},
        {"client_secret": "another-secret"},
        {"authorized_at": "2026-11-23T06:00:00Z"},
        {"scope": "user-library-read"},
    ],
)
def test_another_login_is_left_to_the_next_run(stage: Stage, changes: dict[str, str]) -> None:
    """Stop after another login: its account may differ, and the run has already written for the first."""
    client = stage.client()
    stage.spotify.token_faults.append(REVOKED)
    replaced(stage, **changes, refresh_token="of-the-other-login")
    with pytest.raises(LoginError) as raised:
        client.get("me")
    assert str(raised.value) == "There was a new login during the run: the next run uses it."


def test_token_that_is_replaced_again_and_again_ends_the_run(stage: Stage) -> None:
    tokens = iter(f"token-{number}" for number in range(100))

    def refused(form: Mapping[str, str]) -> Reply:
        assert form["grant_type"] == "refresh_token"
        stage.spotify.token_calls += 1
        replaced(stage, refresh_token=next(tokens))
        return REVOKED

    stage.spotify.token = refused  # type: ignore[method-assign] # every token is refused and replaced
    with pytest.raises(LoginError) as raised:
        stage.client().get("me")
    assert str(raised.value) == "Other runs keep replacing the refresh token: the next run uses the newest one."
    assert stage.spotify.token_calls == 6


def test_secret_that_cannot_be_read_again_changes_nothing(stage: Stage) -> None:
    client = stage.client()
    stage.spotify.token_faults.append(REVOKED)
    stage.log_in("not JSON")
    with pytest.raises(LoginError, match="run `spotify-etl login` again"):
        client.get("me")


@pytest.mark.parametrize("seed", sampled(range(100), 2))
def test_login_survives_two_runs_that_rotate_its_token(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - a plan, not a secret
    Rotating(stage, monkeypatch, dice)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            secret = Secret(stage.secrets, stage.secret_arn)
            url = stage.spotify.url
            client = SpotifyClient(
                secret.read(), secret.replace_token, f"{url}v1/", url, lambda: 900.0, reload=secret.reload
            )
            for revoked in plan:
                if revoked:
                    client._tokens.forget_access_token()
                client.get("me")
        except BaseException as error:  # noqa: BLE001 - reported by the test's thread
            failures.append(error)

    plan = [dice.random() < 0.5 for _ in range(4)]
    runs = [threading.Thread(target=run) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert failures == []
    assert stage.login() == {**LOGIN, "refresh_token": stage.spotify.refresh_token}
    stage.client().get("me")


class Rotating:
    """Replaces the refresh token at each refresh, with random pauses of the runs around every step of a rotation."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch, dice: random.Random) -> None:
        self._numbers = iter(range(1, 1000))
        self._spotify = stage.spotify
        self._lock = threading.Lock()
        self._pauses = [dice.choice([0, 0, 0.002, 0.01]) for _ in range(64)]
        self._step = 0
        stage.spotify.token = self._token  # type: ignore[method-assign] # of the fake, only the newest token counts
        stage.spotify.api = self._api  # type: ignore[method-assign] # each run has an access token of its own
        put, get = stage.secrets.put_secret_value, stage.secrets.get_secret_value
        monkeypatch.setattr(stage.secrets, "put_secret_value", self._paused(put))
        monkeypatch.setattr(stage.secrets, "get_secret_value", self._paused(get))
        # Real time instead of seconds: the other run takes milliseconds between its two steps here.
        monkeypatch.setattr("handlers.extract.spotify.client.sleep", lambda _: threading.Event().wait(0.2))
        monkeypatch.setattr("handlers.extract.spotify.pacing.sleep", lambda _: None)

    def _paused(self, call: Any) -> Any:
        def paused(**arguments: Any) -> Any:
            self._pause()
            answer = call(**arguments)
            self._pause()
            return answer

        return paused

    def _pause(self) -> None:
        self._step += 1
        threading.Event().wait(self._pauses[self._step % len(self._pauses)])

    def _token(self, form: Any) -> Reply:
        with self._lock:
            if form["refresh_token"] != self._spotify.refresh_token:
                return REVOKED
            number = next(self._numbers)
            self._spotify.refresh_token = f"refresh-{number}"
        return Reply(
            body={"access_token": f"access-{number}", "expires_in": 3600, "refresh_token": f"refresh-{number}"}
        )

    def _api(self, path: str, params: dict[str, str], authorization: str) -> Reply:
        assert (path, params) == ("me", {})
        assert authorization.startswith("Bearer access-")
        return Reply(body=self._spotify.profile)
