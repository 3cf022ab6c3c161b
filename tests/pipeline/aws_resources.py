"""What AWS adds to each resource that the program creates: a name if none is given, an ARN, an id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT = "123456789012"
PARTITION = "aws"
REGION = "eu-central-1"

Outputs = dict[str, Any]


class UnknownResourceError(AssertionError):
    """The program creates a resource, or calls a function, that the tests do not know."""


def created(token: str, logical_name: str, inputs: Mapping[str, Any]) -> tuple[str, Outputs]:
    """Return the id and the complete state of a resource after AWS has created it.

    Raises:
        UnknownResourceError: the type token is not in the table below.
    """
    check_known(token)
    name_property, computed = _RESOURCES[token]
    given = dict(inputs)
    if name_property and name_property not in given:
        given[name_property] = f"{logical_name}-1a2b3c4"
    identity, outputs = computed(given)
    return identity, given | outputs


def name_property(token: str) -> str | None:
    """Return the property that holds the name of a resource of this type; None if it has no name.

    Raises:
        UnknownResourceError: the type token is not in the table below.
    """
    check_known(token)
    return _RESOURCES[token][0]


def is_replaced_by(token: str, name: str) -> bool:
    """Return whether a resource is replaced when one of its properties changes."""
    fixed = _FIXED.get(token, frozenset())
    return name in fixed or "*" in fixed or name == name_property(token)


def check_known(token: str) -> None:
    """Check that the tests know a type of resource.

    Raises:
        UnknownResourceError: the type token is not in the table below.
    """
    if token not in _RESOURCES:
        raise UnknownResourceError(f"{token} is not a resource that the tests know: add what AWS answers for it.")


def _named(service: str, resource: str, name_property: str = "name") -> Callable[[Outputs], tuple[str, Outputs]]:
    """Return a function for resources with the ARN `arn:aws:<service>:<region>:<account>:<resource><name>`."""

    def computed(given: Outputs) -> tuple[str, Outputs]:
        name = given[name_property]
        region = "" if service == "iam" else REGION
        return name, {"arn": f"arn:{PARTITION}:{service}:{region}:{ACCOUNT}:{resource}{name}"}

    return computed


def _part_of(*properties: str) -> Callable[[Outputs], tuple[str, Outputs]]:
    """Return a function for resources that belong to another resource and have its id."""

    def computed(given: Outputs) -> tuple[str, Outputs]:
        return ":".join(str(given[name]) for name in properties), {}

    return computed


def _bucket(given: Outputs) -> tuple[str, Outputs]:
    return given["bucket"], {"arn": f"arn:{PARTITION}:s3:::{given['bucket']}"}


def _queue(given: Outputs) -> tuple[str, Outputs]:
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{given['name']}"
    return url, {"url": url, "arn": f"arn:{PARTITION}:sqs:{REGION}:{ACCOUNT}:{given['name']}"}


def _secret(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:{given['name']}-AbCdEf"
    return arn, {"arn": arn}


def _layer(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:layer:{given['layerName']}:1"
    return arn, {"arn": arn, "version": "1"}


def _database(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}:database/{given['name']}"
    return f"{ACCOUNT}:{given['name']}", {"arn": arn, "catalogId": ACCOUNT}


def _schedule(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:{PARTITION}:scheduler:{REGION}:{ACCOUNT}:schedule/default/{given['name']}"
    return f"default/{given['name']}", {"arn": arn, "groupName": "default"}


def _mapping(given: Outputs) -> tuple[str, Outputs]:
    return "0f3c7b1e-mapping", {"uuid": "0f3c7b1e-mapping", "functionArn": given["functionName"]}


def _topic(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:{given['name']}"
    return arn, {"arn": arn}


def _invocation(given: Outputs) -> tuple[str, Outputs]:
    # Another trigger is another invocation, which is made before the old one is forgotten.
    digest = hashlib.sha256(json.dumps([given["input"], given.get("triggers")], sort_keys=True).encode()).hexdigest()
    return f"{given['functionName']}_$LATEST_{digest[:8]}", {"result": "{}"}


def _key(_: Outputs) -> tuple[str, Outputs]:
    return "0f3c7b1e", {"arn": f"arn:{PARTITION}:kms:{REGION}:{ACCOUNT}:key/0f3c7b1e"}


def _dashboard(given: Outputs) -> tuple[str, Outputs]:
    name = given["dashboardName"]
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}


def _budget(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/{given['name']}"
    return f"{ACCOUNT}:{given['name']}", {"arn": arn, "accountId": ACCOUNT}


def _managed_policy(given: Outputs) -> tuple[str, Outputs]:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{given['name']}"
    return arn, {"arn": arn}


def _named_query(given: Outputs) -> tuple[str, Outputs]:
    return f"id-of-{given['name']}", {}


# By type token: the property that AWS or the provider names the resource by (None: it has no name), and the rest.
_RESOURCES: dict[str, tuple[str | None, Callable[[Outputs], tuple[str, Outputs]]]] = {
    "aws:athena/namedQuery:NamedQuery": ("name", _named_query),
    "aws:athena/workgroup:Workgroup": ("name", _named("athena", "workgroup/")),
    "aws:budgets/budget:Budget": ("name", _budget),
    "aws:cloudwatch/dashboard:Dashboard": (None, _dashboard),
    "aws:cloudwatch/eventRule:EventRule": ("name", _named("events", "rule/")),
    "aws:cloudwatch/eventTarget:EventTarget": ("targetId", _part_of("rule", "targetId")),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", _named("cloudwatch", "alarm:")),
    "aws:cloudwatch/logGroup:LogGroup": ("name", _named("logs", "log-group:")),
    "aws:glue/catalogDatabase:CatalogDatabase": ("name", _database),
    "aws:glue/crawler:Crawler": ("name", _named("glue", "crawler/")),
    "aws:iam/policy:Policy": ("name", _managed_policy),
    "aws:iam/role:Role": ("name", _named("iam", "role/")),
    "aws:iam/rolePolicy:RolePolicy": ("name", _part_of("role", "name")),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (None, _mapping),
    "aws:lambda/function:Function": ("name", _named("lambda", "function:")),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (None, _part_of("functionName")),
    "aws:lambda/invocation:Invocation": (None, _invocation),
    "aws:lambda/layerVersion:LayerVersion": (None, _layer),
    "aws:lambda/permission:Permission": ("statementId", _part_of("function", "statementId")),
    "aws:s3/bucket:Bucket": ("bucket", _bucket),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (None, _part_of("bucket")),
    "aws:s3/bucketNotification:BucketNotification": (None, _part_of("bucket")),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (None, _part_of("bucket")),
    "aws:s3/bucketPolicy:BucketPolicy": (None, _part_of("bucket")),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (None, _part_of("bucket")),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        None,
        _part_of("bucket"),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (None, _part_of("bucket")),
    "aws:scheduler/schedule:Schedule": ("name", _schedule),
    "aws:secretsmanager/secret:Secret": ("name", _secret),
    "aws:sns/topic:Topic": ("name", _topic),
    "aws:sns/topicPolicy:TopicPolicy": (None, _part_of("arn")),
    "aws:sns/topicSubscription:TopicSubscription": (None, _part_of("topic", "endpoint")),
    "aws:sqs/queue:Queue": ("name", _queue),
    "aws:sqs/queuePolicy:QueuePolicy": (None, _part_of("queueUrl")),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (None, _part_of("queueUrl")),
    "aws:kms/key:Key": (None, _key),
    "pulumi:providers:aws": (None, lambda _: ("id-of-the-provider", {})),
}

_FIXED: dict[str, frozenset[str]] = {
    "aws:athena/namedQuery:NamedQuery": frozenset("*"),
    "aws:cloudwatch/eventTarget:EventTarget": frozenset({"rule", "eventBusName"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"role"}),
    "aws:kms/key:Key": frozenset({"keyUsage", "customerMasterKeySpec", "multiRegion"}),
    "aws:lambda/eventSourceMapping:EventSourceMapping": frozenset({"eventSourceArn", "startingPosition"}),
    "aws:lambda/function:Function": frozenset({"packageType"}),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": frozenset({"functionName", "qualifier"}),
    "aws:lambda/invocation:Invocation": frozenset({"functionName", "input", "qualifier", "triggers"}),
    "aws:lambda/layerVersion:LayerVersion": frozenset("*"),
    "aws:lambda/permission:Permission": frozenset("*"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": frozenset({"bucket"}),
    "aws:s3/bucketNotification:BucketNotification": frozenset({"bucket"}),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": frozenset({"bucket"}),
    "aws:s3/bucketPolicy:BucketPolicy": frozenset({"bucket"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": frozenset({"bucket"}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": frozenset({"bucket"}),
    "aws:s3/bucketVersioning:BucketVersioning": frozenset({"bucket"}),
    "aws:scheduler/schedule:Schedule": frozenset({"groupName"}),
    "aws:sns/topicPolicy:TopicPolicy": frozenset({"arn"}),
    "aws:sns/topicSubscription:TopicSubscription": frozenset({"topic", "protocol", "endpoint"}),
    "aws:sqs/queue:Queue": frozenset({"fifoQueue"}),
    "aws:sqs/queuePolicy:QueuePolicy": frozenset({"queueUrl"}),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": frozenset({"queueUrl"}),
}
"""Type token → the properties that cannot be changed, as Terraform's AWS provider documents them: a new resource
replaces the old one. `*` stands for all; names are among them everywhere. An invocation has the scope `CREATE_ONLY`."""
