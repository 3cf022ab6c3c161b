"""The rules: what each asks of a resource, and which scanners ask the same.

They do not use Pulumi's policy library, so the tests can run them over what the program registers. Ids are those of
Checkov (CKV), cdk-nag (AwsSolutions) and Trivy (AWS-), whose pages explain the risk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Properties = Mapping[str, Any]

RUNTIMES = ("python3.13", "python3.14")
"""Those that AWS supports until 2029 at least: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html."""
_PUBLIC_ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_SECRET_NAME = re.compile(r"(?i)(password|secret|token|api_?key)$")
_ACCESS_KEY = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")


@dataclass(frozen=True)
class Item:
    """A resource that the program registers."""

    token: str
    """Pulumi type, such as "aws:sqs/queue:Queue"."""
    name: str
    """Name in the program."""
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class PolicyRule:
    """What every rule has."""

    name: str
    asks: str
    """What a resource must be like, as a sentence."""
    ids: tuple[str, ...]
    """The same rule elsewhere."""


@dataclass(frozen=True, kw_only=True)
class RuleOfResource(PolicyRule):
    """A rule that looks at one resource at a time."""

    types: tuple[str, ...]
    """Pulumi types that it looks at."""
    complies: Callable[[Properties], bool]


@dataclass(frozen=True, kw_only=True)
class RuleOfCompanion(PolicyRule):
    """A rule that a resource has another one beside it, which depends on it."""

    type: str
    companions: tuple[str, ...]
    """Pulumi types, one of which is enough."""


@dataclass(frozen=True)
class Exemption:
    """A resource that need not comply with a rule."""

    rule: str
    resource: str
    """Regular expression for the whole of the resource's name."""
    reason: str


def _statements(properties: Properties, argument: str = "policy") -> list[Any]:
    """Return the statements of a policy document."""
    return list(json.loads(properties[argument])["Statement"])


def _each(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else value


def _denies_plain_text(properties: Properties) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Principal") == "*"
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
        for statement in _statements(properties)
    )


def _allows_no_stranger(properties: Properties) -> bool:
    return all(
        statement["Effect"] == "Deny" or (statement["Principal"] != "*" and "Condition" in statement)
        for statement in _statements(properties)
    )


def _has_no_wildcard(properties: Properties) -> bool:
    return not any(
        "*" in action or resource == "*"
        for statement in _statements(properties)
        for action in _each(statement["Action"])
        for resource in _each(statement["Resource"])
    )


def _trusts_services_of_the_account(properties: Properties) -> bool:
    return all(
        "Service" in statement["Principal"] and "aws:SourceAccount" in json.dumps(statement.get("Condition", {}))
        for statement in _statements(properties, "assumeRolePolicy")
    )


def _has_no_secrets(properties: Properties) -> bool:
    variables = (properties.get("environment") or {}).get("variables") or {}
    return not any(_SECRET_NAME.search(name) or _ACCESS_KEY.search(str(variables[name])) for name in variables)


def _aborts_uploads(properties: Properties) -> bool:
    return any(
        rule.get("status") == "Enabled" and rule.get("abortIncompleteMultipartUpload") for rule in properties["rules"]
    )


def _workgroup(properties: Properties) -> Any:
    return properties.get("configuration") or {}


