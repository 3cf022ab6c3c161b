"""The metrics that alarms and the dashboard show: those of AWS, and the functions' own.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html,
https://docs.aws.amazon.com/athena/latest/ug/query-metrics-viewing.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

Statistic = Literal["Maximum", "Sum"]

_OWN = ""
"""Namespace of the functions' own metrics, which follows from the stack's name."""


@dataclass(frozen=True)
class Metric:
    """A metric of one resource."""

    name: str
    namespace: str
    """Empty for the functions' own metrics."""
    dimensions: tuple[tuple[str, str], ...]
    """Name and value of each dimension; a value in braces, such as `{extract}`, is the physical name of a resource."""
    statistic: Statistic = "Sum"

    def values(self, names: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
        """Return the dimensions, given the physical names of the resources that they mention."""
        return {key: names[value[1:-1]] if value.startswith("{") else value for key, value in self.dimensions}


def function_metric(name: str, function: str, statistic: Statistic = "Sum") -> Metric:
    """Return a metric of a Lambda function."""
    return Metric(name, "AWS/Lambda", (("FunctionName", f"{{{function}}}"),), statistic)


def queue_metric(name: str, queue: str) -> Metric:
    """Return a metric of a queue."""
    return Metric(name, "AWS/SQS", (("QueueName", f"{{{queue}}}"),), "Maximum")


def own_metric(name: str, service: str, statistic: Statistic = "Sum") -> Metric:
    """Return a metric that a function reports itself."""
    return Metric(name, _OWN, (("service", service),), statistic)


def scheduler_metric(name: str) -> Metric:
    """Return a metric of the group of schedules that have no group of their own, others of the account included."""
    return Metric(name, "AWS/Scheduler", (("ScheduleGroup", "default"),))


def rule_metric(name: str, rule: str) -> Metric:
    """Return a metric of an event rule."""
    return Metric(name, "AWS/Events", (("RuleName", f"{{{rule}}}"),))


def workgroup_metric(name: str, statistic: Statistic = "Sum") -> Metric:
    """Return a metric of the workgroup's successful queries."""
    dimensions = (("QueryState", "SUCCEEDED"), ("QueryType", "DML"), ("WorkGroup", "{workgroup}"))
    return Metric(name, "AWS/Athena", dimensions, statistic)


DEAD_LETTERS = tuple(
    queue_metric("ApproximateNumberOfMessagesVisible", f"{hop}-dead-letters")
    for hop in ("extract", "transform", "crawl", "publish", "compact")
)
"""The messages in each dead-letter queue."""
