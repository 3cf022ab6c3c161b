"""Runs as their manifests tell them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.runs import Attempt, attempt_keys, read_attempts, stream_results
from handlers import layout
from tests.cli.import_stage import BUCKET, ImportStage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN = "20261102T050000Z-daily"


def unit(stream: str, status: str, reason: str | None = None, name: str = "", **more: Any) -> dict[str, Any]:
    counted = {"requests": 2, "records": 10, "objects": 1, "locked_until": None}
    return {"stream": stream, "unit": name, "status": status, "reason": reason, **counted, **more}


def attempt(number: int, *units: dict[str, Any]) -> Attempt:
    return Attempt(layout.ManifestKey(RUN, number), {"units": list(units)})


def test_last_row_of_a_unit_counts_and_requests_add_up() -> None:
    first = attempt(0, unit("saved_tracks", "partial", "continued"), unit("profile", "complete"))
    second = attempt(1, unit("saved_tracks", "complete"))
    assert first.is_continued
    assert not second.is_continued
    tracks, profile = stream_results([first, second])
    assert (tracks.status, tracks.reason, tracks.requests, tracks.records) == ("complete", None, 4, 20)
    assert (profile.status, profile.is_good) == ("complete", True)


def test_stream_is_as_good_as_its_worst_unit() -> None:
    (found,) = stream_results(
        [
            attempt(
                0,
                unit("playlist_items", "complete", name="a"),
                unit("playlist_items", "partial", "locked", name="b", locked_until="2026-11-03T05:00:00.000Z"),
                unit("playlist_items", "unchanged", name="c"),
            )
        ]
    )
    assert (found.status, found.reason, found.units) == ("partial", "locked", 3)
    assert found.locked_until == "2026-11-03T05:00:00.000Z"
    assert not found.is_good


def test_row_of_a_whole_stream_is_obsolete_once_its_units_are_listed() -> None:
    first = attempt(0, unit("playlist_items", "partial", "continued"))
    second = attempt(1, unit("playlist_items", "complete", name="a"))
    assert [result.status for result in stream_results([first, second])] == ["complete"]


def test_manifests_are_found_by_date_and_what_is_none_is_left_out(stage: ImportStage, s3: S3Client) -> None:
    assert stage
    for run, body in (
        ("20261101T050000Z-daily", {"units": [unit("profile", "complete")]}),
        (RUN, {"units": [unit("profile", "failed")]}),
        ("20261102T052000Z-hourly", "nonsense"),
    ):
        s3.put_object(Bucket=BUCKET, Key=str(layout.ManifestKey(run, 0)), Body=json.dumps(body).encode())
    s3.put_object(Bucket=BUCKET, Key="runs/dt=2026-11-02/notes.txt", Body=b"")

    keys = attempt_keys(s3, BUCKET, datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert [key.run_id for key in keys] == [RUN, "20261102T052000Z-hourly"]
    (found,) = read_attempts(s3, BUCKET, keys)
    assert [one["status"] for one in found.units] == ["failed"]
