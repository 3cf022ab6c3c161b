from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from handlers.layout import ManifestKey
from handlers.tables import SCHEMA_VERSION
from tests.handlers.transform.stage import ACCOUNT, RUN, Stage


def utc(*parts: int) -> dt.datetime:
    """A moment as a column without zone has it."""
    return dt.datetime(*parts, tzinfo=dt.UTC).replace(tzinfo=None)  # type: ignore[arg-type,misc] # six or seven numbers


KEY = str(ManifestKey(RUN, 2))
UNIT = {
    "stream": "playlist_items",
    "unit": "2ZONg885GRx1XlgcsNVzLk",
    "read_id": "read-1",
    "mode": "full",
    "status": "complete",
    "reason": None,
    "requests": 3,
    "records": 120,
    "objects": 1,
    "locked_until": None,
    "read_complete": True,
    "read_keys": ["raw/a", "raw/b"],
    "read_records": 120,
}
MANIFEST = {
    "run_id": RUN,
    "attempt": 2,
    "trigger": "daily",
    "scheduled_at": "2026-11-23T06:00:00.000Z",
    "started_at": "2026-11-23T06:00:01.500Z",
    "finished_at": "2026-11-23T06:02:00.000Z",
    "account_id": ACCOUNT,
    "status": "partial",
    "reason": "The library is locked.",
    "units": [
        UNIT,
        {
            **dict.fromkeys(UNIT),
            "stream": "saved_tracks",
            "unit": "",
            "status": "partial",
            "reason": "locked",
            "requests": 0,
            "records": 0,
            "objects": 0,
            "locked_until": "2026-11-24T06:00:00.000Z",
            "read_complete": False,
            "read_keys": [],
        },
    ],
}


def transform(stage: Stage, manifest: Any) -> dict[str, int]:
    body = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return stage.transformer.transform(stage.put(KEY, body)).outputs.rows


def test_a_manifest_is_a_row_a_unit(stage: Stage) -> None:
    assert transform(stage, MANIFEST) == {"runs": 2}

    assert stage.keys() == [f"tables/runs/year=2026/runs-{RUN}-002.parquet"]
    rows = stage.rows("runs")
    assert rows[0] == {
        "run_id": RUN,
        "attempt": 2,
        "trigger": "daily",
        "scheduled_at": utc(2026, 11, 23, 6),
        "started_at": utc(2026, 11, 23, 6, 0, 1, 500_000),
        "finished_at": utc(2026, 11, 23, 6, 2),
        "run_status": "partial",
        "run_reason": "The library is locked.",
        **UNIT,
        "account_id": ACCOUNT,
        "_run_id": RUN,
        "_read_id": "read-1",
        "_extracted_at": utc(2026, 11, 23, 6, 2),
        "_raw_key": KEY,
        "_line": 1,
        "_schema_version": SCHEMA_VERSION,
        "dt": "2026-11-23",
        "month": "2026-11",
    }
    assert (rows[1]["stream"], rows[1]["unit"], rows[1]["_line"]) == ("saved_tracks", "", 2)
    assert rows[1]["locked_until"] == utc(2026, 11, 24, 6)
    assert (rows[1]["_read_id"], rows[1]["mode"], rows[1]["read_keys"]) == (None, None, [])


def test_a_run_before_login_has_no_account(stage: Stage) -> None:
    unit = {**dict.fromkeys(UNIT), "stream": "profile", "unit": "", "status": "skipped", "reason": "not_logged_in"}
    transform(stage, {**MANIFEST, "account_id": None, "status": "skipped", "reason": "not_logged_in", "units": [unit]})
    (row,) = stage.rows("runs")
    assert (row["account_id"], row["run_status"], row["reason"]) == (None, "skipped", "not_logged_in")


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff", "not_json"),
        ([], "wrong_type"),
        ({}, "wrong_type"),
        ({"units": {}}, "wrong_type"),
    ],
)
def test_what_is_no_manifest_is_one_rejected_record_of_line_0(stage: Stage, manifest: Any, reason: str) -> None:
    assert transform(stage, manifest) == {"rejected_records": 1}
    (row,) = stage.rows("rejected_records")
    assert (row["reason"], row["_line"], row["line"], row["stream"]) == (reason, 0, None, "runs")
    assert stage.keys() == [f"tables/rejected_records/year=2026/runs-{RUN}-002.parquet"]


def test_a_bad_unit_is_rejected_alone(stage: Stage) -> None:
    units = [UNIT, None, {**UNIT, "stream": None}, {**UNIT, "unit": 5}, {**UNIT, "records": "many"}]
    assert transform(stage, {**MANIFEST, "units": units}) == {"runs": 2, "rejected_records": 3}
    assert [(row["_line"], row["reason"]) for row in stage.rows("rejected_records")] == [
        (2, "wrong_type"),
        (3, "missing_key"),
        (4, "wrong_type"),
    ]
    assert [(row["_line"], row["records"]) for row in stage.rows("runs")] == [(1, 120), (5, None)]


def test_a_manifest_without_units_has_no_rows(stage: Stage) -> None:
    assert transform(stage, {**MANIFEST, "units": []}) == {}
    assert stage.note(KEY)["outputs"] == {}


def test_a_manifest_larger_than_one_can_be_is_not_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.transform.transformer.MAX_MANIFEST_BYTES", 100)
    transform(stage, MANIFEST)
    assert [row["reason"] for row in stage.rows("rejected_records")] == ["too_long"]
