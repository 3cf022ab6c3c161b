"""The alarms: what they watch, who is told, and that the runbook has a section on each."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cli.status.cost import ALARM_METRIC_MONTH
from pipeline.alarms import ALARMS, RUNBOOK
from pipeline.packaging import FUNCTIONS
from tests.pipeline.aws_resources import ACCOUNT, REGION
from tests.pipeline.program import ROOT, Program, run

QUIET = {
    "spotify-etl:schedulesEnabled": "false",
    "spotify-etl:alertEmail": "ana@example.com",
    "spotify-etl:monthlyBudgetUsd": "25",
}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:spotify-etl-alerts-1a2b3c4"


@pytest.fixture(scope="module")
def up() -> Program:
    return run()


def alarm(program: Program, name: str) -> dict[str, Any]:
    return program.one("MetricAlarm", f"spotify-etl-{name}").inputs


def test_every_alarm_exists_and_notifies_the_topic(up: Program) -> None:
    assert set(up.all("MetricAlarm")) == {f"spotify-etl-{one.name}" for one in ALARMS}
    for one in ALARMS:
        inputs = alarm(up, one.name)
        assert inputs["alarmActions"] == inputs["okActions"] == [TOPIC]
        assert inputs["alarmDescription"] == f"{one.meaning} What to do: docs/runbook.md#{one.name}"


def test_the_runbook_has_a_section_on_each_and_on_nothing_else() -> None:
    sections = re.findall(r"^## (.+)$", (ROOT / RUNBOOK).read_text(), re.MULTILINE)
    assert sections == [*(one.name for one in ALARMS), "crawl-failed", "budget"]


def test_every_metric_is_one_of_the_stacks_own_resources(up: Program) -> None:
    physical = {
        "FunctionName": {f"spotify-etl-{name}-1a2b3c4" for name in FUNCTIONS},
        "QueueName": {
            f"spotify-etl-{name}-1a2b3c4"
            for name in ("transform", *(f"{hop}-dead-letters" for hop in (*FUNCTIONS, "crawl")))
        },
        "RuleName": {"spotify-etl-crawled-1a2b3c4", "spotify-etl-crawl-failed-1a2b3c4"},
        "WorkGroup": {"spotify-etl-dev"},
        "QueryState": {"SUCCEEDED"},
        "QueryType": {"DML"},
        "ScheduleGroup": {"default"},
        "service": set(FUNCTIONS),
    }
    seen: dict[str, set[str]] = {}
    for one in ALARMS:
        for query in alarm(up, one.name)["metricQueries"]:
            for name, value in query.get("metric", {}).get("dimensions", {}).items():
                seen.setdefault(name, set()).add(value)
    assert seen == physical


def test_several_metrics_are_one_expression(up: Program) -> None:
    queries = alarm(up, "function-errors")["metricQueries"]
    assert [query["returnData"] for query in queries] == [False, False, False, False, True]
    assert queries[-1]["expression"] == "FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0)"
    assert queries[0]["metric"] == {
        "metricName": "Errors",
        "namespace": "AWS/Lambda",
        "dimensions": {"FunctionName": "spotify-etl-extract-1a2b3c4"},
        "period": 300,
        "stat": "Sum",
    }


def test_limits_follow_the_login_and_the_timeouts(up: Program) -> None:
    assert [alarm(up, f"login-ends-in-a-{span}")["threshold"] for span in ("month", "week")] == [152, 176]
    slow = alarm(up, "slow-functions")["metricQueries"][-1]["expression"]
    assert slow == "MAX([m0 / 300000, m1 / 900000, m2 / 900000])"


def test_a_day_without_a_good_run_is_an_alarm(up: Program) -> None:
    inputs = alarm(up, "no-good-run")
    [query] = inputs["metricQueries"]
    assert query["metric"] == {
        "metricName": "GoodDailyRuns",
        "namespace": "SpotifyEtl/dev",
        "dimensions": {"service": "extract"},
        "period": 3600,
        "stat": "Sum",
    }
    assert (inputs["comparisonOperator"], inputs["threshold"]) == ("LessThanThreshold", 1)
    assert (inputs["evaluationPeriods"], inputs["treatMissingData"]) == (26, "breaching")


def test_an_object_that_compaction_leaves_alone_is_an_alarm(up: Program) -> None:
    inputs = alarm(up, "objects-left-alone")
    [query] = inputs["metricQueries"]
    assert query["metric"] == {
        "metricName": "ObjectsLeftAlone",
        "namespace": "SpotifyEtl/dev",
        "dimensions": {"service": "compact"},
        "period": 86400,
        "stat": "Sum",
    }
    assert (inputs["comparisonOperator"], inputs["threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize("one", ALARMS, ids=lambda one: one.name)
def test_windows_are_what_cloudwatch_accepts(one: Any) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    window = one.period_seconds * one.periods
    assert window <= (7 * 86400 if one.period_seconds >= 3600 else 86400)
    assert len(one.metrics) <= 10
    assert len(one.metrics) == 1 or one.expression or one.comparison == "GreaterThanThreshold"


def test_what_cannot_be_well_is_no_alarm() -> None:
    assert "spotify-etl-no-good-run" not in run(QUIET).all("MetricAlarm")
    app = run({"spotify-etl:authMode": "app", "spotify-etl:catalogueUris": '["spotify:album:4aawyAB9vmqN3uQ7FjRGTy"]'})
    missing = {f"spotify-etl-{one.name}" for one in ALARMS} - set(app.all("MetricAlarm"))
    assert missing == {"spotify-etl-login-ends-in-a-month", "spotify-etl-login-ends-in-a-week"}


def test_alarms_budgets_and_the_rule_can_publish(up: Program) -> None:
    [topic] = up.all("Topic").values()
    # An alarm cannot publish to a topic under alias/aws/sns.
    assert "kmsMasterKeyId" not in topic.inputs
    [policy] = up.all("TopicPolicy").values()
    *services, events, tls = json.loads(policy.inputs["policy"])["Statement"]
    assert services == [
        {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": TOPIC,
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        for service in ("cloudwatch", "budgets")
    ]
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/spotify-etl-crawl-failed-1a2b3c4"
    assert events["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}
    assert (tls["Effect"], tls["Action"]) == ("Deny", "sns:Publish")


def test_a_failed_crawl_is_reported_in_one_sentence(up: Program) -> None:
    rule = up.one("EventRule", "spotify-etl-crawl-failed").inputs
    assert json.loads(rule["eventPattern"])["detail"] == {"crawlerName": ["spotify-etl-1a2b3c4"], "state": ["Failed"]}
    target = up.one("EventTarget", "spotify-etl-crawl-failed").inputs
    assert target["arn"] == TOPIC
    assert json.loads(target["inputTransformer"]["inputTemplate"]) == (
        "The crawler <crawler> failed at <time>. What to do: docs/runbook.md#crawl-failed"
    )


def test_an_e_mail_address_subscribes(up: Program) -> None:
    assert up.all("TopicSubscription") == {}
    [subscription] = run(QUIET).all("TopicSubscription").values()
    assert subscription.inputs == {"topic": TOPIC, "protocol": "email", "endpoint": "ana@example.com"}


def test_budget_exists_if_one_is_set(up: Program) -> None:
    assert up.all("Budget") == {}
    [budget] = run(QUIET).all("Budget").values()
    assert (budget.inputs["limitAmount"], budget.inputs["limitUnit"], budget.inputs["timeUnit"]) == (
        "25",
        "USD",
        "MONTHLY",
    )
    # Without a filter: the setting's description says that it counts the whole account.
    assert not budget.inputs.keys() & {"costFilters", "filterExpression"}
    assert [(each["notificationType"], each["subscriberSnsTopicArns"]) for each in budget.inputs["notifications"]] == [
        ("ACTUAL", [TOPIC]),
        ("FORECASTED", [TOPIC]),
    ]


def test_alarms_cost_less_than_four_dollars_a_month() -> None:
    assert sum(len(one.metrics) for one in ALARMS) * ALARM_METRIC_MONTH < 4
