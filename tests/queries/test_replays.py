"""Rows of two versions of the transform beside each other: while an object is replayed, and after."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.streams import STREAMS
from handlers.tables import TABLES
from tests.queries.lake import NAMED, Lake, moment, raw_key, run
from tests.queries.player import PLAYS_RUN

API = "recently_played"
ALBUMS = "SELECT album_id, album_name FROM current_saved_albums ORDER BY album_id"


def play(uri: str, hour: int = 1, **fields: Any) -> dict[str, Any]:
    return {"played_at": moment(f"2026-11-01 {hour:02}:00"), "item_uri": uri, "item_type": "track", **fields}


def test_a_line_that_has_another_key_in_the_new_version_shows_once(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", [{"album_id": "old"}, {"album_id": "same"}])
    lake.line("saved_albums", "read", key, 1, {"album_id": "new"}, version=2)

    assert lake.query(ALBUMS) == [("new", None), ("same", None)]
    ((arrived, complete),) = lake.query("SELECT arrived_records, is_complete FROM read_arrivals")
    assert (arrived, complete) == (2, True)


def test_an_entry_stays_that_one_of_its_lines_no_longer_has(lake: Lake) -> None:
    other = raw_key(run(1), "saved_albums", part=1)
    lake.line("saved_albums", "read", other, 1, {"album_id": "a", "album_name": "in two objects"})
    key = lake.read(run(1), "saved_albums", [{"album_id": "a"}], on={other: 1}, part=2)
    lake.line("saved_albums", "read", key, 1, {"album_id": "b"}, version=2)

    assert lake.query(ALBUMS) == [("a", "in two objects"), ("b", None)]


def test_a_row_counts_until_all_new_rows_are_there(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", [{"album_id": "a"}, {"album_id": "b"}])
    lake.reject("saved_albums", "read", key, 2, "wrong_type", version=2)

    assert lake.query(ALBUMS) == [("a", None), ("b", None)]
    assert lake.query("SELECT is_complete FROM read_arrivals") == [(True,)]
    lake.line("saved_albums", "read", key, 1, {"album_id": "a"}, version=2)
    lake.replayed("saved_albums", key)
    assert lake.query(ALBUMS) == [("a", None)]
    assert lake.query("SELECT is_complete FROM read_arrivals") == [(True,)]


def test_a_read_is_not_complete_without_the_lines_that_a_replay_no_longer_wrote(lake: Lake) -> None:
    lake.read(run(1), "saved_albums", [{"album_id": "earlier"}])
    key = lake.read(run(2), "saved_albums", [{"album_id": "a"}, {"album_id": "b"}])
    lake.line("saved_albums", "read", key, 1, {"album_id": "a"}, version=2)
    lake.reject("saved_albums", "read", key, 0, "too_slow", version=2)
    lake.replayed("saved_albums", key)

    assert lake.query(ALBUMS) == [("earlier", None)]
    assert lake.query("SELECT is_complete FROM read_arrivals ORDER BY run_id") == [(True,), (False,)]


def test_a_play_with_another_item_in_the_new_version_counts_once(lake: Lake) -> None:
    key = raw_key(PLAYS_RUN, API)
    lake.line(API, "read", key, 1, play("old"))
    lake.line(API, "read", key, 1, play("new"), version=2)

    assert lake.query("SELECT item_uri FROM listens") == [("new",)]


def test_an_imported_play_with_another_item_in_the_new_version_counts_once(lake: Lake) -> None:
    key = lake.read(run(2, trigger="import"), "streaming_history", [play("", 1, ms_played=50_000)])
    lake.line("streaming_history", "read", key, 1, play("known by now", 1, ms_played=50_000), version=2)

    assert lake.query("SELECT item_uri FROM listens") == [("known by now",)]


def test_a_late_play_of_the_export_counts_as_the_newest_version_has_it(lake: Lake) -> None:
    records = [play("a", 1, ms_played=50_000), play("b", 2, ms_played=50_000)]
    key = lake.read(run(2, trigger="import"), "streaming_history", records)
    lake.line("streaming_history", "read", key, 1, records[0], version=2)
    lake.reject("streaming_history", "read", key, 2, "wrong_type", version=2)
    lake.replayed("streaming_history", key)

    assert lake.query("SELECT item_uri FROM listens") == [("a",)]
    assert lake.query("SELECT is_complete FROM read_arrivals") == [(True,)]


def test_a_record_rejected_for_another_reason_shows_once(lake: Lake) -> None:
    key = raw_key(run(1), "saved_albums")
    lake.reject("saved_albums", "read", key, 1, "wrong_type")
    lake.reject("saved_albums", "read", key, 1, "missing_key", version=2)
    lake.repeat_every_row()

    assert lake.query("SELECT _line, reason FROM rejections") == [(1, "missing_key")]


def test_a_unit_of_a_manifest_that_the_new_version_reads_otherwise_shows_once(lake: Lake) -> None:
    lake.manifest(run(1), "playlist_items", unit="old")
    lake.manifest(run(1), "playlist_items", unit="new", version=2, _line=1)

    assert lake.query("SELECT unit FROM run_attempts") == [("new",)]


def test_a_bridge_has_the_shorter_list_of_the_new_version(lake: Lake) -> None:
    key = raw_key(run(1), "saved_tracks")
    for position, artist in enumerate("xyz"):
        lake.entity("track_artists", key, 1, {"track_id": "t", "position": position, "artist_id": artist})
    lake.entity("track_artists", key, 1, {"track_id": "t", "position": 0, "artist_id": "w"}, version=2)

    assert lake.query("SELECT position, artist_id FROM current_track_artists") == [(0, "w")]


@pytest.mark.parametrize("table", ["tracks", "albums", "artists", "shows", "episodes"])
def test_an_entity_has_the_values_of_the_new_version(lake: Lake, table: str) -> None:
    key, name = raw_key(run(1), "saved_tracks"), TABLES[table].grain[0]
    lake.entity(table, key, 1, {name: "t", "name": "new"}, version=2)
    lake.entity(table, key, 1, {name: "t", "name": "old"})

    assert lake.query(f"SELECT name FROM current_{table}") == [("new",)]


@pytest.mark.parametrize("stream", [*STREAMS, "runs"])
def test_only_the_rows_of_the_replayed_object_are_outdated(lake: Lake, stream: str) -> None:
    """The object of another stream, whatever its version, says nothing about this one."""
    lake.read(run(1), "saved_albums", [{"album_id": "a"}])
    key = raw_key(run(2), stream) if stream != "runs" else f"runs/dt=2026-11-02/{run(2)}-000.json"
    lake.replayed(stream, key, version=9)

    assert lake.query(ALBUMS) == [("a", None)]


def test_of_two_versions_that_replayed_an_object_the_newer_counts(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", [{"album_id": "a"}])
    lake.line("saved_albums", "read", key, 1, {"album_id": "b"}, version=3)
    lake.replayed("saved_albums", key, version=2)
    lake.replayed("saved_albums", key, version=3)
    lake.repeat_every_row()

    assert lake.query("SELECT stream, _raw_key, _schema_version FROM object_versions") == [("saved_albums", key, 3)]
    assert lake.query(ALBUMS) == [("b", None)]


def test_an_older_version_that_is_deployed_again_hides_no_row_of_the_newer(lake: Lake) -> None:
    key = lake.read(run(1), "saved_albums", [{"album_id": "older"}, {"album_id": "older too"}])
    lake.line("saved_albums", "read", key, 1, {"album_id": "newer"}, version=2)
    lake.replayed("saved_albums", key, version=1)

    assert lake.query(ALBUMS) == [("newer", None), ("older too", None)]


def test_playlists_are_compared_by_the_newest_version_of_their_lines(lake: Lake) -> None:
    lake.read(run(1), "playlists", [{"playlist_id": "p", "name": "List"}])
    before = {"playlist_id": "p", "position": 0, "item_uri": "x", "item_name": "X"}
    lake.read(run(1), "playlist_items", [before], unit="p")
    key = lake.read(run(2), "playlist_items", [{**before, "item_name": "misread"}], unit="p")
    lake.line("playlist_items", "read", key, 1, before, version=2)

    assert lake.query(NAMED["playlist_changes"]) == []
    assert [row[2] for row in lake.query(NAMED["playlist_history"])] == ["X"]
    assert lake.query("SELECT item_name FROM current_playlist_items") == [("X",)]


def test_ranks_are_those_of_the_newest_version_of_their_lines(lake: Lake) -> None:
    lake.manifest(run(3), "profile")
    key = lake.read(run(2), "top_tracks", [{"time_range": "short_term", "rank": 1, "item_uri": "old"}])
    lake.line("top_tracks", "read", key, 1, {"time_range": "short_term", "rank": 1, "item_uri": "new"}, version=2)

    assert [row[-1] for row in lake.query(NAMED["top_tracks_over_time"])] == ["new"]
    assert lake.query("SELECT item_uri FROM current_top_tracks") == [("new",)]
