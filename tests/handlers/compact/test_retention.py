"""A partition is deleted when its data are old enough, however young its objects are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from handlers.compact.partition import Retention, TablePartition, partition_of
from handlers.tables import LONG_LIVED_TABLES, TABLES
from tests.handlers.compact.lake import DAY, HOUR, NOON, Lake

DAYS = Retention(90, 400)
NEXT_MONTH = date(2026, 12, 1)


def at(days: int) -> datetime:
    """The noon so many days after the runs."""
    return NOON + timedelta(days=days - 1)


@pytest.mark.parametrize(
    ("partition", "first", "last"),
    [
        (TablePartition("tracks", "2026-11"), date(2026, 11, 1), date(2026, 11, 30)),
        (TablePartition("plays", "2026-11"), date(2026, 11, 1), date(2026, 11, 30)),
        (TablePartition("plays", "2024-02"), date(2024, 2, 1), date(2024, 2, 29)),
        (TablePartition("plays", "2026-12"), date(2026, 12, 1), date(2026, 12, 31)),
        (TablePartition("runs", "2026"), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_days_of_a_partition(partition: TablePartition, first: date, last: date) -> None:
    assert (partition.first_day, partition.last_day) == (first, last)
    assert partition_of(partition.table, f"{partition.prefix}x.parquet") == partition


@pytest.mark.parametrize("table", TABLES)
def test_the_retention_ends_after_the_last_day(table: str) -> None:
    by_month = TABLES[table].partition_key == "month"
    partition = TablePartition(table, "2026-11" if by_month else "2026")
    days = 400 if table in LONG_LIVED_TABLES else 90
    end = (date(2026, 11, 30) if by_month else date(2026, 12, 31)) + timedelta(days=days)
    assert not DAYS.is_over(partition, end)
    assert DAYS.is_over(partition, end + timedelta(days=1))


@pytest.mark.slow
@pytest.mark.parametrize("compacted", [True, False])
def test_a_partition_goes_with_its_record(lake: Lake, compacted: bool) -> None:
    for hour in range(3):
        lake.extract("top_tracks", hour=hour)
        lake.extract("top_tracks", day=NEXT_MONTH, hour=hour)
    # November has a week more.
    last, over = at(90 + 7), at(91 + 7)
    if compacted:
        # Its objects are as young as can be.
        lake.compact(last - HOUR)
        with lake.at(last):
            assert lake.run(last, retention=DAYS, table="top_tracks").run().expired == 0
    with lake.at(over):
        found = lake.run(over, retention=DAYS, table="top_tracks").run()
    assert found.expired == (1 if compacted else 3)
    assert {key.split("/")[2] for key in lake.listed("tables/top_tracks/")} == {"month=2026-12"}
    assert lake.listed("compactions/top_tracks/") == ["compactions/top_tracks/2026-12.json"]


def test_runs_live_as_long_as_plays(lake: Lake) -> None:
    for hour in range(3):
        lake.end_run(hour=hour)
    lake.compact(NOON)
    # The year has a week and December more.
    assert lake.run(at(400 + 38), retention=DAYS).run().expired == 0
    assert lake.run(at(400 + 39), retention=DAYS).run().expired == 1
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
    foreign = f"tables/top_tracks/month={DAY:%Y-%m}/notes.txt"
    lake.s3.put_object(Bucket="transformed-bucket", Key=foreign, Body=b"x")
    found = lake.run(at(91 + 7), retention=DAYS, table="top_tracks").run()
    assert (found.expired, list(found.left_alone)) == (1, [foreign])
    assert lake.listed("tables/top_tracks/") == [foreign]
