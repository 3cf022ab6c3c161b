"""What the transform makes of the raw objects of an import."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from handlers.raw import objects
from handlers.transform.transformer import Transformer
from tests.cli.import_stage import ACCOUNT, BUCKET, ImportStage
from tests.cli.privacy_exports import audio_file, endsong_file, plays

TRANSFORMED = "transformed-bucket"


def rows(stage: ImportStage, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    listing = stage.s3.list_objects_v2(Bucket=TRANSFORMED, Prefix=f"tables/{table}/")
    for item in listing.get("Contents", []):
        body = stage.s3.get_object(Bucket=TRANSFORMED, Key=item["Key"])["Body"].read()
        found += pq.ParquetFile(io.BytesIO(body)).read().to_pylist()
    return found


def test_every_play_becomes_a_row_and_the_manifest_says_where(
    stage: ImportStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 20_000)
    stored = plays(0, 60)
    stage.run(audio_file(tmp_path, "2020", stored[:40]), endsong_file(tmp_path, "0", stored[40:]))
    stage.s3.create_bucket(Bucket=TRANSFORMED, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    transformer = Transformer(stage.s3, BUCKET, TRANSFORMED)

    for key in stage.keys("raw/") + stage.keys("runs/"):
        assert transformer.transform(key).outcome == "transformed"

    got = sorted(rows(stage, "plays"), key=lambda row: row["played_at"])
    assert [
        {
            "ts": f"{row['played_at']:%Y-%m-%dT%H:%M:%SZ}",
            "uri": row["item_uri"],
            "ms_played": row["ms_played"],
            "track": row["track_name"],
            "skipped": row["skipped"],
            "country": row["country"],
            "platform": row["platform"],
            "source": row["source"],
            "account": row["account_id"],
        }
        for row in got
    ] == [
        {
            "ts": play["ts"],
            "uri": play["spotify_track_uri"] or play["spotify_episode_uri"],
            "ms_played": play["ms_played"],
            "track": play["master_metadata_track_name"] or play["episode_name"],
            "skipped": play["skipped"],
            "country": "GB",
            "platform": "android",
            "source": "streaming_history",
            "account": ACCOUNT,
        }
        for play in stored
    ]
    assert isinstance(got[0]["played_at"], datetime)
    assert rows(stage, "rejected_records") == []
    runs = rows(stage, "runs")
    assert [row["read_complete"] for row in runs] == [True, True]
    for run in runs:
        of_read = [row for row in got if row["_raw_key"] in run["read_keys"]]
        assert len(of_read) == run["read_records"]
        assert {row["_read_id"] for row in of_read} == {run["read_id"]}
