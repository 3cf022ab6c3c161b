"""Glue crawlers: their settings, how these change, and schedules that stop and start."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.stage import REGION, Stage
from tests.thoroughness import sampled

TARGETS = {"S3Targets": [{"Path": "s3://lake/tables/"}]}


@pytest.fixture
def glue(stage: Stage) -> Any:
    """A client of Glue, for a database and a crawler `crawl` whose role has all permissions."""
    stage.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    client = stage.client("glue")
    client.create_database(DatabaseInput={"Name": "lake"})
    role = stage.role("crawls", "glue.amazonaws.com", {"Action": ["s3:*", "glue:*", "logs:*"], "Resource": "*"})
    client.create_crawler(
        Name="crawl",
        Role=role,
        DatabaseName="lake",
        Targets=TARGETS,
        Description="before",
        Schedule="cron(0 8 * * ? *)",
        TablePrefix="raw_",
        SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
    )
    return client


def shown(glue: Any) -> dict[str, Any]:
    found: dict[str, Any] = glue.get_crawler(Name="crawl")["Crawler"]
    return found


def test_an_update_replaces_what_it_names_and_keeps_the_rest(glue: Any, stage: Stage) -> None:
    before = shown(glue)
    stage.run_for(minutes=1)
    configuration = json.dumps({"Version": 1.0, "Grouping": {"TableLevelConfiguration": 2}})
    glue.update_crawler(
        Name="crawl",
        Description="",
        Configuration=configuration,
        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        Targets={"S3Targets": [{"Path": "s3://lake/other/", "Exclusions": ["**.csv"]}]},
    )
    after = shown(glue)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"Configuration", "Description", "LastUpdated", "SchemaChangePolicy", "Targets", "Version"}
    assert (after["Version"], after["Description"], after["Configuration"]) == (2, "", configuration)
    assert after["Targets"]["S3Targets"] == [{"Path": "s3://lake/other/", "Exclusions": ["**.csv"]}]
    assert after["LastUpdated"] > before["LastUpdated"]


def test_an_invalid_schedule_of_an_earlier_version_does_not_run(glue: Any, stage: Stage) -> None:
    # No request can set it any more.
    stage.server.backend("glue").crawlers["crawl"].schedule = "cron(0 8 * * *)"
    stage.run_for(days=2)
    (step,) = stage.steps("crawl")
    assert (step.ok, step.detail) == (False, "cron(0 8 * * *) has 5 fields: AWS's cron has six.")
    glue.update_crawler(Name="crawl", Schedule="cron(0 8 * * ? *)")
    stage.run_for(days=1)
    assert len(stage.steps("crawl")) == 2


def test_an_updated_schedule_counts_from_the_update(glue: Any, stage: Stage) -> None:
    glue.update_crawler(Name="crawl", Schedule="cron(0 7 * * ? *)")
    assert shown(glue)["Schedule"] == {"ScheduleExpression": "cron(0 7 * * ? *)", "State": "SCHEDULED"}
    stage.run_for(hours=3)
    assert len(stage.steps("crawl")) == 1
    # Back to one that has been due in the meantime: it is not made up for.
    glue.update_crawler(Name="crawl", Schedule="cron(0 8 * * ? *)")
    stage.run_for(hours=1)
    assert len(stage.steps("crawl")) == 1
    glue.update_crawler_schedule(CrawlerName="crawl", Schedule="cron(30 10 * * ? *)")
    stage.run_for(hours=1)
    assert len(stage.steps("crawl")) == 2
    glue.update_crawler(Name="crawl", Schedule="")
    assert "Schedule" not in shown(glue)
    stage.run_for(days=2)
    assert len(stage.steps("crawl")) == 2


def test_a_schedule_stops_and_starts(glue: Any, stage: Stage) -> None:
    with pytest.raises(glue.exceptions.SchedulerRunningException):
        glue.start_crawler_schedule(CrawlerName="crawl")
    glue.stop_crawler_schedule(CrawlerName="crawl")
    assert shown(glue)["Schedule"]["State"] == "NOT_SCHEDULED"
    with pytest.raises(glue.exceptions.SchedulerNotRunningException):
        glue.stop_crawler_schedule(CrawlerName="crawl")
    stage.run_for(days=1)
    assert not stage.steps("crawl")
    glue.start_crawler_schedule(CrawlerName="crawl")
    stage.run_for(days=1)
    assert len(stage.steps("crawl")) == 1
    [metrics] = glue.get_crawler_metrics(CrawlerNameList=["crawl"])["CrawlerMetricsList"]
    assert metrics["LastRuntimeSeconds"] == pytest.approx(timedelta(minutes=2).total_seconds(), abs=5)
    glue.update_crawler_schedule(CrawlerName="crawl", Schedule="")
    with pytest.raises(glue.exceptions.NoScheduleException):
        glue.start_crawler_schedule(CrawlerName="crawl")


def test_only_a_crawler_that_is_ready_can_be_updated(glue: Any, stage: Stage) -> None:
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.update_crawler(Name="another", Description="x")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.update_crawler_schedule(CrawlerName="another", Schedule="")
    glue.start_crawler(Name="crawl")
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.update_crawler(Name="crawl", Description="x")
    stage.run_for(minutes=3)
    glue.update_crawler(Name="crawl", Description="x")
    assert shown(glue)["Description"] == "x"


@pytest.mark.parametrize("operation", ["create_crawler", "update_crawler"])
@pytest.mark.parametrize(
    ("settings", "said"),
    sampled(
        [
            ({"Schedule": "rate(1 day)"}, "is not a cron expression"),
            ({"Schedule": "cron(0 8 * * * *)"}, "cron"),
            ({"Targets": {}}, "at least one target"),
            ({"Targets": {"S3Targets": [{}]}}, "needs a Path"),
            ({"Configuration": "{"}, "not JSON"),
            ({"Configuration": '{"Grouping": {}}'}, '"Version": 1.0'),
            ({"Description": "x" * 2049}, "at most 2048 characters"),
            ({"Role": ""}, "needs a Role"),
            ({"RecrawlPolicy": {"RecrawlBehavior": "NEVER"}}, "CRAWL_EVERYTHING"),
            ({"Classifiers": ["mine"]}, "Classifier mine does not exist"),
            ({"LakeFormationConfiguration": {"UseLakeFormationCredentials": True}}, "no Lake Formation"),
        ],
        3,
    ),
)
def test_settings_that_are_not_allowed_are_refused(glue: Any, operation: str, settings: Any, said: str) -> None:
    required = {"Role": "crawls", "Targets": TARGETS} if operation == "create_crawler" else {}
    name = "another" if operation == "create_crawler" else "crawl"
    before = glue.get_crawlers()["Crawlers"]
    with pytest.raises(ClientError, match=said) as raised:
        getattr(glue, operation)(Name=name, **(required | settings))
    assert raised.value.response["Error"]["Code"] == "InvalidInputException"
    assert glue.get_crawlers()["Crawlers"] == before
