"""Locks of quota groups, which outlast runs and logins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine

from handlers import layout
from handlers.extract.spotify.budget import Budget
from handlers.extract.spotify.client import ROTATION_SECONDS, SpotifyClient
from handlers.extract.spotify.credentials import Secret
from handlers.extract.spotify.errors import LockedError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.raw.bucket import RawBucket
from handlers.raw.state import StateError, StateFile
from tests.handlers.extract.fake_spotify import Json, Reply
from tests.handlers.extract.stage import START, Stage, unit
from tests.handlers.raw.stored import BUCKET

KEY = "state/locks.json"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(START, tick=False):
        yield


@pytest.fixture
def locks(empty_stage: Stage) -> Callable[[], QuotaLocks]:
    """Return a factory of locks, each as of another run."""
    return lambda: QuotaLocks(empty_stage.state(layout.LOCKS_STATE_KEY), no_time)


def no_time(_: float) -> bool:
    return False


def put(stage: Stage, content: bytes | Json) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    stage.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)


def test_lock_is_kept_for_other_runs(empty_stage: Stage, locks: Callable[[], QuotaLocks]) -> None:
    locks().lock("library", START + HOUR)
    assert empty_stage.json(KEY) == {"groups": {"library": "2026-11-23T07:00:00.000Z"}}
    other = locks()
    with pytest.raises(LockedError) as raised:
        other.check("library")
    assert raised.value.until == START + HOUR
    other.check("playlists")


def test_later_time_wins(empty_stage: Stage, locks: Callable[[], QuotaLocks]) -> None:
    one = locks()
    one.lock("library", START + 2 * HOUR)
    one.lock("library", START + HOUR)
    locks().lock("library", START + HOUR)
    assert empty_stage.json(KEY) == {"groups": {"library": "2026-11-23T08:00:00.000Z"}}


def test_locks_of_another_run_are_merged_and_those_that_are_over_go(
    empty_stage: Stage, locks: Callable[[], QuotaLocks]
) -> None:
    one, other = locks(), locks()
    one.check("library")
    other.lock("player", START + HOUR)
    other.lock("top", START + timedelta(minutes=1))
    with time_machine.travel(START + timedelta(minutes=2), tick=False):
        one.lock("library", START + 3 * HOUR)
    assert empty_stage.json(KEY) == {
        "groups": {"library": "2026-11-23T09:00:00.000Z", "player": "2026-11-23T07:00:00.000Z"}
    }
    with pytest.raises(LockedError):
        one.check("player")


def test_lock_ends(locks: Callable[[], QuotaLocks]) -> None:
    locks().lock("library", START + HOUR)
    with time_machine.travel(START + HOUR, tick=False):
        locks().check("library")


def test_lock_that_ends_in_time_is_waited_for_once(empty_stage: Stage, locks: Callable[[], QuotaLocks]) -> None:
    locks().lock("library", START + HOUR)
    waits: list[float] = []

    def has_two_minutes(seconds: float) -> bool:
        waits.append(seconds)
        return seconds <= 120

    patient = QuotaLocks(empty_stage.state(layout.LOCKS_STATE_KEY), has_two_minutes)
    with pytest.raises(LockedError):
        patient.check("library")
    with time_machine.travel(START + timedelta(minutes=59), tick=False):
        patient.check("library")
        patient.check("library")
    assert waits == [3601, 61]


def test_lock_of_this_run_is_not_waited_for(empty_stage: Stage, locks: Callable[[], QuotaLocks]) -> None:
    """Do not wait again: a run would otherwise repeat refused requests for hours."""
    locks().lock("library", START + timedelta(minutes=1))
    waits: list[float] = []

    def has_time(seconds: float) -> bool:
        waits.append(seconds)
        return True

    patient = QuotaLocks(empty_stage.state(layout.LOCKS_STATE_KEY), has_time)
    patient.check("library")
    for group in ("library", "player"):
        patient.lock(group, START + timedelta(minutes=2))
        with pytest.raises(LockedError):
            patient.check(group)
    assert waits == [61]


@pytest.mark.parametrize(("minutes", "waits"), [(12, [721]), (13, [])])
def test_run_waits_for_a_lock_of_the_day_before_as_long_as_its_time_allows(
    stage: Stage, minutes: int, waits: list[float]
) -> None:
    put(stage, {"groups": {"library": layout.written(START + timedelta(minutes=minutes))}})
    row = stage.read("saved_albums")
    assert [round(seconds) for seconds in stage.waits] == waits
    assert (row["status"], row["reason"]) == (("complete", None) if waits else ("partial", "locked"))


def test_token_that_another_run_rotates_during_a_wait_costs_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.read("profile")
    put(stage, {"groups": {"player": layout.written(START + timedelta(minutes=5))}})

    def sleep(_: float) -> None:
        stage.spotify.refresh_token = "rotated-token"

    monkeypatch.setattr("handlers.extract.spotify.client.sleep", sleep)
    row = unit(stage.run("hourly"), "recently_played")
    assert (row["status"], row["reason"]) == ("complete", None)


def test_refused_login_ends_the_run_before_it_waits_for_a_lock(stage: Stage) -> None:
    stage.read("profile")
    put(stage, {"groups": {"player": layout.written(START + timedelta(minutes=5))}})
    stage.spotify.refresh_token = "another"
    manifest = stage.run("hourly")
    assert (manifest["status"], stage.waits) == ("failed", [ROTATION_SECONDS])
    assert "invalid_grant" in manifest["reason"]


def test_lock_is_not_waited_for_where_the_wait_for_a_token_took_the_time(stage: Stage) -> None:
    secret, looks = Secret(stage.secrets, stage.secret_arn), iter([900.0, 900.0, 200.0])
    url = stage.spotify.url
    client = SpotifyClient(secret.read(), secret.replace_token, f"{url}v1/", url, lambda: next(looks))
    assert not client.wait_for_lock(300)
    assert stage.waits == []


def test_run_does_not_wait_for_what_it_has_no_requests_left_to_ask(stage: Stage) -> None:
    budget = Budget(run_limit=3, stream_limit=1)
    client = stage.client(budget=budget)
    with budget.stream("saved_tracks"):
        assert client.wait_for_lock(60)
        budget.spend()
        assert not client.wait_for_lock(60)
    with budget.stream("saved_albums"):
        assert client.wait_for_lock(60)
    budget.charge(2)
    assert not client.wait_for_lock(60)
    assert stage.waits == [60, 60]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        {},
        {"groups": []},
        {"groups": {"library": 7}},
        {"groups": {"library": "soon"}},
        {"groups": {"library": "2026-11-23T07:00:00"}},
        {"groups": {"library": "2026-12-02T06:00:00Z"}},
    ],
    ids=["nothing", "text", "a list", "empty", "groups as a list", "number", "word", "no offset", "nine days ahead"],
)
def test_nonsense_locks_nothing_and_is_replaced(
    empty_stage: Stage, locks: Callable[[], QuotaLocks], content: bytes | Json
) -> None:
    put(empty_stage, content)
    one = locks()
    one.check("library")
    one.lock("player", START + HOUR)
    assert empty_stage.json(KEY) == {"groups": {"player": "2026-11-23T07:00:00.000Z"}}


def test_lock_for_a_week_is_no_nonsense(empty_stage: Stage, locks: Callable[[], QuotaLocks]) -> None:
    put(empty_stage, {"groups": {"library": "2026-11-30T06:00:00.000Z"}})
    with pytest.raises(LockedError):
        locks().check("library")


def test_lock_that_cannot_be_kept_holds_for_the_run(
    locks: Callable[[], QuotaLocks], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise StateError("Other runs keep changing it.")

    monkeypatch.setattr(StateFile, "update", refuse)
    one = locks()
    one.lock("library", START + HOUR)
    with pytest.raises(LockedError):
        one.check("library")
    locks().check("library")
    assert [record.getMessage() for record in caplog.records] == [
        "The quota lock could not be saved: it applies to this run only."
    ]


def test_state_is_read_once_a_run_and_only_when_needed(
    locks: Callable[[], QuotaLocks], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    original = RawBucket.get

    def get(self: RawBucket, key: str) -> tuple[bytes, str] | None:
        reads.append(key)
        return original(self, key)

    monkeypatch.setattr(RawBucket, "get", get)
    one = locks()
    assert reads == []
    one.check("library")
    one.check("player")
    assert reads == [KEY]


def test_guard_stores_new_locks(locks: Callable[[], QuotaLocks]) -> None:
    one = locks()
    with pytest.raises(LockedError), one.guard("library"):
        raise LockedError(START + HOUR)
    asked = False
    with pytest.raises(LockedError), locks().guard("library"):
        asked = True
    assert not asked


def test_later_run_sends_no_request_to_a_locked_group_even_after_a_login(stage: Stage) -> None:
    locked = Reply(429, {"error": {"status": 429, "reason": "QUOTA_EXCEEDED"}}, {"Retry-After": "70000"})
    stage.spotify.fault("me/tracks", locked)
    first = stage.run()
    until = unit(first, "saved_tracks")["locked_until"]
    stage.log_in_as_new_account()
    stage.spotify.requests.clear()
    second = stage.run(at=START + 19 * HOUR)
    for stream in ("saved_tracks", "saved_albums"):
        row = unit(second, stream)
        assert (row["status"], row["reason"], row["locked_until"]) == ("partial", "locked", until)
    assert not {"me/tracks", "me/albums"} & set(stage.spotify.paths())
    assert "me/playlists" in stage.spotify.paths()
    assert unit(stage.run(at=START + 20 * HOUR), "saved_tracks")["status"] == "complete"
