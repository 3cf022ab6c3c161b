"""Nothing of a login reaches a log, a manifest, an error or an object, at any level."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers.extract.logs import LOG, silence_libraries
from handlers.extract.spotify.client import SpotifyClient
from handlers.extract.spotify.errors import SpotifyError
from handlers.login_secret import Credentials
from tests.handlers.extract.fake_spotify import FakeSpotify, Reply
from tests.handlers.extract.stage import LOGIN, START, Stage
from tests.thoroughness import sampled

ROTATED = "rotated-token"
SECRETS = (
    LOGIN["client_secret"],
    LOGIN["refresh_token"],
    ROTATED,
    "access-token-",
    "Bearer ",
    "Basic ",
    base64.b64encode(f"{LOGIN['client_id']}:{LOGIN['client_secret']}".encode()).decode(),
)
LIBRARIES = {"boto3", "botocore", "requests", "s3transfer", "spotipy", "urllib3"}
ECHO = {"error": {"status": 400, "message": "Bearer access-token-1"}}
"""What a misbehaving proxy might respond."""


class Listener(logging.Handler):
    """Listens to every logger of the libraries, whether or not it propagates."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name} {record.levelname} {record.getMessage()} {vars(record)}")


class Said:
    """Everything that was said anywhere."""

    def __init__(self, stage: Stage, listener: Listener, own: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
        self._stage = stage
        self._listener = listener
        self._own = own
        self._capsys = capsys
        self.errors: list[BaseException] = []

    def forget(self) -> None:
        """Forget what the test itself caused."""
        self._listener.heard.clear()
        self._capsys.readouterr()

    @property
    def heard(self) -> list[str]:
        """What was logged to the libraries' loggers and the root."""
        return self._listener.heard

    def run(self, day: int = 0) -> None:
        """Run the function; its errors count as said, since Lambda logs them."""
        try:
            self._stage.run(at=START + timedelta(days=day))
        except Exception as error:  # noqa: BLE001 - Lambda would log any exception
            self.errors.append(error)

    def secrets(self) -> list[str]:
        printed = self._capsys.readouterr()
        texts = [*self._listener.heard, self._own.getvalue(), printed.out, printed.err]
        keys = self._stage.keys()
        texts += [str(self._stage.bytes(key)) for key in keys]
        texts += [text for error in self.errors for text in texts_of(error)]
        assert "Run finished" in self._own.getvalue()
        return [secret for secret in SECRETS if any(secret in text for text in texts)]


def texts_of(error: BaseException | None, depth: int = 0) -> list[str]:
    """Return the messages and attributes of an error and of its causes."""
    if error is None or depth > 20:
        return []
    own = [str(error), repr(error), str(error.args), str(vars(error))]
    # An error that keeps a request keeps its headers.
    own += [str(getattr(getattr(error, "request", None), "headers", ""))]
    return own + texts_of(error.__cause__, depth + 1) + texts_of(error.__context__, depth + 1)


def library_loggers() -> list[logging.Logger]:
    return [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.split(".")[0] in LIBRARIES]


@pytest.fixture
def said(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Log everything and listen to it."""
    listener, own = Listener(), io.StringIO()
    everyone = [logging.getLogger(), *library_loggers()]
    levels = [one.level for one in everyone]
    for one in everyone:
        one.setLevel(logging.DEBUG)
        one.addHandler(listener)
    monkeypatch.setattr(LOG.registered_handler, "stream", own)
    said = Said(stage, listener, own, capsys)
    initialize = SpotifyError.__init__

    def remember(error: SpotifyError, *arguments: object) -> None:
        said.errors.append(error)
        initialize(error, *arguments)

    monkeypatch.setattr(SpotifyError, "__init__", remember)
    said.forget()
    yield said
    for one, level in zip(everyone, levels, strict=True):
        one.setLevel(level)
        one.removeHandler(listener)


API_FAULTS: dict[str, Reply] = {
    "plain 403": Reply(403, b"Active premium subscription required"),
    "string error": Reply(400, {"error": "Bearer access-token-1"}),
    "echo": Reply(400, ECHO),
    "429": Reply(429, ECHO, {"Retry-After": "70000"}),
    "5xx": Reply(500, b"Bearer access-token-1"),
    "no json": Reply(200, b"Bearer access-token-1"),
    "cut": Reply(200, b"{}", cut=True),
    "reset": Reply(resets=True),
    "redirect": Reply(302, b"", {"Location": "https://evil.example/?Bearer"}),
    "unauthorized": Reply(401, {"error": {"status": 401, "message": "Bearer access-token-1"}}),
}


@pytest.mark.parametrize("fault", sampled([None, *API_FAULTS], ["echo", "cut"]))
def test_run_that_rotates_its_token_leaks_nothing(stage: Stage, said: Said, fault: str | None) -> None:
    stage.spotify.rotate_to = ROTATED
    if fault:
        stage.spotify.always["me/albums"] = API_FAULTS[fault]
    for day in range(2):
        said.run(day)
    assert stage.spotify.refresh_token == ROTATED
    assert stage.spotify.paths().count("me/albums") >= (1 if fault else 2)
    assert said.secrets() == []


TOKEN_FAULTS: dict[str, Reply] = {
    "refused": Reply(400, {"error": "invalid_grant", "error_description": LOGIN["refresh_token"]}),
    "refused in HTML": Reply(403, f"<html>{LOGIN['refresh_token']}".encode()),
    "an odd code": Reply(400, {"error": LOGIN["refresh_token"]}),
    "429": Reply(429, LOGIN["refresh_token"].encode(), {"Retry-After": "70000"}),
    "5xx": Reply(503, LOGIN["refresh_token"].encode()),
    "no json": Reply(200, LOGIN["refresh_token"].encode()),
    "odd json": Reply(200, [LOGIN["refresh_token"]]),  # type: ignore[arg-type] # a list is what is odd
    "odd token": Reply(200, {"access_token": "access-token-\n", "expires_in": 3600}),
    "reset": Reply(resets=True),
}


@pytest.mark.parametrize("fault", sampled(TOKEN_FAULTS, ["refused", "no json", "odd token"]))
def test_login_that_fails_leaks_nothing(stage: Stage, said: Said, fault: str) -> None:
    stage.spotify.token_faults.extend([TOKEN_FAULTS[fault]] * 20)
    said.run()
    assert stage.spotify.requests == []
    assert said.errors
    assert said.secrets() == []


def test_secret_that_cannot_be_written_leaks_nothing(stage: Stage, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise stage.secrets.exceptions.InternalServiceError(
            {"Error": {"Code": "InternalServiceError", "Message": ROTATED}}, "PutSecretValue"
        )

    monkeypatch.setattr(stage.secrets, "put_secret_value", refuse)
    stage.spotify.rotate_to = ROTATED
    said.run()
    assert stage.login()["refresh_token"] == LOGIN["refresh_token"]
    assert said.secrets() == []


@pytest.mark.parametrize(
    "content",
    sampled(
        [
            LOGIN["refresh_token"],
            json.dumps({**LOGIN, "authorized_at": LOGIN["refresh_token"]}),
            json.dumps({"refresh_token": LOGIN["refresh_token"]}),
            json.dumps([LOGIN["client_secret"]]),
            json.dumps({**LOGIN, "client_secret": LOGIN["client_secret"] + "é"}),
        ],
        2,
    ),
)
def test_malformed_secret_is_not_quoted(stage: Stage, said: Said, content: str) -> None:
    stage.log_in(content)
    said.forget()
    said.run()
    assert said.secrets() == []


def test_libraries_are_heard_where_they_warn(said: Said) -> None:
    said.run()
    logging.getLogger("urllib3.connectionpool").warning("The library is worried.")
    # Created after the function silenced the others.
    logging.getLogger("botocore.yet_another").debug("a body")
    for level in (logging.DEBUG, logging.ERROR):
        logging.getLogger("spotipy.client").log(level, "an answer")
    assert [line for line in said.heard if "is worried" in line]
    assert not [line for line in said.heard if "a body" in line or "an answer" in line]


def test_credentials_and_client_do_not_show_themselves(spotify: FakeSpotify) -> None:
    credentials = Credentials(client_id="client-id", client_secret="client-secret", refresh_token="refresh-token")
    client = SpotifyClient(credentials, lambda *_: None, f"{spotify.url}v1/", spotify.url, lambda: 900.0)
    assert repr(credentials) == str(credentials) == "Credentials()"
    assert "refresh-token" not in credentials.fingerprint + repr(client)


def test_filters_are_added_once() -> None:
    silence_libraries()
    before = {one.name: len(one.filters) for one in library_loggers()}
    silence_libraries()
    assert {one.name: len(one.filters) for one in library_loggers()} == before