RULES: tuple[RuleOfResource, ...] = (
    RuleOfResource(
        name="s3-no-public-access",
        asks="A bucket blocks all four kinds of public access.",
        ids=("CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56", "AwsSolutions-S2", "AWS-0086", "AWS-0087"),
        types=("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",),
        complies=lambda given: all(given.get(name) is True for name in _PUBLIC_ACCESS),
    ),
    RuleOfResource(
        name="s3-tls-only",
        asks="A bucket denies requests without TLS.",
        ids=("CKV_AWS_379", "AwsSolutions-S10"),
        types=("aws:s3/bucketPolicy:BucketPolicy",),
        complies=_denies_plain_text,
    ),
    RuleOfResource(
        name="s3-policy-names-who",
        asks="A bucket's policy allows nothing to everybody.",
        ids=("CKV_AWS_70",),
        types=("aws:s3/bucketPolicy:BucketPolicy",),
        complies=_allows_no_stranger,
    ),
    RuleOfResource(
        name="s3-versions",
        asks="A bucket keeps the versions of its objects.",
        ids=("CKV_AWS_21", "AWS-0090"),
        types=("aws:s3/bucketVersioning:BucketVersioning",),
        complies=lambda given: given["versioningConfiguration"]["status"] == "Enabled",
    ),
    RuleOfResource(
        name="s3-aborts-uploads",
        asks="A bucket deletes uploads that were never finished.",
        ids=("CKV_AWS_300",),
        types=("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",),
        complies=_aborts_uploads,
    ),
    RuleOfResource(
        name="lambda-no-secrets",
        asks="A function's environment holds no secrets.",
        ids=("CKV_AWS_45",),
        types=("aws:lambda/function:Function",),
        complies=_has_no_secrets,
    ),
    RuleOfResource(
        name="lambda-runtime",
        asks="A function's runtime is one of the latest.",
        ids=("CKV_AWS_363", "AwsSolutions-L1"),
        types=("aws:lambda/function:Function",),
        complies=lambda given: given["runtime"] in RUNTIMES,
    ),
    RuleOfResource(
        name="lambda-permission-has-source",
        asks="A service may invoke a function only for one source, and nobody else may.",
        ids=("CKV_AWS_301", "CKV_AWS_364", "AWS-0067"),
        types=("aws:lambda/permission:Permission",),
        complies=lambda given: given["principal"] != "*" and bool(given.get("sourceArn")),
    ),
    RuleOfResource(
        name="iam-no-wildcards",
        asks="A policy names its actions and resources.",
        ids=("AwsSolutions-IAM5", "AWS-0057", "AWS-0345"),
        types=("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"),
        complies=_has_no_wildcard,
    ),
    RuleOfResource(
        name="iam-own-policies",
        asks="A role has none of AWS's own policies.",
        ids=("AwsSolutions-IAM4",),
        types=("aws:iam/rolePolicyAttachment:RolePolicyAttachment",),
        complies=lambda given: ":aws:policy/" not in given["policyArn"],
    ),
    RuleOfResource(
        name="iam-trust",
        asks="A role is assumed only by services, for resources of this account.",
        ids=("CKV_AWS_60", "CKV_AWS_61"),
        types=("aws:iam/role:Role",),
        complies=_trusts_services_of_the_account,
    ),
    RuleOfResource(
        name="sqs-encrypted",
        asks="A queue is encrypted.",
        ids=("CKV_AWS_27", "AwsSolutions-SQS2", "AWS-0096"),
        types=("aws:sqs/queue:Queue",),
        complies=lambda given: given.get("sqsManagedSseEnabled") is True or bool(given.get("kmsMasterKeyId")),
    ),
    RuleOfResource(
        name="sqs-dead-letters",
        asks="A queue has a dead-letter queue.",
        ids=("AwsSolutions-SQS3",),
        types=("aws:sqs/queue:Queue",),
        complies=lambda given: bool(given.get("redrivePolicy")),
    ),
    RuleOfResource(
        name="sqs-tls-only",
        asks="A queue denies requests without TLS.",
        ids=("AwsSolutions-SQS4",),
        types=("aws:sqs/queuePolicy:QueuePolicy",),
        complies=_denies_plain_text,
    ),
    RuleOfResource(
        name="sqs-policy-names-who",
        asks="A queue's policy allows nothing to everybody.",
        ids=("CKV_AWS_168", "CKV_AWS_387", "AWS-0097"),
        types=("aws:sqs/queuePolicy:QueuePolicy",),
        complies=_allows_no_stranger,
    ),
    RuleOfResource(
        name="sns-encrypted",
        asks="A topic is encrypted.",
        ids=("CKV_AWS_26", "AWS-0095"),
        types=("aws:sns/topic:Topic",),
        complies=lambda given: bool(given.get("kmsMasterKeyId")),
    ),
    RuleOfResource(
        name="sns-takes-alarms",
        asks="A topic is not encrypted with `alias/aws/sns`, under which alarms cannot publish.",
        ids=(),
        types=("aws:sns/topic:Topic",),
        complies=lambda given: given.get("kmsMasterKeyId") != "alias/aws/sns",
    ),
    RuleOfResource(
        name="sns-tls-only",
        asks="A topic denies requests without TLS.",
        ids=("AwsSolutions-SNS3",),
        types=("aws:sns/topicPolicy:TopicPolicy",),
        complies=_denies_plain_text,
    ),
    RuleOfResource(
        name="logs-expire",
        asks="A log group has a retention.",
        ids=("CKV_AWS_66",),
        types=("aws:cloudwatch/logGroup:LogGroup",),
        complies=lambda given: bool(given.get("retentionInDays")),
    ),
    RuleOfResource(
        name="alarm-notifies",
        asks="An alarm notifies somebody.",
        ids=("CKV_AWS_319",),
        types=("aws:cloudwatch/metricAlarm:MetricAlarm",),
        complies=lambda given: bool(given.get("alarmActions")),
    ),
    RuleOfResource(
        name="athena-enforced",
        asks="A workgroup's settings cannot be overridden, and limit what a query scans.",
        ids=("CKV_AWS_82", "AWS-0007"),
        types=("aws:athena/workgroup:Workgroup",),
        complies=lambda given: (
            _workgroup(given).get("enforceWorkgroupConfiguration") is True
            and bool(_workgroup(given).get("bytesScannedCutoffPerQuery"))
        ),
    ),
    RuleOfResource(
        name="athena-encrypted",
        asks="A workgroup encrypts results.",
        ids=("CKV_AWS_159", "AWS-0006"),
        types=("aws:athena/workgroup:Workgroup",),
        complies=lambda given: bool(
            (_workgroup(given).get("resultConfiguration") or {}).get("encryptionConfiguration")
        ),
    ),
    RuleOfResource(
        name="glue-security-configuration",
        asks="A crawler has a security configuration.",
        ids=("CKV_AWS_195", "AwsSolutions-GL1"),
        types=("aws:glue/crawler:Crawler",),
        complies=lambda given: bool(given.get("securityConfiguration")),
    ),
    RuleOfResource(
        name="schedule-keeps-failures",
        asks="A schedule keeps what it could not deliver.",
        ids=(),
        types=("aws:scheduler/schedule:Schedule",),
        complies=lambda given: bool(given["target"].get("deadLetterConfig")),
    ),
)

