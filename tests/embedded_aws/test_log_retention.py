"""Events of log groups leave when their retention is over."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.embedded_aws.stage import Stage

GROUP, STREAM = "/music/worker", "stream"


@pytest.fixture
def logs(stage: Stage) -> Any:
    """Return a client, after an event in a group whose events are kept for three days."""
    client = stage.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    client.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    put(client, stage, "first")
    return client


def put(client: Any, stage: Stage, message: str) -> None:
    event = {"timestamp": int(stage.now.timestamp() * 1000), "message": message}
    client.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[event])


def read(client: Any, stage: Stage) -> list[list[str]]:
    """Return the messages that each way of reading returns."""
    got = client.get_log_events(logGroupName=GROUP, logStreamName=STREAM, startFromHead=True)["events"]
    filtered = client.filter_log_events(logGroupName=GROUP)["events"]
    query = client.start_query(
        logGroupName=GROUP,
        startTime=0,
        endTime=int(stage.now.timestamp()) + 1,
        queryString="fields @message | sort @timestamp asc",
    )["queryId"]
    while (found := client.get_query_results(queryId=query))["status"] != "Complete":
        time.sleep(0.01)
    queried = [field["value"] for row in found["results"] for field in row if field["field"] == "@message"]
    return [[event["message"] for event in got], [event["message"] for event in filtered], queried]


def stored(client: Any) -> int:
    (group,) = client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    size: int = group["storedBytes"]
    return size


def test_an_event_is_read_until_its_retention_is_over(logs: Any, stage: Stage) -> None:
    stage.run_for(days=2)
    put(logs, stage, "second")
    stage.run_for(hours=23, minutes=59)
    assert read(logs, stage) == [["first", "second"]] * 3
    stage.run_for(minutes=2)
    assert read(logs, stage) == [["second"]] * 3
    asked = int(stage.now.timestamp() * 1000) - 1000
    assert logs.filter_log_events(logGroupName=GROUP, startTime=asked)["events"] == []


def test_it_is_deleted_at_midnight(logs: Any, stage: Stage) -> None:
    stage.run_for(days=3, hours=1)
    assert stored(logs) == len("first")
    # With a longer retention it is read again: it was not deleted yet.
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    assert read(logs, stage) == [["first"]] * 3
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    stage.run_for(days=1)
    assert stored(logs) == 0
    logs.delete_retention_policy(logGroupName=GROUP)
    assert read(logs, stage) == [[]] * 3
    assert [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=GROUP)["logStreams"]] == [STREAM]


@pytest.mark.parametrize(
    ("ages", "rejected", "kept"),
    [
        ([2, 1, 0], None, [2, 1, 0]),
        ([20, 15, 5, 4, 1], {"tooOldLogEventEndIndex": 2, "expiredLogEventEndIndex": 4}, [1]),
        ([1, -1, -2], {"tooNewLogEventStartIndex": 1}, [1]),
        ([5], {"expiredLogEventEndIndex": 1}, []),
    ],
)
def test_what_is_too_old_or_too_new_is_not_stored(
    logs: Any, stage: Stage, ages: list[int], rejected: dict[str, int] | None, kept: list[int]
) -> None:
    now = int(stage.now.timestamp() * 1000)
    events = [{"timestamp": now - age * 86_400_000, "message": str(age)} for age in ages]
    answer = logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=events)
    assert answer.get("rejectedLogEventsInfo") == rejected
    got = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, startFromHead=True)["events"]
    assert sorted(event["message"] for event in got) == sorted(["first", *map(str, kept)])


def test_without_a_retention_events_are_kept(logs: Any, stage: Stage) -> None:
    logs.delete_retention_policy(logGroupName=GROUP)
    stage.run_for(days=400)
    assert read(logs, stage) == [["first"]] * 3


def test_functions_logs_expire_too(stage: Stage) -> None:
    stage.function("sample", "def handler(event, context): print('hello')")
    logs = stage.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/sample")
    logs.put_retention_policy(logGroupName="/aws/lambda/sample", retentionInDays=1)
    stage.client("lambda").invoke(FunctionName="sample")
    messages = [event["message"] for event in logs.filter_log_events(logGroupName="/aws/lambda/sample")["events"]]
    assert any(message.strip() == "hello" for message in messages)
    stage.run_for(days=1, minutes=1)
    assert logs.filter_log_events(logGroupName="/aws/lambda/sample")["events"] == []
