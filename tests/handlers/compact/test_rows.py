"""The rows of every table are the same before and after, for every reader."""

from __future__ import annotations

import io
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from handlers.compact import rows as compacted_rows
from handlers.layout import is_original
from handlers.tables import TABLES
from handlers.transform.schema import table_schema
from tests.handlers.compact.lake import DAY, HOUR, NOON, TRANSFORMED, TWIN, Lake
from tests.handlers.transform.stage import raw_line
from tests.handlers.transform.test_schema import LOCAL_MILLISECONDS
from tests.thoroughness import sampled

FILLED = [table for table in TABLES if table != "replays"]
"""Tables that get rows although nothing is transformed after its day."""


@pytest.fixture(name="full", scope="module")
def fixture_full(s3: Any) -> Lake:
    """Three runs in every table, compacted."""
    for bucket in ("raw-bucket", TRANSFORMED, TWIN):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    lake = Lake(s3)
    lake.everything()
    lake.compact()
    lake.compact(NOON + HOUR)
    return lake


@pytest.mark.slow
def test_every_table_keeps_its_rows_in_one_object_a_partition(lake: Lake) -> None:
    lake.everything()
    before, partitions = lake.tables(), lake.partitions()
    assert all(before[table] for table in FILLED)
    assert min(partitions.values()) > 1

    first = lake.compact()

    assert (first.partitions, first.waiting) == (len(partitions), len(partitions))
    assert (first.objects_read, first.objects_deleted) == (partitions.total(), 0)
    assert all(twice == before[table] + before[table] for table, twice in lake.tables().items())

    second = lake.compact(NOON + HOUR)

    assert (second.partitions, second.waiting, second.objects_deleted) == (0, 0, partitions.total())
    assert lake.partitions() == dict.fromkeys(partitions, 1)
    assert lake.tables() == before == lake.tables(TWIN)
    assert lake.compact(NOON + 2 * HOUR).to_json() == {
        "partitions": 0, "objects_read": 0, "objects_deleted": 0, "waiting": 0, "expired": 0, "remaining": 0,
        "left_alone": [],
    }  # fmt: skip


def test_originals_wait_until_no_query_reads_them(lake: Lake) -> None:
    for hour in range(3):
        lake.end_run(hour=hour)
    lake.compact()
    waiting = lake.compact(NOON + timedelta(minutes=59))
    assert (waiting.waiting, waiting.objects_deleted, len(lake.listed("tables/runs/"))) == (1, 0, 4)
    assert lake.compact(NOON + timedelta(minutes=60)).objects_deleted == 3


@pytest.mark.slow
@pytest.mark.parametrize("table", FILLED)
def test_the_object_is_in_the_form_of_the_transform(table: str, full: Lake, tmp_path: Path) -> None:
    (key, *_) = full.compacted(table)
    original = next(one for one in full.listed(f"tables/{table}/", TWIN) if key.rpartition("/")[0] in one)
    path, other = tmp_path / "compacted.parquet", tmp_path / "original.parquet"
    path.write_bytes(full.body(key))
    other.write_bytes(full.s3.get_object(Bucket=TWIN, Key=original)["Body"].read())

    file = pq.ParquetFile(path)
    assert file.schema_arrow.equals(pq.ParquetFile(other).schema_arrow)
    columns = [file.metadata.row_group(0).column(number) for number in range(file.metadata.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    assert all(column.is_stats_set for column in columns)
    footer = "SELECT name, type, converted_type, logical_type FROM parquet_schema(?)"
    shapes = [duckdb.execute(footer, [str(one)]).fetchall() for one in (path, other)]
    assert shapes[0][1:] == shapes[1][1:]
    timestamps = {column.name for column in TABLES[table].all_columns if column.type == "timestamp"}
    assert {found[0]: found[1:] for found in shapes[0] if found[0] in timestamps} == dict.fromkeys(
        timestamps, ("INT64", "TIMESTAMP_MILLIS", LOCAL_MILLISECONDS)
    )
    assert sum(len(one) for one in full.files(table).values()) == sum(
        len(one) for one in full.files(table, TWIN).values()
    )


@pytest.mark.slow
@pytest.mark.parametrize("table", FILLED)
def test_duckdb_reads_the_same_rows(table: str, full: Lake, tmp_path: Path) -> None:
    for bucket in (TRANSFORMED, TWIN):
        (tmp_path / bucket).mkdir()
        for number, key in enumerate(full.listed(f"tables/{table}/", bucket)):
            body = full.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            (tmp_path / bucket / f"{number}.parquet").write_bytes(body)
    compacted, separate = (f"(FROM '{tmp_path / bucket}/*.parquet')" for bucket in (TRANSFORMED, TWIN))
    for one, other in ((compacted, separate), (separate, compacted)):
        assert duckdb.execute(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})").fetchall() == [(0,)]


def test_rows_are_in_the_order_of_raw_objects_and_lines(full: Lake) -> None:
    for table in set(TABLES) - {"plays"}:
        for file in full.files(table).values():
            rows = [(row["_raw_key"], row["_line"]) for row in file.select(["_raw_key", "_line"]).to_pylist()]
            assert rows == sorted(rows)


@pytest.mark.slow
def test_the_same_sources_give_the_same_bytes_under_the_same_key(lake: Lake) -> None:
    for stream in ("saved_tracks", "recently_played", "catalogue"):
        for hour in (6, 7):
            lake.extract(stream, hour=hour)
    lake.compact()
    made = {key: lake.body(key) for table in TABLES for key in lake.compacted(table)}
    for key in (*made, *lake.listed("compactions/")):
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=key)
    lake.compact(NOON + HOUR)
    assert {key: lake.body(key) for table in TABLES for key in lake.compacted(table)} == made


