"""What purge deletes, what it keeps, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from cli.errors import CommandError, StillRunningError
from cli.purge import purge
from handlers import layout
from tests.cli.operated_stack import NEW, OLD, OperatedStack
from tests.cli.screen import Screen

STATE = layout.state_key("me", "saved_tracks")


@pytest.fixture(autouse=True)
def _later() -> Iterator[None]:
    """Let the runs be of earlier months: the partition of the current one is kept."""
    with time_machine.travel("2027-01-10T12:00:00Z"):
        yield


@pytest.fixture(name="stack")
def fixture_stack(operated_stack: OperatedStack) -> OperatedStack:
    """Provide a stack with two days of runs, query results, state and partitions."""
    stack = operated_stack
    for run in (OLD, NEW):
        stack.add_run(run)
    stack.put("raw_bucket_name", layout.LOCKS_STATE_KEY, {"groups": {}})
    stack.put("raw_bucket_name", STATE, {"last": {"keys": [str(layout.RawKey("saved_tracks", OLD, 0))]}})
    stack.put(
        "raw_bucket_name",
        layout.state_key("me", "profile"),
        {"last": {"keys": [str(layout.RawKey("profile", NEW, 0))]}},
    )
    stack.put("athena_results_bucket_name", "results/1.csv")
    glue = stack.clients["glue"]
    glue.create_database(DatabaseInput={"Name": "spotify_dev"})
    location = "s3://transformed-1/tables/saved_tracks/"
    glue.create_table(
        DatabaseName="spotify_dev",
        TableInput={
            "Name": "saved_tracks",
            "StorageDescriptor": {"Location": location, "Columns": []},
            "PartitionKeys": [{"Name": "month", "Type": "string"}],
        },
    )
    # The first one has no objects any more.
    for month in ("2026-10", "2026-11"):
        glue.create_partition(
            DatabaseName="spotify_dev",
            TableName="saved_tracks",
            PartitionInput={"Values": [month], "StorageDescriptor": {"Location": f"{location}month={month}/"}},
        )
    return stack


def partitions(stack: OperatedStack) -> list[Any]:
    found = stack.clients["glue"].get_partitions(DatabaseName="spotify_dev", TableName="saved_tracks")["Partitions"]
    return [partition["Values"] for partition in found]


def run(stack: OperatedStack, before: str = "", *, yes: bool = True) -> Screen:
    screen = Screen()
    purge(stack.target, before=before, yes=yes, console=screen.console)
    return screen


def test_everything_goes_in_all_versions_but_the_locks(stack: OperatedStack) -> None:
    raw_key = str(layout.RawKey("saved_tracks", OLD, 0))
    stack.put("raw_bucket_name", raw_key, "a newer version")
    stack.s3.delete_object(Bucket="raw-1", Key=raw_key)
    stack.send("transform", "{}")

    screen = run(stack)

    assert stack.versions("raw_bucket_name") == [layout.LOCKS_STATE_KEY]
    assert stack.versions("transformed_bucket_name") == stack.versions("athena_results_bucket_name") == []
    assert stack.messages(stack.outputs["dead_letter_queue_urls"]["transform"]) == []
    assert partitions(stack) == []
    assert "1 message in the queues will be deleted too." in screen.text
    # Two runs with one raw object and one manifest each, two more versions of one, and two state objects.
    assert "8 versions deleted" in screen.text
    assert "Left: 1 object (Spotify’s quota locks)." in screen.text
    assert "The login stays in the secret" in screen.text


def test_without_anybody_to_ask_nothing_is_deleted(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", _end_of_input)
    with pytest.raises(CommandError, match=r"pass --yes\.$"):
        run(stack, yes=False)
    assert len(stack.versions("raw_bucket_name")) == 7


def test_wrong_name_deletes_nothing(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "prod")
    with pytest.raises(CommandError, match=r"^Nothing was deleted: the answer was not the expected one\.$"):
        run(stack, yes=False)
    assert len(stack.versions("raw_bucket_name")) == 7


def test_right_name_deletes(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "dev")
    run(stack, yes=False)
    assert stack.versions("raw_bucket_name") == [layout.LOCKS_STATE_KEY]


def test_only_runs_before_a_local_date_go_with_the_state_that_refers_to_them(stack: OperatedStack) -> None:
    stack.put("raw_bucket_name", "raw/odd.jsonl.gz")
    screen = run(stack, "2026-11-02")
    assert stack.versions("raw_bucket_name") == sorted(
        [
            "raw/odd.jsonl.gz",
            str(layout.RawKey("saved_tracks", NEW, 0)),
            str(layout.ManifestKey(NEW, 0)),
            layout.LOCKS_STATE_KEY,
            layout.state_key("me", "profile"),
        ]
    )
    assert all(NEW in key for key in stack.versions("transformed_bucket_name"))
    assert stack.versions("athena_results_bucket_name") == []
    assert partitions(stack) == [["2026-11"]]
    assert "1 object cannot be dated and will be kept, such as raw/odd.jsonl.gz; --all deletes them." in screen.text
    # Midnight in Berlin.
    assert "This is what runs before 2026-11-01 23:00 UTC have read" in screen.text
    assert "There is nothing to delete." in run(stack, "2026-11-02").text


def test_interrupted_purge_continues(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    delete = stack.s3.delete_objects
    monkeypatch.setattr("cli.purge._BATCH", 2)
    calls: list[Any] = []

    def interrupted(**request: Any) -> Any:
        calls.append(request)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return delete(**request)

    monkeypatch.setattr(stack.s3, "delete_objects", interrupted)
    with pytest.raises(StillRunningError, match=r"^Stopped\. What is deleted stays deleted"):
        run(stack)
    assert len(stack.versions("raw_bucket_name")) == 3

    monkeypatch.undo()
    run(stack)
    assert stack.versions("raw_bucket_name") == [layout.LOCKS_STATE_KEY]


def test_refused_deletion_is_one_sentence(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"Errors": [{"Code": "AccessDenied", "Message": "Access Denied"}]}
    monkeypatch.setattr(stack.s3, "delete_objects", lambda **_: refused)
    with pytest.raises(
        CommandError, match=r"^S3 did not delete 1 version of raw-1 \(Access Denied\): check your permissions, and run"
    ):
        run(stack)


def test_wrong_date_is_one_sentence(stack: OperatedStack) -> None:
    with pytest.raises(CommandError, match=r"^--before is 'last year', but must be a date such as 2026-11-23\.$"):
        run(stack, "last year")


def _end_of_input(*_: object) -> str:
    raise EOFError
