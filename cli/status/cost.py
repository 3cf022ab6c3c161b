"""An estimate of the month's cost from the usage that AWS reports free of charge or nearly so.

Cost Explorer charges for every request, and is a day late. Prices are list prices of us-east-1 in USD, compared with
AWS's pages in November 2026; other regions may differ.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cli.pipeline_functions import DeployedFunction
from cli.presentation import pluralize
from cli.status.parts import CostItem, CostStatus
from cli.targets import Target

DPU_HOUR = 0.44
"""A crawler's data processing unit: https://aws.amazon.com/glue/pricing/, "Data Catalog and crawlers"."""
CRAWL_MINIMUM_HOURS = 10 / 60
"""A crawl is billed for ten minutes at least: the same page."""
GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
"""A function's memory, in the first tier of usage: https://aws.amazon.com/lambda/pricing/."""
INVOCATION = 0.20 / 1_000_000
"""A function's request: the same page."""
TB_SCANNED = 5.0
"""Data that a query reads: https://aws.amazon.com/athena/pricing/, "SQL queries"."""
QUERY_MINIMUM_BYTES = 10_000_000
"""A query is billed for 10 MB at least: the same page."""
S3_GB_MONTH = 0.023
"""S3 Standard, the first 50 TB: https://aws.amazon.com/s3/pricing/."""
SECRET_MONTH = 0.40
"""https://aws.amazon.com/secrets-manager/pricing/."""
LOG_GB = 0.50
"""Logs that are collected, class Standard: https://aws.amazon.com/cloudwatch/pricing/, "Logs"."""
METRIC_MONTH = 0.30
"""One of the first 10,000 metrics of one's own, for a month with a value in every hour: the same page, "Metrics"."""
ALARM_METRIC_MONTH = 0.10
"""An alarm of standard resolution is billed for each metric that it watches: the same page, "Alarms"."""

ASSUMPTIONS = (
    "list prices of us-east-1 without free tiers and taxes; not counted: requests to S3, SQS and KMS, data transfer, "
    "and what other tools do with the buckets"
)
_DAY = 86_400
_GB = 1024**3
"""As S3 and CloudWatch bill."""


def month_cost(
    target: Target, functions: Sequence[DeployedFunction], crawls: Sequence[Mapping[str, Any]], now: datetime
) -> CostStatus:
    """Return the estimate for the month of `now`.

    Args:
        target: the pipeline.
        functions: its functions.
        crawls: the month's crawls, as Glue lists them.
        now: AWS's time.
    """
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    usage = _Usage(target, start, now)
    share = (now - start) / timedelta(days=calendar.monthrange(now.year, now.month)[1])
    items = [
        _crawls(crawls),
        *(_function(function, usage) for function in functions),
        _queries(target, usage),
        _storage(target, usage, share),
        _logs(functions, usage),
        _metrics(target, functions, share),
        _alarms(target, share),
        CostItem(what="Secrets Manager", usage="1 secret", usd=SECRET_MONTH * share),
    ]
    return CostStatus(
        month=f"{now:%Y-%m}",
        usd=round(sum(item.usd for item in items), 4),
        items=[CostItem(what=item.what, usage=item.usage, usd=round(item.usd, 4)) for item in items],
        assumptions=ASSUMPTIONS,
    )


class _Usage:
    """Sums of CloudWatch's metrics since the start of the month."""

    def __init__(self, target: Target, start: datetime, now: datetime) -> None:
        self._client = target.client("cloudwatch")
        self._start, self._now = start, now

    def total(self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str = "Sum") -> float:
        """Return the sum of a metric's daily values."""
        return sum(self.values(namespace, metric, dimensions, statistic))

    def values(self, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str) -> list[float]:
        """Return a metric's daily values, the newest first."""
        answer = self._client.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "m",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": namespace,
                            "MetricName": metric,
                            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                        },
                        "Period": _DAY,
                        "Stat": statistic,
                    },
                }
            ],
            StartTime=self._start,
            EndTime=self._now,
            ScanBy="TimestampDescending",
        )
        values: list[float] = answer["MetricDataResults"][0]["Values"]
        return values

    def dimensions(self, namespace: str, metric: str, **dimensions: str) -> list[dict[str, str]]:
        """Return the sets of dimensions under which a metric is published."""
        wanted = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        pages = self._client.get_paginator("list_metrics").paginate(
            Namespace=namespace, MetricName=metric, Dimensions=wanted
        )
        return [
            {one["Name"]: one["Value"] for one in found["Dimensions"]} for page in pages for found in page["Metrics"]
        ]


