"""A purge deletes compacted rows of runs before a moment, at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.compact import rows
from handlers.compact.bucket import OvertakenError, TransformedBucket
from handlers.layout import compacted_key, is_compacted
from tests.handlers.compact.lake import DAY, HOUR, NOON, TRANSFORMED, TWIN, Lake
from tests.handlers.compact.test_killed import play

NEXT = DAY + timedelta(days=1)
BEFORE = "2026-11-24T00:00:00.000Z"


@pytest.fixture(name="full")
def fixture_full(lake: Lake) -> Lake:
    """Two days in every table, compacted; of the first, and of foreign objects, the twin has no rows any more."""
    lake.everything(days=(DAY, NEXT), hours=(6, 7))
    lake.compact(NOON + timedelta(days=1))
    lake.compact(NOON + timedelta(days=1, hours=1))
    for key in lake.listed("tables/", TWIN):
        if "20261123T" in key or "/foreign-" in key:
            lake.s3.delete_object(Bucket=TWIN, Key=key)
    return lake


@pytest.mark.slow
def test_rows_of_earlier_runs_are_gone_at_once(full: Lake) -> None:
    assert full.tables() != full.tables(TWIN)
    found = full.compact(NOON + timedelta(days=1, hours=2), purge_before=BEFORE)
    assert (found.failed, found.waiting) == ({}, 0)
    assert full.tables() == full.tables(TWIN)
    assert set(full.partitions().values()) == {1}
    # No key or value of a deleted row remains in any file.
    assert not [key for key in full.listed() if f"/dt={DAY}/".encode() in full.body(key)]


@pytest.mark.slow
def test_a_purge_that_finds_nothing_changes_nothing(full: Lake) -> None:
    before = full.listed("")
    found = full.compact(NOON + timedelta(days=1, hours=2), purge_before="2026-01-01T00:00:00Z")
    assert (found.partitions, found.objects_deleted) == (0, 0)
    assert full.listed("") == before


@pytest.mark.slow
def test_a_table_that_is_named_is_the_only_one(full: Lake) -> None:
    before = full.tables()
    full.compact(NOON + timedelta(days=1, hours=2), purge_before=BEFORE, table="runs")
    assert full.rows("runs") == full.rows("runs", TWIN)
    assert {table for table, found in full.tables().items() if found != before[table]} == {"runs"}


@pytest.mark.slow
def test_a_month_that_is_named_is_the_only_one(full: Lake) -> None:
    months = {key.split("/")[2] for key in full.listed("tables/plays/")}
    full.compact(NOON + timedelta(days=1, hours=2), purge_before=BEFORE, month="2026-11")
    early = {row for row in full.rows("plays") if f"/dt={DAY}/" in row[1]}
    assert {month for month, _ in early} == months - {"month=2026-11"}
    assert not [row for row in full.rows("runs") if f"/dt={DAY}/" in row[1]]


def test_a_partition_without_a_row_left_has_no_object(lake: Lake) -> None:
    for hour in range(2):
        lake.extract("top_tracks", hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    lake.compact(NOON + 2 * HOUR, purge_before=BEFORE)
    left = [key for key in lake.listed("tables/") if is_compacted(key.rpartition("/")[2])]
    assert left == []


def test_originals_before_the_moment_are_not_compacted_again(lake: Lake) -> None:
    for hour in range(4):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    found = lake.compact(NOON, table="plays", purge_before="2026-11-23T02:00:00Z")
    assert found.objects_read == 2
    lake.compact(NOON + HOUR, table="plays", purge_before="2026-11-23T02:00:00Z")
    early = [
        f"tables/plays/month=2026-11/recently_played-20261123T{hour}0000Z-hourly-00000.parquet" for hour in ("00", "01")
    ]
    assert lake.listed("tables/plays/") == [*lake.compacted("plays"), *early]


def test_an_object_from_before_the_purge_brings_no_row_back(lake: Lake) -> None:
    for hour in range(4):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    (old,) = lake.compacted("plays")
    body = lake.body(old)
    lake.compact(NOON + 2 * HOUR, table="plays", purge_before="2026-11-23T02:00:00Z")
    purged = lake.rows("plays")
    assert purged.total() == 2
    # As by a compaction that was slow, and of which the record knows nothing.
    late = compacted_key("plays", "month", "2026-11", "0123456789abcdef")
    lake.s3.put_object(Bucket=TRANSFORMED, Key=late, Body=body)
    for hours in (3, 4):
        lake.compact(NOON + hours * HOUR, table="plays")
    assert lake.rows("plays") == purged
    assert len(lake.listed("tables/plays/")) == 1


def test_another_compaction_that_is_first_does_not_prevent_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(4):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    lake.extract("recently_played", [play(9, 0)], hour=9)
    put = lake.s3.put_object

    def compact_first(**arguments: Any) -> Any:
        patch.undo()
        assert lake.compact(NOON + 2 * HOUR, table="plays").partitions == 1
        return put(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(lake.s3, "put_object", compact_first)
        found = lake.compact(NOON + 2 * HOUR, table="plays", purge_before="2026-11-23T02:00:00Z")
    assert found.failed == {}
    assert sorted(row["_run_id"][9:11] for file in lake.files("plays").values() for row in file.to_pylist()) == [
        "02", "03", "09", "09",
    ]  # fmt: skip


def test_a_partition_that_is_never_quiet_fails_with_one_sentence(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(4):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)

    def conflict(*_: Any) -> None:
        raise OvertakenError

    monkeypatch.setattr(TransformedBucket, "replace", conflict)
    found = lake.compact(NOON + 2 * HOUR, table="plays", purge_before="2026-11-23T02:00:00Z")
    assert found.failed == {"plays/month=2026-11": "Others keep changing its objects: run the compaction again later."}


@pytest.mark.slow
@pytest.mark.parametrize("refusals", [1, 1_000])
def test_nothing_is_deleted_before_the_other_object_is_certainly_stored(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    for hour in range(4):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    (old,) = lake.listed("tables/plays/")
    put, left = lake.s3.put_object, [refusals]

    def refused(**arguments: Any) -> Any:
        if arguments["Key"].endswith(".parquet") and left[0]:
            left[0] -= 1
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
        return put(**arguments)

    monkeypatch.setattr(lake.s3, "put_object", refused)
    found = lake.compact(NOON + 2 * HOUR, table="plays", purge_before="2026-11-23T02:00:00Z")
    if refusals == 1:
        assert (found.failed, lake.rows("plays").total()) == ({}, 2)
        assert lake.listed("tables/plays/") != [old]
    else:
        assert list(found.failed) == ["plays/month=2026-11"]
        assert lake.listed("tables/plays/") == [old]


@pytest.mark.slow
def test_rows_that_do_not_fit_in_memory_are_purged_too(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SORTED_BYTES", 1)
    monkeypatch.setattr(rows, "_ROW_GROUP_BYTES", 1_000)
    for hour in range(4):
        lake.extract("recently_played", [play(hour, n) for n in range(50)], hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    lake.compact(NOON + 2 * HOUR, table="plays", purge_before="2026-11-23T02:00:00Z")
    (key,) = lake.listed("tables/plays/")
    assert lake.rows("plays").total() == 100
    assert b"T010000Z" not in lake.body(key)
