from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.extract.handler import handler
from handlers.layout import state_key
from tests.handlers.extract.fake_spotify import Json, Reply, saved_track
from tests.handlers.extract.stage import START, Context, Stage
from tests.thoroughness import examples

DAY = timedelta(days=1)
STREAM = "saved_tracks"


def tracks(*numbers: int) -> list[Json]:
    """Return tracks newest first; a number is a minute of the same day."""
    return [saved_track(number, minute(number)) for number in sorted(numbers, reverse=True)]


def minute(number: int) -> str:
    return f"2026-10-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z"


def serve(stage: Stage, served: list[Json]) -> None:
    stage.spotify.lists["me/tracks"] = served
    stage.spotify.requests.clear()


def fresh(stage: Stage, unit: Json) -> list[Any]:
    """Return what the read itself has written, without the reads that it builds on."""
    return [line["record"] for line in stage.lines(unit["read_keys"]) if line["read_id"] == unit["read_id"]]


def test_first_read_is_full(stage: Stage) -> None:
    serve(stage, tracks(*range(120)))
    unit = stage.read(STREAM)
    assert (unit["status"], unit["mode"], unit["read_complete"]) == ("complete", "full", True)
    assert fresh(stage, unit) == tracks(*range(120))


def test_next_read_goes_down_to_the_watermark(stage: Stage) -> None:
    serve(stage, tracks(*range(200)))
    stage.read(STREAM)
    serve(stage, tracks(*range(203)))
    unit = stage.read(STREAM, START + DAY)
    assert (unit["mode"], unit["status"], unit["read_complete"], unit["requests"]) == (
        "incremental",
        "complete",
        True,
        1,
    )
    assert fresh(stage, unit) == tracks(200, 201, 202)


def test_increment_over_pages(stage: Stage) -> None:
    serve(stage, tracks(*range(100)))
    stage.read(STREAM)
    serve(stage, tracks(*range(220)))
    unit = stage.read(STREAM, START + DAY)
    assert fresh(stage, unit) == tracks(*range(100, 220))
    assert unit["requests"] == 3


def test_nothing_new_is_unchanged_and_repeats_the_last_read(stage: Stage) -> None:
    serve(stage, tracks(1, 2))
    full = stage.read(STREAM)
    second = stage.read(STREAM, START + DAY)
    assert (second["status"], second["mode"], second["read_id"]) == ("unchanged", "full", full["read_id"])
    serve(stage, tracks(1, 2, 3))
    increment = stage.read(STREAM, START + 2 * DAY)
    last = stage.read(STREAM, START + 3 * DAY)
    assert (last["status"], last["mode"], last["read_id"]) == ("unchanged", "incremental", increment["read_id"])
    assert (last["read_keys"], last["read_records"]) == (increment["read_keys"], 3)


def test_increment_builds_on_the_full_read_and_earlier_increments(stage: Stage) -> None:
    serve(stage, tracks(1, 2))
    reads = [stage.read(STREAM)]
    for day, number in enumerate((3, 4), start=1):
        serve(stage, tracks(*range(1, number + 1)))
        reads.append(stage.read(STREAM, START + day * DAY))
    assert [len(read["read_keys"]) for read in reads] == [1, 2, 3]
    assert reads[2]["read_keys"][:2] == reads[1]["read_keys"]
    assert [read["read_records"] for read in reads] == [2, 3, 4]
    assert [read["records"] for read in reads] == [2, 1, 1]
    assert stage.records(reads[2]["read_keys"]) == [*tracks(1, 2), *tracks(3), *tracks(4)]
    full = stage.read(STREAM, START + 7 * DAY)
    assert (full["mode"], len(full["read_keys"]), full["read_records"]) == ("full", 1, 4)


def test_tracks_added_at_the_moment_of_the_watermark_are_not_missed(stage: Stage) -> None:
    serve(stage, [saved_track(1, minute(5)), *tracks(0)])
    stage.read(STREAM)
    same_moment = [saved_track(2, minute(5)), saved_track(1, minute(5)), saved_track(3, minute(5)), *tracks(0)]
    serve(stage, same_moment)
    unit = stage.read(STREAM, START + DAY)
    assert fresh(stage, unit) == [same_moment[0], same_moment[2]]
    assert stage.read(STREAM, START + 2 * DAY)["status"] == "unchanged"


