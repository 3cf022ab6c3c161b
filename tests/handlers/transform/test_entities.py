from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.transform.entities import last_of_equal
from handlers.transform.schema import table_schema
from tests.handlers.transform.stage import ACCOUNT, FileStage, raw_line
from tests.thoroughness import examples


def saved(track: dict[str, Any], second: int = 0) -> dict[str, Any]:
    record = {
        "added_at": f"2026-07-01T12:00:{second:02}Z",
        "track": {"type": "track", "uri": "spotify:track:t", **track},
    }
    return raw_line("saved_tracks", record)


def artists(*ids: str | None) -> list[dict[str, Any] | None]:
    return [None if id_ == "null" else {"id": id_, "name": f"Name of {id_}"} for id_ in ids]


def pairs(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_equal_sightings_are_one_row_the_last_and_no_value_is_lost(file_stage: FileStage) -> None:
    file_stage.transform(
        "saved_tracks",
        [
            saved({"id": "t", "name": "A", "popularity": 5}),
            saved({"id": "t", "name": "A", "popularity": 5}, 1),
            saved({"id": "t", "name": "A"}, 2),
            saved({"id": "t", "name": "B", "available_markets": []}, 3),
            saved({"id": "t", "name": "B", "available_markets": ["DE", "ES"]}, 4),
            saved({"id": "t", "name": "B", "available_markets": ["DE", None, "ES"]}, 5),
            saved({"id": "t", "name": "B", "available_markets": ["DE", "ES"]}, 6),
            saved({"id": "t", "name": "B"}, 7),
        ],
    )
    assert pairs(file_stage.rows("tracks"), "_line", "name", "popularity", "available_markets") == [
        (2, "A", 5, None),
        (3, "A", None, None),
        (4, "B", None, []),
        (6, "B", None, ["DE", None, "ES"]),
        (7, "B", None, ["DE", "ES"]),
        (8, "B", None, None),
    ]


def test_of_a_list_that_changes_and_changes_back_the_last_line_is_whole(file_stage: FileStage) -> None:
    lists = [("a", "b"), ("c", "b"), ("a", "b"), ("a", "b")]
    file_stage.transform(
        "saved_tracks", [saved({"id": "t", "artists": artists(*ids)}, n) for n, ids in enumerate(lists)]
    )
    assert pairs(file_stage.rows("track_artists"), "_line", "position", "artist_id") == [
        (2, 0, "c"),
        (2, 1, "b"),
        (4, 0, "a"),
        (4, 1, "b"),
    ]
    assert pairs(file_stage.rows("artists"), "artist_id", "_line") == [("c", 2), ("a", 4), ("b", 4)]


def test_reads_are_apart_though_they_found_the_same(file_stage: FileStage) -> None:
    """An object belongs to one read; where a line names another, its sightings are its own."""
    line = saved({"id": "t", "artists": artists("a", "b")})
    file_stage.transform("saved_tracks", [line, {**line, "account_id": "B"}, {**line, "read_id": "r"}, line])
    kept = [("B", "a"), ("B", "b"), (ACCOUNT, "a"), (ACCOUNT, "b"), (ACCOUNT, "a"), (ACCOUNT, "b")]
    assert pairs(file_stage.rows("track_artists"), "account_id", "artist_id") == kept
    assert [row["_line"] for row in file_stage.rows("track_artists")] == [2, 2, 3, 3, 4, 4]
    assert [row["_line"] for row in file_stage.rows("tracks")] == [2, 3, 4]


def test_the_last_line_counts_in_whatever_place_of_it_a_thing_stands(file_stage: FileStage) -> None:
    by_a, by_b = ({"id": "t", "artists": artists(one), "album": {"id": "x", "artists": artists("c")}} for one in "ab")
    swapped = {"id": "u", "artists": artists("c"), "album": {"id": "x", "artists": artists("a")}}
    file_stage.transform("saved_tracks", [saved(by_a), saved(swapped, 1), saved(by_b, 2)])
    assert pairs(file_stage.rows("artists"), "artist_id", "_line") == [("a", 2), ("b", 3), ("c", 3)]


def test_a_place_in_a_list_counts_those_without_id(file_stage: FileStage) -> None:
    file_stage.transform("saved_tracks", [saved({"id": "t", "artists": artists(None, "a", "", "null", "b")})])
    assert pairs(file_stage.rows("track_artists"), "position", "artist_id") == [(1, "a"), (4, "b")]
    assert pairs(file_stage.rows("artists"), "artist_id") == [("a",), ("b",)]


def test_what_has_no_id_gives_no_row_but_its_parts_do(file_stage: FileStage) -> None:
    album = {"id": None, "name": "No id", "artists": artists("b")}
    result = file_stage.transform("saved_tracks", [saved({"id": None, "artists": artists("a"), "album": album})])
    assert result.outputs.rows == {"artists": 2, "saved_tracks": 1}


def test_a_value_of_a_wrong_type_is_drift_whether_or_not_its_object_has_an_id(file_stage: FileStage) -> None:
    tracks: list[dict[str, Any]] = [{"id": id_, "name": "n", "popularity": 2**40} for id_ in ("t", None)]
    result = file_stage.transform("saved_tracks", [saved(track) for track in tracks])
    assert pairs(file_stage.rows("tracks"), "track_id", "popularity") == [("t", None)]
    assert {path: finding.count for path, finding in result.drift.findings.items()} == {"record.track.popularity": 2}


def test_the_tracks_of_an_album_know_their_album(file_stage: FileStage) -> None:
    albums = [
        {"id": "x", "tracks": {"items": [{"id": "x1", "artists": artists("a")}, None, {"id": "x2"}]}},
        {"id": "y", "tracks": {"items": []}},
        {"id": "z", "tracks": {"items": [{"id": "z1", "artists": artists("b", "a")}]}},
        {"id": "w", "tracks": None},
    ]
    file_stage.transform("saved_albums", [raw_line("saved_albums", {"album": album}) for album in albums])
    assert pairs(file_stage.rows("tracks"), "track_id", "album_id", "_line") == [
        ("x1", "x", 1),
        ("x2", "x", 1),
        ("z1", "z", 3),
    ]
    assert pairs(file_stage.rows("track_artists"), "track_id", "position", "artist_id") == [
        ("x1", 0, "a"),
        ("z1", 0, "b"),
        ("z1", 1, "a"),
    ]


def test_an_entry_of_unknown_type_is_kept_and_one_without_type_is_known_by_its_uri(file_stage: FileStage) -> None:
    items = [
        {"type": "chapter", "id": "c", "uri": "spotify:chapter:c"},
        {"id": "t", "uri": "spotify:track:t"},
        {"id": "e", "uri": "spotify:episode:e", "show": {"id": "s"}},
        {"id": "?"},
    ]
    lines = [
        raw_line("playlist_items", {"item": item}, {"playlist_id": "p", "snapshot_id": "s", "position": position})
        for position, item in enumerate(items)
    ]
    result = file_stage.transform("playlist_items", lines)
    assert pairs(
        file_stage.rows("playlist_items"), "item_uri", "item_type", "track_id", "episode_id", "is_available"
    ) == [
        ("spotify:chapter:c", "chapter", None, None, True),
        ("spotify:track:t", None, "t", None, True),
        ("spotify:episode:e", None, None, "e", True),
        ("", None, None, None, True),
    ]
    assert result.outputs.rows == {"episodes": 1, "shows": 1, "tracks": 1, "playlist_items": 4}


def test_a_thing_is_what_its_type_says_also_without_uri(file_stage: FileStage) -> None:
    item = {"type": "track", "id": "t", "album": {"id": "x"}, "artists": artists("a")}
    result = file_stage.transform("playlist_items", [raw_line("playlist_items", {"item": item})])
    assert pairs(file_stage.rows("playlist_items"), "item_uri", "item_type", "track_id") == [("", "track", "t")]
    assert result.outputs.rows == {
        "albums": 1,
        "artists": 1,
        "track_artists": 1,
        "tracks": 1,
        "playlist_items": 1,
    }


def test_of_both_names_the_one_that_holds_an_object_counts(file_stage: FileStage) -> None:
    new, old = ({"type": "track", "id": name, "uri": f"spotify:track:{name}", "name": name} for name in ("new", "old"))
    records = [{"item": new, "track": old}, {"item": None, "track": old}, {"track": old}, {"item": new, "track": True}]
    lines = [
        raw_line("playlist_items", record, {"playlist_id": "p", "snapshot_id": "s", "position": position})
        for position, record in enumerate(records)
    ]
    result = file_stage.transform("playlist_items", lines)
    assert pairs(file_stage.rows("playlist_items"), "track_id", "item_name") == [
        ("new", "new"),
        ("old", "old"),
        ("old", "old"),
        ("new", "new"),
    ]
    assert list(result.drift.findings) == ["record.track"]


TEXTS = st.sampled_from([None, "", "a", "b", "\x1f", "a\x1fb", "1,1", "-"])
GENRES = st.none() | st.lists(TEXTS, max_size=3)
IDS = st.sampled_from(["x", "y", None])
ROWS = st.lists(st.fixed_dictionaries({"artist_id": IDS, "name": TEXTS, "genres": GENRES}), max_size=20)


@given(rows=ROWS)
@settings(max_examples=examples(150, 30))
def test_exactly_the_rows_without_id_and_those_that_a_later_one_equals_are_left_out(rows: list[dict[str, Any]]) -> None:
    numbered = [{**row, "_raw_key": "k", "_line": number, "_schema_version": 1} for number, row in enumerate(rows)]
    last = {json.dumps(row, sort_keys=True): number for number, row in enumerate(rows) if row["artist_id"] is not None}
    kept = last_of_equal(pa.Table.from_pylist(numbered, schema=table_schema("artists")))
    assert kept["_line"].to_pylist() == sorted(last.values())
    assert [{name: row[name] for name in ("artist_id", "name", "genres")} for row in kept.to_pylist()] == [
        rows[number] for number in sorted(last.values())
    ]
