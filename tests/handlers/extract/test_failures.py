"""Failures of requests, and what they do to the unit."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace

import pytest

from handlers.extract import handler as function
from handlers.extract.spotify import client as spotify
from handlers.extract.spotify import pacing, session
from handlers.layout import LOCKS_STATE_KEY
from tests.handlers.extract.fake_spotify import Json, Reply, saved_track
from tests.handlers.extract.stage import START, Context, Stage, unit
from tests.thoroughness import sampled

STREAM = "saved_albums"
PATH = "me/albums"


def limited(retry_after: str | None = None, reason: str | None = None) -> Reply:
    error: Json = {"status": 429, "message": "Too many requests"} | ({"reason": reason} if reason else {})
    return Reply(429, {"error": error}, {"Retry-After": retry_after} if retry_after else {})


@pytest.fixture(autouse=True)
def library(stage: Stage) -> None:
    stage.spotify.lists |= {
        "me/albums": [{"album": {"id": f"A{number}"}} for number in range(60)],
        "me/tracks": [saved_track(1, "2026-11-20T10:00:00Z")],
    }


def test_short_retry_after_is_waited_for(stage: Stage) -> None:
    stage.spotify.fault(PATH, None, limited("7"), limited("1"))
    row = stage.read(STREAM)
    assert (row["status"], row["read_records"]) == ("complete", 60)
    assert stage.waits == [7.0, 1.0]
    assert row["requests"] == 5  # including the profile, which the first run has to request


@pytest.mark.parametrize(
    ("reply", "until"),
    sampled(
        [
            pytest.param(limited("31"), START + timedelta(seconds=31), id="a little long"),
            pytest.param(limited("5", "QUOTA_EXCEEDED"), START + timedelta(seconds=5), id="quota"),
            pytest.param(limited(None, "QUOTA_EXCEEDED"), START + timedelta(hours=24), id="quota without a time"),
            pytest.param(limited("70000"), START + timedelta(seconds=70_000), id="long"),
            pytest.param(limited("604800"), START + timedelta(days=7), id="a week"),
            pytest.param(
                limited("604801", "QUOTA_EXCEEDED"), START + timedelta(hours=24), id="quota for more than a week"
            ),
        ],
        3,
    ),
)
def test_long_lock_ends_the_stream_at_once(stage: Stage, reply: Reply, until: object) -> None:
    stage.spotify.fault(PATH, reply)
    row = stage.read(STREAM)
    assert (row["status"], row["reason"], row["read_complete"]) == ("partial", "locked", False)
    assert f"{until:%Y-%m-%dT%H:%M}" in row["locked_until"][:16]
    assert stage.waits == []
    assert stage.spotify.paths() == ["me", PATH]


@pytest.mark.parametrize(
    "retry_after", sampled([None, "soon", "-5", "604801", "1795381000000", "9" * 5000], ["soon", "604801"])
)
def test_429_without_a_time_that_can_be_is_tried_a_few_times(stage: Stage, retry_after: str | None) -> None:
    stage.spotify.always[PATH] = limited(retry_after)
    row = stage.read(STREAM)
    assert (row["status"], row["reason"]) == ("partial", "locked")
    assert row["locked_until"].startswith("2026-11-24T06:00")
    assert stage.waits == [1.0, 2.0, 4.0]


def test_plain_text_429_is_one_too(stage: Stage) -> None:
    stage.spotify.fault(PATH, Reply(429, b"Too many requests", {"Retry-After": "2"}))
    assert stage.read(STREAM)["status"] == "complete"
    assert stage.waits == [2.0]


def test_endless_short_waits_end(stage: Stage) -> None:
    stage.spotify.always[PATH] = limited("1")
    assert stage.read(STREAM)["reason"] == "locked"
    assert stage.waits == [1.0] * 5


def test_no_wait_beyond_the_time_of_the_invocation(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock nothing and request nothing more: the next run has the time."""
    monkeypatch.setattr(function, "_lambda", lambda: SimpleNamespace(invoke=lambda **_: None))
    stage.spotify.fault("me/tracks", limited("20"))
    context = Context(milliseconds=135_000)
    manifest = stage.run("manual", streams=["profile", "saved_tracks", STREAM], context=context)
    assert [(one["stream"], one["reason"]) for one in manifest["units"]] == [
        ("profile", None),
        ("saved_tracks", "continued"),
        (STREAM, "continued"),
    ]
    assert (stage.spotify.paths(), stage.waits) == (["me", "me/tracks"], [])
    assert stage.keys(LOCKS_STATE_KEY) == []