def unsave_newest(stage: Stage, *requests: int) -> None:
    """Remove the newest track at the requests with those numbers."""
    served = stage.spotify.lists["me/tracks"]

    def unsave(path: str) -> None:
        if path == "me/tracks" and stage.spotify.paths().count(path) in requests:
            served.pop(0)

    stage.spotify.on_request = unsave


def test_full_read_of_a_list_that_shrinks_meanwhile_is_repeated(stage: Stage) -> None:
    serve(stage, tracks(*range(120)))
    unsave_newest(stage, 2)
    unit = stage.read(STREAM)
    assert (unit["status"], unit["requests"]) == ("complete", 6)  # the profile, two pages, and all three again
    assert fresh(stage, unit) == tracks(*range(119))
    assert {line["read_id"] for line in stage.lines(unit["read_keys"])} == {unit["read_id"]}
    assert stage.json(state_key("aB3dE5fG7h", STREAM))["watermark"]["added_at"] == "2026-10-01T01:58:00.000Z"


def test_list_that_shrinks_again_and_again_is_repeated_once(stage: Stage) -> None:
    serve(stage, tracks(*range(120)))
    unsave_newest(stage, 2, 4)
    unit = stage.read(STREAM)
    # The second pass searches for its position: the profile, two pages, and two to look back and ahead.
    assert (unit["status"], unit["requests"]) == ("complete", 9)
    assert stage.records(unit["read_keys"]) == tracks(*range(119))[:1] + tracks(*range(118))


def test_increment_of_a_list_that_shrinks_meanwhile_is_repeated(stage: Stage) -> None:
    serve(stage, tracks(0))
    stage.read(STREAM)
    serve(stage, tracks(*range(100)))
    unsave_newest(stage, 2)
    unit = stage.read(STREAM, START + DAY)
    assert fresh(stage, unit) == tracks(*range(1, 99))


def test_unsaved_watermark_does_not_stop_the_next_read(stage: Stage) -> None:
    serve(stage, tracks(1, 2, 3))
    stage.read(STREAM)
    serve(stage, tracks(1, 2, 4))
    assert fresh(stage, stage.read(STREAM, START + DAY)) == tracks(4)


def test_full_read_each_week_and_in_a_full_run(stage: Stage) -> None:
    serve(stage, tracks(1, 2))
    stage.read(STREAM)
    modes = [stage.read(STREAM, START + days * DAY)["status"] for days in range(1, 9)]
    assert modes == ["unchanged"] * 6 + ["complete"] + ["unchanged"]
    assert stage.read(STREAM, START + 9 * DAY, full=True)["mode"] == "full"


def test_week_is_counted_by_days_not_by_seconds(stage: Stage) -> None:
    """Read in full after a week, even if the run starts seconds earlier in the day."""
    serve(stage, tracks(1, 2))
    stage.read(STREAM, START + timedelta(seconds=30))
    assert stage.read(STREAM, START + 7 * DAY)["status"] == "complete"


def test_library_that_was_empty(stage: Stage) -> None:
    unit = stage.read(STREAM)
    assert (unit["status"], unit["mode"], unit["read_complete"], unit["read_records"]) == ("complete", "full", True, 0)
    assert stage.read(STREAM, START + DAY)["status"] == "unchanged"
    serve(stage, tracks(1))
    assert fresh(stage, stage.read(STREAM, START + 2 * DAY)) == tracks(1)


def test_records_without_a_place_are_kept_in_full_reads_and_among_new_ones(stage: Stage) -> None:
    odd: list[Json] = [None, {"added_at": None, "track": None}]  # type: ignore[list-item] # Spotify may
    serve(stage, [*odd, *tracks(1)])
    assert stage.read(STREAM)["records"] == 3
    assert stage.read(STREAM, START + DAY)["status"] == "unchanged"
    serve(stage, [odd[0], *tracks(2), odd[1], *tracks(1)])
    unit = stage.read(STREAM, START + 2 * DAY)
    assert fresh(stage, unit) == [None, *tracks(2)]


def test_track_of_the_future_hides_no_later_one(stage: Stage) -> None:
    future = saved_track(999, "2099-01-01T00:00:00Z")
    serve(stage, [future, *tracks(1)])
    assert stage.read(STREAM)["records"] == 2
    assert stage.read(STREAM, START + DAY)["status"] == "unchanged"
    serve(stage, [future, *tracks(1, 2)])
    assert tracks(2)[0] in fresh(stage, stage.read(STREAM, START + 2 * DAY))


