"""EventBridge Scheduler: when schedules fire, what they send, with which role, and failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from embedded_aws.services.scheduler.expressions import ScheduleExpressionError, parse
from tests.embedded_aws.stage import ACCOUNT, REGION, START, Stage


def firings(expression: str, begin: str, count: int, timezone: str = "UTC") -> list[str]:
    moment = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    schedule = parse(expression, timezone=timezone, start=moment)
    found = []
    for _ in range(count):
        due = schedule.next_after(moment)
        if due is None:
            break
        moment = due
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # The documented examples: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
        ("cron(0 10 * * ? *)", ["2026-01-01 10:00", "2026-01-02 10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-01 12:15", "2026-01-02 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-01-01 08:00", "2026-02-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-01 00:15", "2026-01-01 00:30", "2026-01-01 00:45", "2026-01-01 01:00"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-01 00:10", "2026-01-01 00:20"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01 08:00", "2026-01-01 08:05"]),
        ("cron(0/30 20-2 ? * MON-FRI *)", None),
        ("cron(15 10 ? * 6L 2019-2027)", ["2026-01-30 10:15", "2026-02-27 10:15"]),
        # The other signs.
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("cron(0 0 3W * ? *)", ["2026-01-02 00:00", "2026-02-03 00:00"]),
        ("cron(0 0 1W 2,8 ? *)", ["2026-02-02 00:00", "2026-08-03 00:00"]),
        ("cron(0 0 ? * 3#2 *)", ["2026-01-13 00:00", "2026-02-10 00:00"]),
        ("cron(0 0 ? * SUN#1 *)", ["2026-01-04 00:00", "2026-02-01 00:00"]),
        ("cron(0 0 ? JAN,MAR L *)", ["2026-01-03 00:00", "2026-01-10 00:00"]),
        ("cron(0 12 29 2 ? *)", ["2028-02-29 12:00", "2032-02-29 12:00"]),
        ("cron(0 12 30 2 ? *)", []),
        ("cron(0 12 1 1 ? 2025)", []),
        ("rate(1 hour)", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("rate(5 minutes)", ["2026-01-01 00:05", "2026-01-01 00:10"]),
        ("rate(3 days)", ["2026-01-04 00:00", "2026-01-07 00:00"]),
        ("at(2026-03-01T08:30:00)", ["2026-03-01 08:30"]),
        ("at(2025-03-01T08:30:00)", []),
    ],
)
def test_when_an_expression_is_due(expression: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(ScheduleExpressionError, match="outside the range"):
            firings(expression, "2026-01-01", 1)
        return
    wanted = len(expected) if expected else 1
    assert firings(expression, "2026-01-01", wanted) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 6 * * *)",
        "cron(0 6 * * * *)",
        "cron(0 6 ? * ? *)",
        "cron(60 6 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 6 ? * FUNDAY *)",
        "cron(0 6 32W * ? *)",
        "rate(1 hours)",
        "rate(5 minute)",
        "rate(0 days)",
        "at(tomorrow)",
        "every day",
    ],
)
def test_invalid_expression_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleExpressionError):
        parse(expression, start=START)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ScheduleExpressionError, match="'Europe/Nowhere' is not a time zone"):
        parse("cron(0 6 * * ? *)", timezone="Europe/Nowhere", start=START)


@pytest.mark.parametrize(
    ("expression", "begin", "expected"),
    [
        # Clocks go forward on 2026-03-29 from 02:00 to 03:00, back on 2026-10-25 from 03:00 to 02:00.
        ("cron(0 6 * * ? *)", "2026-03-28", ["2026-03-28 05:00", "2026-03-29 04:00", "2026-03-30 04:00"]),
        ("cron(30 2 * * ? *)", "2026-03-28", ["2026-03-28 01:30", "2026-03-30 00:30"]),
        ("cron(30 2 * * ? *)", "2026-10-24", ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]),
        ("cron(0 2,3 29 3 ? *)", "2026-03-28", ["2026-03-29 01:00"]),
        ("at(2026-07-01T12:00:00)", "2026-03-28", ["2026-07-01 10:00"]),
    ],
)
def test_local_times_over_a_change_of_clocks(expression: str, begin: str, expected: list[str]) -> None:
    assert firings(expression, begin, len(expected), "Europe/Berlin") == expected


def schedule(stage: Stage, name: str, expression: str, arn: str, text: str | None = None, **settings: Any) -> None:
    target = settings.pop("Target", {})
    stage.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": target.pop("RoleArn"), **({"Input": text} if text else {}), **target},
        **settings,
    )


def listener(stage: Stage) -> tuple[str, str]:
    """A function that prints its event, and a role that may invoke it."""
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/listener")
    arn = stage.function("listener", "import json\ndef handler(event, context): print(json.dumps(event))\n")
    role = stage.role("caller", "scheduler.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": arn})
    return arn, role


def heard(stage: Stage) -> list[Any]:
    return [json.loads(line) for line in stage.logged("/aws/lambda/listener") if line.startswith(("{", "["))]


def test_a_schedule_sends_its_stored_input_with_the_schedulers_attributes(stage: Stage) -> None:
    arn, role = listener(stage)
    text = json.dumps(
        {
            "time": "<aws.scheduler.scheduled-time>",
            "schedule": "<aws.scheduler.schedule-arn>",
            "try": "<aws.scheduler.attempt-number>",
            "id": "<aws.scheduler.execution-id>",
        }
    )
    schedule(
        stage,
        "morning",
        "cron(0 8 * * ? *)",
        arn,
        text,
        ScheduleExpressionTimezone="Europe/Berlin",
        Target={"RoleArn": role},
    )
    stage.run_for(days=2)
    events = heard(stage)
    assert [event["time"] for event in events] == ["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z"]
    assert events[0]["schedule"] == f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/morning"
    assert events[0]["try"] == "1"
    assert len({event["id"] for event in events}) == 2
    at = [step.at for step in stage.steps("schedule")]
    assert [
        abs(one - due) < timedelta(seconds=10)
        for one, due in zip(at, [START + timedelta(hours=1), START + timedelta(hours=25)], strict=True)
    ] == [True, True]


def test_disabled_ended_and_single_schedules(stage: Stage) -> None:
    arn, role = listener(stage)
    target = {"RoleArn": role}
    schedule(stage, "off", "rate(1 hour)", arn, '["off"]', State="DISABLED", Target=dict(target))
    schedule(
        stage,
        "ended",
        "rate(1 hour)",
        arn,
        '["ended"]',
        EndDate=START + timedelta(hours=2, minutes=1),
        Target=dict(target),
    )
    schedule(
        stage,
        "single",
        "at(2026-11-23T07:30:00)",
        arn,
        '["single"]',
        ActionAfterCompletion="DELETE",
        Target=dict(target),
    )
    stage.run_for(hours=6)
    assert heard(stage) == [["ended"], ["single"], ["ended"]]
    names = [one["Name"] for one in stage.client("scheduler").list_schedules()["Schedules"]]
    assert names == ["ended", "off"] or sorted(names) == ["ended", "off"]


@pytest.mark.slow
def test_a_changed_schedule_fires_as_changed(stage: Stage) -> None:
    arn, role = listener(stage)
    schedule(stage, "moving", "cron(0 7 * * ? *)", arn, '["early"]', Target={"RoleArn": role})
    stage.run_for(hours=2)
    stage.client("scheduler").update_schedule(
        Name="moving",
        ScheduleExpression="cron(0 9 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role, "Input": '["late"]'},
    )
    stage.run_for(hours=5)
    assert heard(stage) == [["early"], ["late"]]


def test_a_denied_call_is_retried_and_then_dead_lettered(stage: Stage) -> None:
    arn, _ = listener(stage)
    url, dead = stage.queue("dead")
    role = stage.role("weak", "scheduler.amazonaws.com", {"Action": "sqs:SendMessage", "Resource": dead})
    schedule(
        stage,
        "refused",
        "at(2026-11-23T07:00:00)",
        arn,
        '{"a": 1}',
        Target={
            "RoleArn": role,
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
            "DeadLetterConfig": {"Arn": dead},
        },
    )
    stage.run_for(hours=3)
    steps = stage.steps("schedule")
    assert [step.ok for step in steps] == [False] * 4
    assert "is not authorized to perform: lambda:InvokeFunction on resource: " + arn in steps[0].detail
    waits = [(step.at - START).total_seconds() - 3600 for step in steps]
    assert [wait // 30 for wait in waits] == [0, 1, 3, 7], "after 30, 60 and 120 seconds, however slow the machine"
    (message,) = stage.messages(url)
    assert message["Body"] == '{"a": 1}'
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    assert message["MessageAttributes"]["RETRY_ATTEMPTS"]["StringValue"] == "3"
    assert heard(stage) == []


@pytest.mark.slow
def test_giving_up_without_a_dead_letter_queue_is_a_step(stage: Stage) -> None:
    arn, _ = listener(stage)
    role = stage.role("untrusted", "glue.amazonaws.com", {"Action": "*", "Resource": "*"})
    policy = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 3600}
    schedule(stage, "lost", "at(2026-11-23T07:00:00)", arn, Target={"RoleArn": role, "RetryPolicy": policy})
    stage.run_for(hours=3)
    first, last = stage.steps("schedule")
    assert "scheduler.amazonaws.com is not authorized to perform: sts:AssumeRole" in first.detail
    assert last.detail == "Gave up after 1 attempts; there is no dead-letter queue."


def test_a_universal_target_calls_any_operation_as_the_role(stage: Stage) -> None:
    url, queue = stage.queue("any")
    role = stage.role("any", "scheduler.amazonaws.com", {"Action": "sqs:SendMessage", "Resource": queue})
    text = json.dumps({"QueueUrl": url, "MessageBody": "<aws.scheduler.scheduled-time>"})
    schedule(
        stage,
        "universal",
        "rate(1 hour)",
        "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
        text,
        Target={"RoleArn": role},
    )
    stage.run_for(minutes=61)
    (message,) = stage.messages(url)
    assert message["Body"].startswith("2026-11-23T07:00:")
    assert [step.detail for step in stage.steps("schedule")] == ["sqs:sendMessage"]


@pytest.mark.slow
def test_a_day_of_hourly_runs_uses_warm_processes(stage: Stage) -> None:
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/hourly")
    arn = stage.function("hourly", "import os\ndef handler(event, context): print('process', os.getpid())\n")
    role = stage.role("caller", "scheduler.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": arn})
    schedule(stage, "hourly", "cron(0 * * * ? *)", arn, Target={"RoleArn": role})
    stage.run_for(days=1)
    processes = [line for line in stage.logged("/aws/lambda/hourly") if line.startswith("process")]
    assert len(processes) == 24
    assert len(set(processes)) == 1