def test_longest_request_leaves_the_time_for_the_manifest() -> None:
    retry = session.new_session().get_adapter("https://api.spotify.com").max_retries  # type: ignore[attr-defined] # an HTTPAdapter
    backoff = pacing.INTERVAL_SECONDS + sum(retry.backoff_factor * 2**number for number in range(1, retry.total))
    # The last read of the body may start just before the limit.
    body = session.BODY_SECONDS + session.TIMEOUTS[1]
    longest = (1 + retry.total) * sum(session.TIMEOUTS) + backoff + body
    assert longest <= spotify.RESERVE_SECONDS - 40


def test_slow_sign_in_leaves_no_time_for_a_request(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "_lambda", lambda: SimpleNamespace(invoke=lambda **_: None))
    context = Context(milliseconds=121_000)
    original = stage.spotify.token

    def slow(form: Mapping[str, str]) -> Reply:
        context.milliseconds -= 20_000
        return original(form)

    stage.spotify.token = slow  # type: ignore[method-assign] # a fault of its own
    manifest = stage.run("manual", streams=[STREAM], context=context)
    assert unit(manifest, STREAM)["reason"] == "continued"
    assert (stage.spotify.token_calls, stage.spotify.requests) == (1, [])


def test_body_that_drips_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BODY_SECONDS", 0.05)
    stage.spotify.always[PATH] = Reply(200, b'{"items": []}' + b" " * 200, drips=True)
    row = unit(stage.run("manual", streams=[STREAM, "saved_tracks"]), STREAM)
    assert (row["status"], row["requests"]) == ("failed", 1)
    assert row["reason"] == "Spotify did not respond (ReadTimeout), even after retries: the next run tries again."


def test_compressed_body_is_read_whole(stage: Stage) -> None:
    body = json.dumps({"items": [{"album": {"name": "x" * 200_000}}]}).encode()
    stage.spotify.always[PATH] = Reply(200, gzip.compress(body), {"Content-Encoding": "gzip"})
    assert stage.read(STREAM)["read_records"] == 1


def test_lock_holds_for_the_whole_quota_group_and_no_other(stage: Stage) -> None:
    stage.spotify.fault("me/tracks", limited("70000"))
    manifest = stage.run()
    tracks, albums = unit(manifest, "saved_tracks"), unit(manifest, "saved_albums")
    assert (albums["status"], albums["reason"], albums["requests"]) == ("partial", "locked", 0)
    assert albums["locked_until"] == tracks["locked_until"]
    assert unit(manifest, "playlists")["status"] == "complete"
    assert (manifest["status"], manifest["reason"]) == ("partial", "locked")
    assert PATH not in stage.spotify.paths()


def test_everything_locked_is_partial_and_no_error(stage: Stage) -> None:
    stage.spotify.always[""] = limited("70000")
    manifest = stage.run()
    assert (manifest["status"], manifest["reason"]) == ("partial", "locked")
    assert stage.spotify.paths() == ["me"]


@pytest.mark.parametrize("status", sampled([500, 502, 503, 504], [503]))
def test_5xx_is_tried_again(stage: Stage, status: int) -> None:
    stage.spotify.fault(PATH, *[Reply(status, b"<html>", {"Retry-After": "3600"})] * 3)
    row = stage.read(STREAM)
    assert (row["status"], row["requests"], stage.waits) == ("complete", 6, [])
    assert stage.backoffs == [pacing.INTERVAL_SECONDS, 1.0, 2.0]


