"""Entities and bridges: what is known about each thing, from all lines that mentioned it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from handlers.tables import TABLES
from tests.queries.lake import Lake, raw_key, run

OLD, NEW = raw_key(run(1), "saved_tracks"), raw_key(run(2), "saved_tracks")

ENTITIES = ("tracks", "albums", "artists", "shows", "episodes")
BRIDGES = ("track_artists", "album_artists")
SOME: dict[str, Any] = {
    "string": "text",
    "int": 7,
    "bigint": 8,
    "boolean": True,
    "date": date(1981, 12, 15),
    "array<string>": ["DE", "ES"],
}
"""A value of each type."""


@pytest.fixture(autouse=True)
def lines(lake: Lake) -> None:
    """Insert the manifest of the lines that the entities come from."""
    for key in (OLD, NEW):
        for number in (1, 2):
            lake.line("saved_tracks", "read", key, number, {"item_uri": f"{key}-{number}"})


def test_a_simplified_object_never_erases_values_from_a_full_one(lake: Lake) -> None:
    lake.entity("tracks", OLD, 1, {"track_id": "t", "name": "Old", "isrc": "US1", "popularity": 3, "explicit": True})
    lake.entity("tracks", NEW, 1, {"track_id": "t", "name": "New", "isrc": None, "explicit": False})

    assert lake.query("SELECT track_id, name, isrc, popularity, explicit, uri FROM current_tracks") == [
        ("t", "New", "US1", 3, False, None)
    ]


def test_the_newest_value_counts_whatever_the_order_of_arrival(lake: Lake) -> None:
    lake.entity("artists", NEW, 2, {"artist_id": "a", "name": "newest"})
    lake.entity("artists", NEW, 1, {"artist_id": "a", "name": "newer", "genres": ["rock"]})
    lake.entity("artists", OLD, 1, {"artist_id": "a", "name": "old", "genres": ["pop"]})
    lake.repeat_every_row()

    assert lake.query("SELECT artist_id, name, genres FROM current_artists") == [("a", "newest", ["rock"])]


@pytest.mark.parametrize(
    ("table", "key"), [("albums", "album_id"), ("shows", "show_id"), ("episodes", "episode_id"), ("tracks", "track_id")]
)
def test_every_kind_has_one_row_for_each_id(lake: Lake, table: str, key: str) -> None:
    for raw, name in ((OLD, "old"), (NEW, "new")):
        lake.entity(table, raw, 1, {key: "one", "name": name, "spotify_url": f"url of {name}"})
    lake.entity(table, OLD, 2, {key: "two", "name": "other"})

    assert lake.query(f"SELECT {key}, name, spotify_url FROM current_{table} ORDER BY 1") == [
        ("one", "new", "url of new"),
        ("two", "other", None),
    ]


@pytest.mark.parametrize("table", ENTITIES)
def test_no_column_is_erased_by_a_newer_row_without_it(lake: Lake, table: str) -> None:
    key, *names = [column.name for column in TABLES[table].columns]
    full = {column.name: SOME[column.type] for column in TABLES[table].columns}
    lake.entity(table, OLD, 1, full)
    lake.entity(table, NEW, 1, {key: full[key]})

    assert lake.query(f"SELECT {', '.join(names)} FROM current_{table}") == [tuple(full[name] for name in names)]


@pytest.mark.parametrize("table", [*ENTITIES, *BRIDGES])
def test_a_row_of_an_older_version_of_its_line_does_not_count(lake: Lake, table: str) -> None:
    record = {column.name: SOME[column.type] for column in TABLES[table].columns}
    lake.entity(table, NEW, 1, record)
    rows = f"SELECT count(*) FROM current_{table}"
    lake.replayed("saved_tracks", NEW)

    assert lake.query(rows) == [(0,)]
    lake.entity(table, NEW, 1, record, version=2)
    assert lake.query(rows) == [(1,)]


def test_what_two_accounts_saw_is_kept_apart(lake: Lake) -> None:
    lake.entity("tracks", OLD, 1, {"track_id": "t", "name": "here", "is_playable": True})
    lake.entity("tracks", NEW, 1, {"track_id": "t", "name": "there"}, account="bo")

    assert lake.query("SELECT account_id, name, is_playable FROM current_tracks ORDER BY 1") == [
        ("ana", "here", True),
        ("bo", "there", None),
    ]


@pytest.mark.parametrize(("table", "key"), [("track_artists", "track_id"), ("album_artists", "album_id")])
def test_a_bridge_has_the_whole_list_of_the_newest_line_that_has_one(lake: Lake, table: str, key: str) -> None:
    for position, artist in enumerate(["x", "y", "z"]):
        lake.entity(table, OLD, 1, {key: "one", "position": position, "artist_id": artist})
    for position, artist in enumerate(["y", "w"]):
        lake.entity(table, NEW, 1, {key: "one", "position": position, "artist_id": artist})
    lake.entity(table, OLD, 2, {key: "two", "position": 0, "artist_id": "x"})
    lake.repeat_every_row()

    assert lake.query(f"SELECT {key}, position, artist_id FROM current_{table} ORDER BY 1, 2") == [
        ("one", 0, "y"),
        ("one", 1, "w"),
        ("two", 0, "x"),
    ]
