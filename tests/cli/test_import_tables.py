"""The tables that the transform makes of an import's raw objects."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from handlers.raw import objects
from handlers.transform.transformer import Transformer
from tests.cli.import_stage import ACCOUNT, BUCKET, ImportStage
from tests.cli.privacy_exports import (
    account_data_play,
    audio_file,
    endsong_file,
    play,
    plays,
    sent_before_2022,
    written,
)

TRANSFORMED = "transformed-bucket"


EXTRA = {f"field_{number}": f"secret-{number:02d}-of-the-listener" for number in range(17)} | {
    "longitude": 12.34567891,
    "device": {"name": "secret device", "ids": ["secret id", {"deeper": "secret place"}]},
    "ts_local": "2020-02-03T04:05:06Secret",
}
"""Twenty fields that no export has."""
SECRETS = ("secret", "Secret", "12.34567891", *(name for name in EXTRA if name != "device"))


def everything(stage: ImportStage, bucket: str) -> Iterator[tuple[str, bytes]]:
    """Return the content of a bucket: each key with its metadata and its bytes, packed and unpacked."""
    for item in stage.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        key = item["Key"]
        answer = stage.s3.get_object(Bucket=bucket, Key=key)
        body = answer["Body"].read()
        yield key, b"\n".join((key.encode(), repr(answer["Metadata"]).encode(), body))
        if key.endswith(".gz"):
            yield key, gzip.decompress(body)
        if key.endswith(".parquet"):
            file = pq.ParquetFile(io.BytesIO(body))
            yield key, repr((file.read().to_pylist(), file.metadata.to_dict(), file.schema_arrow)).encode()


def transformed(stage: ImportStage) -> None:
    """Transform everything in the raw bucket."""
    stage.s3.create_bucket(Bucket=TRANSFORMED, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    transformer = Transformer(stage.s3, BUCKET, TRANSFORMED, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for key in stage.keys("raw/") + stage.keys("runs/"):
        assert transformer.transform(key).outcome == "transformed"


@pytest.fixture(autouse=True)
def empty_lake(stage: ImportStage) -> Iterator[None]:
    """Remove the transformed bucket before and after a test."""
    yield
    for item in stage.s3.list_objects_v2(Bucket=TRANSFORMED).get("Contents", []):
        stage.s3.delete_object(Bucket=TRANSFORMED, Key=item["Key"])
    stage.s3.delete_bucket(Bucket=TRANSFORMED)


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

    transformed(stage)

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


@pytest.mark.slow
def test_no_value_of_a_field_that_is_not_documented_is_found_anywhere(
    stage: ImportStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Check good elements, elements that cannot become rows, elements that are not objects, and a broken file."""
    good = [sent_before_2022(play) | EXTRA for play in plays(0, 5)]
    odd: list[Any] = [
        play(5) | {"platform": EXTRA, "reason_start": ["secret", EXTRA]} | EXTRA,
        play(6) | {"ts": "no time"} | EXTRA,
        play(7) | {"spotify_track_uri": 7} | EXTRA,
        {"ts": EXTRA} | EXTRA,
        EXTRA,
        [EXTRA],
        "secret text",
        account_data_play(8) | EXTRA,
    ]
    whole = written([*good, *odd])
    (tmp_path / "endsong_0.json").write_bytes(whole)
    (tmp_path / "StreamingHistory0.json").write_bytes(written([account_data_play(9) | EXTRA, account_data_play(10)]))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "endsong_1.json").write_bytes(whole[: whole.rindex(b"secret text") + 3])

    said = stage.fail(tmp_path)
    stage.run(tmp_path / "endsong_0.json", tmp_path / "StreamingHistory0.json", again=True)
    transformed(stage)

    assert len(EXTRA) == 20
    for bucket in (BUCKET, TRANSFORMED):
        found = [(key, text) for key, body in everything(stage, bucket) for text in SECRETS if text.encode() in body]
        assert found == []
    assert [text for text in SECRETS if text in said + capsys.readouterr().out] == []
    # The same search finds what is kept.
    assert any(b"Track 3" in body for _, body in everything(stage, TRANSFORMED))
    # The good ones and the first odd one, three times; three of the small export, twice.
    sources = Counter(row["source"] for row in rows(stage, "plays"))
    assert sources == {"streaming_history": 18, "account_data": 6}
    assert {row["reason"] for row in rows(stage, "rejected_records")} == {"wrong_type", "missing_key"}


def test_the_rows_of_each_unit_and_its_rejections_are_all_its_lines(stage: ImportStage, tmp_path: Path) -> None:
    """Check the counts without which the import would never count as arrived, and those that the command reported."""
    path = tmp_path / "endsong_0.json"
    path.write_bytes(written([*plays(0, 5), {"ts": "no time"}, {}, None, *plays(5, 5)]))

    printed = stage.run(path)
    transformed(stage)

    (run,) = rows(stage, "runs")
    assert "1 file with 10 plays, " in printed
    assert "3 of 13 elements cannot become plays" in printed
    assert (len(rows(stage, "plays")), len(rows(stage, "rejected_records"))) == (10, 2)
    assert run["read_records"] == 12
    assert {row["line"] for row in rows(stage, "rejected_records")} == {None}
