"""Nothing of a login reaches a log, a manifest, an error or an object, at any level."""

from __future__ import annotations

import base64
import logging
import traceback
from datetime import timedelta

import pytest

from handlers.extract.credentials import Credentials
from tests.handlers.extract.fake_spotify import Reply
from tests.handlers.extract.stage import LOGIN, START, Stage

SECRETS = (
    LOGIN["client_secret"],
    LOGIN["refresh_token"],
    "rotated-token",
    "access-token-",
    "Bearer ",
    base64.b64encode(f"{LOGIN['client_id']}:{LOGIN['client_secret']}".encode()).decode(),
)


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in {"boto3", "botocore", "requests", "spotipy", "urllib3"}:
            caplog.set_level(logging.DEBUG, logger=name)


FAULTS: dict[str, Reply] = {
    "none": Reply(),
    "plain 403": Reply(403, b"Active premium subscription required"),
    "string error": Reply(400, {"error": "bad"}),
    "5xx": Reply(500, b"<html>"),
    "no json": Reply(200, b"<html>"),
    "unauthorized": Reply(401, {"error": {"status": 401, "message": "Invalid access token"}}),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("refused", [False, True])
def test_no_secret_leaks(
    stage: Stage, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], fault: str, refused: bool
) -> None:
    stage.spotify.rotate_to = "rotated-token"
    if fault != "none":
        stage.spotify.always["me/albums"] = FAULTS[fault]
    raised = ""
    for day in range(2):
        if refused and day:
            stage.spotify.refresh_token = "another"
        try:
            stage.run(at=START + timedelta(days=day))
        except Exception:  # noqa: BLE001 - whatever it is, Lambda would log it
            raised += traceback.format_exc()
    printed = capsys.readouterr()
    said = "\n".join([caplog.text, printed.out, printed.err, raised, *map(str, map(stage.bytes, stage.keys()))])
    assert "The run ended" in said
    assert [secret for secret in SECRETS if secret in said] == []


@pytest.mark.parametrize("content", ["refresh-token-of-ana", '{"refresh_token": "refresh-token-of-ana"}'])
def test_malformed_secret_is_not_quoted(
    empty_stage: Stage, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    empty_stage.log_in(content)
    # The test's own writing of the secret was logged too.
    caplog.clear()
    manifest = empty_stage.run()
    printed = capsys.readouterr()
    assert "refresh-token-of-ana" not in caplog.text + printed.out + printed.err + str(manifest)


def test_credentials_do_not_show_themselves() -> None:
    shown = repr(Credentials("client-id", "client-secret", "refresh-token"))
    assert shown == "Credentials()"
    assert "refresh-token" not in Credentials("a", "b", "refresh-token").fingerprint
