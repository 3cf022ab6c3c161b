"""The alarms: what each one watches, and from which value on it is one.

docs/runbook.md has a section on each, by the same name. CloudWatch charges for each metric of an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from handlers.login_lifetime import LIFETIME_DAYS, MONTH_DAYS, WEEK_DAYS
from pipeline.catalog import PUBLISH_TIMEOUT_SECONDS
from pipeline.transformation import TIMEOUT_SECONDS

RUNBOOK = "docs/runbook.md"

Comparison = Literal["GreaterThanThreshold", "LessThanThreshold"]
Statistic = Literal["Maximum", "Sum"]

_HOUR, _DAY = 3600, 86400
_OWN = ""
"""Namespace of the functions' own metrics, which follows from the stack's name."""


@dataclass(frozen=True)
class Metric:
    """A metric of one resource."""

    name: str
    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    """Name and value of each dimension; a value in braces, such as `{extract}`, is the physical name of a resource."""
    statistic: Statistic = "Sum"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm."""

    name: str
    """Its name, and that of its section in the runbook."""
    meaning: str
    """One sentence, for the e-mail."""
    metrics: tuple[Metric, ...]
    expression: str = ""
    """Metric math over `m0`, `m1`, …; by default the sum if there are several."""
    comparison: Comparison = "GreaterThanThreshold"
    threshold: float = 0
    period_seconds: int = 300
    periods: int = 1
    missing: Literal["breaching", "notBreaching"] = "notBreaching"
    needs_schedules: bool = False
    """Whether it is an alarm only while schedules are enabled."""
    needs_user: bool = False
    """Whether it is an alarm only if a user logs in."""


def _function(name: str, function: str, statistic: Statistic = "Sum") -> Metric:
    return Metric(name, "AWS/Lambda", (("FunctionName", f"{{{function}}}"),), statistic)


def _queue(name: str, queue: str) -> Metric:
    return Metric(name, "AWS/SQS", (("QueueName", f"{{{queue}}}"),), "Maximum")


def _own(name: str, service: str, statistic: Statistic = "Sum") -> Metric:
    return Metric(name, _OWN, (("service", service),), statistic)


def _scheduler(name: str) -> Metric:
    # Schedules without a group of their own, and any other of the account, are in this one.
    return Metric(name, "AWS/Scheduler", (("ScheduleGroup", "default"),))


_FUNCTIONS = ("extract", "transform", "publish")
_ASYNCHRONOUS = ("extract", "publish")
_DEAD_LETTERS = ("extract-dead-letters", "transform-dead-letters", "crawl-dead-letters", "publish-dead-letters")

