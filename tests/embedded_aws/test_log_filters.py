"""Filter patterns of CloudWatch Logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.services.logs.filter_pattern import parse
from tests.embedded_aws.stage import ACCOUNT, REGION, Stage

EVENT = json.dumps(
    {
        "level": "ERROR",
        "code": 404,
        "ratio": 0.5,
        "path": "/a/b",
        "items": [{"id": 1}, {"id": 2}],
        "tags": ["x", "y"],
        "gone": None,
        "ok": True,
        "dotted.name": "z",
    }
)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ("{ $.level = ERROR }", True),
        ('{ $.level = "ERROR" }', True),
        ('{ $.level = "error" }', False),
        ('{ $.level = "E*R" }', True),
        ("{ $.level != ERROR }", False),
        ("{ $.missing != ERROR }", False),
        ("{ $.code = 404 }", True),
        ('{ $.code = "404" }', False),
        ("{ $.code >= 400 && $.code < 404 }", False),
        ("{ $.code >= 400 && $.ratio < 0.6 }", True),
        ("{ $.code < 1 || $.code > 403 }", True),
        ("{ ($.code < 1 || $.code > 403) && $.level = INFO }", False),
        ('{ $.path = "/a/*" }', True),
        ("{ $.path = %^/a/[b-d]$% }", True),
        ("{ $.items[1].id = 2 }", True),
        ("{ $.items[0].id = 2 }", False),
        ("{ $.items[*].id = 2 }", True),
        ("{ $.gone IS NULL }", True),
        ("{ $.level IS NULL }", False),
        ("{ $.ok IS TRUE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.missing NOT EXISTS }", True),
        ("{ $.level NOT EXISTS }", False),
        ("{ $['dotted.name'] = z }", True),
        ("ERROR 404", True),
        ("ERROR -404", False),
        ("INFO", False),
        ("?INFO ?ERROR", True),
        ("?INFO ?WARN", False),
        ('"level\\": \\"ERROR"', True),
        ("%E[A-Z]+R%", True),
    ],
)
def test_patterns(pattern: str, matches: bool) -> None:
    assert parse(pattern)(EVENT) is matches


def test_a_message_that_is_no_json_matches_no_condition_on_json() -> None:
    assert not parse("{ $.level NOT EXISTS }")("plain text")


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.level }",
        "{ level = ERROR }",
        "{ $.code > x }",
        "{ $.a = 1",
        "a:b",
        '"open',
        "{ ($.a = 1 }",
        "%(%",
        "[a, b]",
    ],
)
def test_invalid_patterns_are_refused(pattern: str, stage: Stage) -> None:
    logs = stage.client("logs")
    logs.create_log_group(logGroupName="/g")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.filter_log_events(logGroupName="/g", filterPattern=pattern)


@pytest.fixture
def logs(stage: Stage) -> Any:
    """A client of Logs, with a group of two streams whose events alternate, and an empty stream."""
    client = stage.client("logs")
    client.create_log_group(logGroupName="/g")
    now = int(stage.now.timestamp() * 1000)
    for stream, offset in (("b", 0), ("a", 1), ("z", None)):
        client.create_log_stream(logGroupName="/g", logStreamName=stream)
        if offset is not None:
            entries = [
                {"timestamp": now - 1000 + at + offset, "message": json.dumps({"at": at + offset})} for at in (0, 2, 4)
            ]
            client.put_log_events(logGroupName="/g", logStreamName=stream, logEvents=entries)
    return client


def found(logs: Any, **options: Any) -> list[int]:
    given = {"logGroupName": "/g"} if "logGroupIdentifier" not in options else {}
    pages = logs.get_paginator("filter_log_events").paginate(**given, **options, PaginationConfig={"PageSize": 2})
    return [json.loads(event["message"])["at"] for page in pages for event in page["events"]]


def test_events_of_all_streams_come_by_their_time(logs: Any) -> None:
    assert found(logs) == [0, 1, 2, 3, 4, 5]
    assert found(logs, filterPattern="{ $.at > 2 }") == [3, 4, 5]
    assert found(logs, logStreamNames=["a"]) == [1, 3, 5]
    assert found(logs, logStreamNamePrefix="b") == [0, 2, 4]
    assert found(logs, logStreamNamePrefix="c") == []
    assert found(logs, logGroupIdentifier=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g") == [0, 1, 2, 3, 4, 5]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="/another")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.filter_log_events(logGroupName="/g", logStreamNames=["a"], logStreamNamePrefix="b")


def test_streams_come_by_name_or_by_their_last_event(logs: Any) -> None:
    def names(**options: Any) -> list[str]:
        streams = logs.describe_log_streams(logGroupName="/g", **options)["logStreams"]
        return [stream["logStreamName"] for stream in streams]

    assert names() == ["a", "b", "z"]
    assert names(descending=True) == ["z", "b", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "b", "z"]
    assert names(orderBy="LastEventTime") == ["z", "b", "a"]
    assert names(logStreamNamePrefix="b") == ["b"]