_BUCKET = "aws:s3/bucket:Bucket"

COMPANION_RULES: tuple[RuleOfCompanion, ...] = (
    RuleOfCompanion(
        name="s3-has-access-block",
        asks="A bucket has an access block.",
        ids=("CKV2_AWS_6", "AWS-0094"),
        type=_BUCKET,
        companions=("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",),
    ),
    RuleOfCompanion(
        name="s3-has-encryption",
        asks="A bucket declares its encryption.",
        ids=("CKV_AWS_19", "AWS-0088"),
        type=_BUCKET,
        companions=("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",),
    ),
    RuleOfCompanion(
        name="s3-has-versions",
        asks="A bucket has a setting for versions.",
        ids=("CKV_AWS_21", "AWS-0090"),
        type=_BUCKET,
        companions=("aws:s3/bucketVersioning:BucketVersioning",),
    ),
    RuleOfCompanion(
        name="s3-has-lifecycle",
        asks="A bucket's objects expire.",
        ids=("CKV2_AWS_61",),
        type=_BUCKET,
        companions=("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",),
    ),
    RuleOfCompanion(
        name="s3-has-policy",
        asks="A bucket has a policy.",
        ids=("CKV_AWS_379", "AwsSolutions-S10"),
        type=_BUCKET,
        companions=("aws:s3/bucketPolicy:BucketPolicy",),
    ),
    RuleOfCompanion(
        name="s3-without-acls",
        asks="A bucket has no access lists.",
        ids=("CKV2_AWS_65",),
        type=_BUCKET,
        companions=("aws:s3/bucketOwnershipControls:BucketOwnershipControls",),
    ),
    RuleOfCompanion(
        name="lambda-keeps-failures",
        asks="A function's failed events are kept.",
        ids=("CKV_AWS_116",),
        type="aws:lambda/function:Function",
        companions=(
            "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
            "aws:lambda/eventSourceMapping:EventSourceMapping",
        ),
    ),
)