FAILURES = [
    (Reply(500, b"<html>"), "Spotify failed (HTTP 500), even after retries: the next run tries again."),
    (Reply(400, {"error": {"status": 400, "message": "Invalid limit"}}), "(HTTP 400): the API may have changed"),
    (Reply(403, {"error": "forbidden"}), "Spotify refuses access (403): this app or user may not read it."),
    (
        Reply(403, {"error": {"message": "Insufficient client scope"}}),
        "a scope is missing; run `spotify-etl login`",
    ),
    (Reply(403, b"Active premium subscription required for the owner of the app."), "active Premium subscription"),
    (Reply(403, {"error": ["forbidden"]}), "Spotify refuses access (403): this app or user may not read it."),
    (Reply(400, {"error": "bad request"}), "(HTTP 400): the API may have changed"),
    (Reply(400, b'["bad"]'), "(HTTP 400): the API may have changed"),
    (Reply(502, {"error": "bad gateway"}), "Spotify failed (HTTP 502)"),
    (Reply(404, b"not found"), "(404)"),
    (Reply(304), "is not valid JSON"),
    (Reply(302, b"", {"Location": "https://evil.example/"}), "redirects to another address, which is not followed"),
    (Reply(200, b"[" * 100_000), "nested too deeply"),
    (Reply(200, b'{"total": ' + b"9" * 5000 + b"}"), "is not valid JSON"),
    (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), "cannot be decompressed"),
    (
        Reply(resets=True),
        "Spotify did not respond (ConnectionError), even after retries: the next run tries again.",
    ),
    (Reply(200, b""), "is not valid JSON"),
    (Reply(200, b"<html>"), "is not valid JSON"),
    (Reply(200, b'{"items": [{"album"'), "is not valid JSON"),
    (Reply(200, b'{"items": null}'), "has no items"),
    (Reply(200, b"[]"), "has no items"),
    (Reply(200, b'{"items": [], "next": 7}'), "has an invalid `next`"),
    (Reply(200, b'{"items": []}', cut=True), "was cut off"),
]


@pytest.mark.parametrize(("reply", "reason"), sampled(FAILURES, [FAILURES[at] for at in [0, 1, 3, 11, 14, 15, 22]]))
def test_failure_ends_its_own_unit_with_a_reason(stage: Stage, reply: Reply, reason: str) -> None:
    stage.spotify.always[PATH] = reply
    manifest = stage.run("manual", streams=[STREAM, "saved_tracks"])
    row = unit(manifest, STREAM)
    assert row["status"] == "failed"
    assert reason in row["reason"]
    assert unit(manifest, "saved_tracks")["status"] == "complete"
    assert manifest["status"] == "partial"


@pytest.mark.parametrize("reply", sampled([Reply(resets=True), Reply(200, b"{}", cut=True), Reply(200, b"")]))
def test_lost_response_is_requested_again(stage: Stage, reply: Reply) -> None:
    stage.spotify.fault(PATH, reply)
    row = stage.read(STREAM)
    assert (row["status"], row["read_records"], stage.waits) == ("complete", 60, [])
    assert row["requests"] == len(stage.spotify.requests) == 4


def test_server_that_says_nothing_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TIMEOUTS", (3, 0.05))
    stage.spotify.always[PATH] = Reply(silent_seconds=0.2)
    row = unit(stage.run("manual", streams=[STREAM, "saved_tracks"]), STREAM)
    assert row["status"] == "failed"
    assert row["reason"] == "Spotify did not respond (ConnectionError), even after retries: the next run tries again."
    assert stage.spotify.paths().count(PATH) == 2


