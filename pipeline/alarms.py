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
from pipeline.compaction import COMPACT_TIMEOUT_SECONDS
from pipeline.metrics import (
    DEAD_LETTERS,
    Metric,
    function_metric,
    own_metric,
    queue_metric,
    rule_metric,
    scheduler_metric,
    workgroup_metric,
)
from pipeline.transformation import TIMEOUT_SECONDS

RUNBOOK = "docs/runbook.md"

Comparison = Literal["GreaterThanThreshold", "LessThanThreshold"]

_HOUR, _DAY = 3600, 86400


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


_FUNCTIONS = ("extract", "transform", "publish", "compact")
_ASYNCHRONOUS = ("extract", "publish", "compact")

ALARMS = (
    Alarm(
        name="function-errors",
        meaning="A function failed.",
        metrics=tuple(function_metric("Errors", function) for function in _FUNCTIONS),
    ),
    Alarm(
        name="throttles",
        meaning="Lambda refused to start a function for a quarter of an hour: the account runs too many at a time.",
        metrics=tuple(function_metric("Throttles", function) for function in _FUNCTIONS),
        periods=3,
    ),
    Alarm(
        name="slow-functions",
        meaning="A function took more than 90 % of its timeout.",
        # The extract function hands over to another invocation before its timeout, so it is no alarm there.
        metrics=(
            function_metric("Duration", "transform", "Maximum"),
            function_metric("Duration", "publish", "Maximum"),
            function_metric("Duration", "compact", "Maximum"),
        ),
        expression=(
            f"MAX([m0 / {1000 * TIMEOUT_SECONDS}, m1 / {1000 * PUBLISH_TIMEOUT_SECONDS}, "
            f"m2 / {1000 * COMPACT_TIMEOUT_SECONDS}])"
        ),
        threshold=0.9,
    ),
    Alarm(
        name="old-messages",
        meaning="An object has been waiting for the transform for more than half an hour.",
        metrics=(queue_metric("ApproximateAgeOfOldestMessage", "transform-queue"),),
        threshold=1800,
    ),
    Alarm(
        name="dead-letters",
        meaning="Something failed for good and is in a dead-letter queue.",
        metrics=DEAD_LETTERS,
    ),
    Alarm(
        name="no-good-run",
        meaning="No daily run was complete in the last 26 hours.",
        metrics=(own_metric("GoodDailyRuns", "extract"),),
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
        metrics=(own_metric("TokenAgeDays", "extract", "Maximum"),),
        threshold=LIFETIME_DAYS - MONTH_DAYS,
        period_seconds=_DAY,
        needs_user=True,
    ),
    Alarm(
        name="login-ends-in-a-week",
        meaning="The Spotify login ends in a week: run `spotify-etl login` again.",
        metrics=(own_metric("TokenAgeDays", "extract", "Maximum"),),
        threshold=LIFETIME_DAYS - WEEK_DAYS,
        period_seconds=_DAY,
        needs_user=True,
    ),
    Alarm(
        name="rejected-records",
        meaning="More than 1 % of a day's records could not be read.",
        metrics=(own_metric("RejectedRecords", "transform"), own_metric("Lines", "transform")),
        expression="100 * FILL(m0, 0) / m1",
        threshold=1,
        period_seconds=_DAY,
    ),
    Alarm(
        name="drift",
        meaning="Spotify sends fields or types that are not documented.",
        metrics=(own_metric("DriftedPaths", "transform"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="locked-streams",
        meaning="Spotify has locked a stream for a while.",
        metrics=(own_metric("LockedUnits", "extract"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="catalog-conflicts",
        meaning="A table in the Glue catalog differs from its files.",
        metrics=(own_metric("CatalogConflicts", "publish"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="objects-left-alone",
        meaning="The compaction has left objects of the tables alone, because it cannot read them.",
        metrics=(own_metric("ObjectsLeftAlone", "compact"),),
        period_seconds=_DAY,
    ),
    Alarm(
        name="bytes-scanned",
        meaning="Queries scanned more than 200 GB in a day, which costs about one dollar.",
        metrics=(workgroup_metric("ProcessedBytes"),),
        threshold=200e9,
        period_seconds=_DAY,
    ),
    Alarm(
        name="dropped-schedules",
        meaning="EventBridge Scheduler gave up on an event.",
        metrics=(
            scheduler_metric("InvocationDroppedCount"),
            scheduler_metric("InvocationsFailedToBeSentToDeadLetterCount"),
        ),
    ),
    Alarm(
        name="lost-events",
        meaning="An event was neither processed nor kept in a dead-letter queue.",
        metrics=(
            *(function_metric("DestinationDeliveryFailures", function) for function in _ASYNCHRONOUS),
            *(function_metric("AsyncEventsDropped", function) for function in _ASYNCHRONOUS),
            *(rule_metric("FailedInvocations", rule) for rule in ("crawled", "crawl-failed")),
        ),
    ),
)
"""Every alarm."""


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
                dimensions=metric.values(names),
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
