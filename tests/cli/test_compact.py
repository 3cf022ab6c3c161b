"""What compact asks the function for, and what it prints."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from cli.compact import CompactRequest, compact
from cli.compaction import run_compaction
from cli.errors import CommandError, StillRunningError
from handlers import layout
from tests.cli.operated_stack import NEW, OLD, OperatedStack, compaction_result
from tests.cli.screen import Screen

LONE = "tables/plays/month=2026-11/compacted-0123456789abcdef.parquet"


@pytest.fixture(name="stack")
def fixture_stack(operated_stack: OperatedStack) -> OperatedStack:
    """Provide a stack with two days of one table, and the month of another."""
    glue = operated_stack.clients["glue"]
    glue.create_database(DatabaseInput={"Name": "spotify_dev"})
    for table in ("saved_tracks", "plays"):
        glue.create_table(DatabaseName="spotify_dev", TableInput={"Name": table})
    for table, folder in (
        ("saved_tracks", "dt=2026-10-31"),
        ("saved_tracks", "month=2026-11"),
        ("plays", "month=2016-01"),
    ):
        glue.create_partition(
            DatabaseName="spotify_dev",
            TableName=table,
            PartitionInput={
                "Values": [folder.partition("=")[2]],
                "StorageDescriptor": {"Location": f"s3://transformed-1/tables/{table}/{folder}/"},
            },
        )
    for run in (OLD, NEW):
        operated_stack.add_run(run)
    operated_stack.put("transformed_bucket_name", LONE)
    operated_stack.put("transformed_bucket_name", "compactions/plays/2026-11.json", {})
    return operated_stack


def run(stack: OperatedStack, **request: str) -> Screen:
    screen = Screen()
    compact(stack.target, CompactRequest(**request), console=screen.console)
    return screen


def test_everything_is_compacted_and_counted(stack: OperatedStack) -> None:
    original = layout.table_key("saved_tracks", "month", "2026-11", "saved_tracks", f"{OLD}-00000")

    def fold(_: dict[str, Any]) -> dict[str, Any]:
        stack.s3.delete_object(Bucket="transformed-1", Key=original)
        return compaction_result(partitions=3, objects_read=70, objects_deleted=1200, expired=1, waiting=2)

    stack.functions.compact = fold
    screen = run(stack)
    assert stack.functions.invoked == [{"trigger": "manual"}]
    assert "3 objects in 2 partitions" in screen.text
    assert "3 partitions compacted, from 70 objects" in screen.text
    assert "1,200 objects deleted whose rows are in newer ones" in screen.text
    assert "1 object deleted, because their retention is over" in screen.text
    assert "2 partitions with originals that wait for an hour" in screen.text
    assert screen.text.endswith("Done: 3 objects before, 2 now.\n")


def test_nothing_to_do_is_said(stack: OperatedStack) -> None:
    stack.functions.compact = lambda _: compaction_result()
    screen = run(stack)
    assert "no partition to compact: the closed days of each are in one object" in screen.text
    assert "objects deleted" not in screen.text
    assert screen.text.endswith("Done: 3 objects before, 3 now.\n")


def test_table_and_month_choose(stack: OperatedStack) -> None:
    stack.functions.compact = lambda _: compaction_result(partitions=1, objects_read=2)
    screen = run(stack, table="saved_tracks", month="2026-11")
    assert stack.functions.invoked == [{"trigger": "manual", "table": "saved_tracks", "month": "2026-11"}]
    assert "2 objects in 1 partition" in screen.text


def test_a_month_is_in_the_partition_of_its_year_and_in_folders_of_its_days(stack: OperatedStack) -> None:
    stack.put("transformed_bucket_name", "tables/runs/year=2026/compacted-0123456789abcdef.parquet")
    stack.put("transformed_bucket_name", f"tables/tracks/dt=2026-11-01/saved_tracks-{OLD}-00000.parquet")
    stack.functions.compact = lambda _: compaction_result(partitions=1, objects_read=2)
    assert "5 objects in 4 partitions" in run(stack, month="2026-11").text
    assert "1 object in 1 partition" in run(stack, month="2026-02").text
    with pytest.raises(CommandError, match=r"^There is nothing of 2025-02 in runs: the nearest month is 2026-02\.$"):
        run(stack, table="runs", month="2025-02")


def test_partitions_without_objects_go_from_the_catalog(stack: OperatedStack) -> None:
    def values(table: str) -> list[Any]:
        found = stack.clients["glue"].get_partitions(DatabaseName="spotify_dev", TableName=table)["Partitions"]
        return [one["Values"] for one in found]

    stack.functions.compact = lambda _: compaction_result()
    assert "1 partition deleted from the catalog" in run(stack, table="saved_tracks").text
    assert (values("saved_tracks"), values("plays")) == ([["2026-11"]], [["2016-01"]])
    assert "1 partition deleted from the catalog" in run(stack).text
    assert values("plays") == []


def test_it_is_invoked_until_nothing_remains(stack: OperatedStack) -> None:
    results = [
        compaction_result(partitions=5, objects_read=50, remaining=2, left_alone=[{"key": "a", "reason": "Damaged."}]),
        compaction_result(partitions=2, objects_read=20, waiting=7, left_alone=[{"key": "a", "reason": "Damaged."}]),
    ]
    stack.functions.compact = lambda _: results.pop(0)
    screen = run(stack)
    assert len(stack.functions.invoked) == 2
    assert "7 partitions compacted, from 70 objects" in screen.text
    assert "7 partitions with originals that wait" in screen.text
    assert screen.text.count("Damaged.") == 1
    assert "What to do about them: docs/runbook.md#objects-left-alone" in screen.text


def test_an_invocation_that_gets_nowhere_ends_it(stack: OperatedStack) -> None:
    stack.functions.compact = lambda _: compaction_result(remaining=4)
    with pytest.raises(CommandError, match=r"^4 partitions could not be compacted within 900 seconds: see `"):
        run(stack)
    assert len(stack.functions.invoked) == 1


def test_what_fails_is_said_with_its_reason(stack: OperatedStack) -> None:
    def fail(_: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("1 partition not compacted: plays 2026-11: no space.")

    stack.functions.compact = fail
    with pytest.raises(
        CommandError, match=r"^The compaction failed \(1 partition not compacted: plays 2026-11: no space\): see `"
    ):
        run(stack)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"table": "play"}, r"^--table is 'play', which is not a table: did you mean plays\?$"),
        ({"table": "xyz"}, r"^--table is 'xyz', which is not a table: choose from profile, playlists, "),
        ({"month": "2026-13"}, r"^--month is '2026-13', but must be a month such as 2026-11\.$"),
        ({"month": "november"}, r"^--month is 'november', but must be a month such as 2026-11\.$"),
        ({"month": "2025-01"}, r"^There is nothing of 2025-01 in the tables: the nearest month is 2026-11\.$"),
        ({"table": "albums", "month": "2026-11"}, r"^There is nothing to compact: albums has no objects\.$"),
    ],
)
def test_a_wrong_option_is_one_sentence(stack: OperatedStack, request_: dict[str, str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(stack, **request_)
    assert stack.functions.invoked == []


def test_what_the_function_says_is_shown_meanwhile(stack: OperatedStack) -> None:
    told, shown = threading.Event(), []

    def progress(text: str) -> None:
        shown.append(text)
        told.set()

    def wait(_: dict[str, Any]) -> dict[str, Any]:
        assert told.wait(60)
        return compaction_result()

    message = '{"level": "INFO", "message": "Compacted.", "table": "plays", "partition": "2026-11"}'
    stack.log_lines.append({"message": message, "timestamp": 1e3 * stack.now.timestamp(), "eventId": "1"})
    stack.functions.compact = wait
    run_compaction(stack.target, {}, progress, poll_seconds=0.01)
    assert shown == ["Compacted (plays 2026-11)"]


def test_stopped_command_says_what_goes_on(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.compact.run_compaction", stop)
    with pytest.raises(StillRunningError, match=r"^Stopped waiting\. The invocation goes on for at most a "):
        run(stack)
