# ruff: noqa: INP001 - a script, no package
"""The deployer's policies in docs/: what the AWS provider calls for each resource that the program registers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.pipeline.program import Program

ACCOUNT, REGION = "<account>", "<region>"
"""Placeholders, for the reader to replace."""
MAX_CHARACTERS = 6144
"""Of a managed policy without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""


class NoPermissionsError(LookupError):
    """The program registers a type of resource whose permissions are not in the table below."""


@dataclass(frozen=True)
class _Grant:
    """Actions of one service on resources of one form."""

    service: str
    actions: str
    """Names of the actions, separated by spaces."""
    resource: str
    """The ARN after the account; a name in it is the stack's own."""
    global_arn: str = ""
    """The whole ARN where it names no region or account."""
    condition: tuple[str, str, str] | None = None
    """Operator, key and value."""

    @property
    def arn(self) -> str:
        """The ARN with placeholders."""
        region = "" if self.service in ("iam", "budgets") else REGION
        return self.global_arn or f"arn:aws:{self.service}:{region}:{ACCOUNT}:{self.resource}"


_NAMES = "spotify-etl-*"
_BUCKET = f"arn:aws:s3:::{_NAMES}"


def _bucket(actions: str) -> _Grant:
    return _Grant("s3", actions, "", _BUCKET)


def _queue(actions: str) -> _Grant:
    return _Grant("sqs", actions, _NAMES)


def _function(actions: str) -> _Grant:
    return _Grant("lambda", actions, f"function:{_NAMES}")


def _catalog(actions: str) -> tuple[_Grant, ...]:
    # Deleting a database also needs the permission on what is in it.
    resources = ("catalog", "database/spotify_*", "table/spotify_*/*", "userDefinedFunction/spotify_*/*")
    return tuple(_Grant("glue", actions, resource) for resource in resources)


_OBJECTS = _Grant("s3", "DeleteObject DeleteObjectVersion", "", f"{_BUCKET}/*")
_TAGS = "ListTagsForResource TagResource UntagResource"

