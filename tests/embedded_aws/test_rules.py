"""EventBridge rules: patterns, targets, the policies of targets, and dead letters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded_aws.stage import ACCOUNT, REGION, Stage
from tests.thoroughness import sampled

PATTERN = {"source": ["shop"], "detail-type": ["Sold"], "detail": {"price": [{"numeric": [">", 10]}]}}


def rule(stage: Stage, name: str, pattern: dict[str, Any], *targets: dict[str, Any]) -> str:
    arn: str = stage.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    stage.client("events").put_targets(Rule=name, Targets=[{"Id": str(at), **one} for at, one in enumerate(targets)])
    return arn


def sell(stage: Stage, price: int) -> None:
    entry = {"Source": "shop", "DetailType": "Sold", "Detail": json.dumps({"price": price, "what": "tea"})}
    stage.client("events").put_events(Entries=[entry])
    stage.drain()


def listener(stage: Stage, rule_name: str | None = "sales") -> str:
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/listener")
    arn = stage.function("listener", "import json\ndef handler(event, context): print(json.dumps(event))\n")
    if rule_name:
        stage.client("lambda").add_permission(
            FunctionName="listener",
            StatementId="events",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule_name}",
        )
    return arn


def heard(stage: Stage) -> list[Any]:
    return [json.loads(line) for line in stage.logged("/aws/lambda/listener") if line.startswith(("{", '"', "["))]


def test_a_matching_event_reaches_the_function_and_no_other_does(stage: Stage) -> None:
    rule(stage, "sales", PATTERN, {"Arn": listener(stage)})
    sell(stage, 5)
    assert heard(stage) == []
    sell(stage, 20)
    (event,) = heard(stage)
    assert event["detail"] == {"price": 20, "what": "tea"}
    assert event["source"] == "shop"
    assert event["detail-type"] == "Sold"
    assert event["account"] == ACCOUNT
    assert event["time"].startswith("2026-11-23T06:00:")
    assert [(step.name, step.ok) for step in stage.steps("rule")] == [("sales", True)]
    stage.client("events").disable_rule(Name="sales")
    sell(stage, 20)
    assert len(heard(stage)) == 1


@pytest.mark.parametrize(
    ("target", "expected"),
    sampled(
        [
            ({"Input": '{"fixed": true}'}, {"fixed": True}),
            ({"InputPath": "$.detail"}, {"price": 20, "what": "tea"}),
            (
                {
                    "InputTransformer": {
                        "InputPathsMap": {"what": "$.detail.what"},
                        "InputTemplate": '{"sold": "<what>"}',
                    }
                },
                {"sold": "tea"},
            ),
        ],
        [
            (
                {
                    "InputTransformer": {
                        "InputPathsMap": {"what": "$.detail.what"},
                        "InputTemplate": '{"sold": "<what>"}',
                    }
                },
                {"sold": "tea"},
            )
        ],
    ),
)
def test_a_target_may_transform_its_input(stage: Stage, target: dict[str, Any], expected: Any) -> None:
    rule(stage, "sales", PATTERN, {"Arn": listener(stage), **target})
    sell(stage, 20)
    assert heard(stage) == [expected]


def test_without_the_functions_permission_the_event_is_dead_lettered(stage: Stage) -> None:
    url, dead = stage.queue("dead")
    arn = rule(stage, "sales", PATTERN, {"Arn": listener(stage, "another"), "DeadLetterConfig": {"Arn": dead}})
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": dead,
        "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    stage.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sell(stage, 20)
    (step,) = stage.steps("rule")
    assert not step.ok
    assert "events.amazonaws.com is not authorized to perform: lambda:InvokeFunction" in step.detail
    assert heard(stage) == []
    (message,) = stage.messages(url)
    assert json.loads(message["Body"])["detail"]["price"] == 20
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == arn
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"


@pytest.mark.slow
def test_a_missing_target_is_a_step(stage: Stage) -> None:
    rule(stage, "sales", PATTERN, {"Arn": listener(stage)})
    stage.client("lambda").delete_function(FunctionName="listener")
    sell(stage, 20)
    first, last = stage.steps("rule")
    assert "arn:aws:lambda" in first.detail
    assert not first.ok
    assert last.detail.startswith("Gave up after 1 attempts")


def test_a_queue_as_target_needs_its_own_policy(stage: Stage) -> None:
    url, arn = stage.queue("sold")
    rule(stage, "sales", PATTERN, {"Arn": arn})
    sell(stage, 20)
    assert stage.messages(url) == []
    assert "sqs:SendMessage" in stage.steps("rule")[0].detail


def test_a_rule_may_have_a_schedule(stage: Stage) -> None:
    arn = listener(stage, "often")
    stage.client("events").put_rule(Name="often", ScheduleExpression="rate(1 hour)")
    stage.client("events").put_targets(Rule="often", Targets=[{"Id": "1", "Arn": arn}])
    stage.run_for(minutes=130)
    assert [event["detail-type"] for event in heard(stage)] == ["Scheduled Event"] * 2