def _crawls(crawls: Sequence[Mapping[str, Any]]) -> CostItem:
    # What a crawl reports may be less than the minimum that is billed.
    hours = sum(max(float(crawl.get("DPUHour", 0)), CRAWL_MINIMUM_HOURS) for crawl in crawls)
    return CostItem(
        what="Glue crawler", usage=f"{pluralize(len(crawls), 'crawl')}, {hours:.2f} DPU hours", usd=hours * DPU_HOUR
    )


def _function(function: DeployedFunction, usage: _Usage) -> CostItem:
    of_function = {"FunctionName": function.name}
    invocations = usage.total("AWS/Lambda", "Invocations", of_function)
    seconds = usage.total("AWS/Lambda", "Duration", of_function) / 1000
    gb_seconds = seconds * function.memory_mb / 1024
    return CostItem(
        what=f"Lambda {function.step}",
        usage=f"{pluralize(round(invocations), 'invocation')}, {gb_seconds:,.0f} GB-seconds",
        usd=invocations * INVOCATION + gb_seconds * GB_SECOND.get(function.architecture, GB_SECOND["x86_64"]),
    )


def _queries(target: Target, usage: _Usage) -> CostItem:
    workgroup = target.outputs["athena_workgroup_name"]
    scanned = queries = 0.0
    for dimensions in usage.dimensions("AWS/Athena", "ProcessedBytes", WorkGroup=workgroup):
        scanned += usage.total("AWS/Athena", "ProcessedBytes", dimensions)
        queries += usage.total("AWS/Athena", "ProcessedBytes", dimensions, "SampleCount")
    billed = max(scanned, queries * QUERY_MINIMUM_BYTES)
    return CostItem(
        what="Athena",
        usage=f"{pluralize(round(queries), 'query').replace('querys', 'queries')}, {scanned / 1e6:,.0f} MB scanned",
        usd=billed / 1e12 * TB_SCANNED,
    )


def _storage(target: Target, usage: _Usage, share: float) -> CostItem:
    size = 0.0
    for name in ("raw_bucket_name", "transformed_bucket_name", "athena_results_bucket_name"):
        dimensions = {"BucketName": target.outputs[name], "StorageType": "StandardStorage"}
        # CloudWatch has one value a day.
        size += next(iter(usage.values("AWS/S3", "BucketSizeBytes", dimensions, "Average")), 0.0)
    return CostItem(what="S3 storage", usage=f"{size / 1e6:,.0f} MB", usd=size / _GB * S3_GB_MONTH * share)


def _logs(functions: Sequence[DeployedFunction], usage: _Usage) -> CostItem:
    size = sum(usage.total("AWS/Logs", "IncomingBytes", {"LogGroupName": one.log_group}) for one in functions)
    return CostItem(what="CloudWatch logs", usage=f"{size / 1e6:,.1f} MB", usd=size / _GB * LOG_GB)


def _metrics(target: Target, functions: Sequence[DeployedFunction], share: float) -> CostItem:
    namespaces = {one.environment.get("POWERTOOLS_METRICS_NAMESPACE", "") for one in functions} - {""}
    pages = [
        page
        for namespace in sorted(namespaces)
        for page in target.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace=namespace)
    ]
    count = sum(len(page["Metrics"]) for page in pages)
    return CostItem(what="CloudWatch metrics", usage=f"{pluralize(count, 'metric')}", usd=count * METRIC_MONTH * share)


def _alarms(target: Target, share: float) -> CostItem:
    pages = target.client("cloudwatch").get_paginator("describe_alarms")
    alarms = [
        alarm
        for page in pages.paginate(ActionPrefix=target.output("alerts_topic_arn"))
        for alarm in page["MetricAlarms"]
    ]
    watched = sum(len([one for one in alarm.get("Metrics", ()) if "MetricStat" in one]) or 1 for alarm in alarms)
    return CostItem(
        what="CloudWatch alarms",
        usage=f"{pluralize(len(alarms), 'alarm')} on {pluralize(watched, 'metric')}",
        usd=watched * ALARM_METRIC_MONTH * share,
    )