# Pulumi type → what the provider calls to create, read, change and delete it.
_GRANTS: dict[str, tuple[_Grant, ...]] = {
    "aws:athena/namedQuery:NamedQuery": (
        _Grant("athena", "CreateNamedQuery DeleteNamedQuery GetNamedQuery UpdateNamedQuery", f"workgroup/{_NAMES}"),
    ),
    "aws:athena/workgroup:Workgroup": (
        _Grant(
            "athena", f"CreateWorkGroup DeleteWorkGroup GetWorkGroup UpdateWorkGroup {_TAGS}", f"workgroup/{_NAMES}"
        ),
    ),
    "aws:budgets/budget:Budget": (_Grant("budgets", f"ModifyBudget ViewBudget {_TAGS}", f"budget/{_NAMES}"),),
    "aws:cloudwatch/dashboard:Dashboard": (
        _Grant(
            "cloudwatch",
            "DeleteDashboards GetDashboard PutDashboard",
            "",
            f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{_NAMES}",
        ),
    ),
    "aws:cloudwatch/eventRule:EventRule": (
        _Grant("events", f"DeleteRule DescribeRule PutRule {_TAGS}", f"rule/{_NAMES}"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        _Grant("events", "ListTargetsByRule PutTargets RemoveTargets", f"rule/{_NAMES}"),
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        _Grant(
            "logs",
            f"CreateLogGroup DeleteLogGroup DeleteRetentionPolicy PutRetentionPolicy {_TAGS}",
            f"log-group:{_NAMES}",
        ),
        _Grant("logs", "DescribeLogGroups", "log-group:*"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        _Grant("cloudwatch", f"DeleteAlarms DescribeAlarms PutMetricAlarm {_TAGS}", f"alarm:{_NAMES}"),
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": _catalog("CreateDatabase DeleteDatabase GetDatabase UpdateDatabase"),
    "aws:glue/crawler:Crawler": (
        _Grant(
            "glue",
            "CreateCrawler DeleteCrawler GetCrawler GetTags TagResource UntagResource UpdateCrawler",
            f"crawler/{_NAMES}",
        ),
    ),
    "aws:iam/policy:Policy": (
        _Grant(
            "iam",
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion"
            " ListPolicyVersions TagPolicy UntagPolicy",
            f"policy/{_NAMES}",
        ),
    ),
    "aws:iam/role:Role": (
        _Grant(
            "iam",
            "CreateRole DeleteRole GetRole ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies"
            " TagRole UntagRole UpdateAssumeRolePolicy UpdateRole",
            f"role/{_NAMES}",
        ),
    ),
    "aws:iam/rolePolicy:RolePolicy": (_Grant("iam", "DeleteRolePolicy GetRolePolicy PutRolePolicy", f"role/{_NAMES}"),),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        _Grant(
            "lambda",
            "CreateEventSourceMapping DeleteEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping",
            "",
            # A mapping has no name of its own: the condition limits it to the stack's functions.
            "*",
            ("ArnLike", "lambda:FunctionArn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{_NAMES}"),
        ),
        _Grant("lambda", "ListTags TagResource UntagResource", "event-source-mapping:*"),
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
        _Grant("lambda", "PublishLayerVersion", f"layer:{_NAMES}"),
        _Grant("lambda", "DeleteLayerVersion GetLayerVersion", f"layer:{_NAMES}:*"),
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
        _Grant("scheduler", "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule", f"schedule/default/{_NAMES}"),
    ),
    "aws:secretsmanager/secret:Secret": (
        _Grant(
            "secretsmanager",
            "CreateSecret DeleteSecret DescribeSecret GetResourcePolicy TagResource UntagResource UpdateSecret",
            f"secret:{_NAMES}",
        ),
    ),
    "aws:sns/topic:Topic": (
        _Grant("sns", f"CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes {_TAGS}", _NAMES),
    ),
    "aws:sns/topicPolicy:TopicPolicy": (_Grant("sns", "GetTopicAttributes SetTopicAttributes", _NAMES),),
    "aws:sns/topicSubscription:TopicSubscription": (
        _Grant("sns", "GetSubscriptionAttributes Subscribe Unsubscribe", _NAMES),
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
    granted: dict[tuple[str, tuple[str, str, str] | None], set[str]] = {}
    for token in sorted({resource.token for resource in program.resources if resource.token.startswith("aws:")}):
        if token not in _GRANTS:
            raise NoPermissionsError(f"{token} has no permissions in {__name__}: add what the provider calls.")
        for grant in _GRANTS[token]:
            actions = {f"{grant.service}:{action}" for action in grant.actions.split()}
            granted.setdefault((grant.arn, grant.condition), set()).update(actions)
    # Resources with the same actions share a statement.
    shared: dict[tuple[tuple[str, ...], tuple[str, str, str] | None], list[str]] = {}
    for (arn, condition), allowed in granted.items():
        shared.setdefault((tuple(sorted(allowed)), condition), []).append(arn)
    statements = [_statement(actions, arns, condition) for (actions, condition), arns in shared.items()]
    return list(_documents([*statements, *_pass_roles(program)]))


def size(document: dict[str, Any]) -> int:
    """Return how many characters AWS counts of a policy."""
    return len("".join(json.dumps(document).split()))


def _documents(statements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield policies with all statements in their order."""
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    for statement in statements:
        longer = document | {"Statement": [*document["Statement"], statement]}
        if size(longer) > MAX_CHARACTERS:
            yield document
            longer = document | {"Statement": [statement]}
        document = longer
    yield document


def _pass_roles(program: Program) -> Iterator[dict[str, Any]]:
    """Yield for each service that runs with a role of the program that the role may be given to it alone."""
    services: dict[str, list[str]] = {}
    for role in program.all("Role").values():
        [trusted] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        services.setdefault(trusted["Principal"]["Service"], []).append(f"arn:aws:iam::{ACCOUNT}:role/{role.name}-*")
    for service, roles in sorted(services.items()):
        yield _statement(("iam:PassRole",), sorted(roles), ("StringEquals", "iam:PassedToService", service))


def _statement(actions: tuple[str, ...], arns: list[str], condition: tuple[str, str, str] | None) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": arns}
    if condition:
        operator, key, value = condition
        statement["Condition"] = {operator: {key: value}}
    return statement
