"""The account of a login, and the warning when it changes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from handlers import layout
from handlers.extract.spotify.account import Account, identify
from handlers.extract.spotify.errors import LockedError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.layout import account_key
from tests.handlers.extract.fake_spotify import Json, Reply
from tests.handlers.extract.stage import LOGIN, START, Stage
from tests.handlers.raw.stored import BUCKET


def test_change_of_account_is_logged_once_and_by_its_key(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.run("hourly")
    stage.spotify.profile = {"id": "bob", "account_id": "bobsAccount"}
    stage.spotify.refresh_token = "refresh-token-of-bob"
    stage.log_in(json.dumps({**LOGIN, "refresh_token": "refresh-token-of-bob"}))
    stage.run("hourly", START + timedelta(hours=1))
    stage.run("hourly", START + timedelta(hours=2))
    logged = [record for record in caplog.records if "different account" in record.getMessage()]
    assert [(vars(record)["account_before"], vars(record)["account"]) for record in logged] == [
        (account_key("aB3dE5fG7h"), account_key("bobsAccount"))
    ]
    assert not [name for name in ("bob", "aB3dE5fG7h", "ana01") if name in str(vars(logged[0]))]
    remembered = stage.json("state/login.json")
    assert (remembered["account_id"], remembered["user_id"]) == ("bobsAccount", "bob")


def test_new_login_of_the_same_account_is_not_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.run("hourly")
    stage.spotify.refresh_token = "newer"
    stage.log_in(json.dumps({**LOGIN, "refresh_token": "newer"}))
    stage.run("hourly", START + timedelta(hours=1))
    assert "different account" not in caplog.text


@pytest.mark.parametrize(
    ("before", "profile", "account"),
    [
        ({"id": "ana01"}, {"id": "ana01", "account_id": "aB3"}, Account("ana01", "ana01")),
        ({"id": "ana01", "account_id": "aB3"}, {"id": "ana01"}, Account("aB3", "ana01")),
        ({"id": "ana01", "account_id": "aB3"}, {"id": "ana01", "account_id": "cD4"}, Account("cD4", "ana01")),
        ({"id": "ana01", "account_id": "aB3"}, {"id": "ana02", "account_id": "aB3"}, Account("aB3", "ana02")),
        ({"id": "ana01"}, {"id": "bob", "account_id": "cD4"}, Account("cD4", "bob")),
    ],
)
def test_account_stays_the_same_over_logins(stage: Stage, before: Json, profile: Json, account: Account) -> None:
    for fingerprint, served in (("one", before), ("two", profile)):
        stage.spotify.profile = served
        locks = QuotaLocks(stage.state(layout.LOCKS_STATE_KEY), lambda _: False)
        found = identify(stage.client(), stage.state(layout.LOGIN_STATE_KEY), fingerprint, refresh=False, locks=locks)
    assert found == account


def test_locked_profile_is_not_requested(stage: Stage) -> None:
    locks = QuotaLocks(stage.state(layout.LOCKS_STATE_KEY), lambda _: False)
    stage.spotify.fault("me", Reply(429, b"", {"Retry-After": "70000"}))

    def found(login: str) -> Account:
        return identify(stage.client(), stage.state(layout.LOGIN_STATE_KEY), login, refresh=True, locks=locks)

    with pytest.raises(LockedError):
        found("one")
    with pytest.raises(LockedError):
        found("one")
    assert stage.spotify.paths() == ["me"]
    stage.s3.put_object(
        Bucket=BUCKET, Key="state/login.json", Body=b'{"login": "one", "account_id": "aB3", "user_id": "ana01"}'
    )
    assert found("one") == Account("aB3", "ana01")
