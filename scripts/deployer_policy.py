# ruff: noqa: INP001 - a script, no package
"""The deployer's policies in docs/: what the AWS provider calls for each resource that the program registers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scripts.policy_documents import ACCOUNT, NAMES, REGION, Grant, documents, statement, statements
from tests.pipeline.program import Program


class NoPermissionsError(LookupError):
    """The program registers a type of resource whose permissions are not in the table below."""


_BUCKET = f"arn:aws:s3:::{NAMES}"


def _bucket(actions: str) -> Grant:
    return Grant("s3", actions, "", _BUCKET)


def _queue(actions: str) -> Grant:
    return Grant("sqs", actions, NAMES)


def _function(actions: str) -> Grant:
    return Grant("lambda", actions, f"function:{NAMES}")


def _catalog(actions: str) -> tuple[Grant, ...]:
    # Deleting a database also needs the permission on what is in it.
    resources = ("catalog", "database/spotify_*", "table/spotify_*/*", "userDefinedFunction/spotify_*/*")
    return tuple(Grant("glue", actions, resource) for resource in resources)


_OBJECTS = Grant("s3", "DeleteObject DeleteObjectVersion", "", f"{_BUCKET}/*")
_TAGS = "ListTagsForResource TagResource UntagResource"

# Pulumi type → what the provider calls to create, read, change and delete it.
_GRANTS: dict[str, tuple[Grant, ...]] = {
    "aws:athena/namedQuery:NamedQuery": (
        Grant("athena", "CreateNamedQuery DeleteNamedQuery GetNamedQuery UpdateNamedQuery", f"workgroup/{NAMES}"),
    ),
    "aws:athena/workgroup:Workgroup": (
        Grant("athena", f"CreateWorkGroup DeleteWorkGroup GetWorkGroup UpdateWorkGroup {_TAGS}", f"workgroup/{NAMES}"),
    ),
    "aws:budgets/budget:Budget": (Grant("budgets", f"ModifyBudget ViewBudget {_TAGS}", f"budget/{NAMES}"),),
    "aws:cloudwatch/dashboard:Dashboard": (
        Grant(
            "cloudwatch",
            "DeleteDashboards GetDashboard PutDashboard",
            "",
            f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{NAMES}",
        ),
    ),
    "aws:cloudwatch/eventRule:EventRule": (
        Grant("events", f"DeleteRule DescribeRule PutRule {_TAGS}", f"rule/{NAMES}"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        Grant("events", "ListTargetsByRule PutTargets RemoveTargets", f"rule/{NAMES}"),
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        Grant(
            "logs",
            f"CreateLogGroup DeleteLogGroup DeleteRetentionPolicy PutRetentionPolicy {_TAGS}",
            f"log-group:{NAMES}",
        ),
        Grant("logs", "DescribeLogGroups", "log-group:*"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        Grant("cloudwatch", f"DeleteAlarms DescribeAlarms PutMetricAlarm {_TAGS}", f"alarm:{NAMES}"),
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": _catalog("CreateDatabase DeleteDatabase GetDatabase UpdateDatabase"),
    "aws:glue/crawler:Crawler": (
        Grant(
            "glue",
            "CreateCrawler DeleteCrawler GetCrawler GetTags TagResource UntagResource UpdateCrawler",
            f"crawler/{NAMES}",
        ),
    ),
    "aws:iam/policy:Policy": (
        Grant(
            "iam",
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion"
            " ListPolicyVersions TagPolicy UntagPolicy",
            f"policy/{NAMES}",
        ),
    ),
    "aws:iam/role:Role": (
        Grant(
            "iam",
            "CreateRole DeleteRole GetRole ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies"
            " TagRole UntagRole UpdateAssumeRolePolicy UpdateRole",
            f"role/{NAMES}",
        ),
    ),
    "aws:iam/rolePolicy:RolePolicy": (Grant("iam", "DeleteRolePolicy GetRolePolicy PutRolePolicy", f"role/{NAMES}"),),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        Grant(
            "lambda",
            "CreateEventSourceMapping DeleteEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping",
            "",
            # A mapping has no name of its own: the condition limits it to the stack's functions.
            "*",
            ("ArnLike", "lambda:FunctionArn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAMES}"),
        ),
        Grant("lambda", "ListTags TagResource UntagResource", "event-source-mapping:*"),
    ),
    "aws:lambda/function:Function": (
        _function(
            "CreateFunction DeleteFunction GetFunction GetFunctionCodeSigningConfig GetFunctionConfiguration ListTags"
            " ListVersionsByFunction TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration"
        ),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        _function(
            "DeleteFunctionEventInvokeConfig GetFunctionEventInvokeConfig PutFunctionEventInvokeConfig"
            " UpdateFunctionEventInvokeConfig"
        ),
    ),
    "aws:lambda/invocation:Invocation": (_function("InvokeFunction"),),
    "aws:lambda/layerVersion:LayerVersion": (
        Grant("lambda", "PublishLayerVersion", f"layer:{NAMES}"),
        Grant("lambda", "DeleteLayerVersion GetLayerVersion", f"layer:{NAMES}:*"),
    ),
    "aws:lambda/permission:Permission": (_function("AddPermission GetPolicy RemovePermission"),),
    "aws:s3/bucket:Bucket": (
        _bucket(
            "CreateBucket DeleteBucket GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation"
            " GetBucketLogging GetBucketObjectLockConfiguration GetBucketPolicy GetBucketRequestPayment"
            " GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration"
            " GetLifecycleConfiguration GetReplicationConfiguration ListBucket ListBucketVersions PutBucketTagging"
        ),
        # A bucket is emptied before it is deleted, if the settings allow that.
        _OBJECTS,
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        _bucket("GetLifecycleConfiguration PutLifecycleConfiguration"),
    ),
    "aws:s3/bucketNotification:BucketNotification": (_bucket("GetBucketNotification PutBucketNotification"),),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        _bucket("GetBucketOwnershipControls PutBucketOwnershipControls"),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (_bucket("DeleteBucketPolicy GetBucketPolicy PutBucketPolicy"),),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        _bucket("GetBucketPublicAccessBlock PutBucketPublicAccessBlock"),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        _bucket("GetEncryptionConfiguration PutEncryptionConfiguration"),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (_bucket("GetBucketVersioning PutBucketVersioning"),),
    "aws:scheduler/schedule:Schedule": (
        Grant("scheduler", "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule", f"schedule/default/{NAMES}"),
    ),
    "aws:secretsmanager/secret:Secret": (
        Grant(
            "secretsmanager",
            "CreateSecret DeleteSecret DescribeSecret GetResourcePolicy TagResource UntagResource UpdateSecret",
            f"secret:{NAMES}",
        ),
    ),
    "aws:sns/topic:Topic": (
        Grant("sns", f"CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes {_TAGS}", NAMES),
    ),
    "aws:sns/topicPolicy:TopicPolicy": (Grant("sns", "GetTopicAttributes SetTopicAttributes", NAMES),),
    "aws:sns/topicSubscription:TopicSubscription": (
        Grant("sns", "GetSubscriptionAttributes Subscribe Unsubscribe", NAMES),
    ),
    "aws:sqs/queue:Queue": (
        _queue(
            "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue"
            " UntagQueue"
        ),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (_queue("GetQueueAttributes SetQueueAttributes"),),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (_queue("GetQueueAttributes SetQueueAttributes"),),
}


def deployer_policies(program: Program) -> list[dict[str, Any]]:
    """Return the managed policies for whoever deploys a program: as few as fit into AWS's limit.

    Raises:
        NoPermissionsError: the table above has no permissions for one of its types.
    """
    tokens = sorted({resource.token for resource in program.resources if resource.token.startswith("aws:")})
    for token in tokens:
        if token not in _GRANTS:
            raise NoPermissionsError(f"{token} has no permissions in {__name__}: add what the provider calls.")
    granted = statements(grant for token in tokens for grant in _GRANTS[token])
    return list(documents([*granted, *_pass_roles(program)]))


def _pass_roles(program: Program) -> Iterator[dict[str, Any]]:
    """Yield for each service that runs with a role of the program that the role may be given to it alone."""
    services: dict[str, list[str]] = {}
    for role in program.all("Role").values():
        [trusted] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        services.setdefault(trusted["Principal"]["Service"], []).append(f"arn:aws:iam::{ACCOUNT}:role/{role.name}-*")
    for service, roles in sorted(services.items()):
        yield statement(("iam:PassRole",), sorted(roles), ("StringEquals", "iam:PassedToService", service))
