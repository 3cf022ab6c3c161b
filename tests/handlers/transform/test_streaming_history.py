"""Plays of the privacy exports: when the device says they began, and what they are where there is no URI."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.streaming_history import FIELDS
from handlers.transform.schema import read_schema
from tests.handlers.transform.stage import FileStage, raw_line

PLAY: dict[str, Any] = {"ts": "2025-07-15T07:11:08Z", "ms_played": 55229, "spotify_track_uri": "spotify:track:0BVL5C"}
SMALL: dict[str, Any] = {
    "endTime": "2024-05-03 12:00",
    "artistName": "Nina Simone",
    "trackName": "Sinnerman",
    "msPlayed": 1,
}


def row_of(stage: FileStage, record: dict[str, Any]) -> dict[str, Any]:
    stage.transform("streaming_history", [raw_line("streaming_history", record)])
    (row,) = stage.rows("plays")
    return row


@pytest.mark.parametrize(
    ("sent", "began"),
    [
        (1752563411, "2025-07-15T07:10:11.000"),
        (1752563411123, "2025-07-15T07:10:11.123"),
        (1199145600, "2008-01-01T00:00:00.000"),
        (1199145600000, "2008-01-01T00:00:00.000"),
        (4102444799, "2099-12-31T23:59:59.000"),
        (4102444799999, "2099-12-31T23:59:59.999"),
    ],
)
def test_offline_timestamp_is_seconds_or_milliseconds(file_stage: FileStage, sent: int, began: str) -> None:
    row = row_of(file_stage, PLAY | {"offline_timestamp": sent})

    assert row["offline_timestamp"].isoformat(timespec="milliseconds") == began


@pytest.mark.parametrize("sent", [None, 0, 1])
def test_offline_timestamp_that_means_nothing_is_null(file_stage: FileStage, sent: int | None) -> None:
    result = file_stage.transform(
        "streaming_history", [raw_line("streaming_history", PLAY | {"offline_timestamp": sent})]
    )

    assert [row["offline_timestamp"] for row in file_stage.rows("plays")] == [None]
    assert result.drift.findings == {}


@pytest.mark.parametrize(
    "sent",
    [
        -1,
        -1752563411,
        2,
        1199145599,
        4102444800,
        99_999_999_999,
        1199145599999,
        4102444800000,
        1752563411123000,
        2**63 - 1,
        -(2**63),
        2**63,
        10**40,
        1752563411.5,
        "1752563411",
        "2025-07-15T07:10:11Z",
        True,
        [],
        {},
    ],
)
def test_absurd_offline_timestamp_is_null_and_drift(file_stage: FileStage, sent: Any) -> None:
    lines = [raw_line("streaming_history", PLAY | {"offline_timestamp": sent})]
    result = file_stage.transform("streaming_history", lines)

    assert [row["offline_timestamp"] for row in file_stage.rows("plays")] == [None]
    assert [*result.drift.findings] == ["record.offline_timestamp"]


@pytest.mark.parametrize(
    ("filled", "item_type"),
    [
        ({"master_metadata_track_name": "Sinnerman"}, "track"),
        ({"master_metadata_album_artist_name": "Nina Simone"}, "track"),
        ({"episode_name": "Folge 12"}, "episode"),
        ({"episode_show_name": "Die Geschichte"}, "episode"),
        ({"audiobook_chapter_title": "Verhaftung"}, "chapter"),
        ({"audiobook_title": "Der Prozess"}, "chapter"),
        ({"master_metadata_track_name": "", "episode_name": "Folge 12"}, "episode"),
        ({"spotify_track_uri": "", "spotify_episode_uri": "spotify:episode:512o"}, "episode"),
        ({}, None),
    ],
)
def test_play_without_uri_is_what_its_fields_say(
    file_stage: FileStage, filled: dict[str, str], item_type: str | None
) -> None:
    row = row_of(file_stage, {"ts": "2021-02-03T04:05:06Z", "ms_played": 55229, **filled})

    assert (row["item_type"], row["source"]) == (item_type, "streaming_history")
    assert row["item_uri"] == filled.get("spotify_episode_uri", "")


@pytest.mark.parametrize(
    "wrong", ["2024-05-03", "2024-13-03 12:00", "2024-05-03 25:00", "03.05.2024 12:00", "", None, 1714737600]
)
def test_small_exports_play_without_a_minute_is_rejected(file_stage: FileStage, wrong: Any) -> None:
    result = file_stage.transform(
        "streaming_history", [raw_line("streaming_history", record) for record in (SMALL, SMALL | {"endTime": wrong})]
    )

    assert (result.outputs.lines, result.outputs.rejected) == (2, 1)
    (rejected,) = file_stage.rows("rejected_records")
    assert rejected["_line"] == 2
    assert "played_at" in rejected["detail"]
    assert rejected["line"] is None


def test_a_ts_counts_before_an_end_time(file_stage: FileStage) -> None:
    row = row_of(file_stage, SMALL | {"ts": "2024-05-03T12:00:41Z"})

    assert (row["source"], row["played_at"].isoformat()) == ("streaming_history", "2024-05-03T12:00:41")


def test_what_the_columns_read_of_an_export_is_all_kept() -> None:
    read = {member.name for member in read_schema("streaming_history").field("record").type}
    assert read <= FIELDS
