"""What is not ours, damaged or of a newer version stays as it is, with a reason, and the rest is compacted."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handlers.compact import sources
from tests.handlers.compact.lake import DAY, HOUR, NOON, TRANSFORMED, TWIN, Lake
from tests.thoroughness import sampled

TABLE = "saved_tracks"
FOLDER = f"tables/{TABLE}/month={DAY:%Y-%m}/"


@pytest.fixture(name="keys")
def fixture_keys(lake: Lake) -> list[str]:
    """The keys of four originals."""
    for hour in range(4):
        lake.extract(TABLE, hour=hour)
    return lake.listed(FOLDER)


def written(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, store_schema=False, **options)
    return buffer.getvalue()


def changed(change: Callable[[pa.Table], pa.Table]) -> Callable[[bytes], bytes]:
    return lambda body: written(change(pq.read_table(io.BytesIO(body))))


def replaced(name: str, values: Callable[[pa.ChunkedArray[Any]], Any]) -> Callable[[bytes], bytes]:
    return changed(lambda rows: rows.set_column(rows.schema.names.index(name), name, values(rows[name])))


def damaged_at_the_end(body: bytes) -> bytes:
    """Several row groups, of which the last is damaged."""
    rows = pq.read_table(io.BytesIO(body))
    body = written(pa.concat_tables([rows] * 3), row_group_size=len(rows), compression="none")
    group = pq.ParquetFile(io.BytesIO(body)).metadata.row_group(2)
    start = min(group.column(number).data_page_offset for number in range(group.num_columns))
    return body[:start] + b"\xff" * 200 + body[start + 200 :]


UNUSABLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "It is no readable Parquet file (Parquet file size is 0 bytes)."),
    "text": (lambda _: b"no Parquet, whatever its name says", "It is no readable Parquet file"),
    "cut": (lambda body: body[: len(body) // 2], "It is no readable Parquet file"),
    "last row group": (damaged_at_the_end, "It is no readable Parquet file"),
    "unknown column": (
        changed(lambda rows: rows.append_column("mood", rows["_line"])),
        "It has the column mood, which this version does not know.",
    ),
    "other type": (
        replaced("duration_ms", lambda column: column.cast(pa.string())),
        "Its column duration_ms is of type string instead of int64.",
    ),
    "microseconds": (
        replaced("added_at", lambda column: column.cast(pa.timestamp("us"))),
        "Its column added_at is of type timestamp[us] instead of timestamp[ms].",
    ),
    "column twice": (
        changed(lambda rows: rows.append_column("_line", rows["_line"])),
        "It has a column twice.",
    ),
    "no raw key": (changed(lambda rows: rows.drop_columns(["_raw_key"])), "It lacks the column _raw_key."),
    "null in the grain": (
        replaced("item_uri", lambda column: pa.nulls(len(column), pa.string())),
        "It has null in the column item_uri.",
    ),
    "other raw key": (
        replaced("_raw_key", lambda column: pa.array(["raw/elsewhere"] * len(column))),
        "It has rows of another raw object than its key says.",
    ),
    "no UTF-8": (
        replaced("track_name", lambda column: pa.array([b"\xff"] * len(column), pa.binary()).view(pa.string())),
        "It is no readable Parquet file",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", sampled(UNUSABLE, ["text", "last row group", "unknown column"]))
def test_an_original_that_cannot_be_used_stays(lake: Lake, keys: list[str], case: str) -> None:
    change, reason = UNUSABLE[case]
    bad = change(lake.body(keys[1]))
    lake.s3.put_object(Bucket=TRANSFORMED, Key=keys[1], Body=bad)
    for hours in (0, 1):
        found = lake.compact(NOON + hours * HOUR)
        assert list(found.left_alone) == [keys[1]]
        assert found.left_alone[keys[1]].startswith(reason)
        assert found.left_alone[keys[1]].endswith(".")
    assert found.failed == {}
    assert lake.body(keys[1]) == bad
    (made,) = lake.compacted(TABLE)
    assert set(lake.listed(FOLDER)) == {keys[1], made}
    for bucket, key in ((TRANSFORMED, keys[1]), (TWIN, keys[1])):
        lake.s3.delete_object(Bucket=bucket, Key=key)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_an_original_that_cannot_be_used_hides_no_compacted_row(lake: Lake, keys: list[str]) -> None:
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    lake.s3.put_object(Bucket=TRANSFORMED, Key=keys[0], Body=b"damaged")
    lake.extract(TABLE, hour=9)
    found = lake.compact(NOON + 2 * HOUR, table=TABLE)
    assert (found.partitions, list(found.left_alone)) == (1, [keys[0]])
    lake.compact(NOON + 3 * HOUR)
    assert lake.body(keys[0]) == b"damaged"
    lake.s3.delete_object(Bucket=TRANSFORMED, Key=keys[0])
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_a_compacted_object_that_cannot_be_used_stays(lake: Lake, keys: list[str]) -> None:
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    (made,) = lake.compacted(TABLE)
    bad = bytes(len(lake.body(made)))
    lake.s3.put_object(Bucket=TRANSFORMED, Key=made, Body=bad)
    for hour in (8, 9):
        lake.extract(TABLE, hour=hour)
    for hours in (2, 3):
        found = lake.compact(NOON + hours * HOUR)
        assert list(found.left_alone) == [made]
    assert lake.body(made) == bad
    assert len(lake.listed(FOLDER)) == 2
    lake.s3.delete_object(Bucket=TRANSFORMED, Key=made)
    for key in keys:
        lake.s3.delete_object(Bucket=TWIN, Key=key)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


def test_nothing_is_deleted_for_an_object_that_is_not_the_one_that_was_stored(lake: Lake, keys: list[str]) -> None:
    lake.compact(NOON)
    (made,) = lake.compacted(TABLE)
    lake.s3.put_object(Bucket=TRANSFORMED, Key=made, Body=b"other")
    found = lake.compact(NOON + HOUR, table=TABLE)
    assert found.objects_deleted == 0
    assert found.left_alone == {
        made: f"It has 5 bytes instead of the {lake.record(TABLE, f'{DAY:%Y-%m}')['bytes']} that"
        f" compactions/{TABLE}/{DAY:%Y-%m}.json says: restore its earlier version, or delete that record to have it"
        " compacted as it is."
    }
    assert set(keys) < set(lake.listed(FOLDER))


FOREIGN = (
    f"{FOLDER}notes.txt", f"{FOLDER}part-0001.parquet", f"{FOLDER}inner/compacted-0123456789abcdef.parquet",
    f"tables/{TABLE}/loose.parquet", f"tables/{TABLE}/dt=2026-13-01/saved_tracks-20261123T060000Z-daily-00000.parquet",
    f"tables/{TABLE}/dt=20261123/saved_tracks-20261123T060000Z-daily-00000.parquet",
    f"tables/{TABLE}/month=2026-1/saved_tracks-20261123T060000Z-daily-00000.parquet",
    f"tables/{TABLE}/year=2026/saved_tracks-20261123T060000Z-daily-00000.parquet",
)  # fmt: skip


def test_foreign_objects_stay(lake: Lake, keys: list[str]) -> None:
    for key in FOREIGN:
        lake.s3.put_object(Bucket=TRANSFORMED, Key=key, Body=b"x")
    marker = f"tables/{TABLE}/month=2026-12/"
    lake.s3.put_object(Bucket=TRANSFORMED, Key=marker, Body=b"")
    lake.compact(NOON)
    found = lake.compact(NOON + HOUR)
    assert found.left_alone == dict.fromkeys(FOREIGN, "This project does not write objects with such a key.")
    assert set(lake.listed(f"tables/{TABLE}/")) == {*FOREIGN, marker, *lake.compacted(TABLE)}
    assert set(keys).isdisjoint(lake.listed())


def test_an_original_that_is_gone_when_it_is_read_is_no_problem(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = sources.Sources.fetch

    def vanish(self: sources.Sources, stored: Any) -> Any:
        if stored.key == keys[2]:
            for bucket in (TRANSFORMED, TWIN):
                lake.s3.delete_object(Bucket=bucket, Key=keys[2])
        return fetch(self, stored)

    monkeypatch.setattr(sources.Sources, "fetch", vanish)
    found = lake.compact(NOON, table=TABLE)
    assert (found.partitions, found.objects_read, found.left_alone, found.failed) == (1, 3, {}, {})
    lake.compact(NOON + HOUR, table=TABLE)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_a_compacted_object_that_is_gone_when_it_is_read_is_planned_without(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.compact(NOON)
    (made,) = lake.compacted(TABLE)
    lake.extract(TABLE, hour=9)
    fetch = sources.Sources.fetch

    def vanish(self: sources.Sources, stored: Any) -> Any:
        if stored.key == made:
            lake.s3.delete_object(Bucket=TRANSFORMED, Key=made)
        return fetch(self, stored)

    monkeypatch.setattr(sources.Sources, "fetch", vanish)
    found = lake.compact(NOON + HOUR / 2, table=TABLE)
    assert (found.partitions, found.objects_read, found.failed) == (1, len(keys) + 1, {})
    lake.compact(NOON + 2 * HOUR, table=TABLE)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.parametrize("days", sampled([-400, -1, 1], [-1]))
def test_a_wrong_clock_loses_no_row(lake: Lake, days: int) -> None:
    for hour in range(3):
        lake.extract(TABLE, hour=hour)
    wrong = NOON + timedelta(days=days)
    with lake.at(NOON):
        lake.run(wrong).run()
        lake.run(wrong).run()
    assert not lake.rows(TABLE, TWIN) - lake.rows(TABLE)
    lake.extract(TABLE, hour=3)
    for hours in (2, 3, 4):
        lake.compact(NOON + hours * HOUR)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)
    assert lake.partitions()[FOLDER.rstrip("/")] == 1


def test_objects_of_today_and_single_objects_stay(lake: Lake) -> None:
    for hour in range(3):
        lake.extract(TABLE, hour=hour)
    lake.extract(TABLE, day=DAY - timedelta(days=1))
    before = lake.listed("")
    found = lake.compact(NOON - timedelta(days=1))
    assert (found.partitions, found.waiting) == (0, 0)
    assert lake.listed("") == before
