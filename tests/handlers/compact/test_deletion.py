"""The second run of a day deletes what the first one replaced, and does nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from handlers.layout import COMPACTIONS_PREFIX, is_compacted
from handlers.tables import TABLES
from tests.handlers.compact.lake import DAY, HOUR, NOON, TWIN, Lake
from tests.handlers.compact.test_killed import Killing

LATER = NOON + HOUR


def requests(lake: Lake, now: Any, **event: Any) -> Counter[str]:
    """Run the compaction, and return how many requests of each kind it made."""
    with pytest.MonkeyPatch.context() as patch:
        counting = Killing(patch, 1_000_000, after=False)
        assert lake.compact(now, **event).failed == {}
    return Counter(counting.calls)


def test_only_what_was_replaced_is_deleted(lake: Lake) -> None:
    for hour in range(3):
        lake.extract("top_tracks", hour=hour)
    lake.compact(NOON)
    (made,) = lake.compacted("top_tracks")
    # An object of the closed day arrives in between: it waits for the next day.
    lake.extract("top_tracks", hour=5)
    done = lake.compact(LATER, delete_only=True)
    assert (done.partitions, done.objects_read, done.waiting) == (0, 0, 0)
    names = [key.rpartition("/")[2] for key in lake.listed("tables/top_tracks/")]
    assert lake.compacted("top_tracks") == [made]
    assert [name for name in names if not is_compacted(name)] == ["top_tracks-20261123T050000Z-hourly-00000.parquet"]
    assert lake.rows("top_tracks") == lake.rows("top_tracks", TWIN)


def test_what_queries_may_still_read_stays(lake: Lake) -> None:
    for hour in range(3):
        lake.extract("top_tracks", hour=hour)
    lake.compact(NOON)
    before = lake.listed()
    done = lake.compact(LATER - timedelta(seconds=1), delete_only=True)
    assert (done.objects_deleted, done.waiting) == (0, len({key.split("/")[1] for key in before}))
    assert lake.listed() == before


def test_a_day_that_closed_in_between_is_left_to_the_next_compaction(lake: Lake) -> None:
    late = NOON.replace(hour=23, minute=30)
    for day in (DAY, DAY + timedelta(days=1)):
        for hour in range(3):
            lake.extract("top_tracks", day=day, hour=hour)
    lake.compact(late)
    made = lake.compacted("top_tracks")
    lake.compact(late + HOUR, delete_only=True)
    assert lake.compacted("top_tracks") == made
    assert len(lake.listed("tables/top_tracks/")) == 1 + 3
    assert lake.rows("top_tracks") == lake.rows("top_tracks", TWIN)


@pytest.mark.slow
def test_it_lists_each_table_and_reads_the_record_of_what_has_to_go(lake: Lake) -> None:
    lake.everything(hours=range(4))
    lake.compact(NOON)
    partitions = len(lake.listed(COMPACTIONS_PREFIX))
    originals = len(lake.listed()) - partitions
    earlier = sum(len(TABLES[key.split("/")[1]].earlier_partition_keys) for key in lake.listed(COMPACTIONS_PREFIX))
    assert requests(lake, LATER, delete_only=True) == {
        "ListObjectsV2": len(TABLES) + partitions + earlier,
        "GetObject": partitions,
        "DeleteObject": originals,
    }
    assert len(lake.listed()) == partitions
    # There is nothing left to do.
    assert requests(lake, LATER + HOUR, delete_only=True) == {"ListObjectsV2": len(TABLES)}


def test_partitions_whose_retention_is_over_are_left_to_the_next_compaction(lake: Lake) -> None:
    lake.extract("top_tracks")
    before = lake.listed()
    now = NOON + timedelta(days=440)
    assert lake.compact(now, delete_only=True).expired == 0
    assert lake.listed() == before
    assert lake.compact(now).expired == len(before)
