"""What each view and named query reads: its own tables, once or twice, and never those of another stream."""

from __future__ import annotations

import pytest

from handlers.streams import STREAMS
from handlers.tables import TABLES
from tests.benchmarks.scale.opened import opened
from tests.queries.lake import NAMED, VIEWS
from tests.queries.scans import scans

MOST_SCANS = 30
MOST_OBJECTS = {"counted_plays": 165, "current_tracks": 132, "freshness": 22, "listens": 198, "newest_run": 187}
"""View → objects that it opens at most over ten years of compacted partitions."""
_TEN_YEARS = [f"{2016 + month // 12}-{month % 12 + 1:02d}" for month in range(6, 6 + 121)]
"""Months of ten years that begin and end within one, as seen by Athena: every table has rows in each."""

_RUNS = {"replays": 1, "runs": 1}
_ARRIVALS = {"rejected_records": 1, "replays": 2, "runs": 1}
_COUNTED = {"plays": 1, "rejected_records": 1, "replays": 2, "runs": 1}
_ALL = {**_ARRIVALS, "plays": 2, **{stream.table: 1 for stream in STREAMS.values() if stream.table != "plays"}}


def _snapshot(table: str) -> dict[str, int]:
    """Return the scans of a view on the newest read, which is complete once its lines have arrived: hence twice."""
    return {"rejected_records": 1, "replays": 3, "runs": 1, table: 2}


SCANS: dict[str, dict[str, int]] = {
    "complete_reads": _ALL,
    "counted_plays": _COUNTED,
    "current_album_artists": {"album_artists": 1, "replays": 1},
    "current_albums": {"albums": 1, "replays": 1},
    "current_artists": {"artists": 1, "replays": 1},
    "current_catalogue": {"catalogue": 2, "rejected_records": 1, "replays": 4, "runs": 2},
    "current_episodes": {"episodes": 1, "replays": 1},
    "current_followed_artists": _snapshot("followed_artists"),
    "current_labels": {"labels": 1},
    "current_playlist_items": {
        "playlist_items": 2,
        "playlists": 2,
        "rejected_records": 2,
        "replays": 6,
        "runs": 2,
    },
    "current_playlists": _snapshot("playlists"),
    "current_profile": _snapshot("profile"),
    "current_saved_albums": _snapshot("saved_albums"),
    "current_saved_episodes": _snapshot("saved_episodes"),
    "current_saved_shows": _snapshot("saved_shows"),
    "current_saved_tracks": _snapshot("saved_tracks"),
    "current_shows": {"replays": 1, "shows": 1},
    "current_top_artists": _snapshot("top_artists"),
    "current_top_tracks": _snapshot("top_tracks"),
    "current_track_artists": {"replays": 1, "track_artists": 1},
    "current_tracks": {"replays": 1, "tracks": 1},
    "freshness": _RUNS,
    "listens": {**_COUNTED, "labels": 3},
    "newest_run": {"plays": 1, "rejected_records": 1, "replays": 3, "runs": 2},
    "object_versions": {"replays": 1},
    "read_arrivals": _ALL,
    "rejections": {"rejected_records": 1, "replays": 1},
    "run_attempts": _RUNS,
    "run_history": _RUNS,
}
"""View → table → scans."""


def test_every_view_is_listed() -> None:
    assert SCANS.keys() == VIEWS.keys()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_reads_no_more_than_its_answer_needs(view: str) -> None:
    assert scans(f'SELECT * FROM "{view}"') == SCANS[view]


@pytest.mark.parametrize("view", ["read_arrivals", "complete_reads"])
@pytest.mark.parametrize("stream", STREAMS)
def test_the_reads_of_one_stream_need_the_table_of_no_other(view: str, stream: str) -> None:
    found = scans(f"SELECT * FROM {view} WHERE stream = '{stream}'")

    assert found == {**_ARRIVALS, STREAMS[stream].table: 1}


@pytest.mark.parametrize("view", MOST_OBJECTS)
def test_a_view_of_the_whole_history_opens_few_objects(view: str) -> None:
    objects = {name: {table.partition_value(month): 1 for month in _TEN_YEARS} for name, table in TABLES.items()}

    assert 0 < opened(f"SELECT * FROM {view}", objects).objects <= MOST_OBJECTS[view]


@pytest.mark.parametrize("name", NAMED)
def test_a_named_query_has_a_bounded_number_of_scans(name: str) -> None:
    found = scans(NAMED[name])

    assert found.keys() <= TABLES.keys()
    assert 0 < sum(found.values()) <= MOST_SCANS


def test_a_table_that_is_named_twice_is_read_twice() -> None:
    sql = "WITH one AS (SELECT name FROM tracks) SELECT a.name FROM one AS a JOIN one AS b ON b.name = a.name"

    assert scans(sql) == {"tracks": 2}
