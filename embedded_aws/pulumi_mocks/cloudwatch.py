"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.arguments import Arguments
from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _alarm(resource: Resource) -> Created:
    name = resource.physical_name(longest=255)
    arguments = resource.arguments
    request = arguments.request(
        "actionsEnabled",
        "alarmActions",
        "alarmDescription",
        "comparisonOperator",
        "datapointsToAlarm",
        "evaluationPeriods",
        "extendedStatistic",
        "insufficientDataActions",
        "metricName",
        "namespace",
        "period",
        "statistic",
        "threshold",
        "thresholdMetricId",
        "treatMissingData",
        "unit",
        okActions="OKActions",
        evaluateLowSampleCountPercentiles="EvaluateLowSampleCountPercentile",
    )
    if dimensions := arguments.take("dimensions"):
        request["Dimensions"] = _dimensions(dimensions)
    if queries := arguments.blocks("metricQueries"):
        request["Metrics"] = [_query(query) for query in queries]
    resource.account.client("cloudwatch").put_metric_alarm(AlarmName=name, Tags=tag_list(resource.tags()), **request)
    return name, {"arn": resource.account.arn("cloudwatch", f"alarm:{name}"), "name": name}


def _query(query: Arguments) -> dict[str, object]:
    found: dict[str, object] = query.request("id", "expression", "label", "period", "returnData", "accountId")
    if metric := query.block("metric"):
        named = metric.request("metricName", "namespace")
        if dimensions := metric.take("dimensions"):
            named["Dimensions"] = _dimensions(dimensions)
        found["MetricStat"] = {"Metric": named, **metric.request("period", "stat", "unit")}
    return found


def _dimensions(dimensions: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _dashboard(resource: Resource) -> Created:
    request = resource.arguments.request("dashboardName", "dashboardBody")
    resource.account.client("cloudwatch").put_dashboard(**request)
    name = request["DashboardName"]
    return name, {"dashboardArn": resource.account.arn("cloudwatch", f"dashboard/{name}", region="")}


RESOURCES: dict[str, Create] = {
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
}

NOT_APPLIED: dict[str, dict[str, str]] = {}
