"""The estimate of the month's cost, from CloudWatch with given usage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.pipeline_functions import DeployedFunction
from cli.status.cost import month_cost
from tests.cli.operated_stack import OUTPUTS
from tests.cli.screen import target_with

NOW = datetime(2026, 11, 16, tzinfo=UTC)
"""Half of the month."""
ATHENA = {"QueryState": "SUCCEEDED", "QueryType": "DML", "WorkGroup": "spotify-etl-dev"}

USAGE = {
    ("AWS/Lambda", "Invocations", "extract-1", "Sum"): [600_000.0, 400_000.0],
    ("AWS/Lambda", "Duration", "extract-1", "Sum"): [1_000_000.0],
    ("AWS/Athena", "ProcessedBytes", "DML", "Sum"): [5e6],
    ("AWS/Athena", "ProcessedBytes", "DML", "SampleCount"): [2.0],
    ("AWS/S3", "BucketSizeBytes", "raw-1", "Average"): [4e9, 3e9],
    ("AWS/Logs", "IncomingBytes", "/extract", "Sum"): [1e9],
}


class CloudWatch:
    def get_metric_data(self, *, MetricDataQueries: list[Any], **times: Any) -> dict[str, Any]:  # noqa: N803
        assert times["StartTime"] == datetime(2026, 11, 1, tzinfo=UTC)
        (query,) = MetricDataQueries
        stat = query["MetricStat"]
        metric = stat["Metric"]
        values = {one["Value"] for one in metric["Dimensions"]}
        for (namespace, name, dimension, statistic), found in USAGE.items():
            if (namespace, name, statistic) == (metric["Namespace"], metric["MetricName"], stat["Stat"]) and (
                dimension in values
            ):
                return {"MetricDataResults": [{"Values": found}]}
        return {"MetricDataResults": [{"Values": []}]}

    def get_paginator(self, name: str) -> CloudWatch:
        assert name in ("list_metrics", "describe_alarms")
        return self

    def paginate(self, *, Namespace: str = "", **wanted: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        if "ActionPrefix" in wanted:
            assert wanted["ActionPrefix"] == OUTPUTS["alerts_topic_arn"]
            yield {
                "MetricAlarms": [{}, {"Metrics": [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "m0 + m1"}]}]
            }
        elif Namespace == "AWS/Athena":
            yield {"Metrics": [{"Dimensions": [{"Name": name, "Value": value} for name, value in ATHENA.items()]}]}
        else:
            assert Namespace == "SpotifyEtl/dev"
            yield {"Metrics": [{}] * 10}


def function(step: str) -> DeployedFunction:
    return DeployedFunction(
        step=step,
        name=f"{step}-1",
        arn="",
        role="",
        log_group=f"/{step}",
        environment={"POWERTOOLS_METRICS_NAMESPACE": "SpotifyEtl/dev"},
        timeout_seconds=900,
        memory_mb=512,
        architecture="arm64",
        asked_at=NOW,
    )


def test_every_line_is_usage_times_price() -> None:
    crawls: list[dict[str, Any]] = [{"DPUHour": 0.07}, {"DPUHour": 0.5}, {}]
    cost = month_cost(target_with(OUTPUTS, cloudwatch=CloudWatch()), [function("extract")], crawls, NOW)
    assert cost.month == "2026-11"
    assert {item.what: (item.usage, item.usd) for item in cost.items} == {
        # Ten minutes at least for each crawl.
        "Glue crawler": ("3 crawls, 0.83 DPU hours", pytest.approx(0.3667)),
        "Lambda extract": ("1,000,000 invocations, 500 GB-seconds", pytest.approx(0.2067)),
        # Ten megabytes at least for each query.
        "Athena": ("2 queries, 5 MB scanned", pytest.approx(0.0001)),
        "S3 storage": ("4,000 MB", pytest.approx(0.0428)),
        "CloudWatch logs": ("1,000.0 MB", pytest.approx(0.4657)),
        "CloudWatch metrics": ("10 metrics", 1.5),
        "CloudWatch alarms": ("2 alarms on 3 metrics", 0.15),
        "Secrets Manager": ("1 secret", 0.2),
    }
    assert cost.usd == pytest.approx(sum(item.usd for item in cost.items), abs=0.001)
    assert "not counted: requests to S3" in cost.assumptions
