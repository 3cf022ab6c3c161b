from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.extract.reads import append
from handlers.extract.reads.record_keys import record_key
from handlers.layout import state_key
from tests.handlers.extract.fake_spotify import Json, play
from tests.handlers.extract.stage import START, Stage
from tests.thoroughness import examples

HOUR = timedelta(hours=1)
STREAM = "recently_played"


def plays(*minutes: int) -> list[Json]:
    """Return plays newest first, as Spotify serves them."""
    return [play(minute, played_at(minute)) for minute in sorted(minutes, reverse=True)]


def played_at(minute: int) -> str:
    moment: datetime = START - timedelta(days=1) + timedelta(minutes=minute)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.123Z"


def serve(stage: Stage, served: list[Json]) -> None:
    stage.spotify.lists["me/player/recently-played"] = served


def test_only_new_plays_are_written(stage: Stage) -> None:
    serve(stage, plays(1, 2, 3))
    first = stage.read(STREAM)
    assert (first["status"], first["mode"], first["records"]) == ("complete", "incremental", 3)
    serve(stage, plays(2, 3, 4, 5))
    second = stage.read(STREAM, START + HOUR)
    assert stage.records(second["read_keys"]) == plays(4, 5)
    assert (second["read_complete"], second["read_records"]) == (True, 2)


def test_nothing_new_is_unchanged(stage: Stage) -> None:
    serve(stage, plays(1, 2))
    first = stage.read(STREAM)
    second = stage.read(STREAM, START + HOUR)
    assert (second["status"], second["objects"]) == ("unchanged", 0)
    for name in ("read_id", "read_complete", "read_keys", "read_records", "mode"):
        assert second[name] == first[name]


def test_nothing_played_yet_is_a_complete_read_of_nothing(stage: Stage) -> None:
    unit = stage.read(STREAM)
    assert (unit["status"], unit["read_complete"], unit["read_keys"], unit["read_records"]) == ("complete", True, [], 0)
    serve(stage, plays(1))
    assert stage.read(STREAM, START + HOUR)["records"] == 1


def test_play_that_comes_late_between_older_ones_is_written(stage: Stage) -> None:
    serve(stage, plays(1, 5))
    stage.read(STREAM)
    serve(stage, plays(1, 3, 5))
    assert stage.records(stage.read(STREAM, START + HOUR)["read_keys"]) == plays(3)


def test_two_tracks_at_the_same_moment_are_two_plays(stage: Stage) -> None:
    serve(stage, [play(1, played_at(1))])
    stage.read(STREAM)
    both = [play(2, played_at(1)), play(1, played_at(1))]
    serve(stage, both)
    assert stage.records(stage.read(STREAM, START + HOUR)["read_keys"]) == both[:1]


def test_one_request_though_spotify_offers_older_pages(stage: Stage) -> None:
    serve(stage, plays(*range(120)))
    assert stage.read(STREAM)["records"] == 50
    assert stage.spotify.requests[1:] == [("me/player/recently-played", {"limit": "50"})]


def test_full_run_writes_all_that_is_served(stage: Stage) -> None:
    serve(stage, plays(1, 2))
    first = stage.read(STREAM)
    second = stage.read(STREAM, START + HOUR, full=True)
    assert (second["status"], stage.records(second["read_keys"])) == ("complete", plays(1, 2))
    assert second["read_id"] != first["read_id"]
    assert stage.read(STREAM, START + 2 * HOUR)["read_id"] == second["read_id"]


def test_null_elements_are_written_once(stage: Stage) -> None:
    serve(stage, [None, *plays(1), {"track": None, "played_at": played_at(0)}])  # type: ignore[list-item] # Spotify may
    assert stage.read(STREAM)["records"] == 3
    assert stage.read(STREAM, START + HOUR)["status"] == "unchanged"


def test_state_remembers_plays_that_spotify_serves_no_more(stage: Stage) -> None:
    serve(stage, plays(1, 2))
    stage.read(STREAM)
    serve(stage, plays(3))
    stage.read(STREAM, START + HOUR)
    serve(stage, plays(1, 2, 3))
    assert stage.read(STREAM, START + 2 * HOUR)["status"] == "unchanged"


def test_state_stays_small(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert append.SEEN_RECORDS == 500
    monkeypatch.setattr(append, "SEEN_RECORDS", 120)
    for hour in range(3):
        serve(stage, plays(*range(hour * 50, hour * 50 + 50)))
        stage.read(STREAM, START + hour * HOUR)
    seen = stage.json(state_key("aB3dE5fG7h", STREAM))["seen"]
    assert len(seen) == 120
    assert seen[-1] == record_key(plays(149)[0])


def test_plays_that_another_run_has_seen_meanwhile_are_merged(stage: Stage) -> None:
    key = state_key("aB3dE5fG7h", STREAM)
    serve(stage, plays(1))
    stage.read(STREAM)
    serve(stage, plays(1, 2))

    def other_run(path: str) -> None:
        if path == "me/player/recently-played":
            state = stage.json(key)
            state["seen"].append(record_key(plays(9)[0]))
            stage.s3.put_object(Bucket="raw-bucket", Key=key, Body=json.dumps(state))

    stage.spotify.on_request = other_run
    stage.read(STREAM, START + HOUR)
    assert set(stage.json(key)["seen"]) == {record_key(one) for one in plays(1, 2, 9)}


@settings(max_examples=examples(8, 2))
@given(
    hours=st.lists(st.lists(st.integers(0, 60), max_size=12, unique=True), min_size=1, max_size=5),
)
def test_every_play_that_was_served_is_written_exactly_once(stage: Stage, hours: list[list[int]]) -> None:
    stage.log_in_as_new_account()
    written = []
    for number, minutes in enumerate(hours):
        serve(stage, plays(*minutes))
        unit = stage.read(STREAM, START + number * HOUR)
        if unit["status"] == "complete":
            written += stage.records(unit["read_keys"])
    served = {record_key(one) for minutes in hours for one in plays(*minutes)}
    assert sorted(map(record_key, written)) == sorted(served)