ALARMS = (
    Alarm(
        name="function-errors",
        meaning="A function failed.",
        metrics=tuple(_function("Errors", function) for function in _FUNCTIONS),
    ),
    Alarm(
        name="throttles",
        meaning="Lambda refused to start a function for a quarter of an hour: the account runs too many at a time.",
        metrics=tuple(_function("Throttles", function) for function in _FUNCTIONS),
        periods=3,
    ),
    Alarm(
        name="slow-functions",
        meaning="A function took more than 90 % of its timeout.",
        # The extract function hands over to another invocation before its timeout, so it is no alarm there.
        metrics=(_function("Duration", "transform", "Maximum"), _function("Duration", "publish", "Maximum")),
        expression=f"MAX([m0 / {1000 * TIMEOUT_SECONDS}, m1 / {1000 * PUBLISH_TIMEOUT_SECONDS}])",
        threshold=0.9,
    ),
    Alarm(
        name="old-messages",
        meaning="An object has been waiting for the transform for more than half an hour.",
        metrics=(_queue("ApproximateAgeOfOldestMessage", "transform-queue"),),
        threshold=1800,
    ),
    Alarm(
        name="dead-letters",
        meaning="Something failed for good and is in a dead-letter queue.",
        metrics=tuple(_queue("ApproximateNumberOfMessagesVisible", queue) for queue in _DEAD_LETTERS),
    ),
    Alarm(
        name="no-good-run",
        meaning="No daily run was complete in the last 26 hours.",
        metrics=(_own("GoodDailyRuns", "extract"),),
        comparison="LessThanThreshold",
        threshold=1,
        period_seconds=_HOUR,
        periods=26,
        missing="breaching",
        needs_schedules=True,
    ),
    Alarm(
        name="login-ends-in-a-month",
        meaning="The Spotify login ends in a month: run `spotify-etl login` again.",
        metrics=(_own("TokenAgeDays", "extract", "Maximum"),),
        threshold=LIFETIME_DAYS - MONTH_DAYS,
        period_seconds=_DAY,
        needs_user=True,
    ),
    Alarm(
        name="login-ends-in-a-week",
        meaning="The Spotify login ends in a week: run `spotify-etl login` again.",
        metrics=(_own("TokenAgeDays", "extract", "Maximum"),),
        threshold=LIFETIME_DAYS - WEEK_DAYS,
        period_seconds=_DAY,
        needs_user=True,
    ),
    Alarm(
        name="rejected-records",
        meaning="More than 1 % of a day's records could not be read.",
        metrics=(_own("RejectedRecords", "transform"), _own("Lines", "transform")),
        expression="100 * FILL(m0, 0) / m1",
        threshold=1,
        period_seconds=_DAY,
    ),
    Alarm(
        name="drift",
        meaning="Spotify sends fields or types that are not documented.",
        metrics=(_own("DriftedPaths", "transform"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="locked-streams",
        meaning="Spotify has locked a stream for a while.",
        metrics=(_own("LockedUnits", "extract"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="catalog-conflicts",
        meaning="A table in the Glue catalog differs from its files.",
        metrics=(_own("CatalogConflicts", "publish"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="bytes-scanned",
        meaning="Queries scanned more than 200 GB in a day, which costs about one dollar.",
        metrics=(
            Metric(
                "ProcessedBytes",
                "AWS/Athena",
                (("QueryState", "SUCCEEDED"), ("QueryType", "DML"), ("WorkGroup", "{workgroup}")),
            ),
        ),
        threshold=200e9,
        period_seconds=_DAY,
    ),
    Alarm(
        name="dropped-schedules",
        meaning="EventBridge Scheduler gave up on an event.",
        metrics=(
            _scheduler("InvocationDroppedCount"),
            _scheduler("InvocationsFailedToBeSentToDeadLetterCount"),
        ),
    ),
    Alarm(
        name="lost-events",
        meaning="An event was neither processed nor kept in a dead-letter queue.",
        metrics=(
            *(_function("DestinationDeliveryFailures", function) for function in _ASYNCHRONOUS),
            *(_function("AsyncEventsDropped", function) for function in _ASYNCHRONOUS),
            Metric("FailedInvocations", "AWS/Events", (("RuleName", "{crawled}"),)),
        ),
    ),
)
"""Every alarm. Sources of the metrics: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html,
https://docs.aws.amazon.com/athena/latest/ug/query-metrics-viewing.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html."""


def create_alarm(
    name: str,
    alarm: Alarm,
    *,
    own_namespace: str,
    names: Mapping[str, pulumi.Input[str]],
    topic: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.MetricAlarm:
    """Create an alarm that notifies a topic when it goes off and when it is over.

    Args:
        name: beginning of the resource's name.
        alarm: the alarm.
        own_namespace: namespace of the functions' own metrics.
        names: physical names of the resources that dimensions mention.
        topic: ARN of the topic.
        opts: options of the resource.
    """
    queries = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=f"m{number}",
            return_data=len(alarm.metrics) == 1,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                metric_name=metric.name,
                namespace=metric.namespace or own_namespace,
                dimensions={key: _value(value, names) for key, value in metric.dimensions},
                period=alarm.period_seconds,
                stat=metric.statistic,
            ),
        )
        for number, metric in enumerate(alarm.metrics)
    ]
    if len(queries) > 1:
        expression = alarm.expression or " + ".join(f"FILL(m{number}, 0)" for number in range(len(queries)))
        queries.append(
            aws.cloudwatch.MetricAlarmMetricQueryArgs(
                id="result", expression=expression, label=alarm.name, return_data=True
            )
        )
    return aws.cloudwatch.MetricAlarm(
        f"{name}-{alarm.name}",
        alarm_description=f"{alarm.meaning} What to do: {RUNBOOK}#{alarm.name}",
        metric_queries=queries,
        comparison_operator=alarm.comparison,
        threshold=alarm.threshold,
        evaluation_periods=alarm.periods,
        treat_missing_data=alarm.missing,
        alarm_actions=[topic],
        ok_actions=[topic],
        opts=opts,
    )


def _value(value: str, names: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    return names[value[1:-1]] if value.startswith("{") else value
