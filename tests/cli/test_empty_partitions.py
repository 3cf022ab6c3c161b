"""Partitions without objects are deleted from the catalog, but not those that rows are being moved to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from cli.empty_partitions import delete_empty_partitions
from tests.embedded_aws.athena_lab import DATABASE, LAKE, Lab

COLUMNS = {"artist_id": "string"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("athena")) as running:
        yield running


@pytest.fixture
def lab(started: Lab) -> Lab:
    started.empty()
    started.table("artists", COLUMNS, keys=("month",))
    for month in ("2026-10", "2026-11"):
        started.partition("artists", month, keys=("month",))
    started.put("tables/artists/month=2026-11/a.parquet", {"artist_id": ["a"]})
    return started


def delete(lab: Lab, glue: Any = None) -> int:
    return delete_empty_partitions(lab.client("s3"), glue or lab.client("glue"), DATABASE, LAKE)


def months(lab: Lab) -> list[str]:
    found = lab.client("glue").get_partitions(DatabaseName=DATABASE, TableName="artists")["Partitions"]
    return sorted(partition["Values"][0] for partition in found)


def test_a_partition_without_objects_is_deleted(lab: Lab) -> None:
    assert delete(lab) == 1
    assert months(lab) == ["2026-11"]


def test_an_empty_month_stays_while_objects_of_earlier_folders_are_moved(lab: Lab) -> None:
    for day in ("2026-10-30", "2026-10-31"):
        lab.partition("artists", day, keys=("dt",))
    lab.put("tables/artists/dt=2026-10-31/b.parquet", {"artist_id": ["b"]})

    assert delete(lab) == 1
    assert months(lab) == ["2026-10", "2026-10-31", "2026-11"]


def test_a_month_that_is_about_to_get_rows_stays(lab: Lab) -> None:
    with time_machine.travel("2026-12-26T12:00:00Z"):
        for month in ("2026-12", "2027-01", "2027-02"):
            lab.partition("artists", month, keys=("month",))

        assert delete(lab) == 2
    assert months(lab) == ["2026-11", "2026-12", "2027-01"]


def test_a_partition_that_glue_does_not_delete_is_not_counted(lab: Lab) -> None:
    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(lab.client("glue"), name)

        def batch_delete_partition(self, **request: Any) -> Any:
            return {"Errors": [{"PartitionValues": one["Values"]} for one in request["PartitionsToDelete"]]}

    assert delete(lab, Refusing()) == 0
