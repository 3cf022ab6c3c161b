"""A partition is deleted when its data are old enough, however young its objects are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from handlers.compact.partition import Retention, TablePartition, partition_of
from handlers.tables import LONG_LIVED_TABLES, TABLES
from tests.handlers.compact.lake import DAY, HOUR, NOON, Lake

DAYS = Retention(90, 400)


def at(days: int) -> datetime:
    """The noon so many days after the runs."""
    return NOON + timedelta(days=days - 1)


@pytest.mark.parametrize(
    ("partition", "first", "last"),
    [
        (TablePartition("tracks", "2026-11-23"), date(2026, 11, 23), date(2026, 11, 23)),
        (TablePartition("plays", "2026-11"), date(2026, 11, 1), date(2026, 11, 30)),
        (TablePartition("plays", "2024-02"), date(2024, 2, 1), date(2024, 2, 29)),
        (TablePartition("runs", "2026-12"), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_the_days_of_a_partition(partition: TablePartition, first: date, last: date) -> None:
    assert (partition.first_day, partition.last_day) == (first, last)
    assert partition_of(partition.table, f"{partition.prefix}x.parquet") == partition


@pytest.mark.parametrize("table", TABLES)
def test_the_retention_ends_after_the_last_day(table: str) -> None:
    partition = TablePartition(table, "2026-11" if TABLES[table].partition_key == "month" else "2026-11-30")
    days = 400 if table in LONG_LIVED_TABLES else 90
    end = date(2026, 11, 30) + timedelta(days=days)
    assert not DAYS.is_over(partition, end)
    assert DAYS.is_over(partition, end + timedelta(days=1))


@pytest.mark.slow
@pytest.mark.parametrize("compacted", [True, False])
def test_a_partition_goes_with_its_record(lake: Lake, compacted: bool) -> None:
    for hour in range(3):
        lake.extract("top_tracks", hour=hour)
        lake.extract("top_tracks", day=DAY + timedelta(days=1), hour=hour)
    if compacted:
        # Its objects are as young as can be.
        lake.compact(at(90) - HOUR)
    with lake.at(at(91)):
        found = lake.run(at(91), retention=DAYS, table="top_tracks").run()
    assert found.expired == (4 if compacted else 3)
    days = {key.split("/")[2] for key in lake.listed("tables/top_tracks/")}
    assert days == {f"dt={DAY + timedelta(days=1)}"}
    assert lake.listed("compactions/top_tracks/") == [f"compactions/top_tracks/{DAY + timedelta(days=1)}.json"]


def test_runs_live_as_long_as_plays(lake: Lake) -> None:
    for hour in range(3):
        lake.end_run(hour=hour)
    lake.compact(NOON)
    assert lake.run(at(400), retention=DAYS).run().expired == 0
    # November has a week more.
    assert lake.run(at(400 + 8), retention=DAYS).run().expired == 1
    assert lake.listed("tables/runs/") == []


def test_plays_of_long_ago_are_kept_from_their_import_on(lake: Lake) -> None:
    for hour in range(3):
        lake.extract("streaming_history", hour=hour)
    months = {key.split("/")[2] for key in lake.listed("tables/plays/")}
    assert min(months) < "month=2020"
    for days in (1, 2, 400):
        with lake.at(at(days)):
            assert lake.run(at(days), retention=DAYS, table="plays").run().expired == 0
    assert {key.split("/")[2] for key in lake.listed("tables/plays/")} == months
    assert lake.record("plays", min(months).removeprefix("month="))["newest_run"] == str(DAY)
    assert lake.run(at(401), retention=DAYS, table="plays").run().expired == len(months)
    assert lake.listed("tables/plays/") == lake.listed("compactions/plays/") == []


def test_plays_of_unknown_runs_are_kept(lake: Lake) -> None:
    for hour in range(2):
        lake.extract("streaming_history", hour=hour)
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    for key in lake.listed("compactions/"):
        lake.s3.delete_object(Bucket="transformed-bucket", Key=key)
    assert lake.run(datetime(2040, 1, 1, tzinfo=UTC), retention=DAYS, table="plays").run().expired == 0


def test_foreign_objects_do_not_go_with_the_partition(lake: Lake) -> None:
    lake.extract("top_tracks")
    foreign = f"tables/top_tracks/dt={DAY}/notes.txt"
    lake.s3.put_object(Bucket="transformed-bucket", Key=foreign, Body=b"x")
    found = lake.run(at(91), retention=DAYS, table="top_tracks").run()
    assert (found.expired, list(found.left_alone)) == (1, [foreign])
    assert lake.listed("tables/top_tracks/") == [foreign]
