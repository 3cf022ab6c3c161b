"""Objects that are transformed after their day: the row that tells views which version of their rows counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.layout import ManifestKey
from handlers.tables import SCHEMA_VERSION
from handlers.transform import origin
from tests.handlers.transform.stage import ACCOUNT, ON_THE_DAY, RAW, READ, RUN, Stage
from tests.handlers.transform.test_transformer import KEY, saved

NEXT_DAY = ON_THE_DAY + timedelta(days=1)
OUTPUT = f"tables/replays/year=2026/saved_tracks-{RUN}-00000.parquet"


def manifest(stage: Stage) -> str:
    units = [{"stream": "profile", "unit": "", "status": "complete"}]
    return stage.put(str(ManifestKey(RUN, 0)), json.dumps({"account_id": ACCOUNT, "units": units}).encode())


def test_a_late_object_has_one_row_the_same_whenever_it_is_transformed(stage: Stage) -> None:
    stage.now = NEXT_DAY
    stage.transform("saved_tracks", [saved(1), b"no JSON", saved(2)])
    before = stage.everything()

    stage.now = NEXT_DAY + timedelta(days=300)
    stage.transformer.transform(KEY)

    assert stage.everything() == before
    assert stage.note(KEY)["outputs"][OUTPUT] == 1
    (row,) = stage.rows("replays")
    assert row == {
        "stream": "saved_tracks", "lines": 3, "account_id": ACCOUNT, "_run_id": RUN, "_read_id": READ,
        "_extracted_at": None, "_raw_key": KEY, "_line": 0, "_schema_version": SCHEMA_VERSION,
        "dt": "2026-11-23",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "late"),
    [
        (datetime(2026, 11, 23, 6, 0, 1, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 23, 44, 59, tzinfo=UTC), False),
        # A function that starts now may still store its tables when the day is compacted.
        (datetime(2026, 11, 23, 23, 45, tzinfo=UTC), True),
        (datetime(2026, 11, 24, tzinfo=UTC), True),
        (datetime(2027, 11, 23, tzinfo=UTC), True),
    ],
)
def test_an_object_is_late_from_the_last_minutes_of_its_day_on(stage: Stage, now: datetime, late: bool) -> None:
    stage.now = now
    result = stage.transform("saved_tracks", [saved(1)])

    assert (OUTPUT in result.outputs.keys) == late
    assert (OUTPUT in stage.everything()) == late


def test_a_late_manifest_has_a_row_of_the_stream_runs(stage: Stage) -> None:
    stage.now = NEXT_DAY
    stage.transformer.transform(manifest(stage))

    (row,) = stage.rows("replays")
    assert (row["stream"], row["lines"], row["_run_id"]) == ("runs", 1, RUN)
    assert row["_raw_key"] == f"runs/dt=2026-11-23/{RUN}-000.json"


def test_a_foreign_object_is_late_by_its_creation(stage: Stage) -> None:
    key = "raw/by hand.jsonl.gz"
    stage.s3.put_object(Bucket=RAW, Key=key, Body=b"")
    created = stage.s3.head_object(Bucket=RAW, Key=key)["LastModified"]
    stage.now = created - timedelta(days=1)
    stage.transformer.transform(key)
    assert stage.rows("replays") == []

    stage.now = created + timedelta(days=1)
    stage.transformer.transform(key)
    assert [(row["stream"], row["_raw_key"], row["_run_id"]) for row in stage.rows("replays")] == [(None, key, None)]


def test_an_object_of_an_unknown_stream_has_its_row_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.now = NEXT_DAY
    with monkeypatch.context() as older_version:
        older_version.setattr("handlers.transform.transformer.STREAM_MAPPINGS", {})
        assert stage.transform("saved_tracks", [saved(1)]).outcome == "foreign"
    assert [row["lines"] for row in stage.rows("replays")] == [0]

    assert OUTPUT not in stage.transformer.transform(KEY).deleted
    assert [row["lines"] for row in stage.rows("replays")] == [1]


def test_a_newer_version_replaces_the_row(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.now = NEXT_DAY
    stage.transform("saved_tracks", [saved(1)])
    monkeypatch.setattr(origin, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    assert stage.transformer.transform(KEY).deleted == ()
    assert [row["_schema_version"] for row in stage.rows("replays")] == [SCHEMA_VERSION + 1]


def test_the_row_is_stored_after_all_others_and_before_the_record(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.now = NEXT_DAY
    stored: list[str] = []
    put = stage.s3.put_object

    def noting(**arguments: Any) -> Any:
        stored.append(arguments["Key"].split("/")[1 if arguments["Key"].startswith("tables/") else 0])
        return put(**arguments)

    key = stage.put_lines("saved_tracks", [saved(1), b"no JSON"])
    monkeypatch.setattr(stage.s3, "put_object", noting)
    stage.transformer.transform(key)

    assert stored == ["tracks", "saved_tracks", "rejected_records", "replays", "outputs"]


def test_an_object_without_metadata_has_a_row_without_account(stage: Stage) -> None:
    stage.now = NEXT_DAY
    stage.transformer.transform(stage.put(KEY, b"", {}))

    assert [(row["account_id"], row["_read_id"]) for row in stage.rows("replays")] == [(None, None)]
