"""Objects in folders of the earlier partition key move to the partitions of the present one, each row once."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import pytest

from handlers.compact import plan
from handlers.layout import COMPACTIONS_PREFIX
from handlers.tables import TABLES
from handlers.transform import origin
from tests.handlers.compact.earlier_form import earlier_form, is_earlier
from tests.handlers.compact.lake import DAY, HOUR, NOON, TRANSFORMED, TWIN, Lake
from tests.handlers.compact.test_killed import KilledError, Killing
from tests.thoroughness import sampled

NEXT = DAY + timedelta(days=1)
AFTER = NOON + timedelta(days=1)
"""When both days are closed."""


def outdate(lake: Lake) -> None:
    """Move every object of the tables to where the version before wrote it, without the columns that are new since."""
    for key in lake.listed():
        before, body = earlier_form(key, lake.body(key)) if not is_earlier(key) else (key, b"")
        if before == key:
            continue
        with lake.at(lake.now):
            lake.s3.put_object(Bucket=TRANSFORMED, Key=before, Body=body)
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=key)


def rows(lake: Lake, table: str, bucket: str = TRANSFORMED) -> Counter[str]:
    """The rows of a table wherever they are, without the day of runs, which the version before did not write."""
    found: Counter[str] = Counter()
    for key, file in lake.files(table, bucket).items():
        name, _, value = key.split("/")[2].partition("=")
        for row in file.to_pylist():
            whole = {name: value, **row} if name in TABLES[table].earlier_partition_keys else dict(row)
            if table == "runs":
                whole.pop("dt", None)
            found[json.dumps(whole, default=str, sort_keys=True)] += 1
    return found


def all_rows(lake: Lake, bucket: str = TRANSFORMED) -> dict[str, Counter[str]]:
    """The rows of all tables."""
    return {table: rows(lake, table, bucket) for table in TABLES}


def earlier_keys(lake: Lake) -> list[str]:
    """The objects in earlier folders."""
    return [key for key in lake.listed() if is_earlier(key)]


@pytest.mark.slow
def test_every_table_moves_with_all_of_its_rows(lake: Lake) -> None:
    lake.everything(days=(DAY, NEXT), hours=(6, 7))
    before = all_rows(lake)
    outdate(lake)
    assert lake.compact(AFTER).failed == {}
    assert earlier_keys(lake)
    lake.compact(AFTER + HOUR)
    assert earlier_keys(lake) == []
    assert all_rows(lake) == before == all_rows(lake, TWIN)
    assert set(lake.partitions().values()) == {1}
    assert lake.compact(AFTER + 2 * HOUR).partitions == 0


def test_rows_get_the_day_of_their_folder(lake: Lake) -> None:
    for day in (DAY, NEXT):
        lake.extract("top_tracks", day=day)
        lake.end_run(day=day)
    outdate(lake)
    lake.compact(AFTER)
    (key,) = lake.compacted("top_tracks")
    assert key.startswith("tables/top_tracks/month=2026-11/")
    assert {(row["_run_id"][:8], row["dt"]) for row in lake.files("top_tracks")[key].to_pylist()} == {
        ("20261123", "2026-11-23"),
        ("20261124", "2026-11-24"),
    }
    (key,) = lake.compacted("runs")
    assert key.startswith("tables/runs/year=2026/")
    assert {(row["month"], row["dt"]) for row in lake.files("runs")[key].to_pylist()} == {("2026-11", None)}


def to_month(lake: Lake, key: str, body: bytes | None = None) -> str:
    """Move an object of a table by year to where it was while that was by month, and return its key there."""
    earlier = key.replace("/year=2026/", "/month=2026-11/")
    lake.s3.put_object(Bucket=TRANSFORMED, Key=earlier, Body=lake.body(key) if body is None else body)
    lake.s3.delete_object(Bucket=TRANSFORMED, Key=key)
    return earlier


@pytest.mark.parametrize("table", ["labels", "rejected_records", "replays"])
def test_the_months_of_a_table_by_year_move_to_its_year(lake: Lake, table: str) -> None:
    for hour in (5, 6, 7):
        # With rejected lines.
        key = lake.extract("labels" if table == "labels" else "profile", hour=hour)
        lake.extract("profile", [b"no JSON"], hour=hour, part=1)
        lake.replay(key, late=True)
    before = rows(lake, table)
    prefix = f"tables/{table}/"
    first, *_, last = lake.listed(prefix)
    if TABLES[table].earlier_partition_keys[0] == "dt":
        key, body = earlier_form(first, lake.body(first))
        lake.s3.put_object(Bucket=TRANSFORMED, Key=key, Body=body)
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=first)
    for key in lake.listed(prefix):
        if key != last and "/year=" in key:
            to_month(lake, key)
    assert len({key.split("/")[2] for key in lake.listed(prefix)}) == 1 + len(TABLES[table].earlier_partition_keys)
    for hours in range(2):
        lake.compact(NOON + hours * HOUR, table=table)
    assert [key.split("/")[2] for key in lake.listed(prefix)] == ["year=2026"]
    assert rows(lake, table) == before == rows(lake, table, TWIN)


def test_what_was_compacted_while_a_table_was_by_month_moves_with_its_record(lake: Lake) -> None:
    for hour in (6, 7):
        lake.extract("profile", [b"no JSON"], hour=hour)
    for hours in range(2):
        lake.compact(NOON + hours * HOUR, table="rejected_records")
    (made,) = lake.compacted("rejected_records")
    to_month(lake, made)
    record = f"{COMPACTIONS_PREFIX}rejected_records/2026.json"
    lake.s3.put_object(Bucket=TRANSFORMED, Key=record.replace("2026", "2026-11"), Body=lake.body(record))
    lake.s3.delete_object(Bucket=TRANSFORMED, Key=record)
    for hours in (2, 3):
        lake.compact(NOON + hours * HOUR, table="rejected_records")
    assert [key.split("/")[2] for key in lake.listed("tables/rejected_records/")] == ["year=2026"]
    assert lake.listed(f"{COMPACTIONS_PREFIX}rejected_records/") == [record]
    assert rows(lake, "rejected_records") == rows(lake, "rejected_records", TWIN)


def test_of_two_earlier_folders_the_later_one_counts(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = lake.extract("profile", [b"no JSON"])
    (key,) = lake.listed("tables/rejected_records/")
    day, body = earlier_form(key, lake.body(key))
    monkeypatch.setattr(origin, "SCHEMA_VERSION", 9)
    lake.replay(raw)
    to_month(lake, key)
    # The transform that wrote the later one died before it deleted this one.
    lake.s3.put_object(Bucket=TRANSFORMED, Key=day, Body=body)
    for hours in range(2):
        lake.compact(NOON + hours * HOUR, table="rejected_records")
    (made,) = lake.files("rejected_records").values()
    assert {row["_schema_version"] for row in made.to_pylist()} == {9}


def test_an_object_alone_moves_too(lake: Lake) -> None:
    lake.extract("top_tracks")
    before = rows(lake, "top_tracks")
    outdate(lake)
    lake.compact(table="top_tracks")
    lake.compact(NOON + HOUR, table="top_tracks")
    (key,) = lake.listed("tables/top_tracks/")
    assert "/month=2026-11/compacted-" in key
    assert rows(lake, "top_tracks") == before


def test_what_the_version_before_compacted_moves_with_its_record(lake: Lake) -> None:
    for hour in (6, 7):
        lake.extract("top_tracks", hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    outdate(lake)
    record, earlier = (f"{COMPACTIONS_PREFIX}top_tracks/{value}.json" for value in ("2026-11", DAY))
    lake.s3.put_object(Bucket=TRANSFORMED, Key=earlier, Body=lake.body(record))
    lake.s3.delete_object(Bucket=TRANSFORMED, Key=record)
    lake.extract("top_tracks", day=NEXT)
    outdate(lake)
    (day, next_day) = (key for key in earlier_keys(lake) if "/top_tracks/" in key)
    assert (f"/dt={DAY}/compacted-" in day, f"/dt={NEXT}/top_tracks-" in next_day) == (True, True)
    lake.compact(AFTER + 2 * HOUR, table="top_tracks")
    assert lake.listed(f"{COMPACTIONS_PREFIX}top_tracks/") == sorted([record, earlier])
    lake.compact(AFTER + 3 * HOUR, table="top_tracks")
    (key,) = lake.listed("tables/top_tracks/")
    assert "/month=2026-11/compacted-" in key
    assert rows(lake, "top_tracks") == rows(lake, "top_tracks", TWIN)
    assert lake.listed(f"{COMPACTIONS_PREFIX}top_tracks/") == [record]


@pytest.mark.parametrize("folded_first", [True, False])
def test_what_is_transformed_again_counts_and_not_what_was_before(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, folded_first: bool
) -> None:
    keys = [lake.extract("top_tracks", hour=hour) for hour in (6, 7)]
    outdate(lake)
    old = {key: lake.body(key) for key in earlier_keys(lake) if "/top_tracks/" in key}
    if folded_first:
        lake.compact(NOON - HOUR, table="top_tracks")
    monkeypatch.setattr(origin, "SCHEMA_VERSION", 4)
    lake.replay(keys[0])
    for key, body in old.items():
        # The deployment of before may still transform an event.
        lake.s3.put_object(Bucket=TRANSFORMED, Key=key, Body=body)
    for hours in range(3):
        lake.compact(NOON + hours * HOUR, table="top_tracks")
    (made,) = lake.files("top_tracks").values()
    versions = {(row["_raw_key"], row["_schema_version"]) for row in made.to_pylist()}
    assert versions == {(keys[0], 4), (keys[1], 3)}
    assert len(made) == sum(len(file) for file in lake.files("top_tracks", TWIN).values())


@pytest.mark.parametrize("late", sampled([1, 2, 3]))
def test_what_there_is_no_time_for_moves_the_next_time(lake: Lake, late: int) -> None:
    for hour in range(4):
        lake.extract("top_tracks", hour=hour)
    before = rows(lake, "top_tracks")
    outdate(lake)
    asked: list[None] = []

    def is_late() -> bool:
        asked.append(None)
        return len(asked) > late + 1

    run = lake.run(NOON, table="top_tracks")
    for holder in (run, run._compactor):
        holder._is_late = is_late
    with lake.at(NOON):
        assert run.run().failed == {}
    for hours in (1, 2, 3):
        lake.compact(NOON + hours * HOUR, table="top_tracks")
        assert not before - rows(lake, "top_tracks")
    assert len(lake.listed("tables/top_tracks/")) == 1
    assert rows(lake, "top_tracks") == before


def test_more_objects_than_go_into_one_move_little_by_little(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(5):
        lake.extract("top_tracks", hour=hour)
    before = rows(lake, "top_tracks")
    outdate(lake)
    monkeypatch.setattr(plan, "MAX_ORIGINALS", 2)
    assert lake.compact(table="top_tracks").objects_read == 5 + 2
    lake.compact(NOON + HOUR, table="top_tracks")
    assert len(lake.listed("tables/top_tracks/")) == 1
    assert rows(lake, "top_tracks") == before


def test_a_purge_leaves_no_row_of_a_run_before_it(lake: Lake) -> None:
    for day in (DAY, NEXT):
        for hour in (6, 7):
            lake.extract("top_tracks", day=day, hour=hour)
    lake.compact(AFTER)
    lake.compact(AFTER + HOUR)
    outdate(lake)
    found = lake.compact(AFTER + 2 * HOUR, table="top_tracks", purge_before=f"{NEXT}T00:00:00.000Z")
    assert (found.failed, found.waiting) == ({}, 0)
    (made,) = lake.files("top_tracks").values()
    assert {row["_run_id"][:8] for row in made.to_pylist()} == {"20261124"}


def test_the_retention_ends_for_earlier_folders_too(lake: Lake) -> None:
    lake.extract("top_tracks")
    outdate(lake)
    now = NOON + timedelta(days=408)
    with lake.at(now):
        assert lake.run(now, table="top_tracks").run().expired == 1
    assert lake.listed("tables/top_tracks/") == []


def test_a_month_that_is_named_has_its_days_and_its_year(lake: Lake) -> None:
    for day in (date(2026, 10, 31), DAY):
        lake.extract("top_tracks", day=day)
        lake.end_run(day=day)
    outdate(lake)
    lake.compact(AFTER, month="2026-10", table="top_tracks")
    assert [key.split("/")[2] for key in lake.compacted("top_tracks")] == ["month=2026-10"]
    lake.compact(AFTER, month="2026-10", table="runs")
    assert [key.split("/")[2] for key in lake.compacted("runs")] == ["year=2026"]
    assert rows(lake, "runs").total() == 2 * rows(lake, "runs", TWIN).total()


def test_a_damaged_object_stays_where_it_is(lake: Lake) -> None:
    for hour in (6, 7):
        lake.extract("top_tracks", hour=hour)
    outdate(lake)
    damaged, whole = (key for key in earlier_keys(lake) if "/top_tracks/" in key)
    lake.s3.put_object(Bucket=TRANSFORMED, Key=damaged, Body=b"no Parquet")
    found = [lake.compact(NOON + hours * HOUR, table="top_tracks") for hours in range(2)]
    assert [list(one.left_alone) for one in found] == [[damaged], [damaged]]
    assert lake.listed("tables/top_tracks/") == [damaged, *lake.compacted("top_tracks")]
    assert whole not in lake.listed()


def prepare_move(lake: Lake) -> None:
    """Objects in folders of two days, one of them compacted, and one in the folder of the month."""
    for hour in (5, 6):
        lake.extract("top_tracks", hour=hour)
    lake.compact(NOON, table="top_tracks")
    lake.compact(NOON + HOUR, table="top_tracks")
    for record in lake.listed(COMPACTIONS_PREFIX):
        lake.s3.put_object(Bucket=TRANSFORMED, Key=record.replace("2026-11", f"{DAY}"), Body=lake.body(record))
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=record)
    lake.extract("top_tracks", hour=7)
    lake.extract("top_tracks", day=NEXT)
    outdate(lake)
    lake.extract("top_tracks", day=NEXT, hour=7)


def move(lake: Lake) -> None:
    """The run that moves them, and the one that deletes them."""
    lake.compact(AFTER, table="top_tracks")
    lake.compact(AFTER + HOUR, table="top_tracks")


MOVE_CALLS = 20
"""Requests of both."""


def test_every_request_of_a_move_is_killed_at(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_move(lake)
    killing = Killing(monkeypatch, 10_000, after=False)
    move(lake)
    assert len(killing.calls) == MOVE_CALLS
    assert killing.calls.count("DeleteObject") == 5


@pytest.mark.parametrize(
    ("at", "after"),
    sampled([(at, after) for at in range(1, MOVE_CALLS + 1) for after in (False, True)], [(17, True)]),
)
def test_a_move_that_died_is_finished_by_the_next_runs(lake: Lake, at: int, after: bool) -> None:
    prepare_move(lake)
    with pytest.MonkeyPatch.context() as patch:
        Killing(patch, at, after=after)
        with pytest.raises(KilledError):
            move(lake)
    assert not rows(lake, "top_tracks", TWIN) - rows(lake, "top_tracks")
    for hours in (2, 3, 4):
        lake.compact(AFTER + hours * HOUR, table="top_tracks")
    assert len(lake.listed("tables/top_tracks/")) == 1
    assert rows(lake, "top_tracks") == rows(lake, "top_tracks", TWIN)
