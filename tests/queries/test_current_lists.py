"""The current state of the library: account, playlists and their items, saved tracks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.queries.lake import Lake, moment, ran, raw_key, run
from tests.thoroughness import sampled

PLAYLISTS = "SELECT account_id, playlist_id, name FROM current_playlists ORDER BY account_id, playlist_id"
ITEMS = "SELECT playlist_id, position, item_uri FROM current_playlist_items ORDER BY account_id, playlist_id, position"
TRACKS = "SELECT item_uri, added_at FROM current_saved_tracks ORDER BY account_id, item_uri, added_at"


SNAPSHOTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "profile": ({}, "display_name", ""),
    "playlists": ({"playlist_id": "p"}, "name", ""),
    "playlist_items": ({"playlist_id": "p", "position": 0, "item_uri": "x"}, "item_name", "p"),
    "saved_albums": ({"album_id": "a"}, "album_name", ""),
    "followed_artists": ({"artist_id": "a"}, "artist_name", ""),
    "top_tracks": ({"time_range": "short_term", "rank": 1, "item_uri": "x"}, "track_name", ""),
    "top_artists": ({"time_range": "short_term", "rank": 1, "artist_id": "a"}, "artist_name", ""),
    "saved_shows": ({"show_id": "s"}, "show_name", ""),
    "saved_episodes": ({"episode_id": "e"}, "episode_name", ""),
    "catalogue": ({"requested_uri": "spotify:artist:a", "item_uri": "spotify:album:x"}, "name", "a"),
}
"""For each stream that is read in full: a record, a column that may differ between two reads, and the unit."""


LISTS = [stream for stream in SNAPSHOTS if stream not in ("profile", "playlists", "playlist_items")]
"""The streams that are read in full and do not depend on another."""


def playlist(name: str) -> dict[str, Any]:
    return {"playlist_id": name, "name": name.upper()}


def items(playlist_id: str, *uris: str) -> list[dict[str, Any]]:
    return [
        {"playlist_id": playlist_id, "position": position, "item_uri": uri, "added_at": moment("2026-10-01")}
        for position, uri in enumerate(uris)
    ]


def saved(uri: str, day: int) -> dict[str, Any]:
    return {"item_uri": uri, "added_at": at(day)}


def at(day: int) -> datetime:
    return moment(f"2026-10-{day:02d} 23:30")


@pytest.mark.parametrize("stream", SNAPSHOTS)
def test_the_newest_run_decides_which_read_is_current(lake: Lake, stream: str) -> None:
    record, column, unit = SNAPSHOTS[stream]
    lake.read(run(1, 5), "playlists", [playlist("p")])
    old = lake.read(run(1), stream, [{**record, column: "old"}], unit=unit, read="old")
    lake.read(run(2), stream, [{**record, column: "new"}], unit=unit, read="new")
    current = f"SELECT {column} FROM current_{stream}"

    assert lake.query(current) == [("new",)]
    lake.complete(run(3), stream, [old], 1, unit=unit, read="old", status="unchanged")
    assert lake.query(current) == [("old",)]


@pytest.mark.parametrize("stream", sampled(SNAPSHOTS, ["playlists", "playlist_items", "top_tracks"]))
def test_the_newest_run_is_the_one_that_began_last_whatever_it_was_scheduled_for(lake: Lake, stream: str) -> None:
    record, column, unit = SNAPSHOTS[stream]
    lake.read(run(1, 5), "playlists", [playlist("p")])
    lake.read(run(3), stream, [{**record, column: "old"}], unit=unit)
    late = ran(3, "09:00", "09:01")
    lake.read(run(2), stream, [{**record, column: "late"}], unit=unit, **late)

    assert lake.query(f"SELECT {column} FROM current_{stream}") == [("late",)]


@pytest.mark.parametrize("stream", sampled([*SNAPSHOTS, "saved_tracks"], ["profile", "playlist_items", "saved_tracks"]))
def test_a_replayed_line_counts_with_its_highest_schema_version(lake: Lake, stream: str) -> None:
    record, column, unit = SNAPSHOTS.get(stream, (saved("a", 1), "track_name", ""))
    lake.read(run(1), "playlists", [playlist("p")])
    key = lake.read(run(2), stream, [{**record, column: "as of now"}], unit=unit, read="r")
    lake.line(stream, "r", key, 1, {**record, column: "z as of old"}, version=0)
    current = f"SELECT {column} FROM current_{stream}"

    assert lake.query(current) == [("as of now",)]
    lake.line(stream, "r", key, 1, {**record, column: "replayed"}, version=2)
    assert lake.query(current) == [("replayed",)]


@pytest.mark.parametrize("stream", sampled(LISTS, ["saved_albums", "top_tracks"]))
def test_a_half_read_list_stays_as_it_was_and_an_emptied_one_is_empty(lake: Lake, stream: str) -> None:
    record, column, unit = SNAPSHOTS[stream]
    lake.read(run(1), stream, [{**record, column: "whole"}], unit=unit)
    lake.line(stream, "half", raw_key(run(2), stream, unit=unit), 1, {**record, column: "half"})
    lake.manifest(run(2), stream, unit=unit, status="partial", read_id="half")
    current = f"SELECT {column} FROM current_{stream}"

    assert lake.query(current) == [("whole",)]
    lake.read(run(3), stream, [], unit=unit)
    assert lake.query(current) == []


@pytest.mark.parametrize("stream", sampled(LISTS, ["saved_shows", "top_artists"]))
def test_a_list_shows_each_entry_once_though_every_row_is_there_twice(lake: Lake, stream: str) -> None:
    record, column, unit = SNAPSHOTS[stream]
    lake.read(run(1), stream, [{**record, column: "first"}, {**record, column: "served again"}], unit=unit)
    lake.repeat_every_row()

    assert lake.query(f"SELECT {column} FROM current_{stream}") == [("served again",)]


@pytest.mark.parametrize("stream", sampled(LISTS, ["followed_artists", "catalogue"]))
def test_each_account_has_its_own_list(lake: Lake, stream: str) -> None:
    record, column, unit = SNAPSHOTS[stream]
    for day, account in enumerate(("ana", "bo", "cy"), start=1):
        lake.read(run(day), stream, [{**record, column: f"of {account}"}], unit=unit, account=account)
    lake.read(run(4), stream, [], unit=unit, account="bo")

    assert lake.query(f"SELECT account_id, {column} FROM current_{stream} ORDER BY account_id") == [
        ("ana", "of ana"),
        ("cy", "of cy"),
    ]


@pytest.mark.parametrize("stream", ["saved_albums", "saved_shows", "saved_episodes"])
def test_when_something_was_saved_is_in_local_time_too(lake: Lake, stream: str) -> None:
    record, _, _ = SNAPSHOTS[stream]
    lake.read(run(1), stream, [{**record, "added_at": at(1)}])

    assert lake.query(f"SELECT added_at, added_at_local FROM current_{stream}") == [(at(1), moment("2026-10-02 01:30"))]


@pytest.mark.parametrize("stream", ["top_tracks", "top_artists"])
def test_the_three_top_lists_are_those_of_one_read(lake: Lake, stream: str) -> None:
    _, column, _ = SNAPSHOTS[stream]

    def read(day: int, *places: tuple[str, int]) -> None:
        lake.read(run(day), stream, [{"time_range": name, "rank": rank, column: f"day {day}"} for name, rank in places])

    read(1, ("short_term", 1), ("short_term", 2), ("medium_term", 1), ("long_term", 1))
    read(2, ("short_term", 1), ("long_term", 1), ("long_term", 2))

    assert lake.query(f"SELECT time_range, rank, {column} FROM current_{stream} ORDER BY 1, 2") == [
        ("long_term", 1, "day 2"),
        ("long_term", 2, "day 2"),
        ("short_term", 1, "day 2"),
    ]


def test_the_profile_is_the_newest_one_of_each_account(lake: Lake) -> None:
    lake.read(run(1), "profile", [{"user_id": "ana01", "display_name": "Ana"}])
    lake.read(run(2), "profile", [{"user_id": "ana01", "display_name": "Anna"}])
    lake.read(run(3), "profile", [{"user_id": "bo", "display_name": "Bo"}], account="bo")

    assert lake.query("SELECT account_id, display_name FROM current_profile ORDER BY account_id") == [
        ("ana", "Anna"),
        ("bo", "Bo"),
    ]


def test_a_deleted_playlist_goes_and_its_entries_with_it(lake: Lake) -> None:
    lake.read(run(1), "playlists", [playlist("p"), playlist("q")])
    lake.read(run(1), "playlist_items", items("p", "x"), unit="p")
    lake.read(run(1), "playlist_items", items("q", "y", "z"), unit="q")
    assert lake.query(ITEMS) == [("p", 0, "x"), ("q", 0, "y"), ("q", 1, "z")]
    lake.read(run(2), "playlists", [playlist("q")])

    assert lake.query(PLAYLISTS) == [("ana", "q", "Q")]
    assert lake.query(ITEMS) == [("q", 0, "y"), ("q", 1, "z")]


def test_each_playlist_has_the_entries_of_its_own_newest_complete_read(lake: Lake) -> None:
    lake.read(run(1), "playlists", [playlist("p"), playlist("q")])
    lake.read(run(1), "playlist_items", items("p", "x", "y"), unit="p")
    old = lake.read(run(1), "playlist_items", items("q", "z"), unit="q", read="of-q")
    lake.read(run(2), "playlist_items", items("p", "y"), unit="p")
    lake.complete(run(2), "playlist_items", [old], 1, unit="q", read="of-q", status="unchanged")

    assert lake.query(ITEMS) == [("p", 0, "y"), ("q", 0, "z")]


def test_an_emptied_playlist_is_empty_and_a_half_read_one_stays(lake: Lake) -> None:
    lake.read(run(1), "playlists", [playlist("p"), playlist("q")])
    lake.read(run(1), "playlist_items", items("p", "x"), unit="p")
    lake.read(run(1), "playlist_items", items("q", "z"), unit="q")
    lake.read(run(2), "playlist_items", [], unit="p")
    lake.line("playlist_items", "half", raw_key(run(2), "playlist_items", unit="q"), 1, items("q", "w")[0])
    lake.manifest(run(2), "playlist_items", unit="q", status="partial", read_id="half")

    assert lake.query(ITEMS) == [("q", 0, "z")]


def test_the_same_track_at_two_positions_is_two_entries(lake: Lake) -> None:
    lake.read(run(1), "playlists", [playlist("p")])
    lake.read(run(1), "playlist_items", items("p", "x", "x", "", ""), unit="p")
    lake.repeat_every_row()

    assert lake.query(ITEMS) == [("p", 0, "x"), ("p", 1, "x"), ("p", 2, ""), ("p", 3, "")]


def test_a_playlist_of_two_accounts_has_the_entries_that_each_has_read(lake: Lake) -> None:
    lake.read(run(1), "playlists", [playlist("p")])
    lake.read(run(1), "playlist_items", items("p", "x"), unit="p")
    lake.read(run(2), "playlists", [playlist("p")], account="bo")
    lake.read(run(2), "playlist_items", items("p", "x", "y"), unit="p", account="bo")

    assert lake.query("SELECT account_id, count(*) FROM current_playlist_items GROUP BY 1 ORDER BY 1") == [
        ("ana", 1),
        ("bo", 2),
    ]


def test_saved_tracks_are_the_last_full_read_and_the_increments_since(lake: Lake) -> None:
    gone = lake.read(run(1), "saved_tracks", [saved("gone", 1)])
    lake.read(run(2), "saved_tracks", [saved("old increment", 2)], mode="incremental", on={gone: 1})
    full = lake.read(run(3), "saved_tracks", [saved("b", 3), saved("a", 2)])
    first = lake.read(run(4), "saved_tracks", [saved("c", 4)], mode="incremental", on={full: 2})
    lake.read(run(6), "saved_tracks", [saved("d", 6)], mode="incremental", on={full: 2, first: 1})

    assert lake.query(TRACKS) == [("a", at(2)), ("b", at(3)), ("c", at(4)), ("d", at(6))]


def test_a_removed_track_stays_until_the_next_full_read(lake: Lake) -> None:
    full = lake.read(run(1), "saved_tracks", [saved("b", 2), saved("unsaved", 1)])
    lake.read(run(2), "saved_tracks", [saved("c", 3)], mode="incremental", on={full: 2})
    assert ("unsaved", at(1)) in lake.query(TRACKS)
    lake.read(run(3), "saved_tracks", [saved("c", 3), saved("b", 2)])

    assert lake.query(TRACKS) == [("b", at(2)), ("c", at(3))]


def test_a_track_saved_again_shows_once_with_the_newest_date(lake: Lake) -> None:
    full = lake.read(run(1), "saved_tracks", [saved("a", 1)])
    lake.read(run(2), "saved_tracks", [saved("a", 5)], mode="incremental", on={full: 1})

    assert lake.query(TRACKS) == [("a", at(5))]


def test_entries_without_a_uri_are_told_apart_by_when_they_were_added(lake: Lake) -> None:
    lake.read(run(1), "saved_tracks", [saved("", 2), saved("", 1)])
    lake.repeat_every_row()

    assert lake.query(TRACKS) == [("", at(1)), ("", at(2))]


def test_an_increment_whose_full_read_has_not_arrived_shows_nothing(lake: Lake) -> None:
    full = raw_key(run(1), "saved_tracks")
    lake.read(run(2), "saved_tracks", [saved("a", 1)], mode="incremental", on={full: 1})

    assert lake.query(TRACKS) == []


def test_an_increment_is_enough_even_if_the_manifest_of_its_full_read_was_lost(lake: Lake) -> None:
    full = raw_key(run(1), "saved_tracks")
    lake.line("saved_tracks", "full", full, 1, saved("a", 1))
    lake.read(run(2), "saved_tracks", [saved("b", 2)], mode="incremental", on={full: 1})

    assert lake.query(TRACKS) == [("a", at(1)), ("b", at(2))]


def test_a_full_read_that_has_not_arrived_leaves_the_last_one_and_its_increments(lake: Lake) -> None:
    full = lake.read(run(1), "saved_tracks", [saved("a", 1)])
    lake.read(run(2), "saved_tracks", [saved("b", 2)], mode="incremental", on={full: 1})
    missing = raw_key(run(3), "saved_tracks")
    lake.complete(run(3), "saved_tracks", [missing], 1)
    lake.read(run(5), "saved_tracks", [saved("e", 5)], mode="incremental", on={missing: 1})

    assert lake.query(TRACKS) == [("a", at(1)), ("b", at(2))]


def test_nothing_new_keeps_the_increments(lake: Lake) -> None:
    full = lake.read(run(1), "saved_tracks", [saved("a", 1)])
    increment = lake.read(run(2), "saved_tracks", [saved("b", 2)], read="second", mode="incremental", on={full: 1})
    repeated = {"read": "second", "mode": "incremental", "status": "unchanged"}
    lake.complete(run(8), "saved_tracks", [full, increment], 2, **repeated)

    assert lake.query(TRACKS) == [("a", at(1)), ("b", at(2))]


def test_a_full_read_of_an_event_delivered_late_is_the_newest(lake: Lake) -> None:
    lake.read(run(5), "saved_tracks", [saved("unsaved", 1)])
    late = ran(5, "09:00", "09:01")
    lake.read(run(3), "saved_tracks", [saved("a", 1)], **late)

    assert lake.query(TRACKS) == [("a", at(1))]


def test_an_emptied_collection_is_empty(lake: Lake) -> None:
    lake.read(run(1), "saved_tracks", [saved("a", 1)])
    lake.read(run(2), "saved_tracks", [])

    assert lake.query(TRACKS) == []


def test_a_playlist_that_one_account_deleted_stays_with_the_other(lake: Lake) -> None:
    for account in ("ana", "bo"):
        lake.read(run(1 if account == "ana" else 2), "playlists", [playlist("p")], account=account)
        lake.read(run(1 if account == "ana" else 2), "playlist_items", items("p", "x"), unit="p", account=account)
    lake.read(run(3), "playlists", [], account="bo")

    assert lake.query("SELECT account_id, item_uri FROM current_playlist_items") == [("ana", "x")]


def test_the_last_full_read_is_that_of_each_account(lake: Lake) -> None:
    full = lake.read(run(1), "saved_tracks", [saved("a", 1)])
    lake.read(run(2), "saved_tracks", [saved("b", 2)], mode="incremental", on={full: 1})
    lake.read(run(3), "saved_tracks", [saved("c", 3)], account="bo")

    assert lake.query("SELECT account_id, item_uri FROM current_saved_tracks ORDER BY 1, 2") == [
        ("ana", "a"),
        ("ana", "b"),
        ("bo", "c"),
    ]


def test_saved_tracks_of_two_accounts_are_kept_apart(lake: Lake) -> None:
    lake.read(run(1), "saved_tracks", [saved("a", 1)])
    lake.read(run(2), "saved_tracks", [saved("a", 2)], account="bo")

    assert lake.query("SELECT account_id, added_at FROM current_saved_tracks ORDER BY account_id") == [
        ("ana", at(1)),
        ("bo", at(2)),
    ]


def test_local_time_is_that_of_the_stack(lake: Lake) -> None:
    lake.read(run(1), "saved_tracks", [saved("summer", 1), saved("winter", 31)])

    assert lake.query("SELECT item_uri, added_at_local FROM current_saved_tracks ORDER BY item_uri") == [
        ("summer", moment("2026-10-02 01:30")),
        ("winter", moment("2026-11-01 00:30")),
    ]
