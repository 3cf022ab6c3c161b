"""Event patterns of EventBridge: TestEventPattern, and patterns that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.stage import Stage

EVENT = {
    "id": "1",
    "account": "123456789012",
    "source": "aws.glue",
    "time": "2026-11-02T06:00:00Z",
    "region": "eu-central-1",
    "resources": ["a", "b"],
    "detail-type": "Glue Crawler State Change",
    "detail": {"state": "Failed", "seconds": 7, "empty": None, "address": "10.0.0.7"},
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"source": ["aws.glue"]}, True),
        ({"source": ["aws.s3", "aws.glue"], "detail": {"state": ["Failed"]}}, True),
        ({"source": ["aws.glue"], "detail": {"state": ["Succeeded"]}}, False),
        ({"detail": {"missing": ["x"]}}, False),
        ({"detail": {"missing": [{"exists": False}], "state": [{"exists": True}]}}, True),
        ({"detail": {"seconds": [{"numeric": [">", 5, "<=", 7]}]}}, True),
        ({"detail": {"state": [{"prefix": "Fai"}]}}, True),
        ({"detail": {"state": [{"anything-but": ["Failed"]}]}}, False),
        ({"detail": {"empty": [None]}}, True),
        ({"detail": {"address": [{"cidr": "10.0.0.0/24"}]}}, True),
        ({"$or": [{"source": ["aws.s3"]}, {"detail": {"state": [{"wildcard": "F*d"}]}}]}, True),
        ({"resources": ["b"]}, True),
    ],
)
def test_an_event_matches_or_does_not(stage: Stage, pattern: Any, matches: bool) -> None:
    events = stage.client("events")
    answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(EVENT))
    assert answer["Result"] is matches


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{", "Invalid JSON"),
        ("[]", "not an object"),
        ('{"source": "aws.glue"}', "must be an object or an array"),
        ('{"source": []}', "Empty arrays"),
        ('{"source": [["aws.glue"]]}', "Match value of 'source'"),
        ('{"source": [{"sounds-like": "glue"}]}', "Unrecognized match type sounds-like"),
        ('{"source": [{"prefix": "a", "suffix": "b"}]}', "exactly one key"),
        ('{"$or": [{"source": []}]}', "Empty arrays"),
    ],
)
def test_an_invalid_pattern_is_refused_by_rules_too(stage: Stage, pattern: str, said: str) -> None:
    events = stage.client("events")
    with pytest.raises(events.exceptions.InvalidEventPatternException, match=said):
        events.test_event_pattern(EventPattern=pattern, Event=json.dumps(EVENT))
    with pytest.raises(events.exceptions.InvalidEventPatternException, match=said):
        events.put_rule(Name="one", EventPattern=pattern)


@pytest.mark.parametrize("event", ["{", "[]", json.dumps({name: EVENT[name] for name in EVENT if name != "time"})])
def test_an_incomplete_event_is_refused(stage: Stage, event: str) -> None:
    with pytest.raises(ClientError, match="Parameter Event is not valid"):
        stage.client("events").test_event_pattern(EventPattern='{"source": ["a"]}', Event=event)
