"""A pipeline that Terraform deploys runs, is read back as deployed, changes, and is destroyed to the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli.athena_queries import run_query
from tests.embedded_aws.stage import START, Stage
from tests.terraform.terraform import Terraform

pytestmark = pytest.mark.terraform

CHANGES: dict[str, str | int] = {
    "memory": 256,
    "log_retention": 14,
    "every": "cron(30 * * * ? *)",
    "visibility_timeout": 180,
    "scan_limit": 20_000_000_000,
    "archive_after": 60,
}


@pytest.fixture(scope="module")
def deployed(terraform: Terraform) -> Terraform:
    """Return Terraform with the pipeline deployed."""
    terraform.apply()
    return terraform


def rows(cloud: Stage, sql: str) -> list[tuple[str | None, ...]]:
    return list(run_query(cloud.client("athena"), sql, database="weather", workgroup="weather").rows)


def test_nothing_drifts_before_and_after_it_has_run(deployed: Terraform, cloud: Stage) -> None:
    assert deployed.drift() == ""
    cloud.run_until(START + timedelta(hours=4))
    assert [step.detail for step in cloud.log if not step.ok] == []
    sql = "SELECT station, count(*), avg(celsius) FROM readings GROUP BY station ORDER BY station"
    assert rows(cloud, sql) == [("harbour", "3", "4.5"), ("summit", "3", "-3.0")]
    assert rows(cloud, "EXECUTE colder_than USING 0") == [("3",)]
    assert deployed.drift() == ""


def test_what_changes_is_read_back_changed(deployed: Terraform, cloud: Stage) -> None:
    deployed.apply(**CHANGES)
    assert deployed.drift() == ""
    function = cloud.client("lambda").get_function_configuration(FunctionName="weather-convert")
    assert function["MemorySize"] == 256
    (group,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/weather/convert")["logGroups"]
    assert group["retentionInDays"] == 14
    begin = len(cloud.log)
    cloud.run_for(hours=1)
    (sent,) = (step for step in cloud.log[begin:] if step.kind == "schedule")
    assert (sent.ok, sent.at.minute) == (True, 30)


def test_it_is_destroyed_to_the_end(deployed: Terraform, cloud: Stage) -> None:
    assert deployed.deployed()
    deployed.destroy()
    assert deployed.deployed() == []
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("glue").get_databases()["DatabaseList"] == []
    assert [group["Name"] for group in cloud.client("athena").list_work_groups()["WorkGroups"]] == ["primary"]
    assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []
