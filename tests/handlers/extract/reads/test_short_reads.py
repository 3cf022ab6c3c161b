"""Lists that end before their total: the rest is requested once, and nothing relies on a short read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handlers.layout import state_key
from tests.handlers.extract.fake_spotify import Json, Reply, artist, entry, playlist, saved_track
from tests.handlers.extract.stage import START, Stage, unit
from tests.thoroughness import sampled

DAY = timedelta(days=1)
PATHS = {
    "playlists": "me/playlists",
    "saved_tracks": "me/tracks",
    "saved_albums": "me/albums",
    "followed_artists": "me/following",
    "top_tracks": "me/top/tracks",
}
"""Streams of every paging and mode that read one list, and its path."""


def fill(stage: Stage, stream: str, size: int) -> None:
    made: dict[str, Callable[[int], Json]] = {
        "playlists": lambda number: playlist(f"P{number}", "s1"),
        "saved_tracks": lambda number: saved_track(number, f"2026-10-01T00:{number // 60:02d}:{number % 60:02d}Z"),
    }
    numbers = reversed(range(size)) if stream == "saved_tracks" else range(size)
    stage.spotify.lists[PATHS[stream]] = [made.get(stream, artist)(number) for number in numbers]


def ends_after(items: int) -> Callable[[Json], Json]:
    """Return a page that ends its list after so many of its items, with the total unchanged."""

    def cut(answer: Json) -> Json:
        page = answer.get("artists", answer)
        page.update(items=page["items"][:items], next=None)
        return answer

    return cut


def cut_each_page(stage: Stage, path: str, items: int) -> None:
    stage.spotify.fault(path, *[ends_after(items)] * 9)


def clear(stage: Stage) -> None:
    stage.spotify.faults.clear()


@pytest.mark.parametrize("stream", sampled(PATHS, ["saved_tracks", "followed_artists"]))
@pytest.mark.parametrize("items", sampled([0, 20], [20]))
def test_rest_of_a_page_that_ends_early_is_requested(stage: Stage, stream: str, items: int) -> None:
    fill(stage, stream, 120)
    stage.spotify.fault(PATHS[stream], None, ends_after(items))
    row = stage.read(stream)
    lists = 3 if stream == "top_tracks" else 1
    assert (row["status"], row["reason"], row["read_records"]) == ("complete", None, 120 * lists)
    # After 70 records the rest fits into one page; by cursor the page itself is requested again.
    extra = 0 if items and stream != "followed_artists" else 1
    assert stage.spotify.paths().count(PATHS[stream]) == 3 * lists + extra


@pytest.mark.parametrize("stream", sampled(PATHS, ["saved_tracks"]))
def test_list_that_stays_short_is_read_again(stage: Stage, stream: str) -> None:
    fill(stage, stream, 120)
    before = stage.read(stream)
    cut_each_page(stage, PATHS[stream], 20)
    row = stage.read(stream, START + DAY, full=True)
    assert (row["status"], row["reason"], row["read_complete"]) == ("partial", "short", False)
    clear(stage)
    again = stage.read(stream, START + 2 * DAY)
    # Nothing has changed since the last complete read, which is still current.
    assert (again["status"], again["read_keys"]) == ("unchanged", before["read_keys"])


def test_short_read_shows_only_where_there_is_nothing_better(stage: Stage) -> None:
    fill(stage, "saved_albums", 60)
    cut_each_page(stage, "me/albums", 20)
    first = stage.read("saved_albums")
    assert (first["status"], first["reason"]) == ("partial", "short")
    assert (first["read_complete"], first["read_records"], len(first["read_keys"])) == (True, 40, 1)
    clear(stage)
    assert stage.read("saved_albums", START + DAY)["read_records"] == 60
    fill(stage, "saved_albums", 70)
    cut_each_page(stage, "me/albums", 20)
    short = stage.read("saved_albums", START + 2 * DAY)
    assert (short["reason"], short["read_complete"], short["records"]) == ("short", False, 40)
    # The rows of the complete read are about to expire.
    late = stage.read("saved_albums", START + 30 * DAY)
    assert (late["reason"], late["read_complete"], late["read_records"]) == ("short", True, 40)


def test_short_list_equal_to_the_last_one_is_not_unchanged(stage: Stage) -> None:
    fill(stage, "saved_albums", 40)
    stage.read("saved_albums")
    stage.spotify.fault("me/albums", *[lambda page: {**page, "total": 45}] * 4)
    row = stage.read("saved_albums", START + DAY)
    assert (row["status"], row["reason"], row["records"], row["objects"]) == ("partial", "short", 0, 0)


def test_total_that_lies_is_believed_in_the_end(stage: Stage) -> None:
    fill(stage, "saved_albums", 40)
    stage.spotify.fault("me/albums", *[lambda page: {**page, "total": page["total"] + 2}] * 20)
    rows = [stage.read("saved_albums", START + number * DAY) for number in range(4)]
    assert [(row["status"], row["reason"], row["requests"]) for row in rows] == [
        ("partial", "short", 3),  # the account, the list, and the list again
        ("partial", "short", 2),
        ("partial", "short", 2),
        ("complete", None, 1),
    ]
    assert stage.read("saved_albums", START + 4 * DAY)["status"] == "unchanged"
    fill(stage, "saved_albums", 43)
    assert stage.read("saved_albums", START + 5 * DAY)["status"] == "complete"
    stage.spotify.faults.clear()
    assert stage.read("saved_albums", START + 6 * DAY)["status"] == "unchanged"
    assert "short" not in stage.json(state_key("aB3dE5fG7h", "saved_albums"))


def test_watermark_does_not_pass_what_lies_below_the_cut(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", 230)
    # The first three pages are new; the second ends the list, and so does the request for the rest.
    stage.spotify.fault("me/tracks", None, ends_after(10), ends_after(0))
    row = stage.read("saved_tracks", START + DAY)
    assert (row["mode"], row["status"], row["reason"]) == ("incremental", "partial", "short")
    clear(stage)
    again = stage.read("saved_tracks", START + 2 * DAY)
    assert (again["mode"], again["status"], again["read_records"]) == ("incremental", "complete", 230)


def test_hole_in_the_increment_is_requested(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", 160)
    stage.spotify.fault("me/tracks", lambda page: {**page, "items": page["items"][:30]})
    row = stage.read("saved_tracks", START + DAY)
    assert (row["mode"], row["status"], row["read_records"]) == ("incremental", "complete", 160)
    assert ("me/tracks", {"limit": "20", "offset": "30"}) in stage.spotify.requests


@pytest.mark.slow
def test_hole_that_stays_keeps_the_watermark(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", 160)
    stage.spotify.fault("me/tracks", lambda page: {**page, "items": page["items"][:30]}, None, ends_after(0))
    row = stage.read("saved_tracks", START + DAY)
    assert (row["status"], row["reason"]) == ("partial", "short")
    assert stage.read("saved_tracks", START + 2 * DAY)["read_records"] == 160


def serve_playlists(stage: Stage, size: int, snapshot: str) -> None:
    stage.spotify.lists["me/playlists"] = [
        {**playlist(name, snapshot), "items": {"total": size}} for name in ("P1", "P2")
    ]
    for name in ("P1", "P2"):
        stage.spotify.lists[f"playlists/{name}/items"] = [entry(number) for number in range(size)]


def read_playlists(stage: Stage, at: object) -> Json:
    manifest: Json = stage.run("manual", at, streams=["playlists", "playlist_items"])  # type: ignore[arg-type] # a moment
    return manifest


@pytest.mark.parametrize("total", sampled([120, 0], [0]))
def test_snapshot_of_a_short_playlist_does_not_stand(stage: Stage, total: int) -> None:
    """Note a playlist as short even if it claims to be empty and only the listing says otherwise."""
    serve_playlists(stage, 120, "s1")
    read_playlists(stage, START)
    serve_playlists(stage, 120, "s2")
    empty: Json = {"items": [], "next": None, "total": total}
    stage.spotify.fault("playlists/P1/items", *[lambda _: empty] * 2)
    row = unit(read_playlists(stage, START + DAY), "playlist_items", "P1")
    assert (row["status"], row["reason"], row["read_complete"]) == ("partial", "short", False)
    manifest = read_playlists(stage, START + 2 * DAY)
    assert unit(manifest, "playlist_items", "P1")["read_records"] == 120
    assert unit(manifest, "playlist_items", "P2")["status"] == "unchanged"


def test_playlist_missing_from_a_short_listing_is_not_forgotten(stage: Stage) -> None:
    serve_playlists(stage, 3, "s1")
    read_playlists(stage, START)
    cut_each_page(stage, "me/playlists", 0)
    manifest = read_playlists(stage, START + DAY)
    assert {(one["stream"], one["status"], one["reason"]) for one in manifest["units"]} == {
        ("playlists", "partial", "short"),
        ("playlist_items", "partial", "short"),
    }
    clear(stage)
    stage.spotify.lists["me/playlists"].reverse()
    stage.spotify.fault("me/playlists", *[ends_after(1)] * 3)
    serve_playlists(stage, 3, "s1")
    stage.spotify.lists["me/playlists"][0]["snapshot_id"] = "s2"
    assert unit(read_playlists(stage, START + 2 * DAY), "playlist_items", "P1")["status"] == "complete"
    clear(stage)
    assert unit(read_playlists(stage, START + 3 * DAY), "playlist_items", "P2")["status"] == "unchanged"


def test_short_units_are_counted(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    fill(stage, "saved_albums", 60)
    stage.read("saved_albums")
    assert "ShortUnits" not in capsys.readouterr().out
    cut_each_page(stage, "me/albums", 20)
    stage.read("saved_albums", START + DAY)
    assert '"ShortUnits":[1.0]' in capsys.readouterr().out


def test_last_page_that_is_emptied_with_its_total_is_no_end(stage: Stage) -> None:
    serve_playlists(stage, 120, "s1")
    empty: Json = {"items": [], "next": None, "total": 0}
    stage.spotify.fault("playlists/P1/items", None, lambda _: empty)
    row = unit(read_playlists(stage, START), "playlist_items", "P1")
    assert (row["status"], row["read_records"]) == ("complete", 120)


@pytest.mark.slow
def test_question_for_the_rest_that_is_refused_fails_nothing(stage: Stage) -> None:
    fill(stage, "saved_albums", 40)
    refused = Reply(400, {"error": {"status": 400, "message": "Invalid offset"}})
    for number in range(4):
        stage.spotify.faults.clear()
        stage.spotify.fault("me/albums", lambda page: {**page, "total": 42}, refused)
        row = stage.read("saved_albums", START + number * DAY)
    assert (row["status"], row["requests"]) == ("complete", 1)


def test_read_with_a_hole_is_not_resumed(stage: Stage) -> None:
    fill(stage, "saved_tracks", 220)
    locked = Reply(429, b"Too many", {"Retry-After": "3600"})
    stage.spotify.fault(
        "me/tracks", None, lambda page: {**page, "items": page["items"][:30]}, None, ends_after(0), locked
    )
    assert stage.read("saved_tracks")["reason"] == "locked"
    clear(stage)
    row = stage.read("saved_tracks", START + DAY)
    assert (row["status"], row["read_records"]) == ("complete", 220)


@pytest.mark.slow
def test_short_full_read_is_held_against_all_increments(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", 160)
    stage.read("saved_tracks", START + DAY)
    stage.spotify.fault("me/tracks", None, None, ends_after(0), ends_after(0))
    assert stage.read("saved_tracks", START + 2 * DAY, full=True)["read_complete"] is False
    clear(stage)
    stage.spotify.fault("me/tracks", *[lambda page: {**page, "total": 161}] * 9)
    row = stage.read("saved_tracks", START + 3 * DAY, full=True)
    assert (row["reason"], row["read_complete"], row["read_records"]) == ("short", True, 160)


def serves_again(rows: list[Json], start: int) -> Callable[[Json], Json]:
    """Return a page with the items of another one under its own offset."""
    return lambda page: {**page, "items": rows[start : start + 50]}


def test_page_that_repeats_another_is_requested_again(stage: Stage) -> None:
    fill(stage, "saved_albums", 330)
    first = serves_again(stage.spotify.lists["me/albums"], 0)
    stage.spotify.fault("me/albums", *[None] * 5, first)
    row = stage.read("saved_albums")
    assert (row["status"], row["read_records"], stage.spotify.paths().count("me/albums")) == ("complete", 330, 8)
    assert stage.records(row["read_keys"]) == stage.spotify.lists["me/albums"]


@pytest.mark.slow
def test_page_that_repeats_another_keeps_the_watermark(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", 260)
    stage.spotify.fault("me/tracks", None, *[serves_again(stage.spotify.lists["me/tracks"], 0)] * 2)
    assert stage.read("saved_tracks", START + DAY)["reason"] == "short"
    assert stage.read("saved_tracks", START + 2 * DAY)["read_records"] == 260


def test_page_of_a_playlist_that_repeats_another_is_no_end(stage: Stage) -> None:
    serve_playlists(stage, 120, "s1")
    rows = stage.spotify.lists["playlists/P1/items"]
    stage.spotify.fault("playlists/P1/items", None, serves_again(rows, 0))
    row = unit(read_playlists(stage, START), "playlist_items", "P1")
    assert (row["status"], stage.records(row["read_keys"])) == ("complete", rows)
    serve_playlists(stage, 120, "s2")
    stage.spotify.fault("playlists/P1/items", None, *[serves_again(rows, 0)] * 2)
    row = unit(read_playlists(stage, START + DAY), "playlist_items", "P1")
    # With the repeats it has 120 records, but fewer distinct ones than the last complete read.
    assert (row["reason"], row["records"], row["read_complete"]) == ("short", 120, False)


def test_things_that_a_playlist_holds_twice_are_no_repeats(stage: Stage) -> None:
    serve_playlists(stage, 120, "s1")
    rows = stage.spotify.lists["playlists/P1/items"]
    rows[110:] = [*rows[90:99], entry(120)]
    assert unit(read_playlists(stage, START), "playlist_items", "P1")["status"] == "complete"


@pytest.mark.parametrize("start", sampled([60, 100]))
def test_page_of_a_playlist_that_overlaps_another_is_requested_again(stage: Stage, start: int) -> None:
    serve_playlists(stage, 230, "s1")
    rows = stage.spotify.lists["playlists/P1/items"]
    stage.spotify.fault("playlists/P1/items", None, None, serves_again(rows, start - 50 if start == 100 else start))
    row = unit(read_playlists(stage, START), "playlist_items", "P1")
    assert (row["status"], stage.records(row["read_keys"])) == ("complete", rows)


@pytest.mark.slow
def test_playlist_of_one_track_is_shown_though_it_seems_to_repeat_a_page(stage: Stage) -> None:
    serve_playlists(stage, 200, "s1")
    for number in range(8):
        stage.spotify.lists["playlists/P1/items"] = [entry(1)] * (200 + number)
        serve = {**playlist("P1", f"s{number}"), "items": {"total": 200 + number}}
        stage.spotify.lists["me/playlists"] = [serve]
        row = unit(read_playlists(stage, START + number * DAY), "playlist_items", "P1")
        assert (row["reason"], row["records"]) == ("short", 200 + number)
    assert (row["read_complete"], row["read_records"]) == (True, 207)


@pytest.mark.parametrize(
    ("known", "size", "faults"),
    [
        pytest.param(100, 270, [None, 150], id="a later page", marks=pytest.mark.slow),
        pytest.param(100, 120, [50], id="a later page as the first"),
    ],
)
def test_increment_that_explains_too_little_growth_reads_the_list_whole(
    stage: Stage, known: int, size: int, faults: list[int | None]
) -> None:
    fill(stage, "saved_tracks", known)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", size)
    rows = stage.spotify.lists["me/tracks"]
    stage.spotify.fault("me/tracks", *[None if start is None else serves_again(rows, start) for start in faults])
    row = stage.read("saved_tracks", START + DAY)
    assert (row["mode"], row["status"], row["read_records"]) == ("full", "complete", size)
    assert stage.read("saved_tracks", START + 2 * DAY)["status"] == "unchanged"


def test_increment_notices_what_a_page_leaves_out(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    fill(stage, "saved_tracks", 130)
    left_out: Callable[[Json], Json] = lambda page: {**page, "items": [*page["items"][:10], *page["items"][35:]]}  # noqa: E731 - like the other faults
    stage.spotify.fault("me/tracks", *[left_out] * 4)
    row = stage.read("saved_tracks", START + DAY)
    # The full read meets the same fault, so the unit is short and the next run is right.
    assert (row["mode"], row["status"], row["reason"]) == ("full", "partial", "short")
    clear(stage)
    assert stage.read("saved_tracks", START + 2 * DAY)["read_records"] == 130


@pytest.mark.slow
def test_removed_tracks_explain_nothing_once_they_are_known(stage: Stage) -> None:
    fill(stage, "saved_tracks", 100)
    stage.read("saved_tracks")
    del stage.spotify.lists["me/tracks"][40:60]
    assert stage.read("saved_tracks", START + DAY)["status"] == "unchanged"
    rest = stage.spotify.lists["me/tracks"]
    stage.spotify.lists["me/tracks"] = [
        saved_track(n, f"2026-11-01T00:00:{n - 100:02d}Z") for n in range(120, 100, -1)
    ] + rest
    stage.spotify.fault("me/tracks", serves_again(stage.spotify.lists["me/tracks"], 30))
    row = stage.read("saved_tracks", START + 2 * DAY)
    assert (row["mode"], row["read_records"]) == ("full", 100)


@pytest.mark.parametrize("stream", sampled(["saved_tracks", "playlist_items"]))
def test_place_in_another_page_is_not_believed(stage: Stage, stream: str) -> None:
    """Find the last record at the end of a page that a cache serves by number."""
    path = "me/tracks" if stream == "saved_tracks" else "playlists/P1/items"
    serve_playlists(stage, 230, "s1")
    fill(stage, "saved_tracks", 230)
    rows = stage.spotify.lists[path]
    stage.spotify.fault(path, None, None, Reply(429, b"Too many", {"Retry-After": "3600"}))
    streams = ["playlists", "playlist_items"] if stream == "playlist_items" else [stream]
    stage.run("manual", START, streams=streams)
    stage.spotify.fault(path, serves_again(rows, 50))
    manifest = stage.run("manual", START + DAY, streams=streams)
    row = unit(manifest, stream, "P1" if stream == "playlist_items" else "")
    assert (row["status"], stage.records(row["read_keys"])) == ("complete", rows)


def test_playlist_that_moves_is_held_against_its_new_length(stage: Stage) -> None:
    serve_playlists(stage, 0, "s1")

    def moves(page: Json) -> Json:
        serve_playlists(stage, 120, "s2")
        return page

    empty: Json = {"items": [], "next": None, "total": 0}
    stage.spotify.fault("playlists/P1/items", moves, *[lambda _: empty] * 2)
    assert unit(read_playlists(stage, START), "playlist_items", "P1")["reason"] == "short"
    assert unit(read_playlists(stage, START + DAY), "playlist_items", "P1")["read_records"] == 120


def test_offset_of_a_thousand_digits_fails_its_own_unit_at_most(stage: Stage) -> None:
    fill(stage, "saved_albums", 60)
    far = f"{stage.spotify.url}v1/me/albums?limit=50&offset={'9' * 5000}"
    no_offset: Callable[[Json], Json] = lambda page: {**page, "offset": None}  # noqa: E731 - like the other faults
    stage.spotify.fault("me/albums", lambda page: {**page, "next": far}, no_offset)
    manifest = stage.run("manual", START, streams=["saved_albums", "followed_artists"])
    assert unit(manifest, "followed_artists")["status"] == "complete"


@pytest.mark.slow
def test_page_from_before_the_cut_is_known_after_it(stage: Stage) -> None:
    fill(stage, "saved_albums", 1200)
    rows = stage.spotify.lists["me/albums"]
    locked = Reply(429, b"Too many", {"Retry-After": "3600"})
    stage.spotify.fault("me/albums", *[None] * 22, locked)
    assert stage.read("saved_albums")["reason"] == "locked"
    stage.spotify.fault("me/albums", None, *[serves_again(rows, 0)] * 2)
    row = stage.read("saved_albums", START + DAY)
    assert (row["reason"], row["records"]) == ("short", 100)


@pytest.mark.slow
def test_read_that_misses_more_each_day_is_shown(stage: Stage) -> None:
    """Never accept a total that is wrong by a different number each day."""
    fill(stage, "saved_albums", 40)
    stage.read("saved_albums")
    for number in range(1, 5):
        fill(stage, "saved_albums", 40 + number)
        stage.spotify.fault("me/albums", *[lambda page, lie=number: {**page, "total": page["total"] + lie}] * 2)
        row = stage.read("saved_albums", START + number * DAY)
        assert (row["reason"], row["read_complete"], row["read_records"]) == ("short", True, 40 + number)


@pytest.mark.slow
def test_run_asks_once_for_a_playlist_that_it_reads_twice(stage: Stage) -> None:
    serve_playlists(stage, 120, "s1")

    def moves(page: Json) -> Json:
        serve_playlists(stage, 120, "s2")
        return {**page, "total": 122}

    def lies(page: Json) -> Json:
        return {**page, "total": 122}

    stage.spotify.fault("playlists/P1/items", lies, lies, moves, *[lies] * 9)
    manifest = read_playlists(stage, START)
    assert unit(manifest, "playlist_items", "P1")["reason"] == "short"
    offsets = [params.get("offset") for path, params in stage.spotify.requests if path == "playlists/P1/items"]
    assert offsets.count("120") == 1


def test_continuation_of_a_run_does_not_ask_again(stage: Stage) -> None:
    fill(stage, "saved_albums", 120)
    cut_each_page(stage, "me/albums", 0)
    at = START + DAY
    first = stage.run("daily", at, streams=["saved_albums"])
    asked = stage.spotify.paths().count("me/albums")
    again = stage.run("daily", at, streams=["saved_albums"])
    assert [unit(one, "saved_albums")["reason"] for one in (first, again)] == ["short", "short"]
    assert first["run_id"] == again["run_id"]
    # One page each, and one retry.
    assert (asked, stage.spotify.paths().count("me/albums")) == (2, 3)


@pytest.mark.slow
def test_short_listing_without_a_unit_of_its_own_is_noted(stage: Stage) -> None:
    serve_playlists(stage, 3, "s1")
    reasons = []
    for number in range(4):
        stage.spotify.fault("me/playlists", ends_after(1), ends_after(0))
        manifest = stage.run("manual", START + number * DAY, streams=["playlist_items"])
        clear(stage)
        reasons.append([(one["unit"], one["status"], one["reason"]) for one in manifest["units"]])
    noted = ("", "partial", "short")
    # Three runs miss the same playlist; from the fourth on the listing is accepted.
    assert reasons[0] == [noted, ("P1", "complete", None)]
    assert reasons[1:] == [[noted, ("P1", "unchanged", None)]] * 2 + [[("P1", "unchanged", None)]]


@pytest.mark.slow
def test_short_catch_up_leaves_the_unit_short(stage: Stage) -> None:
    fill(stage, "saved_tracks", 230)
    locked = Reply(429, b"Too many", {"Retry-After": "3600"})
    stage.spotify.fault("me/tracks", None, None, locked)
    assert stage.read("saved_tracks")["reason"] == "locked"
    fill(stage, "saved_tracks", 300)
    # The rest of the list, then what was added in front, which ends early twice.
    stage.spotify.fault("me/tracks", *[None] * 7, ends_after(10), ends_after(0))
    row = stage.read("saved_tracks", START + DAY)
    assert (row["status"], row["reason"], row["read_complete"], row["read_records"]) == ("partial", "short", True, 230)
    clear(stage)
    row = stage.read("saved_tracks", START + 2 * DAY)
    assert (row["mode"], row["status"], row["read_records"]) == ("incremental", "complete", 300)


def test_malformed_next_ends_its_own_unit(stage: Stage) -> None:
    fill(stage, "saved_albums", 60)
    stage.spotify.fault("me/albums", lambda page: {**page, "next": "https://[api.spotify.com/v1/me"})
    row = stage.read("saved_albums")
    assert (row["status"], row["records"]) == ("failed", 50)
    assert "links to an address outside the Web API" in row["reason"]


def test_records_without_a_uri_are_no_repeats(stage: Stage) -> None:
    stage.spotify.lists["me/albums"] = [{"added_at": "2026-01-01T00:00:00Z", "album": None}] * 3
    assert stage.read("saved_albums")["status"] == "complete"
