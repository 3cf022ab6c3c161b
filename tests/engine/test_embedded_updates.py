"""`pulumi up` over a stack in an embedded AWS: every setting of the component changes, and the cloud has it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation

from embedded_aws import EmbeddedAws
from tests.embedded_aws.stage import ACCOUNT, REGION, START
from tests.engine import stacks
from tests.engine.stacks import new_stack, program_of
from tests.pipeline.program import ROOT

pytestmark = pytest.mark.engine

CHANGED = {
    "architecture": "x86_64",
    "athenaScanLimitMb": "500",
    "crawlDelayMinutes": "60",
    "dailyAt": "05:30",
    "alertEmail": "ana@example.com",
    "logRetentionDays": "14",
    "monthlyBudgetUsd": "9",
    "playsRetentionDays": "400",
    "rawRetentionDays": "60",
    "resultsRetentionDays": "3",
    "schedulesEnabled": "false",
    "spotifyAccountsUrl": "https://accounts.spotify.example/",
    "spotifyApiUrl": "https://api.spotify.example/v1/",
    "streams[0]": "profile",
    "timezone": "Europe/Berlin",
    "transformedRetentionDays": "45",
}
"""All settings of which a stack may change the value, but those that need another deployment: the mode of the login,
the key, and the consent to delete data."""


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[EmbeddedAws]:
    """An empty account, which this process's environment names."""
    with (
        EmbeddedAws(tmp_path / "aws", start=START, region=REGION, any_python=True) as started,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {
            "AWS_ACCESS_KEY_ID": started.server.owner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": started.server.owner.secret_access_key,
            "AWS_ENDPOINT_URL": started.server.url,
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        yield started


def crawler_described_as(text: str) -> None:
    """Run the program with another crawler than the component's, on which no setting has an effect."""

    def transformed(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != "aws:glue/crawler:Crawler":
            return None
        return pulumi.ResourceTransformationResult(
            {**args.props, "description": text, "schedule": "cron(30 6 * * ? *)"}, args.opts
        )

    pulumi.runtime.register_stack_transformation(transformed)
    program_of(ROOT)()


def test_every_setting_changes_in_one_update(aws: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = stacks.PLUGINS["pulumi-resource-aws"].replace("aws_provider", "embedded_provider")
    monkeypatch.setitem(stacks.PLUGINS, "pulumi-resource-aws", provider)
    folder = tmp_path / "stack"
    folder.mkdir()
    with new_stack("dev", folder, folder / "cloud.json", monkeypatch) as stack:
        stack.set_config("monthlyBudgetUsd", automation.ConfigValue("5"))
        before = stack.up().outputs
        for name, value in CHANGED.items():
            stack.set_config(name, automation.ConfigValue(value), path="[" in name)
        after = stack.up(program=lambda: crawler_described_as("Crawls again.")).outputs
        again = stack.preview(program=lambda: crawler_described_as("Crawls again."))
    assert set(again.change_summary) == {"same"}
    kept = ("raw_bucket_name", "transformed_bucket_name", "glue_crawler_name", "extract_function_name")
    assert [before[name].value for name in kept] == [after[name].value for name in kept]
    check(aws, {name: output.value for name, output in after.items()})


def check(aws: EmbeddedAws, outputs: dict[str, Any]) -> None:
    """Read every changed resource back."""
    crawler = aws.client("glue").get_crawler(Name=outputs["glue_crawler_name"])["Crawler"]
    assert (crawler["Description"], crawler["Version"]) == ("Crawls again.", 2)
    assert crawler["Schedule"] == {"ScheduleExpression": "cron(30 6 * * ? *)", "State": "SCHEDULED"}

    functions = aws.client("lambda")
    for part in ("compact", "extract", "publish", "transform"):
        found = functions.get_function_configuration(FunctionName=outputs[f"{part}_function_name"])
        assert found["Architectures"] == ["x86_64"]
    variables = functions.get_function_configuration(FunctionName=outputs["extract_function_name"])["Environment"]
    assert "https://api.spotify.example/v1/" in variables["Variables"].values()

    schedules = aws.client("scheduler")
    shown = [schedules.get_schedule(Name=one["Name"]) for one in schedules.list_schedules()["Schedules"]]
    assert {one["State"] for one in shown} == {"DISABLED"}
    assert {one["ScheduleExpressionTimezone"] for one in shown} == {"Europe/Berlin"}
    assert {"cron(30 5 * * ? *)", "cron(30 6 * * ? *)"} < {one["ScheduleExpression"] for one in shown}
    assert not any("hourly" in one["Name"] for one in shown)

    s3 = aws.client("s3")
    expiry = {
        rule["ID"]: rule["Expiration"]["Days"]
        for bucket in ("raw_bucket_name", "transformed_bucket_name", "athena_results_bucket_name")
        for rule in s3.get_bucket_lifecycle_configuration(Bucket=outputs[bucket])["Rules"]
        if "Days" in rule.get("Expiration", {})
    }
    assert (expiry["expire-raw"], expiry["expire-all"]) == (60, 3)
    logs = aws.client("logs").describe_log_groups(logGroupNamePrefix="spotify-etl")["logGroups"]
    assert {group["retentionInDays"] for group in logs} == {14}

    group = aws.client("athena").get_work_group(WorkGroup=outputs["athena_workgroup_name"])["WorkGroup"]
    assert group["Configuration"]["BytesScannedCutoffPerQuery"] == 500_000_000
    [subscribed] = aws.client("sns").list_subscriptions_by_topic(TopicArn=outputs["alerts_topic_arn"])["Subscriptions"]
    assert subscribed["Endpoint"] == "ana@example.com"
    [budget] = aws.client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    assert float(budget["BudgetLimit"]["Amount"]) == 9
    alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert not any("no-good-run" in alarm["AlarmName"] for alarm in alarms)
    [dashboard] = aws.client("cloudwatch").list_dashboards()["DashboardEntries"]
    body = json.loads(aws.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])["DashboardBody"])
    assert "no-good-run" not in json.dumps(body)
    assert os.environ["AWS_ENDPOINT_URL"] == aws.server.url
