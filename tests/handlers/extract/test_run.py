"""Whole runs: what they cover, what their manifest says, what ends them."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from handlers.extract.handler import RunFailedError, handler
from handlers.layout import account_key
from tests.handlers.extract.fake_spotify import Reply, entry, play, playlist, saved_track
from tests.handlers.extract.stage import LOGIN, START, Context, Stage, unit
from tests.handlers.raw.stored import Json
from tests.thoroughness import sampled

HOURLY = ["recently_played"]
DAILY = ["profile", "playlists", "playlist_items", "saved_tracks", "saved_albums"]


@pytest.fixture(autouse=True)
def a_few_streams(monkeypatch: pytest.MonkeyPatch, empty_stage: Stage) -> None:
    """Enable one stream of each mode, which is enough for tests of whole runs."""
    assert empty_stage.secret_arn
    monkeypatch.setenv("STREAMS", ",".join([*DAILY, *HOURLY]))


def fill(stage: Stage) -> None:
    stage.spotify.lists |= {
        "me/playlists": [playlist("P1", "s1"), playlist("Foreign", "f1", "bob")],
        "playlists/P1/items": [entry(1), entry(2)],
        "me/tracks": [saved_track(1, "2026-11-20T10:00:00Z")],
        "me/albums": [{"added_at": "2026-11-20T10:00:00Z", "album": {"id": "A1"}}],
        "me/player/recently-played": [play(1, "2026-11-23T05:00:00.123Z")],
    }


def streams(manifest: Json) -> list[str]:
    return [one["stream"] for one in manifest["units"]]


def test_daily_run_reads_the_daily_streams_with_the_least_requests(stage: Stage) -> None:
    fill(stage)
    manifest = stage.run()
    assert streams(manifest) == DAILY
    assert [one["status"] for one in manifest["units"]] == ["complete"] * 5
    assert manifest["status"] == "complete"
    assert manifest["reason"] is None
    assert stage.spotify.paths() == [
        "me",
        "me/playlists",
        "playlists/P1/items",
        "me/playlists",  # did they change meanwhile?
        "me/tracks",
        "me/albums",
    ]
    assert sum(one["requests"] for one in manifest["units"]) == len(stage.spotify.requests)
    assert unit(manifest, "playlists")["requests"] == 2


def test_manifest_says_what_the_contract_asks(stage: Stage) -> None:
    fill(stage)
    manifest = stage.run()
    assert {name: manifest[name] for name in manifest if name not in {"started_at", "finished_at", "units"}} == {
        "run_id": "20261123T060000Z-daily",
        "attempt": 0,
        "trigger": "daily",
        "scheduled_at": "2026-11-23T06:00:00.000Z",
        "account_id": "aB3dE5fG7h",
        "status": "complete",
        "reason": None,
    }
    assert "2026-11-23T06:00:00.000Z" <= manifest["started_at"] <= manifest["finished_at"] < "2026-11-23T06:01"
    items = unit(manifest, "playlist_items", "P1")
    assert items.pop("read_id")
    assert items == {
        "stream": "playlist_items",
        "unit": "P1",
        "mode": "full",
        "status": "complete",
        "reason": None,
        "requests": 1,
        "records": 2,
        "objects": 1,
        "locked_until": None,
        "read_complete": True,
        "read_keys": ["raw/playlist_items/dt=2026-11-23/20261123T060000Z-daily-P1-00000.jsonl.gz"],
        "read_records": 2,
    }


def test_second_daily_run_changes_nothing_and_writes_nothing(stage: Stage) -> None:
    fill(stage)
    first = stage.run()
    before = stage.keys("raw/")
    stage.spotify.requests.clear()
    second = stage.run(at=START + timedelta(days=1))
    assert stage.keys("raw/") == before
    assert stage.spotify.paths() == ["me", "me/playlists", "me/tracks", "me/albums"]
    assert second["status"] == "complete"
    assert [one["status"] for one in second["units"]] == ["unchanged"] * 5
    for old, new in zip(first["units"], second["units"], strict=True):
        for name in ("read_id", "mode", "read_complete", "read_keys", "read_records"):
            assert new[name] == old[name]
        assert (new["records"], new["objects"]) == (0, 0)


def test_hourly_run_knows_the_account_without_a_request(stage: Stage) -> None:
    fill(stage)
    for hour in range(3):
        manifest = stage.run("hourly", START + timedelta(hours=hour))
        assert streams(manifest) == HOURLY
        assert manifest["account_id"] == "aB3dE5fG7h"
    assert stage.spotify.paths() == ["me", *["me/player/recently-played"] * 3]
    assert f"state/{account_key('aB3dE5fG7h')}/recently_played.json" in stage.keys("state/")


def test_another_login_is_another_account(stage: Stage) -> None:
    fill(stage)
    stage.run("hourly")
    stage.spotify.profile = {"id": "bob", "account_id": "bobsAccount"}
    stage.spotify.refresh_token = "refresh-token-of-bob"
    stage.log_in('{"client_id": "c", "client_secret": "s", "refresh_token": "refresh-token-of-bob"}')
    manifest = stage.run("hourly", START + timedelta(hours=1))
    assert manifest["account_id"] == "bobsAccount"
    assert unit(manifest, "recently_played")["records"] == 1
    key = unit(manifest, "recently_played")["read_keys"][0]
    assert stage.lines([key])[0]["account_id"] == "bobsAccount"
    assert stage.s3.head_object(Bucket="raw-bucket", Key=key)["Metadata"]["account-id"] == "bobsAccount"


def test_account_without_an_account_id_is_the_user(stage: Stage) -> None:
    stage.spotify.profile = {"id": "ana01"}
    assert stage.run()["account_id"] == "ana01"


def test_profile_without_its_account_id_makes_no_second_account(stage: Stage) -> None:
    fill(stage)
    stage.run("manual")
    stage.spotify.profile = {"id": "ana01", "display_name": "Ana"}
    manifest = stage.run("manual", START + timedelta(hours=1))
    assert manifest["account_id"] == "aB3dE5fG7h"
    assert unit(manifest, "recently_played")["status"] == "unchanged"
    assert stage.run("hourly", START + timedelta(hours=2))["account_id"] == "aB3dE5fG7h"


def test_another_user_without_an_account_id_is_not_the_remembered_account(stage: Stage) -> None:
    stage.run()
    stage.spotify.profile = {"id": "bob"}
    assert stage.run(at=START + timedelta(days=1))["account_id"] == "bob"


def test_profile_that_names_no_account_fails_the_run(stage: Stage) -> None:
    stage.spotify.profile = {"display_name": "Ana"}
    manifest = stage.run()
    assert manifest["status"] == "failed"
    assert manifest["reason"] == "Spotify's profile has no account id: the next run reads it again."
    assert streams(manifest) == DAILY


def test_profile_alone_may_fail(stage: Stage) -> None:
    fill(stage)
    stage.run("hourly")
    stage.spotify.always["me"] = Reply(500, b"<html>")
    manifest = stage.run(at=START + timedelta(hours=1))
    assert unit(manifest, "profile")["status"] == "failed"
    assert [one["status"] for one in manifest["units"][1:]] == ["complete"] * 4
    assert manifest["status"] == "partial"
    assert manifest["reason"] == unit(manifest, "profile")["reason"]
    assert unit(manifest, "profile")["requests"] == 4  # one and three retries, not repeated for its own unit


def test_manual_run_reads_the_streams_of_its_event(stage: Stage) -> None:
    fill(stage)
    manifest = stage.run("manual", streams=["saved_albums", "recently_played"])
    assert streams(manifest) == ["recently_played", "saved_albums"]
    assert manifest["run_id"] == "20261123T060000Z-manual"
    assert streams(stage.run("manual", START + timedelta(hours=1))) == [
        "profile", "recently_played", "playlists", "playlist_items", "saved_tracks", "saved_albums",
    ]  # fmt: skip


def test_run_of_skipped_and_failed_units_is_partial_and_not_retried(stage: Stage) -> None:
    stage.spotify.always["me/tracks"] = Reply(503, b"<html>")
    manifest = stage.run("manual", streams=["playlist_items", "saved_tracks"])
    assert [one["status"] for one in manifest["units"]] == ["skipped", "failed"]
    assert (manifest["status"], manifest["reason"]) == ("partial", unit(manifest, "saved_tracks")["reason"])


def test_run_that_covers_nothing_is_skipped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS", "saved_tracks")
    manifest = stage.run("hourly")
    assert (manifest["status"], manifest["reason"], manifest["units"]) == ("skipped", "nothing_due", [])
    assert stage.spotify.requests == []


@pytest.mark.parametrize("content", sampled([None, "", "{}"], ["{}"]))
def test_before_login_the_run_is_skipped_without_a_request(empty_stage: Stage, content: str | None) -> None:
    if content:
        empty_stage.log_in(content)
    manifest = empty_stage.run()
    assert (manifest["status"], manifest["reason"], manifest["account_id"]) == ("skipped", "not_logged_in", None)
    assert streams(manifest) == DAILY
    assert {(one["status"], one["reason"], one["read_complete"]) for one in manifest["units"]} == {
        ("skipped", "not_logged_in", False)
    }
    assert empty_stage.spotify.token_calls == 0


@pytest.mark.parametrize(
    ("content", "what"),
    sampled(
        [
            ('{"client_id": "c", "client_secret": "s"}', "refresh_token is missing"),
            ('{"client_id": "c", "client_secret": 7, "refresh_token": "r"}', "client_secret is missing"),
            ("not json", "it is not valid JSON"),
            ('["client_id"]', "it is not a JSON object"),
        ]
    ),
)
def test_malformed_secret_fails_the_run_once(empty_stage: Stage, content: str, what: str) -> None:
    empty_stage.log_in(content)
    manifest = empty_stage.run()
    assert manifest["status"] == "failed"
    assert manifest["reason"] == (
        f"The Spotify secret is not what `spotify-etl login` writes ({what}): run `spotify-etl login` again."
    )
    assert empty_stage.spotify.token_calls == 0


def test_secret_that_is_gone_is_a_crash(empty_stage: Stage) -> None:
    empty_stage.secrets.delete_secret(SecretId=empty_stage.secret_arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        empty_stage.run()
    manifest = empty_stage.json(empty_stage.keys("runs/")[0])
    assert manifest["status"] == "failed"
    assert "ResourceNotFoundException" in manifest["reason"]


def test_expired_consent_names_the_command_and_is_not_retried(stage: Stage) -> None:
    stage.spotify.refresh_token = "another"
    manifest = stage.run()
    assert manifest["status"] == "failed"
    assert "invalid_grant" in manifest["reason"]
    assert "`spotify-etl login`" in manifest["reason"]
    assert streams(manifest) == DAILY
    assert {one["reason"] for one in manifest["units"]} == {manifest["reason"]}
    assert stage.spotify.token_calls == 1


def test_app_that_spotify_does_not_know_fails_the_run(stage: Stage) -> None:
    stage.spotify.token_faults.append(Reply(400, {"error": "invalid_client"}))
    manifest = stage.run()
    assert (manifest["status"], stage.spotify.token_calls) == ("failed", 1)
    assert manifest["reason"] == (
        "Spotify refuses the app's login (HTTP 400, invalid_client): "
        "check its client id and secret, then run `spotify-etl login` again."
    )


def test_consent_that_ends_within_the_run_fails_the_rest(stage: Stage) -> None:
    fill(stage)

    def revoke(path: str) -> None:
        if path == "me/tracks":
            stage.spotify.refresh_token = "another"
            stage.spotify.revoke_access_token()

    stage.spotify.on_request = revoke
    manifest = stage.run()
    assert [one["status"] for one in manifest["units"]] == ["complete"] * 3 + ["failed"] * 2
    assert manifest["status"] == "partial"
    assert "invalid_grant" in unit(manifest, "saved_albums")["reason"]


def test_expired_access_token_is_renewed_once(stage: Stage) -> None:
    fill(stage)

    def revoke(path: str) -> None:
        if path == "me/tracks" and stage.spotify.token_calls == 1:
            stage.spotify.revoke_access_token()

    stage.spotify.on_request = revoke
    assert stage.run()["status"] == "complete"
    assert stage.spotify.token_calls == 2


def test_requests_of_a_run_that_ends_before_its_first_unit_are_counted(stage: Stage) -> None:
    stage.spotify.always[""] = Reply(401, {"error": {"status": 401, "message": "The access token expired"}})
    manifest = stage.run()
    assert (manifest["status"], stage.spotify.paths()) == ("failed", ["me", "me"])
    assert [one["requests"] for one in manifest["units"]] == [2] + [0] * (len(manifest["units"]) - 1)


def test_token_is_fetched_once_a_run(stage: Stage) -> None:
    fill(stage)
    stage.run()
    assert stage.spotify.token_calls == 1


def test_rotated_refresh_token_is_written_back(stage: Stage) -> None:
    stage.spotify.rotate_to = "rotated-token"
    assert stage.run("hourly")["status"] == "complete"
    assert stage.login() == {**LOGIN, "refresh_token": "rotated-token"}
    assert stage.run("hourly", START + timedelta(hours=1))["status"] == "complete"


def test_rotated_token_does_not_undo_another_login(stage: Stage) -> None:
    other = '{"client_id": "c", "client_secret": "s", "refresh_token": "of-a-new-login"}'
    stage.spotify.rotate_to = "rotated-token"
    original = stage.spotify.token

    def log_in_meanwhile(form: dict[str, str]) -> Reply:
        stage.log_in(other)
        return original(form)

    stage.spotify.token = log_in_meanwhile  # type: ignore[method-assign, assignment] # a fault of its own
    assert stage.run("hourly")["status"] == "complete"
    assert stage.login()["refresh_token"] == "of-a-new-login"


def test_refused_everywhere_gives_the_checklist(stage: Stage) -> None:
    fill(stage)
    stage.run("hourly")
    stage.spotify.always[""] = Reply(403, {"error": {"status": 403, "message": "Forbidden"}})
    manifest = stage.run(at=START + timedelta(hours=1))
    assert manifest["status"] == "failed"
    for word in ("Premium", "allowlist", "spotify-etl login"):
        assert word in manifest["reason"]


def test_refused_for_lack_of_premium_says_so(stage: Stage) -> None:
    stage.spotify.always[""] = Reply(403, b"Active premium subscription required for the owner of the app.")
    manifest = stage.run()
    assert manifest["status"] == "failed"
    assert "the app's owner needs an active Premium subscription" in manifest["reason"]


def test_spotify_away_is_an_error_that_lambda_retries_under_the_next_attempt(stage: Stage) -> None:
    fill(stage)
    stage.spotify.always[""] = Reply(503, b"<html>")
    with pytest.raises(RunFailedError, match="HTTP 503"):
        stage.run()
    stage.spotify.always.clear()
    manifest = stage.run()
    assert (manifest["attempt"], manifest["status"]) == (1, "complete")
    assert stage.keys("runs/") == [
        "runs/dt=2026-11-23/20261123T060000Z-daily-000.json",
        "runs/dt=2026-11-23/20261123T060000Z-daily-001.json",
    ]
    assert stage.json(stage.keys("runs/")[0])["status"] == "failed"


def test_token_endpoint_away_is_tried_again(stage: Stage) -> None:
    stage.spotify.token_faults.extend([Reply(503, b"")] * 2)
    assert stage.run("hourly")["status"] == "complete"


def test_bug_ends_the_run_and_is_in_the_manifest(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(stage)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("handlers.extract.run.read_incremental", broken)
    with pytest.raises(ZeroDivisionError):
        stage.run()
    manifest = stage.json(stage.keys("runs/")[0])
    assert [one["status"] for one in manifest["units"]] == ["complete"] * 3 + ["failed"] * 2
    assert unit(manifest, "saved_tracks")["reason"] == ("The run crashed (ZeroDivisionError): see the function's log.")


def test_run_out_of_time_is_partial(stage: Stage) -> None:
    fill(stage)
    last = {"run_id": "20261123T060000Z-daily", "number": 12}
    manifest = stage.run(context=Context(milliseconds=119_000), continuation=last)
    assert manifest["status"] == "partial"
    assert {(one["status"], one["reason"]) for one in manifest["units"]} == {("partial", "out_of_time")}
    assert stage.spotify.requests == []


def test_handler_returns_a_summary(stage: Stage) -> None:
    fill(stage)
    event = {"trigger": "daily", "scheduled_time": "2026-11-23T06:00:00Z"}
    assert handler(event, Context()) == {  # type: ignore[arg-type] # a stand-in for Lambda's
        "run_id": "20261123T060000Z-daily",
        "attempt": 0,
        "manifest": "runs/dt=2026-11-23/20261123T060000Z-daily-000.json",
        "status": "complete",
        "reason": None,
        "requests": 6,
        "records": 7,
        "objects": 5,
        "units": {"complete": 5},
    }


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, list[float]]:
    """Return the metrics that one invocation reported, by name."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert len(found) <= 1
    return {
        metric["Name"]: emf[metric["Name"]]
        for emf in found
        for metric in emf["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_a_good_daily_run_is_counted_and_nothing_that_is_zero(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    fill(stage)
    stage.run()
    assert measured(capsys) == {"GoodDailyRuns": [1.0], "TokenAgeDays": [22.25]}


def test_a_run_with_a_failure_is_no_good_run(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    fill(stage)
    stage.spotify.always["me/albums"] = Reply(404, {"error": {"status": 404, "message": "?"}})
    stage.run()
    assert measured(capsys) == {"TokenAgeDays": [22.25]}


def test_an_hourly_run_reports_nothing_that_is_well(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    fill(stage)
    stage.run(trigger="hourly")
    assert measured(capsys) == {}


def test_each_stream_and_each_wait_is_logged_for_whoever_follows(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fill(stage)
    stage.spotify.fault("me/albums", Reply(429, b"", {"Retry-After": "7"}))
    stage.run()
    logged = [vars(record) for record in caplog.records]
    (albums,) = [line for line in logged if line["message"] == "Stream read." and line["stream"] == "saved_albums"]
    assert albums["units"] == {"complete": 1}
    assert albums["requests"] >= 1
    assert [line["seconds"] for line in logged if line["message"] == "Spotify asks for a wait (429)."] == [7]
