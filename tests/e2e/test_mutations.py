"""Every part of the pipeline is needed: without it, the end-to-end check fails and says why.

A mutation is made just before the step that needs the removed part; nothing else in the deployment changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.errors import CommandError
from spotify_simulator import LibraryPlan
from tests.e2e import model
from tests.e2e.permissions import record_permissions
from tests.e2e.world import FIRST_CRAWL, FIRST_DAILY_RUN, FIRST_SCHEDULED_PUBLISH, START, TIMEZONE, World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(
    saved_tracks=30, playlists=4, saved_albums=4, plays_per_day=40, followed_artists=4, top_items=5, saved_shows=0,
    saved_episodes=0, timezone=TIMEZONE,
)  # fmt: skip
BEFORE_RUN = START
BEFORE_CRAWL = FIRST_CRAWL - timedelta(minutes=1)
BEFORE_QUERY = START + timedelta(hours=2)


class CheckError(Exception):
    """The end-to-end check failed; the message says at which step."""


def check(one: World) -> None:
    """Check that everything arrived: no step failed, every function logged, and the views agree with the model.

    Raises:
        CheckError: something is missing or differs.
    """
    # A refused call is the cause of whatever else went wrong.
    if errors := sorted(one.errors(), key=lambda error: not error.startswith("denied")):
        raise CheckError(errors[0])
    for trigger in ("daily", "hourly"):
        if not any(manifest["trigger"] == trigger for manifest in one.manifests()):
            raise CheckError(f"no {trigger} run took place")
    for manifest in one.manifests():
        if manifest["status"] != "complete":
            raise CheckError(f"run {manifest['run_id']} is {manifest['status']}: {manifest['reason']}")
    check_hops(one)
    for view, expected in model.VIEWS.items():
        rows = list(expected(one))
        try:
            [[count]] = one.query(f'SELECT count(*) FROM "{view}"').rows
        except CommandError as error:
            raise CheckError(str(error)) from error
        if int(count or 0) != len(rows):
            raise CheckError(f"{view} has {count} rows instead of {len(rows)}")


def check_hops(one: World) -> None:
    """Check that the transform, the crawler and publish were started.

    Raises:
        CheckError: one of them was not.
    """
    if not list(one.objects("transformed_bucket_name", "tables/")):
        queue = one.cloud.client("sqs").get_queue_attributes(
            QueueUrl=one.outputs["transform_queue_url"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        waiting = int(queue["Attributes"]["ApproximateNumberOfMessages"])
        raise CheckError("nobody takes messages from the queue" if waiting else "no message reached the queue")
    crawler = one.cloud.client("glue").get_crawler(Name=one.outputs["glue_crawler_name"])["Crawler"]
    if "LastCrawl" not in crawler:
        raise CheckError("the crawler did not run")
    published = [
        step.at for step in one.cloud.log if step.kind == "invoke" and step.name == one.outputs["publish_function_name"]
    ]
    if not any(at < FIRST_DAILY_RUN for at in published):
        raise CheckError("publish was not invoked by the deployment")
    if not any(FIRST_CRAWL <= at < FIRST_SCHEDULED_PUBLISH for at in published):
        raise CheckError("publish was not invoked by the crawl's event")
    if not any(at >= FIRST_SCHEDULED_PUBLISH for at in published):
        raise CheckError("publish was not invoked by its schedule")


@dataclass(frozen=True)
class Mutation:
    """The removal of one part."""

    name: str
    """What is removed."""
    when: datetime
    """The moment just before the step that needs it."""
    apply: Callable[[World], None]
    """Removes it."""
    error: str
    """How the check fails, as a regular expression."""
    permission: tuple[str, str] | None = None
    """The role and the action, if a permission is removed."""


def without_permission(role_of: str, action: str, resource: str = "") -> Callable[[World], None]:
    """Remove an action from a role's inline policies.

    Args:
        role_of: a part of the role's name.
        action: the action.
        resource: only in statements whose resources contain this text.
    """

    def apply(one: World) -> None:
        iam = one.cloud.client("iam")
        changed = 0
        for role in iam.list_roles()["Roles"]:
            if not re.fullmatch(rf"spotify-{role_of}-[0-9a-f]{{7}}", role["RoleName"]):
                continue
            for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"]
                for statement in document["Statement"]:
                    if action in statement["Action"] and resource in json.dumps(statement["Resource"]):
                        statement["Action"] = [one for one in statement["Action"] if one != action] or ["none:None"]
                        changed += 1
                iam.put_role_policy(RoleName=role["RoleName"], PolicyName=policy, PolicyDocument=json.dumps(document))
        assert changed == 1, f"{changed} statements allow {action} to {role_of}"

    return apply


def without_queue_policy(one: World) -> None:
    one.cloud.client("sqs").set_queue_attributes(QueueUrl=one.outputs["transform_queue_url"], Attributes={"Policy": ""})


def without_invoke_permission(one: World) -> None:
    lambda_, name = one.cloud.client("lambda"), one.outputs["publish_function_name"]
    for statement in json.loads(lambda_.get_policy(FunctionName=name)["Policy"])["Statement"]:
        lambda_.remove_permission(FunctionName=name, StatementId=statement["Sid"])


def without_notification(one: World) -> None:
    one.cloud.client("s3").put_bucket_notification_configuration(
        Bucket=one.outputs["raw_bucket_name"], NotificationConfiguration={}
    )


def without_mapping(one: World) -> None:
    lambda_ = one.cloud.client("lambda")
    for mapping in lambda_.list_event_source_mappings()["EventSourceMappings"]:
        lambda_.delete_event_source_mapping(UUID=mapping["UUID"])


def without_schedule(name: str) -> Callable[[World], None]:
    def apply(one: World) -> None:
        scheduler = one.cloud.client("scheduler")
        [found] = [found["Name"] for found in scheduler.list_schedules()["Schedules"] if name in found["Name"]]
        scheduler.delete_schedule(Name=found)

    return apply


def with_schedule_target(name: str, target: str) -> Callable[[World], None]:
    def apply(one: World) -> None:
        scheduler = one.cloud.client("scheduler")
        [found] = [found["Name"] for found in scheduler.list_schedules()["Schedules"] if name in found["Name"]]
        schedule: dict[str, Any] = scheduler.get_schedule(Name=found)
        kept = ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "State")
        scheduler.update_schedule(**{key: schedule[key] for key in kept}, Target=schedule["Target"] | {"Arn": target})

    return apply


def without_rule_target(one: World) -> None:
    events = one.cloud.client("events")
    [rule] = [rule["Name"] for rule in events.list_rules()["Rules"] if "-crawled-" in rule["Name"]]
    events.remove_targets(Rule=rule, Ids=[target["Id"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]])


def without_partitions(table: str) -> Callable[[World], None]:
    def apply(one: World) -> None:
        glue, database = one.cloud.client("glue"), one.outputs["glue_database_name"]
        for partition in glue.get_partitions(DatabaseName=database, TableName=table)["Partitions"]:
            glue.delete_partition(DatabaseName=database, TableName=table, PartitionValues=partition["Values"])

    return apply


def without_table(table: str) -> Callable[[World], None]:
    def apply(one: World) -> None:
        one.cloud.client("glue").delete_table(DatabaseName=one.outputs["glue_database_name"], Name=table)

    return apply


def without_secret_value(one: World) -> None:
    one.cloud.client("secretsmanager").put_secret_value(SecretId=one.outputs["spotify_secret_name"], SecretString="{}")


def with_work_for_the_morning(one: World) -> None:
    """Delete what the crawl and publish must then create again: in any other morning all tables and views are there."""
    for table in ("saved_albums", "labels", "complete_reads"):
        without_table(table)(one)


def with_cold_starts(one: World) -> None:
    """Let every function start again: one that is warm has its log stream."""
    lambda_ = one.cloud.client("lambda")
    for function in ("extract", "transform", "publish", "compact"):
        lambda_.update_function_configuration(
            FunctionName=one.outputs[f"{function}_function_name"], Description=f"Started again at {one.cloud.now}."
        )


def permission(role_of: str, action: str, when: datetime, resource: str = "") -> Mutation:
    name = f"{role_of} may not {action}{f' on {resource}' if resource else ''}"
    error = rf"^denied .*{role_of}.* is not authorized to perform: {action} on resource: .*{resource}"
    remove = without_permission(role_of, action, resource)

    def apply(one: World) -> None:
        if when == BEFORE_CRAWL:
            with_work_for_the_morning(one)
        with_cold_starts(one)
        remove(one)

    return Mutation(name, when, apply, error, (role_of, action))


MUTATIONS = [
    permission("etl-daily", "lambda:InvokeFunction", BEFORE_RUN),
    permission("etl-hourly", "lambda:InvokeFunction", BEFORE_RUN),
    permission("etl-crawl", "glue:StartCrawler", BEFORE_CRAWL),
    permission("etl-views", "lambda:InvokeFunction", BEFORE_CRAWL),
    permission("etl-extract", "secretsmanager:GetSecretValue", BEFORE_RUN),
    permission("etl-extract", "s3:GetObject", BEFORE_RUN),
    permission("etl-extract", "s3:PutObject", BEFORE_RUN),
    permission("etl-extract", "s3:ListBucket", BEFORE_RUN),
    permission("etl-extract", "logs:CreateLogStream", BEFORE_RUN),
    permission("etl-extract", "logs:PutLogEvents", BEFORE_RUN),
    permission("etl-transform", "sqs:ReceiveMessage", BEFORE_RUN),
    permission("etl-transform", "sqs:DeleteMessage", BEFORE_RUN),
    permission("etl-transform", "sqs:GetQueueAttributes", BEFORE_RUN),
    permission("etl-transform", "s3:GetObject", BEFORE_RUN, "/raw/"),
    permission("etl-transform", "s3:GetObject", BEFORE_RUN, "/outputs/"),
    permission("etl-transform", "s3:PutObject", BEFORE_RUN),
    permission("etl-transform", "s3:ListBucket", BEFORE_RUN),
    permission("etl-transform", "logs:CreateLogStream", BEFORE_RUN),
    permission("etl-transform", "logs:PutLogEvents", BEFORE_RUN),
    permission("etl-crawler", "s3:ListBucket", BEFORE_CRAWL),
    permission("etl-crawler", "s3:GetObject", BEFORE_CRAWL),
    permission("etl-crawler", "glue:GetTable", BEFORE_CRAWL),
    permission("etl-crawler", "glue:CreateTable", BEFORE_CRAWL),
    permission("etl-crawler", "glue:UpdateTable", BEFORE_CRAWL),
    permission("etl-crawler", "glue:BatchCreatePartition", BEFORE_CRAWL),
    permission("etl-crawler", "glue:BatchGetPartition", BEFORE_CRAWL),
    permission("etl-crawler", "glue:GetDatabase", BEFORE_CRAWL),
    permission("etl-crawler", "logs:CreateLogGroup", BEFORE_CRAWL),
    permission("etl-crawler", "logs:CreateLogStream", BEFORE_CRAWL),
    permission("etl-crawler", "logs:PutLogEvents", BEFORE_CRAWL),
    permission("etl-publish", "glue:GetDatabase", BEFORE_CRAWL, "database/spotify_"),
    permission("etl-publish", "glue:GetDatabase", BEFORE_CRAWL, "database/default"),
    permission("etl-publish", "glue:GetTables", BEFORE_CRAWL),
    permission("etl-publish", "glue:UpdateTable", BEFORE_CRAWL),
    permission("etl-publish", "glue:BatchCreatePartition", BEFORE_CRAWL),
    permission("etl-publish", "s3:GetBucketLocation", BEFORE_CRAWL),
    permission("etl-publish", "s3:PutObject", BEFORE_CRAWL),
    permission("etl-publish", "logs:CreateLogStream", BEFORE_CRAWL),
    permission("etl-publish", "glue:GetTable", BEFORE_CRAWL),
    permission("etl-publish", "glue:CreateTable", BEFORE_CRAWL),
    permission("etl-publish", "athena:StartQueryExecution", BEFORE_CRAWL),
    permission("etl-publish", "athena:GetQueryExecution", BEFORE_CRAWL),
    permission("etl-publish", "logs:PutLogEvents", BEFORE_CRAWL),
    Mutation(
        "S3 may not send to the queue",
        BEFORE_RUN,
        without_queue_policy,
        r"^denied s3\.amazonaws\.com: .*sqs:SendMessage",
    ),
    Mutation(
        "EventBridge may not invoke publish",
        BEFORE_CRAWL,
        without_invoke_permission,
        r"events\.amazonaws\.com is not authorized to perform: lambda:InvokeFunction on resource: .*publish",
    ),
    Mutation("no notification", BEFORE_RUN, without_notification, "^no message reached the queue$"),
    Mutation("no event source mapping", BEFORE_RUN, without_mapping, "^nobody takes messages from the queue$"),
    Mutation("no daily schedule", BEFORE_RUN, without_schedule("etl-daily"), "^no daily run took place$"),
    Mutation("no hourly schedule", BEFORE_RUN, without_schedule("etl-hourly"), "^no hourly run took place$"),
    Mutation("no crawl", BEFORE_CRAWL, without_schedule("etl-crawl-"), "^the crawler did not run$"),
    Mutation(
        "a daily schedule with another target",
        BEFORE_RUN,
        with_schedule_target("etl-daily", "arn:aws:lambda:eu-central-1:123456789012:function:gone"),
        "etl-daily.*not authorized to perform: lambda:InvokeFunction on resource: .*function:gone",
    ),
    Mutation(
        "no target of the rule", BEFORE_CRAWL, without_rule_target, "^publish was not invoked by the crawl's event$"
    ),
    Mutation(
        "no schedule of publish",
        BEFORE_CRAWL,
        without_schedule("etl-views-"),
        "^publish was not invoked by its schedule$",
    ),
    Mutation("no login", BEFORE_RUN, without_secret_value, "^run .* is skipped: not_logged_in$"),
    Mutation(
        "no partition of saved_albums", BEFORE_QUERY, without_partitions("saved_albums"), "^current_saved_albums has 0"
    ),
    Mutation("no partition of runs", BEFORE_QUERY, without_partitions("runs"), "^current_profile has 0 rows"),
    Mutation("no partition of plays", BEFORE_QUERY, without_partitions("plays"), "^listens has 0 rows"),
    Mutation("no table playlists", BEFORE_QUERY, without_table("playlists"), "TABLE_NOT_FOUND.*playlists"),
    Mutation(
        "no view complete_reads", BEFORE_QUERY, without_table("complete_reads"), "TABLE_NOT_FOUND.*complete_reads"
    ),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_end_to_end_check_fails_without(mutation: Mutation, tmp_path: Path) -> None:
    with world(tmp_path, PLAN) as one:
        one.cloud.run_until(mutation.when)
        assert one.errors() == []
        mutation.apply(one)
        one.live(0)
        with pytest.raises(CheckError, match=mutation.error):
            check(one)


def test_end_to_end_check_passes_and_uses_no_permission_but_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = record_permissions(monkeypatch)
    with world(tmp_path, PLAN) as one:
        one.cloud.run_until(BEFORE_CRAWL)
        with_work_for_the_morning(one)
        one.live(0)
        check(one)

    assert used == {mutation.permission for mutation in MUTATIONS if mutation.permission}


def test_each_mutation_has_an_error_of_its_own() -> None:
    errors = [mutation.error for mutation in MUTATIONS]
    assert len(set(errors)) == len(errors)
