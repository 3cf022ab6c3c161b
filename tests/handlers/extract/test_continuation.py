"""Invocations that run out of time and hand over to the next one of the same run."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from handlers.extract import event
from handlers.extract import handler as function
from handlers.extract.spotify.client import RESERVE_SECONDS
from tests.handlers.extract.fake_spotify import Json, Reply, entry, playlist, saved_track
from tests.handlers.extract.stage import START, Context, Stage, unit


@dataclass
class Lambda:
    """Records the function's invokes."""

    asked: list[Json] = field(default_factory=list)
    error: Exception | None = None

    def invoke(self, **arguments: Any) -> None:
        if self.error:
            raise self.error
        self.asked.append({**arguments, "Payload": json.loads(arguments["Payload"])})


@dataclass
class Waning(Context):
    """An invocation with time for this many looks at the clock: one at the start of a run and two per request."""

    looks: int = 1

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return int(RESERVE_SECONDS * 1000) + (1 if self.looks >= 0 else -1)


@pytest.fixture(name="aws_lambda")
def fixture_aws_lambda(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    fake = Lambda()
    monkeypatch.setattr(function, "_lambda", lambda: fake)
    return fake


def saved(stage: Stage, count: int) -> list[Json]:
    tracks = [saved_track(number, f"2026-10-01T{number // 60:02d}:{number % 60:02d}:00Z") for number in range(count)]
    stage.spotify.lists["me/tracks"] = tracks[::-1]
    return tracks[::-1]


def follow(stage: Stage, aws_lambda: Lambda, context: Context | None = None) -> Json:
    """Invoke the function as Lambda would, with the event that it sent."""
    sent = aws_lambda.asked.pop()["Payload"]
    later = START + timedelta(minutes=sent["continuation"]["number"])
    return stage.run(sent.pop("trigger"), later, context, **{k: v for k, v in sent.items() if k != "scheduled_time"})


def test_invocation_that_runs_out_of_time_hands_over(stage: Stage, aws_lambda: Lambda) -> None:
    tracks = saved(stage, 230)
    first = stage.run("manual", streams=["saved_tracks"], context=Waning(looks=6))
    row = unit(first, "saved_tracks")
    assert (row["status"], row["reason"], row["read_complete"]) == ("partial", "continued", False)
    assert 0 < row["records"] < 230
    assert first["status"] == "partial"
    assert aws_lambda.asked == [
        {
            "FunctionName": Context.invoked_function_arn,
            "InvocationType": "Event",
            "Payload": {
                "trigger": "manual",
                "scheduled_time": "2026-11-23T06:00:00.000Z",
                "streams": ["saved_tracks"],
                "full": False,
                "continuation": {"run_id": "20261123T060000Z-manual", "number": 1},
            },
        }
    ]
    second = follow(stage, aws_lambda)
    assert (second["run_id"], second["attempt"]) == (first["run_id"], 1)
    whole = unit(second, "saved_tracks")
    assert (whole["status"], whole["read_id"], whole["read_records"]) == ("complete", row["read_id"], 230)
    assert stage.records(whole["read_keys"]) == tracks
    assert [key.rpartition("-")[2] for key in whole["read_keys"]] == ["00000.jsonl.gz", "00001.jsonl.gz"]
    assert aws_lambda.asked == []


def test_what_is_done_is_not_done_again(stage: Stage, aws_lambda: Lambda) -> None:
    saved(stage, 30)
    stage.spotify.lists["me/playlists"] = [playlist(f"P{number}", "s1") for number in range(3)]
    stage.spotify.lists |= {f"playlists/P{number}/items": [entry(number)] for number in range(3)}
    streams = ["profile", "playlists", "playlist_items", "saved_tracks"]
    first = stage.run("manual", streams=streams, context=Waning(looks=6))
    statuses = {(one["stream"], one["unit"]): one["reason"] or one["status"] for one in first["units"]}
    assert statuses == {
        ("profile", ""): "complete",
        ("playlists", ""): "complete",
        ("playlist_items", "P0"): "complete",
        ("playlist_items", "P1"): "continued",
        ("playlist_items", "P2"): "continued",
        ("saved_tracks", ""): "continued",
    }
    stage.spotify.requests.clear()
    second = follow(stage, aws_lambda)
    assert {(one["stream"], one["unit"]): one["status"] for one in second["units"]} == {
        ("playlist_items", "P1"): "complete",
        ("playlist_items", "P2"): "complete",
        ("saved_tracks", ""): "complete",
    }
    listing = "me/playlists"
    assert stage.spotify.paths() == [listing, "playlists/P1/items", "playlists/P2/items", listing, "me/tracks"]


def test_chain_has_an_end(stage: Stage, aws_lambda: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    assert event.MAX_CONTINUATIONS == 12
    monkeypatch.setattr(event, "MAX_CONTINUATIONS", 3)
    saved(stage, 30)
    manifest = stage.run("manual", streams=["saved_tracks"], context=Waning(looks=0))
    numbers = []
    while aws_lambda.asked:
        numbers.append(aws_lambda.asked[0]["Payload"]["continuation"]["number"])
        manifest = follow(stage, aws_lambda, Waning(looks=0))
    assert numbers == [1, 2, 3]
    assert unit(manifest, "saved_tracks")["reason"] == "out_of_time"
    assert manifest["attempt"] == 3


def test_refused_login_ends_a_continued_run_without_undoing_what_it_did(stage: Stage, aws_lambda: Lambda) -> None:
    saved(stage, 230)
    stage.run("manual", streams=["profile", "saved_tracks"], context=Waning(looks=6))
    stage.spotify.token_faults.append(Reply(400, {"error": "invalid_grant"}))
    second = follow(stage, aws_lambda)
    assert [(one["stream"], one["status"]) for one in second["units"]] == [("saved_tracks", "failed")]


def test_invocation_that_cannot_hand_over_is_tried_again_by_lambda(stage: Stage, aws_lambda: Lambda) -> None:
    saved(stage, 30)
    aws_lambda.error = ConnectionError("no route")
    with pytest.raises(ConnectionError):
        stage.run("manual", streams=["saved_tracks"], context=Waning(looks=0))
    assert len(stage.keys("runs/")) == 1


def test_retry_of_a_continuation_that_crashed_goes_on_where_that_did(
    stage: Stage, aws_lambda: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(stage, 230)
    stage.run("manual", streams=["profile", "saved_tracks"], context=Waning(looks=8))
    handed_over = copy.deepcopy(aws_lambda.asked)
    with monkeypatch.context() as patch:
        patch.setattr("handlers.extract.run.read_incremental", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            follow(stage, aws_lambda)
    aws_lambda.asked = handed_over
    again = follow(stage, aws_lambda)
    assert [(one["stream"], one["status"], one["read_records"]) for one in again["units"]] == [
        ("saved_tracks", "complete", 230)
    ]


def test_units_that_were_learned_late_are_read_once(stage: Stage, aws_lambda: Lambda) -> None:
    """Read every playlist in a full run even if the first invocation does not get to list them."""
    stage.spotify.lists["me/playlists"] = [playlist(f"P{number}", "s1") for number in range(3)]
    stage.spotify.lists |= {f"playlists/P{number}/items": [entry(number)] for number in range(3)}
    stage.run("manual", streams=["playlist_items"], full=True, context=Waning(looks=0))
    second = follow(stage, aws_lambda, Waning(looks=8))
    assert [(one["unit"], one["reason"]) for one in second["units"]] == [
        ("P0", None),
        ("P1", None),
        ("P2", "continued"),
    ]
    third = follow(stage, aws_lambda)
    assert [(one["unit"], one["status"]) for one in third["units"]] == [("P2", "complete")]


def test_stream_of_which_a_failure_kept_units_from_being_named_is_left_whole(
    stage: Stage, aws_lambda: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.spotify.lists["me/playlists"] = [playlist(f"P{number}", "s1") for number in range(3)]
    stage.spotify.lists |= {f"playlists/P{number}/items": [entry(number)] for number in range(3)}
    stage.run("manual", streams=["playlist_items"], context=Waning(looks=0))
    handed_over = copy.deepcopy(aws_lambda.asked)
    with monkeypatch.context() as patch:
        patch.setattr("handlers.extract.reads.per_playlist._read", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            follow(stage, aws_lambda)
    aws_lambda.asked = handed_over
    assert [one["unit"] for one in follow(stage, aws_lambda)["units"]] == ["P0", "P1", "P2"]


def test_budget_is_that_of_the_run_and_not_of_the_invocation(
    stage: Stage, aws_lambda: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(stage, 500)
    monkeypatch.setattr("handlers.extract.run.STREAM_REQUESTS", 6)
    stage.run("manual", streams=["saved_tracks"], context=Waning(looks=8))
    row = unit(follow(stage, aws_lambda), "saved_tracks")
    assert (row["status"], row["reason"]) == ("partial", "budget")
    assert len(stage.spotify.requests) == 6