def test_another_content_of_the_same_sources_has_another_key(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [play(minute) for minute in range(20)]
    for hour in range(2):
        lake.extract("recently_played", lines[hour::2], hour=hour)
    lake.compact()
    (sorted_one,) = lake.compacted("plays")
    for key in (sorted_one, *lake.listed("compactions/")):
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=key)
    monkeypatch.setattr(compacted_rows, "SORTED_BYTES", 1)
    lake.compact()
    (other,) = lake.compacted("plays")
    assert other != sorted_one


@pytest.mark.slow
def test_bytes_do_not_depend_on_how_often_rows_were_compacted(lake: Lake) -> None:
    for hour in (6, 7, 8):
        lake.extract("saved_tracks", hour=hour)
    lake.compact()
    (at_once,) = map(lake.body, lake.compacted("saved_tracks"))
    for key in lake.listed(""):
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=key)
    now = NOON
    for hour in (8, 6, 7):
        lake.extract("saved_tracks", hour=hour)
        lake.compact(now)
        now += HOUR
    lake.compact(now)
    assert list(map(lake.body, lake.compacted("saved_tracks"))) == [at_once]


def play(minute: int) -> dict[str, Any]:
    """A play, the later the higher its number, with an id that compresses badly."""
    track = f"{minute * 2654435761 % 2**64:022x}"
    played_at = f"2026-11-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
    item = {"type": "track", "id": track, "uri": f"spotify:track:{track}", "name": "n", "artists": []}
    return raw_line("recently_played", {"played_at": played_at, "track": item, "context": None})


def test_a_query_on_played_at_skips_row_groups(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacted_rows, "_ROW_GROUP_BYTES", 16_000)
    for hour in range(4):
        lake.extract("recently_played", [play(minute) for minute in range(hour, 1_600, 4)], hour=hour)
    lake.compact()
    (key,) = lake.compacted("plays")
    file = pq.ParquetFile(io.BytesIO(lake.body(key)))
    column = file.schema_arrow.names.index("played_at")
    spans: list[tuple[Any, Any]] = [
        (statistics.min, statistics.max)
        for group in range(file.num_row_groups)
        if (statistics := file.metadata.row_group(group).column(column).statistics)
    ]
    assert len(spans) == file.num_row_groups > 5
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


@pytest.mark.slow
@pytest.mark.parametrize("stream", sampled(["saved_tracks", "recently_played"]))
def test_rows_that_do_not_fit_in_memory_are_complete_too(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(compacted_rows, "SORTED_BYTES", 1_000)
    monkeypatch.setattr(compacted_rows, "_ROW_GROUP_BYTES", 1_000)
    monkeypatch.setattr(compacted_rows, "_PIECES", 2)
    for hour in range(5):
        lake.extract(stream, hour=hour)
    lake.compact()
    lake.extract(stream, hour=5)
    lake.compact(NOON + HOUR)
    lake.compact(NOON + 2 * HOUR)
    assert set(lake.partitions().values()) == {1}
    assert lake.tables() == lake.tables(TWIN)


def test_a_month_is_made_again_when_a_day_closes(lake: Lake) -> None:
    for day in range(3):
        for hour in (6, 7):
            lake.end_run(day=DAY + timedelta(days=day), hour=hour)
    found = []
    for day in range(4):
        lake.compact(NOON + timedelta(days=day))
        found.append(
            (
                len(lake.compacted("runs")),
                sum(map(is_original, (key.rpartition("/")[2] for key in lake.listed("tables/runs/")))),
            )
        )
    # The day's two beside the object, and with them the one that they were compacted with.
    assert found == [(1, 6), (2, 4), (2, 2), (1, 0)]
    assert lake.tables() == lake.tables(TWIN)


def test_columns_of_a_later_version_are_null_in_rows_of_an_earlier_one(lake: Lake) -> None:
    keys = [lake.extract("saved_tracks", hour=hour) for hour in (6, 7)]
    assert keys
    for key in lake.listed("tables/saved_tracks/")[:1]:
        buffer = io.BytesIO()
        file = pq.read_table(io.BytesIO(lake.body(key)))
        pq.write_table(file.drop_columns(["duration_ms"]), buffer, store_schema=False)
        lake.s3.put_object(Bucket=TRANSFORMED, Key=key, Body=buffer.getvalue())
    lake.compact()
    lake.compact(NOON + HOUR)
    (made,) = lake.files("saved_tracks").values()
    half = len(made) // 2
    assert made["duration_ms"][:half].null_count == half
    assert made["duration_ms"][half:].null_count < half
    assert made.schema.names == table_schema("saved_tracks").names