EXEMPTIONS: tuple[Exemption, ...] = (
    Exemption("s3-has-versions", r".*-athena-results", "A query can be run again; its results expire within days."),
    Exemption("sqs-dead-letters", r".*-dead-letters", "It is a dead-letter queue itself."),
    Exemption(
        "sns-encrypted",
        r".*-alerts",
        "Alarms and budgets cannot publish to a topic under AWS's key, a key of one's own costs a dollar a month, and"
        " the messages hold nothing secret.",
    ),
    Exemption(
        "glue-security-configuration",
        r".*",
        "It would need a key of one's own. The crawler logs names of tables and partitions; S3 encrypts the data.",
    ),
)

REFUSED = {
    "CKV_AWS_50, AWS-0066: X-Ray": "Each function calls only AWS and Spotify, and logs every call that matters.",
    "CKV_AWS_115: reserved concurrency": "It is taken from the account's, which is only ten in a new account.",
    "CKV_AWS_117: VPC": "Extract needs the internet: a NAT gateway would cost more than everything else together.",
    "CKV_AWS_272: code signing": "The archives are built where they are deployed, from packages pinned by hash.",
    "CKV_AWS_145, CKV_AWS_149, CKV_AWS_158, CKV_AWS_173, CKV_AWS_297: keys of one's own": (
        "The setting `kmsKeyArn` encrypts buckets and secret with one; logs, queues and schedules hold nothing secret."
    ),
    "CKV_AWS_18, AWS-0089, AwsSolutions-S1: access logs": "They need another bucket; CloudTrail can record the same.",
    "CKV_AWS_144: replication": "Spotify can be read again; for plays, which it does not keep, there is its export.",
    "CKV_AWS_338: logs for a year": "`logRetentionDays` decides; the table `runs` keeps what happened for longer.",
    "CKV2_AWS_57, AwsSolutions-SMG4: rotation": "Only a person can give consent to Spotify; two alarms remind them.",
}
"""Rules of the scanners that the pack leaves out on purpose → why."""


def exempt(rule: str, resource: str) -> bool:
    """Return whether a resource need not comply with a rule."""
    return any(each.rule == rule and re.fullmatch(each.resource, resource) for each in EXEMPTIONS)


def breaks(rule: RuleOfResource, item: Item) -> bool:
    """Return whether a resource breaks a rule."""
    return item.token in rule.types and not exempt(rule.name, item.name) and not rule.complies(item.properties)


def breaks_alone(rule: RuleOfCompanion, item: Item, dependents: Iterable[str]) -> bool:
    """Return whether a resource breaks a rule by having no companion.

    Args:
        rule: the rule.
        item: the resource.
        dependents: Pulumi types of the resources that depend on it.
    """
    return item.token == rule.type and not exempt(rule.name, item.name) and not set(dependents) & set(rule.companions)


def message(rule: PolicyRule) -> str:
    """Return the message for a violation."""
    return f"{rule.asks} ({', '.join(rule.ids)})" if rule.ids else rule.asks
