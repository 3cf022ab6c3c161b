"""Every stream in the shapes of the API or the export: the records of a fixture become exactly the rows beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.streams import STREAMS
from handlers.tables import COMMON, SCHEMA_VERSION, TABLES
from handlers.transform.mapping import STREAM_MAPPINGS
from tests.handlers.transform.stage import ACCOUNT, EXTRACTED_AT, FIXTURES, READ, RUN, FileStage, raw_line
from tests.thoroughness import sampled

API_SHAPES = ("development", "extended")
EXPORT_SHAPES = ("audio", "endsong", "without_uris", "account_data")
"""Today's files of the privacy export, `Streaming_History_Audio_*.json`, the older `endsong_*.json`, those of 2020/21,
and the small export's `StreamingHistory_*.json`."""


def shapes_of(stream: str) -> tuple[str, ...]:
    """The shapes that a stream's records come in."""
    if stream == "streaming_history":
        return EXPORT_SHAPES
    if stream == "labels":
        return ("file",)
    return tuple(
        shape for shape in API_SHAPES if shape == "development" or (FIXTURES / f"{stream}.{shape}.json").exists()
    )


SHAPES = [(stream, shape) for stream in STREAM_MAPPINGS for shape in shapes_of(stream)]
TELLING_SHAPES = [
    ("recently_played", "extended"), ("saved_tracks", "development"), ("playlist_items", "extended"),
    ("top_artists", "development"), ("catalogue", "extended"), ("streaming_history", "audio"),
]  # fmt: skip
"""The sample of the fast tests: tables by month and by day, items under several names, context beside the record,
records of several kinds, and an export."""
COMMON_NAMES = {column.name for column in COMMON}


def fixture_lines(stream: str, shape: str) -> list[dict[str, Any]]:
    records = json.loads((FIXTURES / f"{stream}.{shape}.json").read_text())
    return [raw_line(stream, record, context_of(stream, record, place)) for place, record in enumerate(records)]


def context_of(stream: str, record: dict[str, Any], place: int) -> dict[str, Any]:
    """What the extractor writes beside a record, the nth of its read."""
    if stream == "playlist_items":
        return {"playlist_id": "2ZONg885GRx1XlgcsNVzLk", "snapshot_id": "AAAAC4PDlJ8cOJKA", "position": place}
    if stream in ("top_tracks", "top_artists"):
        return {"time_range": "medium_term", "rank": place + 1}
    if stream == "catalogue":
        of_an_artist = record["type"] == "album" and "tracks" not in record
        return {"requested_uri": record["artists"][0]["uri"] if of_an_artist else record["uri"]}
    return {}


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The own columns that have a value, and the line, as JSON has them."""
    kept = [
        {name: value for name, value in row.items() if value is not None and name not in COMMON_NAMES - {"_line"}}
        for row in rows
    ]
    plain_rows: list[dict[str, Any]] = json.loads(json.dumps(kept, default=str))
    return plain_rows


@pytest.mark.parametrize(("stream", "shape"), SHAPES)
def test_records_become_exactly_these_rows(file_stage: FileStage, stream: str, shape: str) -> None:
    result = file_stage.transform(stream, fixture_lines(stream, shape))

    expected = json.loads((FIXTURES / f"{stream}.{shape}.expected.json").read_text())
    assert {table: plain(file_stage.rows(table)) for table in sorted(result.outputs.rows)} == expected
    assert result.drift.findings == {}


@pytest.mark.parametrize(("stream", "shape"), sampled(SHAPES, TELLING_SHAPES))
def test_every_row_says_where_it_comes_from(file_stage: FileStage, stream: str, shape: str) -> None:
    result = file_stage.transform(stream, fixture_lines(stream, shape))

    for table in result.outputs.rows:
        for row in file_stage.rows(table):
            assert row["account_id"] == ACCOUNT
            assert (row["_run_id"], row["_read_id"], row["_raw_key"]) == (RUN, READ, result.outputs.raw_key)
            assert f"{row['_extracted_at'].isoformat(timespec='milliseconds')}Z" == EXTRACTED_AT
            assert (row["_schema_version"], row["dt"]) == (SCHEMA_VERSION, "2026-11-23")


@pytest.mark.parametrize("stream", sampled(STREAMS, [stream for stream, _ in TELLING_SHAPES]))
def test_the_fixtures_fill_every_column_that_the_stream_has(file_stage: FileStage, stream: str) -> None:
    filled = set()
    for shape in shapes_of(stream):
        result = file_stage.transform(stream, fixture_lines(stream, shape))
        filled |= {
            name for row in file_stage.rows(STREAMS[stream].table) for name, value in row.items() if value is not None
        }
        assert result.outputs.lines == result.outputs.rows[STREAMS[stream].table]

    assert set(STREAM_MAPPINGS[stream].columns) <= filled


def test_a_mapping_names_columns_of_its_table_only() -> None:
    for stream, mapping in STREAM_MAPPINGS.items():
        assert mapping.table == STREAMS[stream].table
        assert mapping.columns.keys() <= {column.name for column in TABLES[mapping.table].columns}
