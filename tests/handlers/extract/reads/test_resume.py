"""Reads that are interrupted and resumed by a later run."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.extract.handler import RunFailedError
from handlers.layout import LOCKS_STATE_KEY, state_key
from handlers.raw import objects
from tests.handlers.extract.fake_spotify import Json, Reply, entry, playlist, saved_track
from tests.handlers.extract.stage import START, Stage, unit
from tests.thoroughness import examples, sampled

DAY = timedelta(days=1)
STREAM, PATH = "saved_tracks", "me/tracks"
LOCKED = Reply(429, {"error": {"status": 429, "message": "Too many requests"}}, {"Retry-After": "3600"})


def tracks(*numbers: int) -> list[Json]:
    """Newest first."""
    return [
        saved_track(number, f"2026-10-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z")
        for number in sorted(numbers, reverse=True)
    ]


def cut(stage: Stage, path: str, requests: int, *, at: Any = START) -> Json:
    """Run with so many successful requests for the path before Spotify locks it."""
    stage.spotify.fault(path, *[None] * requests, LOCKED)
    return stage.read(STREAM, at)


def uris(stage: Stage, row: Json) -> list[str]:
    return [line["record"]["track"]["uri"] for line in stage.lines(row["read_keys"])]


def paths(stage: Stage, path: str) -> list[int]:
    """Return the requested offsets."""
    return [int(params.get("offset", 0)) for asked, params in stage.spotify.requests if asked == path]


def opened(stage: Stage, stream: str = STREAM) -> Any:
    return stage.json(state_key("aB3dE5fG7h", stream)).get("open")


@pytest.mark.parametrize("requests", sampled([1, 2, 3, 4], [2]))
def test_read_goes_on_behind_the_last_record(stage: Stage, requests: int) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    first = cut(stage, PATH, requests)
    assert (first["status"], first["reason"], first["records"]) == ("partial", "locked", 50 * requests)
    stage.spotify.requests.clear()
    second = stage.read(STREAM, START + DAY)
    assert (second["status"], second["mode"], second["read_id"]) == ("complete", "full", first["read_id"])
    assert stage.records(second["read_keys"]) == tracks(*range(230))
    assert (second["read_records"], second["records"]) == (230, 230 - 50 * requests)
    assert paths(stage, PATH)[0] == 50 * requests - 1
    # The rest, and the first page again for new items.
    assert len(paths(stage, PATH)) == -(-(231 - 50 * requests) // 50) + 1
    assert opened(stage) is None
    assert stage.read(STREAM, START + 2 * DAY)["status"] == "unchanged"


def test_read_over_many_runs_has_the_objects_of_all(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    rows = [cut(stage, PATH, 1, at=START + day * DAY) for day in range(4)]
    last = stage.read(STREAM, START + 4 * DAY)
    assert {row["read_id"] for row in (*rows, last)} == {last["read_id"]}
    assert len(last["read_keys"]) == 5
    assert stage.records(last["read_keys"]) == tracks(*range(230))


@pytest.mark.parametrize("status", sampled([400, 404]))
def test_read_whose_place_is_refused_begins_again(stage: Stage, status: int) -> None:
    stage.spotify.lists[PATH] = tracks(*range(130))
    first = cut(stage, PATH, 2)
    stage.spotify.fault(PATH, Reply(status, {"error": {"status": status, "message": "Invalid offset"}}))
    second = stage.read(STREAM, START + DAY)
    assert (second["status"], second["read_id"] != first["read_id"]) == ("complete", True)
    assert stage.records(second["read_keys"]) == tracks(*range(130))


def test_what_was_saved_meanwhile_is_read_behind_it(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(100, 330))
    first = cut(stage, PATH, 2)
    stage.spotify.lists[PATH] = tracks(*range(100, 400))
    row = stage.read(STREAM, START + DAY)
    assert stage.records(row["read_keys"]) == tracks(*range(100, 330)) + tracks(*range(330, 400))
    assert (row["status"], row["mode"], row["read_id"]) == ("complete", "full", first["read_id"])
    assert stage.read(STREAM, START + 2 * DAY)["status"] == "unchanged"


def test_what_was_saved_meanwhile_may_come_with_the_next_run(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(100, 230))
    cut(stage, PATH, 2)
    stage.spotify.lists[PATH] = tracks(*range(100, 240))
    # The position is found, and confirmed where it has moved to.
    stage.spotify.fault(PATH, None, None, LOCKED)
    row = stage.read(STREAM, START + DAY)
    assert (row["status"], row["reason"], row["read_complete"]) == ("partial", "locked", True)
    assert stage.records(row["read_keys"]) == tracks(*range(100, 230))
    increment = stage.read(STREAM, START + 2 * DAY)
    assert sorted(uris(stage, increment)) == sorted(f"spotify:track:{number}" for number in range(100, 240))


@pytest.mark.parametrize(("new", "requests"), sampled([(0, 1), (49, 2), (50, 4), (499, 12), (530, 13)], [(50, 4)]))
def test_place_is_looked_for_ten_pages_on(stage: Stage, new: int, requests: int) -> None:
    stage.spotify.lists[PATH] = tracks(*range(120))
    cut(stage, PATH, 2)
    stage.spotify.lists[PATH] = tracks(*range(120 + new))
    stage.spotify.requests.clear()
    row = stage.read(STREAM, START + DAY)
    assert stage.records(row["read_keys"])[:120] == tracks(*range(120))
    assert paths(stage, PATH).index(0) == requests


def test_place_is_not_looked_for_further_than_ten_pages_on(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(120))
    first = cut(stage, PATH, 2)
    stage.spotify.lists[PATH] = tracks(*range(120 + 550))
    row = stage.read(STREAM, START + DAY)
    assert (row["read_id"] != first["read_id"], row["read_records"]) == (True, 670)


def test_place_is_looked_for_a_page_back(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    cut(stage, PATH, 2)
    # Forty of those that were read are gone; they remain until the next full read.
    stage.spotify.lists[PATH] = tracks(*range(190))
    row = stage.read(STREAM, START + DAY)
    assert stage.records(row["read_keys"]) == tracks(*range(230))


def test_read_begins_again_where_its_place_is_gone(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    first = cut(stage, PATH, 2)
    left = [one for one in tracks(*range(230)) if one["track"]["uri"] != "spotify:track:130"]
    stage.spotify.lists[PATH] = left
    row = stage.read(STREAM, START + DAY)
    assert row["read_id"] != first["read_id"]
    assert stage.records(row["read_keys"]) == left
    assert opened(stage) is None


@pytest.mark.slow
def test_read_that_is_too_old_begins_again(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    first = cut(stage, PATH, 2)
    row = stage.read(STREAM, START + 16 * DAY)
    assert row["read_id"] != first["read_id"]
    assert row["read_records"] == 230


def test_full_run_begins_again(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    first = cut(stage, PATH, 2)
    row = stage.read(STREAM, START + DAY, full=True)
    assert row["read_id"] != first["read_id"]
    assert (row["read_records"], opened(stage)) == (230, None)


@pytest.mark.parametrize(
    "wrong",
    sampled(
        [7, {}, {"place": None}, {"keys": ["elsewhere"]},
         {"place": {"position": 0, "last": "", "path": "", "params": {}}},
         {"digest": 1}, {"begun_at": "soon"}, {"seen": None}, {"records": "100"}, {"version": 1}],
        [7, {"keys": ["elsewhere"]}],
    ),
)  # fmt: skip
def test_open_read_that_holds_nonsense_begins_again(stage: Stage, wrong: Any) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    cut(stage, PATH, 2)
    key = state_key("aB3dE5fG7h", STREAM)
    state = stage.json(key)
    state["open"] = {**state["open"], **wrong} if isinstance(wrong, dict) and wrong else wrong
    stage.s3.put_object(Bucket="raw-bucket", Key=key, Body=json.dumps(state).encode())
    row = stage.read(STREAM, START + DAY)
    assert (row["status"], row["read_records"], opened(stage)) == ("complete", 230, None)


def test_cut_at_any_failure_that_passes(stage: Stage) -> None:
    stage.spotify.lists[PATH] = tracks(*range(230))
    stage.spotify.fault(PATH, None, None, *[Reply(500)] * 4)
    with pytest.raises(RunFailedError):
        stage.read(STREAM)
    stage.spotify.faults.clear()
    row = stage.read(STREAM, START + DAY)
    assert (row["records"], stage.records(row["read_keys"])) == (130, tracks(*range(230)))


def test_long_list_that_changes_finds_its_place_and_does_not_begin_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.extract.reads.paging.REPEATABLE_PAGES", 2)
    stage.spotify.lists[PATH] = tracks(*range(260))
    served = stage.spotify.lists[PATH]

    def change(path: str) -> None:
        if path == PATH and stage.spotify.paths().count(path) == 4:
            served[:] = [*tracks(300, 301), *served[1:]]

    stage.spotify.on_request = change
    row = stage.read(STREAM)
    assert (row["status"], row["requests"]) == ("complete", 9)
    assert stage.records(row["read_keys"]) == tracks(*range(260))


def test_short_snapshot_that_was_cut_begins_again(stage: Stage) -> None:
    albums = [{"added_at": "2026-11-20T10:00:00Z", "album": {"uri": f"spotify:album:{number}"}} for number in range(90)]
    stage.spotify.lists["me/albums"] = albums
    stage.spotify.fault("me/albums", None, LOCKED)
    first = stage.read("saved_albums")
    stage.spotify.lists["me/albums"] = albums = [
        {"added_at": "2026-11-23T10:00:00Z", "album": {"uri": "spotify:album:new"}},
        *albums,
    ]
    second = stage.read("saved_albums", START + DAY)
    assert second["read_id"] != first["read_id"]
    assert stage.records(second["read_keys"]) == albums


def test_snapshot_that_was_cut_is_written_and_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.extract.reads.paging.REPEATABLE_PAGES", 1)
    albums = [{"added_at": "2026-11-20T10:00:00Z", "album": {"uri": f"spotify:album:{number}"}} for number in range(90)]
    stage.spotify.lists["me/albums"] = albums
    stage.spotify.fault("me/albums", None, LOCKED)
    first = stage.read("saved_albums")
    second = stage.read("saved_albums", START + DAY)
    assert (second["read_id"], second["records"]) == (first["read_id"], 40)
    assert stage.records(second["read_keys"]) == albums
    # Its digest is that of the whole list, although no single run saw all of it.
    assert stage.read("saved_albums", START + 2 * DAY)["status"] == "unchanged"


def test_playlist_is_resumed_while_its_version_is_current(stage: Stage) -> None:
    stage.spotify.lists["me/playlists"] = [playlist("P1", "s1")]
    stage.spotify.lists["playlists/P1/items"] = [entry(number) for number in range(120)]
    stage.spotify.fault("playlists/P1/items", None, LOCKED)
    first = unit(stage.run("manual", streams=["playlist_items"]), "playlist_items", "P1")
    second = unit(stage.run("manual", START + DAY, streams=["playlist_items"]), "playlist_items", "P1")
    assert (second["read_id"], second["records"], second["status"]) == (first["read_id"], 70, "complete")
    lines = stage.lines(second["read_keys"])
    assert [(line["record"], line["context"]["position"]) for line in lines] == [
        (entry(number), number) for number in range(120)
    ]


def test_playlist_begins_again_with_another_version(stage: Stage) -> None:
    stage.spotify.lists["me/playlists"] = [playlist("P1", "s1")]
    stage.spotify.lists["playlists/P1/items"] = [entry(number) for number in range(120)]
    stage.spotify.fault("playlists/P1/items", None, LOCKED)
    first = unit(stage.run("manual", streams=["playlist_items"]), "playlist_items", "P1")
    stage.spotify.lists["me/playlists"] = [playlist("P1", "s2")]
    second = unit(stage.run("manual", START + DAY, streams=["playlist_items"]), "playlist_items", "P1")
    assert (second["read_id"] != first["read_id"], second["read_records"]) == (True, 120)


@pytest.mark.slow
def test_playlists_that_were_listed_over_two_runs_are_listed_for_their_items(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.extract.reads.paging.REPEATABLE_PAGES", 1)
    stage.spotify.lists["me/playlists"] = [playlist(f"P{number}", "s1", "bob") for number in range(70)]
    stage.spotify.lists["me/playlists"][0] = playlist("P0", "s1")
    stage.spotify.lists["playlists/P0/items"] = [entry(1)]
    stage.spotify.fault("me/playlists", None, LOCKED)
    streams = ["playlists", "playlist_items"]
    first = stage.run("manual", streams=streams)
    assert [one["reason"] for one in first["units"]] == ["locked", "locked"]
    second = stage.run("manual", START + DAY, streams=streams)
    assert unit(second, "playlists")["read_records"] == 70
    assert unit(second, "playlist_items", "P0")["status"] == "complete"


def test_part_that_is_uploaded_is_a_place_to_go_on_from(stage: Stage) -> None:
    """Resume from the saved progress after the function was killed."""
    stage.spotify.lists[PATH] = tracks(*range(230))
    left = iter(range(160))
    add = objects.RawWriter.add

    def add_until_killed(*arguments: Any) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        add(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "PART_BYTES", 20_000)
        patch.setattr(objects.RawWriter, "add", add_until_killed)
        with pytest.raises(KeyboardInterrupt):
            stage.read(STREAM)
    kept = opened(stage)
    assert 0 < kept["records"] == kept["place"]["position"] < 160
    row = stage.read(STREAM, START + DAY)
    assert (row["read_id"], row["read_records"]) == (kept["read_id"], 230)
    assert stage.records(row["read_keys"]) == tracks(*range(230))


@settings(max_examples=examples(6, 1))
@given(
    cuts=st.lists(st.integers(1, 3), max_size=4),
    saved=st.lists(st.integers(0, 60), min_size=5, max_size=5),
    unsaved=st.lists(st.lists(st.integers(0, 60), max_size=5), min_size=5, max_size=5),
)
def test_whatever_is_cut_and_changed_nothing_is_missing_at_the_end(
    stage: Stage, cuts: list[int], saved: list[int], unsaved: list[list[int]]
) -> None:
    stage.log_in_as_new_account()
    # The locks belong to the app, whoever logs in.
    stage.s3.delete_object(Bucket="raw-bucket", Key=LOCKS_STATE_KEY)
    stage.spotify.faults.clear()
    library = tracks(*range(240))
    number = 240
    for day, requests in enumerate(cuts):
        stage.spotify.lists[PATH] = library
        stage.spotify.faults.clear()
        stage.spotify.fault(PATH, *[None] * requests, LOCKED)
        stage.read(STREAM, START + day * DAY)
        library = [one for index, one in enumerate(library) if index not in unsaved[day]]
        library = tracks(*range(number, number + saved[day])) + library
        number += saved[day]
    stage.spotify.faults.clear()
    stage.spotify.lists[PATH] = library
    for day in range(len(cuts), len(cuts) + 3):
        row = stage.read(STREAM, START + day * DAY)
    assert row["status"] in {"complete", "unchanged"}
    lines = stage.lines(row["read_keys"])
    assert len(lines) == row["read_records"]
    found = {line["record"]["track"]["uri"] for line in lines}
    assert {one["track"]["uri"] for one in library} - found == set()
