"""Rows of earlier runs in compacted objects, which have rows of later ones too, are purged by the compact function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.errors import CommandError, StillRunningError
from cli.purge import purge
from handlers import layout
from tests.cli.operated_stack import NEW, OLD, OperatedStack, compaction_result
from tests.cli.screen import Screen

MONTH = "tables/plays/month=2026-11/"
BOTH, LATE, OLDER = (f"{MONTH}compacted-{digit * 16}.parquet" for digit in "abc")
EARLY_MONTH = f"tables/tracks/month=2026-11/compacted-{'d' * 16}.parquet"
LATE_MONTH = f"tables/tracks/month=2026-12/compacted-{'e' * 16}.parquet"
RECORD = "compactions/plays/2026-11.json"
BEFORE = "2026-11-02"
Put = Callable[..., None]


def raw_key(run: str) -> str:
    return str(layout.RawKey("recently_played", run, 0))


@pytest.fixture(name="put")
def fixture_put(operated_stack: OperatedStack, tmp_path: Path) -> Put:
    """Store a compacted object with a row of each of some raw objects."""

    def put(key: str, *raw_keys: str) -> None:
        file = tmp_path / "object.parquet"
        with duckdb.connect() as database:
            database.execute(f"COPY (SELECT unnest(?) AS _raw_key) TO '{file}' (FORMAT parquet)", [list(raw_keys)])
        operated_stack.s3.put_object(Bucket="transformed-1", Key=key, Body=file.read_bytes())

    return put


@pytest.fixture(name="stack")
def fixture_stack(operated_stack: OperatedStack, put: Put) -> OperatedStack:
    """Provide a stack with compacted objects, of which one is deleted, and a function that purges them."""
    stack = operated_stack
    stack.clients["glue"].create_database(DatabaseInput={"Name": "spotify_dev"})
    put(OLDER, raw_key(OLD))
    stack.s3.delete_object(Bucket="transformed-1", Key=OLDER)
    put(BOTH, raw_key(OLD), raw_key(NEW))
    put(EARLY_MONTH, raw_key(OLD))
    put(LATE_MONTH, raw_key(NEW))
    stack.put("transformed_bucket_name", RECORD, {"object": BOTH, "sources": {}})

    def replace(event: dict[str, Any]) -> dict[str, Any]:
        assert event == {"trigger": "manual", "purge_before": "2026-11-01T23:00:00.000Z"}
        stack.put("transformed_bucket_name", RECORD, {"object": LATE, "sources": {}})
        put(LATE, raw_key(NEW))
        for key in (BOTH, EARLY_MONTH):
            stack.s3.delete_object(Bucket="transformed-1", Key=key)
        return compaction_result(partitions=1, objects_read=1, objects_deleted=2)

    stack.functions.compact = replace
    return stack


def run(stack: OperatedStack, before: str = BEFORE) -> Screen:
    screen = Screen()
    purge(stack.target, before=before, yes=True, console=screen.console)
    return screen


def test_rows_of_earlier_runs_go_with_every_version_of_the_objects_that_had_them(stack: OperatedStack) -> None:
    screen = run(stack)
    assert len(stack.functions.invoked) == 1
    # One version each: of the record, the older one is gone.
    assert stack.versions("transformed_bucket_name") == [RECORD, LATE, LATE_MONTH]
    # Those that are still there; the third was deleted before.
    assert "2 compacted objects with rows of these runs will be replaced by objects without them" in screen.text
    # OLDER with its delete marker.
    assert "2 versions deleted" in screen.text
    assert "Replace compacted objects" in screen.text
    # BOTH and EARLY_MONTH with their delete markers, and the older record.
    assert "5 versions deleted" in screen.text
    assert "Deleted 7 versions. Left: 3 objects." in screen.text


@pytest.mark.slow
def test_a_second_purge_has_nothing_to_do(stack: OperatedStack) -> None:
    run(stack)
    assert "There is nothing to delete." in run(stack).text
    assert len(stack.functions.invoked) == 1


@pytest.mark.slow
def test_interrupted_purge_continues(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: Any) -> Any:
        raise KeyboardInterrupt

    replace = stack.functions.compact
    with monkeypatch.context() as patch:

        def replace_and_stop(event: dict[str, Any]) -> dict[str, Any]:
            patch.setattr(stack.s3, "delete_objects", interrupt)
            return replace(event)

        stack.functions.compact = replace_and_stop
        with pytest.raises(StillRunningError):
            run(stack)
    assert stack.versions("transformed_bucket_name").count(BOTH) == 2

    screen = run(stack)
    assert len(stack.functions.invoked) == 1
    assert "will be replaced" not in screen.text
    assert stack.versions("transformed_bucket_name") == [RECORD, LATE, LATE_MONTH]


def test_an_object_that_is_not_replaced_stays(stack: OperatedStack) -> None:
    left = [{"key": BOTH, "reason": "Its rows cannot be read."}]
    stack.functions.compact = lambda _: compaction_result(left_alone=left)
    with pytest.raises(
        CommandError,
        match=r"^2 compacted objects could not be replaced by one without these rows, such as tables/plays/"
        r"month=2026-11/compacted-a{16}\.parquet \(Its rows cannot be read\), while all else is deleted: run the",
    ):
        run(stack)
    assert stack.versions("transformed_bucket_name") == [RECORD, BOTH, EARLY_MONTH, LATE_MONTH]


@pytest.mark.slow
def test_a_failure_of_the_function_counts_only_if_objects_are_left(stack: OperatedStack) -> None:
    replace = stack.functions.compact

    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("1 not compacted: albums 2026-11: no reason.")

    def replace_and_fail(event: dict[str, Any]) -> dict[str, Any]:
        replace(event)
        return fail(event)

    stack.functions.compact = fail
    with pytest.raises(CommandError, match=r"^The compaction failed \(1 not compacted: albums 2026-11: no reason\)"):
        run(stack)
    stack.functions.compact = replace_and_fail
    run(stack)
    assert stack.versions("transformed_bucket_name") == [RECORD, LATE, LATE_MONTH]


@pytest.mark.slow
def test_an_object_that_cannot_be_read_is_kept_and_counted(stack: OperatedStack) -> None:
    damaged = f"tables/tracks/month=2026-11/compacted-{'f' * 16}.parquet"
    stack.put("transformed_bucket_name", damaged, "damaged")
    screen = run(stack)
    assert damaged in stack.versions("transformed_bucket_name")
    assert f"1 object cannot be dated and will be kept, such as {damaged}; --all deletes them." in screen.text


@pytest.mark.slow
def test_rows_of_no_run_count_by_their_partition(stack: OperatedStack, put: Put) -> None:
    foreign = f"tables/rejected_records/year=2026/compacted-{'0' * 16}.parquet"
    put(foreign, "raw/anything.jsonl.gz")
    replace = stack.functions.compact

    def replace_all(event: dict[str, Any]) -> dict[str, Any]:
        stack.s3.delete_object(Bucket="transformed-1", Key=foreign)
        return replace(event)

    stack.functions.compact = replace_all
    assert "3 compacted objects with rows of these runs" in run(stack).text
    assert foreign not in stack.versions("transformed_bucket_name")


def test_everything_goes_without_the_function(stack: OperatedStack) -> None:
    run(stack, "")
    assert stack.functions.invoked == []
    assert stack.versions("transformed_bucket_name") == []
