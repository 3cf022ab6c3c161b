"""Time, disk and refusals: what was not reached is reported, and nothing is lost."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.compact import rows, sources
from handlers.compact.bucket import TransformedBucket
from handlers.compact.event import CompactionEvent
from handlers.compact.run import CompactionRun, Summary
from handlers.layout import partition_prefix
from handlers.transform.table_files import table_writer
from tests.handlers.compact.lake import DAY, HOUR, NOON, RETENTION, TWIN, Lake
from tests.thoroughness import sampled

TABLE = "saved_tracks"
FOLDER = partition_prefix(TABLE, "month", f"{DAY:%Y-%m}")


@pytest.fixture(name="keys")
def fixture_keys(lake: Lake) -> list[str]:
    """The keys of six originals."""
    for hour in range(6):
        lake.extract(TABLE, hour=hour)
    return lake.listed(FOLDER)


def run(
    lake: Lake, *, is_late: Callable[[], bool] = lambda: False, is_over: Callable[[], bool] = lambda: False
) -> Summary:
    with lake.at(NOON):
        return CompactionRun(
            lake.bucket, RETENTION, CompactionEvent(table=TABLE), NOON, is_late=is_late, is_over=is_over
        ).run()


def after(calls: int) -> Callable[[], bool]:
    """False so many times, then True."""
    answers: Iterator[bool] = iter([False] * calls)
    return lambda: next(answers, True)


def test_without_time_nothing_is_begun(lake: Lake, keys: list[str]) -> None:
    lake.extract("top_tracks", hour=1)
    assert run(lake, is_late=lambda: True).remaining == 1
    assert lake.listed(FOLDER) == keys


@pytest.mark.slow
@pytest.mark.parametrize("calls", sampled(range(1, 8), [2, 4]))
@pytest.mark.usefixtures("keys")
def test_what_was_read_until_time_ran_out_is_compacted(lake: Lake, calls: int) -> None:
    found = run(lake, is_late=after(calls))
    # The run asks before the partition and before each original.
    read = min(calls - 1, 6)
    assert (found.partitions, found.objects_read) == ((1, read) if read > 1 else (0, 0))
    assert found.remaining == (1 if read < 6 else 0)
    assert not lake.rows(TABLE, TWIN) - lake.rows(TABLE)
    for hours in (1, 2):
        lake.compact(NOON + hours * HOUR, table=TABLE)
    assert len(lake.listed(FOLDER)) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_rows_compacted_before_are_never_stored_in_part(lake: Lake, keys: list[str]) -> None:
    run(lake)
    lake.extract(TABLE, hour=9)
    before = lake.listed("")
    found = run(lake, is_over=lambda: True)
    assert (found.partitions, found.remaining, found.failed) == (0, 1, {})
    assert lake.listed("") == before
    assert set(keys) < set(before)


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_the_other_partitions_are_compacted(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in (1, 2):
        lake.extract("recently_played", hour=hour)

    def full(path: Path, table: str) -> Any:
        if table == TABLE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return table_writer(path, table)

    with monkeypatch.context() as patch:
        patch.setattr(rows, "table_writer", full)
        found = lake.compact(NOON)
    assert found.failed == {
        f"{TABLE}/month={DAY:%Y-%m}": "The temporary folder is full: give the function more ephemeral storage."
    }
    assert set(keys) <= set(lake.listed(FOLDER))
    assert (lake.compacted(TABLE), len(lake.compacted("tracks"))) == ([], 1)
    assert found.partitions == len({key.rpartition("/")[0] for key in lake.listed()}) - 1


@pytest.mark.slow
def test_a_disk_that_is_full_when_an_object_is_fetched_is_no_damaged_object(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sources, "_MEMORY_BYTES", 0)
    monkeypatch.setattr(TransformedBucket, "download", full)
    found = run(lake)
    assert (list(found.failed), found.left_alone) == ([f"{TABLE}/month={DAY:%Y-%m}"], {})
    assert lake.listed(FOLDER) == keys


@pytest.mark.slow
@pytest.mark.parametrize("method", ["get_object", "put_object", "list_objects_v2"])
def test_a_refusal_is_reported_with_its_partition(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "Operation")

    with monkeypatch.context() as patch:
        patch.setattr(lake.s3, method, refused)
        found = run(lake)
    reason = "An error occurred (AccessDenied) when calling the Operation operation: Access Denied"
    assert found.failed == {TABLE if method == "list_objects_v2" else f"{TABLE}/month={DAY:%Y-%m}": reason}
    assert lake.listed(FOLDER) == keys


@pytest.mark.parametrize("in_memory", [0, 1024 * 1024])
def test_the_temporary_folder_is_empty_afterwards(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_memory: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sources, "_MEMORY_BYTES", in_memory)
    run(lake)
    assert len(lake.listed(FOLDER)) == len(keys) + 1
    assert list(tmp_path.iterdir()) == []