def test_redirect_takes_no_token_elsewhere(stage: Stage) -> None:
    stage.spotify.fault(PATH, Reply(307, b"", {"Location": f"{stage.spotify.url}v1/me/elsewhere"}))
    assert stage.read(STREAM)["status"] == "failed"
    assert stage.spotify.paths() == ["me", PATH]


def test_broken_answer_is_read_once_more(stage: Stage) -> None:
    stage.spotify.fault(PATH, Reply(200, b"<html>"), Reply(200, b"{}", cut=True))
    row = stage.read(STREAM)
    assert (row["status"], row["read_records"]) == ("complete", 60)


def test_next_on_another_host_is_not_followed(stage: Stage) -> None:
    stage.spotify.fault(PATH, lambda page: {**page, "next": "https://evil.example/v1/me/albums?offset=50"})
    row = stage.read(STREAM)
    assert row["status"] == "failed"
    assert "links to an address outside the Web API" in row["reason"]
    assert row["records"] == 50


OUTSIDE = [
    "v1/../v1/me/albums?offset=50",
    "v1/me/%2e%2e/%2E%2e/elsewhere?offset=50",
    "v1/me/..%2f..%2felsewhere",
    "v1/me/..\\..\\elsewhere",
    "v1/./me/albums?offset=50",
    "v1evil/me/albums?offset=50",
    "api/token",
    "v1/me/albums?offset=50 HTTP/1.1",
    "v1/me/albums?offset=50\nHost: elsewhere",
    "v1/me/albüms",
]


@pytest.mark.parametrize("address", sampled(OUTSIDE, [OUTSIDE[at] for at in [1, 8]]))
def test_next_outside_of_the_api_is_not_followed(stage: Stage, address: str) -> None:
    stage.spotify.fault(PATH, lambda page: {**page, "next": f"{stage.spotify.url}{address}"})
    row = stage.read(STREAM)
    assert (row["status"], row["records"]) == ("failed", 50)
    assert "links to an address outside the Web API" in row["reason"]
    assert stage.spotify.paths() == ["me", PATH]


@pytest.mark.parametrize("address", sampled([f"{PATH}?limit=50", f"{PATH}?offset=0&limit=50"]))
def test_next_that_is_the_page_itself_is_a_failure(stage: Stage, address: str) -> None:
    stage.spotify.fault(PATH, lambda page: {**page, "next": f"{stage.spotify.url}v1/{address}"})
    row = stage.read(STREAM)
    assert (row["status"], row["records"], row["read_complete"]) == ("failed", 50, False)
    assert "in a circle" in row["reason"]
    assert stage.spotify.paths() == ["me", PATH]


def test_pages_in_a_circle_end(stage: Stage) -> None:
    url = f"{stage.spotify.url}v1/{PATH}?limit=50&offset=50"
    stage.spotify.fault(PATH, *[lambda page: {**page, "next": url}] * 5)
    row = stage.read(STREAM)
    assert (row["status"], row["requests"]) == ("failed", 3)
    assert "in a circle" in row["reason"]


def test_spotify_that_is_not_there_is_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.run("hourly")
    monkeypatch.setenv("SPOTIFY_API_URL", "http://127.0.0.1:1/v1/")
    with pytest.raises(Exception, match="Spotify did not respond \\(ConnectionError\\)"):
        stage.run("hourly", START + timedelta(hours=1))
    manifest = stage.json(stage.keys("runs/")[-1])
    assert unit(manifest, "recently_played")["requests"] == 1


@pytest.mark.parametrize("body", sampled([b"<html>", b'{"access_token": "x"}', b"", b"[]", b"{}"], 2))
def test_unreadable_token_answer_is_no_crash(stage: Stage, body: bytes) -> None:
    stage.spotify.token_faults.extend([Reply(200, body)] * 5)
    with pytest.raises(Exception, match="Spotify"):
        stage.run("hourly")
    assert stage.json(stage.keys("runs/")[0])["status"] == "failed"