def test_full_read_that_ends_after_one_that_began_later_does_not_replace_it(stage: Stage) -> None:
    """Find a track that was saved during the slow read and is below the other read's watermark."""
    before, after = tracks(*range(120)), tracks(*range(121))
    stage.run("manual", streams=["profile"])
    serve(stage, before)
    quick: list[Json] = []

    def read_meanwhile(_: str) -> None:
        if stage.spotify.paths() == ["me/tracks"] * 3:
            stage.spotify.on_request = lambda _: None
            stage.spotify.lists["me/tracks"] = after
            event = {"trigger": "daily", "scheduled_time": "2026-11-23T06:00:00Z", "streams": [STREAM]}
            quick.append(stage.json(handler(event, Context())["manifest"]))  # type: ignore[arg-type] # a stand-in
            # The last page of the slow read is unchanged.
            stage.spotify.lists["me/tracks"] = before

    stage.spotify.on_request = read_meanwhile
    assert stage.read(STREAM)["status"] == "complete"
    assert [one["read_records"] for one in quick[0]["units"]] == [121]
    serve(stage, after)
    row = stage.read(STREAM, START + DAY)
    assert tracks(120)[0] in stage.records(row["read_keys"])


def test_saved_track_without_a_track_is_read_once(stage: Stage) -> None:
    serve(stage, [{"added_at": minute(3), "track": None}, *tracks(1)])
    stage.read(STREAM)
    assert stage.read(STREAM, START + DAY)["status"] == "unchanged"


def test_increment_that_breaks_off_leaves_the_watermark(stage: Stage) -> None:
    serve(stage, tracks(*range(100)))
    stage.read(STREAM)
    serve(stage, tracks(*range(200)))
    stage.spotify.fault("me/tracks", None, Reply(404, {"error": {"status": 404, "message": "?"}}))
    broken = stage.read(STREAM, START + DAY)
    assert (broken["status"], broken["records"], broken["read_complete"]) == ("failed", 50, False)
    mended = stage.read(STREAM, START + 2 * DAY)
    assert fresh(stage, mended) == tracks(*range(100, 200))


@pytest.mark.parametrize(
    "watermark",
    [
        None,
        7,
        {"added_at": "soon", "uris": []},
        {"added_at": "2026-10-01T00:00:00Z"},
        {"added_at": "2099-01-01T00:00:00Z", "uris": []},
    ],
    ids=["none", "number", "no time", "no uris", "future"],
)
def test_unusable_watermark_means_a_full_read(stage: Stage, watermark: object) -> None:
    serve(stage, tracks(1, 2))
    stage.read(STREAM)
    key = state_key("aB3dE5fG7h", STREAM)
    state = stage.json(key) | {"watermark": watermark}
    stage.s3.put_object(Bucket="raw-bucket", Key=key, Body=json.dumps(state).encode())
    unit = stage.read(STREAM, START + DAY)
    assert (unit["mode"], unit["status"]) == ("full", "complete")


def test_watermark_is_the_newest_moment_with_all_its_items(stage: Stage) -> None:
    serve(stage, [saved_track(2, minute(5)), saved_track(1, minute(5)), *tracks(0)])
    stage.read(STREAM)
    assert stage.json(state_key("aB3dE5fG7h", STREAM))["watermark"] == {
        "added_at": "2026-10-01T00:05:00.000Z",
        "uris": ["spotify:track:1", "spotify:track:2"],
    }


@settings(max_examples=examples(8, 2))
@given(
    # For each day the minutes at which tracks are saved, several at the same one, never before the previous day's.
    days=st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=1, max_size=5),
)
def test_increments_miss_nothing_and_repeat_nothing(stage: Stage, days: list[list[int]]) -> None:
    stage.log_in_as_new_account()
    library: list[Json] = []
    written: list[Json] = []
    for day, minutes in enumerate(days):
        for offset in sorted(minutes):
            # Minute 3 of a day is minute 0 of the next: equal moments before and after a run.
            library.insert(0, saved_track(len(library), minute(day * 3 + offset)))
        serve(stage, library)
        unit = stage.read(STREAM, START + day * DAY)
        if unit["status"] == "complete":
            written += fresh(stage, unit)
    assert sorted(one["track"]["id"] for one in written) == sorted(one["track"]["id"] for one in library)
