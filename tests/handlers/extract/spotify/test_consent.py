"""Scopes and time of the consent in the secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.extract.spotify.credentials import ScopeError, Secret, missing_scopes
from handlers.extract.spotify.errors import AppForbiddenError
from handlers.login_secret import Credentials
from handlers.streams import READABLE_STREAMS, STREAMS
from tests.handlers.extract.stage import LOGIN, Stage, unit


def read(stage: Stage, **changes: Any) -> Credentials:
    stage.log_in(json.dumps({**LOGIN, **changes}))
    return Secret(stage.secrets, stage.secret_arn).read("user")


def test_scopes_and_time_of_the_consent_are_read(stage: Stage) -> None:
    credentials = read(stage, scope=" user-top-read  user-library-read ", authorized_at="2026-11-01T00:00:00Z")
    assert credentials.scopes == frozenset({"user-top-read", "user-library-read"})
    assert credentials.authorized_at == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(("scope", "scopes"), [(None, None), (7, None), ("", frozenset())])
def test_unknown_scopes_are_not_missing(stage: Stage, scope: object, scopes: object) -> None:
    credentials = read(stage, scope=scope)
    assert credentials.scopes == scopes
    assert missing_scopes(credentials, STREAMS["saved_tracks"]) == (() if scopes is None else ("user-library-read",))


@pytest.mark.parametrize(("text", "warned"), [(None, False), ("yesterday", True), (1762000000, True)])
def test_unreadable_time_of_the_consent_is_said_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, text: object, warned: bool
) -> None:
    assert read(stage, authorized_at=text).authorized_at is None
    assert ["authorized_at is not a time" in record.getMessage() for record in caplog.records] == [True] * warned


def test_stream_without_consent_fails_without_a_request(stage: Stage) -> None:
    read(stage, scope="user-library-read")
    stage.enable("saved_albums", "saved_episodes", "playlists")
    manifest = stage.run("manual")
    assert unit(manifest, "saved_albums")["status"] == "complete"
    for stream, scopes in {
        "saved_episodes": "user-read-playback-position",
        "playlists": "playlist-read-private playlist-read-collaborative",
    }.items():
        row = unit(manifest, stream)
        assert row["status"] == "failed"
        assert row["reason"] == (f"The consent lacks scopes for {stream} ({scopes}): run `spotify-etl login` again.")
    assert stage.spotify.paths() == ["me", "me/albums"]


def test_login_of_the_stage_has_every_scope(stage: Stage) -> None:
    credentials = read(stage)
    assert not [name for name, stream in READABLE_STREAMS.items() if missing_scopes(credentials, stream)]
    assert issubclass(ScopeError, AppForbiddenError)
