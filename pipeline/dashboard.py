"""The dashboard: a row for each stage of the flow, and the alarms on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

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

_WIDTH = 24
"""Of every dashboard, in units of the grid."""
_HEIGHT = 6
_PERIOD_SECONDS = 3600


@dataclass(frozen=True)
class Panel:
    """A chart."""

    title: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Stage:
    """A row of the dashboard."""

    title: str
    panels: tuple[Panel, ...]


def _function_panels(function: str) -> tuple[Panel, ...]:
    return (
        Panel(
            "invocations and errors", (function_metric("Invocations", function), function_metric("Errors", function))
        ),
        Panel("longest invocation", (function_metric("Duration", function, "Maximum"),)),
    )


STAGES = (
    Stage(
        "Extract",
        (
            *_function_panels("extract"),
            Panel(
                "good daily runs, locked reads",
                (own_metric("GoodDailyRuns", "extract"), own_metric("LockedUnits", "extract")),
            ),
            Panel("age of the login in days", (own_metric("TokenAgeDays", "extract", "Maximum"),)),
        ),
    ),
    Stage(
        "Transform",
        (
            *_function_panels("transform"),
            Panel(
                "age of the oldest message in seconds",
                (queue_metric("ApproximateAgeOfOldestMessage", "transform-queue"),),
            ),
            Panel("records", (own_metric("Lines", "transform"), own_metric("RejectedRecords", "transform"))),
        ),
    ),
    Stage(
        "Catalog",
        (
            *_function_panels("publish"),
            Panel(
                "crawls that started publish",
                (rule_metric("Invocations", "crawled"), rule_metric("FailedInvocations", "crawled")),
            ),
            Panel("tables that differ from their files", (own_metric("CatalogConflicts", "publish"),)),
        ),
    ),
    Stage(
        "Compact",
        (
            *_function_panels("compact"),
            Panel("objects left alone", (own_metric("ObjectsLeftAlone", "compact"),)),
        ),
    ),
    Stage(
        "Queries",
        (
            Panel("bytes scanned", (workgroup_metric("ProcessedBytes"),)),
            Panel("longest query in milliseconds", (workgroup_metric("TotalExecutionTime", "Maximum"),)),
        ),
    ),
    Stage(
        "Failures",
        (
            Panel("dead letters", DEAD_LETTERS),
            Panel(
                "schedules of the account that failed",
                (scheduler_metric("TargetErrorCount"), scheduler_metric("InvocationDroppedCount")),
            ),
        ),
    ),
)
"""The rows. The first three dashboards of an account are free if each shows at most fifty metrics."""


def create_dashboard(
    name: str,
    dashboard_name: str,
    *,
    own_namespace: str,
    region: pulumi.Input[str],
    names: Mapping[str, pulumi.Input[str]],
    alarms: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.Dashboard:
    """Create the dashboard.

    Args:
        name: name of the resource.
        dashboard_name: its name in CloudWatch, which gives none by itself.
        own_namespace: namespace of the functions' own metrics.
        region: region of the metrics.
        names: physical names of the resources that dimensions mention.
        alarms: ARNs of the alarms.
        opts: options of the resource.
    """
    widgets = [
        _widget("alarm", (0, 0, _WIDTH, 4), {"title": "Alarms", "alarms": list(alarms)}),
        *(
            _widget("metric", place, _chart(stage, panel, own_namespace, region, names))
            for row, stage in enumerate(STAGES)
            for panel, place in zip(stage.panels, _places(4 + row * _HEIGHT, len(stage.panels)), strict=True)
        ),
    ]
    return aws.cloudwatch.Dashboard(
        name, dashboard_name=dashboard_name, dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}), opts=opts
    )


def _chart(
    stage: Stage,
    panel: Panel,
    own_namespace: str,
    region: pulumi.Input[str],
    names: Mapping[str, pulumi.Input[str]],
) -> dict[str, Any]:
    """Return the properties of a chart.

    Their form: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
    """
    return {
        "title": f"{stage.title}: {panel.title}",
        "region": region,
        "view": "timeSeries",
        "period": _PERIOD_SECONDS,
        "metrics": [
            [
                metric.namespace or own_namespace,
                metric.name,
                *(part for pair in metric.values(names).items() for part in pair),
                {"stat": metric.statistic},
            ]
            for metric in panel.metrics
        ],
    }


def _places(top: int, count: int) -> list[tuple[int, int, int, int]]:
    """Return the places of panels that share a row: x, y, width and height."""
    width = _WIDTH // count
    return [(number * width, top, width, _HEIGHT) for number in range(count)]


def _widget(kind: str, place: tuple[int, int, int, int], properties: Mapping[str, Any]) -> dict[str, Any]:
    x, y, width, height = place
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}
