"""How many requests a run may make, and at what pace."""

from __future__ import annotations

import pytest

from handlers.extract.spotify import pacing
from handlers.extract.spotify.budget import RUN_REQUESTS, STREAM_REQUESTS, Budget, BudgetError
from handlers.extract.spotify.pacing import INTERVAL_SECONDS, Pace
from tests.handlers.extract.fake_spotify import Reply, saved_track
from tests.handlers.extract.stage import Stage


def test_run_stops_at_its_limit_before_the_request(stage: Stage) -> None:
    client = stage.client(budget=Budget(run_limit=2))
    client.get("me")
    client.get("me")
    with pytest.raises(BudgetError) as raised:
        client.get("me")
    assert str(raised.value) == ("The run has made its 2 requests: the next run continues where it stopped.")
    assert (client.requests, len(stage.spotify.requests)) == (2, 2)


def test_retries_are_charged(stage: Stage) -> None:
    stage.spotify.fault("me", Reply(503, b""), Reply(503, b""))
    client = stage.client(budget=Budget(run_limit=3))
    client.get("me")
    with pytest.raises(BudgetError):
        client.get("me")
    assert len(stage.spotify.requests) == 3


def test_tokens_cost_nothing(stage: Stage) -> None:
    client = stage.client(budget=Budget(run_limit=2))
    client.get("me")
    stage.spotify.revoke_access_token()
    with pytest.raises(BudgetError):
        client.get("me")  # the refused request was the second one, its retry would be the third
    assert stage.spotify.token_calls == 2


def test_stream_stops_at_its_limit_and_leaves_the_rest_to_others() -> None:
    budget = Budget(run_limit=5, stream_limit=2)
    with budget.stream("saved_tracks"):
        budget.spend()
        budget.spend()
        with pytest.raises(BudgetError, match="saved_tracks has made its 2 requests"):
            budget.spend()
    with budget.stream("saved_albums"):
        budget.spend()
        with budget.stream("playlists"):
            budget.spend()
        budget.spend()
        with pytest.raises(BudgetError, match="The run has made"):
            budget.spend()


def test_what_belongs_to_no_stream_counts_for_the_run_alone() -> None:
    budget = Budget(run_limit=4, stream_limit=1)
    for _ in range(4):
        budget.spend()
    with pytest.raises(BudgetError, match="The run has made its 4 requests"):
        budget.spend()


def test_earlier_invocations_of_the_run_count() -> None:
    budget = Budget(10, 5, {"saved_tracks": 5, "profile": 4})
    with budget.stream("saved_tracks"), pytest.raises(BudgetError, match="saved_tracks"):
        budget.spend()
    budget.spend()
    with pytest.raises(BudgetError, match="The run has made"):
        budget.spend()


def test_limits_let_a_large_library_in() -> None:
    assert STREAM_REQUESTS * 50 >= 100_000
    assert STREAM_REQUESTS < RUN_REQUESTS
    Budget(spent_before={"saved_tracks": RUN_REQUESTS - 1}).spend()


def test_unit_says_that_the_budget_is_spent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.extract.run.STREAM_REQUESTS", 1)
    stage.spotify.lists["me/tracks"] = [saved_track(number, "2026-11-20T10:00:00Z") for number in range(60)]
    row = stage.read("saved_tracks")
    assert (row["status"], row["reason"]) == ("partial", "budget")
    assert stage.spotify.paths() == ["me", "me/tracks"]


def test_requests_begin_an_interval_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1000.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal moment
        slept.append(seconds)
        moment += seconds

    monkeypatch.setattr(pacing, "monotonic", lambda: moment)
    monkeypatch.setattr(pacing, "sleep", sleep)
    pace = Pace()
    pace.wait()
    pace.wait()
    moment += 0.04
    pace.wait()
    moment += 5
    pace.wait()
    pace.wait()
    assert slept == pytest.approx([INTERVAL_SECONDS, INTERVAL_SECONDS - 0.04, INTERVAL_SECONDS])


def test_client_keeps_the_pace(stage: Stage) -> None:
    client = stage.client(budget=Budget())
    for _ in range(3):
        client.get("me")
    assert len(stage.pauses) == 2
    assert all(0 < pause <= INTERVAL_SECONDS for pause in stage.pauses)
    assert INTERVAL_SECONDS >= 0.1
