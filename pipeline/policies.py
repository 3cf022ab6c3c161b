"""Every IAM policy document, as plain functions of ARNs.

Each role has only the permissions that its part of the flow needs. No statement has `*` as its resource.
`make docs` writes the documents to docs/permissions.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from handlers.layout import COMPACTIONS_PREFIX, OUTPUTS_PREFIX, RAW_PREFIX, RUNS_PREFIX, STATE_PREFIX, TABLES_PREFIX

Document = dict[str, Any]
Statement = dict[str, Any]

_VERSION = "2012-10-17"
_CRAWLER_LOGS = "/aws-glue/crawlers"


def render(policy: Callable[..., Document], **arns: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the JSON text of a policy once its ARNs are known."""
    return pulumi.Output.all(**arns).apply(lambda known: json.dumps(policy(**known)))


# Trust policies: who may assume a role.


def trust(service: str, neighbour: str) -> Document:
    """Allow an AWS service, for instance `lambda.amazonaws.com`, to assume a role for resources of one account.

    Without the condition, a resource in another account could use the role:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html. `IfExists` because AWS does not document that
    Lambda always sends the key; Glue and Scheduler do.

    Args:
        service: the service.
        neighbour: the ARN of any resource in the account.
    """
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    operator = "StringEqualsIfExists" if service == "lambda.amazonaws.com" else "StringEquals"
    return _document([statement | {"Condition": {operator: {"aws:SourceAccount": _account(neighbour)}}}])


# Permissions of the functions', the schedules' and the crawler's roles.


def extract(raw_bucket: str, secret: str, dead_letters: str, log_group: str, kms_key: str) -> Document:
    """Allow the extract function to read and update the secret, and to write raw objects, manifests and state."""
    written = [f"{raw_bucket}/{prefix}*" for prefix in (RAW_PREFIX, RUNS_PREFIX, STATE_PREFIX)]
    return _document(
        [
            _allow(["s3:GetObject", "s3:PutObject"], written),
            # Without it, S3 returns 403 instead of 404 for state that does not exist yet.
            _allow(["s3:ListBucket"], [raw_bucket]),
            _allow(["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], [secret]),
            _send(dead_letters),
            _write_logs(log_group),
            *_use_key(kms_key, write=True),
        ]
    )


def continuation(function: str) -> Document:
    """Allow the extract function to invoke itself to continue a run.

    This is a separate policy because the function's ARN is known only after its role has been created.
    """
    return _document([_allow(["lambda:InvokeFunction"], [function])])


def transform(raw_bucket: str, transformed_bucket: str, queue: str, log_group: str, kms_key: str) -> Document:
    """Allow the transform function to consume its queue, read the raw bucket and write the transformed bucket."""
    return _document(
        [
            # Lambda polls the queue with the function's role.
            _allow(
                ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                [queue],
            ),
            _allow(["s3:GetObject"], [f"{raw_bucket}/{prefix}*" for prefix in (RAW_PREFIX, RUNS_PREFIX)]),
            _allow(
                ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                [f"{transformed_bucket}/{prefix}*" for prefix in (TABLES_PREFIX, OUTPUTS_PREFIX)],
            ),
            _allow(["s3:ListBucket"], [raw_bucket, transformed_bucket]),
            _write_logs(log_group),
            *_use_key(kms_key, write=True),
        ]
    )


def publish(
    results_bucket: str,
    database: str,
    workgroup: str,
    dead_letters: str,
    log_group: str,
    kms_key: str,
) -> Document:
    """Allow the publish function to repair tables, create views and run queries in its own workgroup."""
    return _document(
        [
            _allow(
                [
                    "glue:BatchCreatePartition",
                    "glue:CreateTable",
                    "glue:GetDatabase",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                    "glue:UpdateTable",
                ],
                [_catalog(database), database, _tables(database)],
            ),
            # Athena looks up the default database before any DDL:
            # https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html.
            _allow(["glue:GetDatabase"], [_catalog(database), _default_database(database)]),
            _allow(
                [
                    "athena:GetQueryExecution",
                    "athena:StartQueryExecution",
                    "athena:StopQueryExecution",
                ],
                [workgroup],
            ),
            _allow(["s3:GetBucketLocation", "s3:ListBucket"], [results_bucket]),
            _allow(
                ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
                [f"{results_bucket}/*"],
            ),
            _send(dead_letters),
            _write_logs(log_group),
            *_use_key(kms_key, write=True),
        ]
    )


def compact(transformed_bucket: str, dead_letters: str, log_group: str, kms_key: str) -> Document:
    """Allow the compact function to replace objects of the tables, and to keep its records.

    A conditional request needs no action of its own, but `s3:GetObject` beside that of the request:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html.
    """
    return _document(
        [
            _allow(
                ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                [f"{transformed_bucket}/{prefix}*" for prefix in (TABLES_PREFIX, COMPACTIONS_PREFIX)],
            ),
            _allow(["s3:ListBucket"], [transformed_bucket]),
            _send(dead_letters),
            _write_logs(log_group),
            *_use_key(kms_key, write=True),
        ]
    )


def crawler(transformed_bucket: str, database: str, kms_key: str) -> Document:
    """Allow the crawler to read the tables' objects and to write tables and partitions of the database."""
    logs = f"{_prefix(database, 'logs')}:log-group:{_CRAWLER_LOGS}"
    return _document(
        [
            _allow(["s3:GetBucketLocation", "s3:ListBucket"], [transformed_bucket]),
            _allow(["s3:GetObject"], [f"{transformed_bucket}/{TABLES_PREFIX}*"]),
            _allow(
                [
                    "glue:BatchCreatePartition",
                    "glue:BatchGetPartition",
                    "glue:BatchUpdatePartition",
                    "glue:CreatePartition",
                    "glue:CreateTable",
                    "glue:GetDatabase",
                    "glue:GetDatabases",
                    "glue:GetPartition",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                    "glue:UpdatePartition",
                    "glue:UpdateTable",
                ],
                [_catalog(database), database, _tables(database)],
            ),
            # The account's log group that all crawlers share; Glue creates it when the first one runs.
            _allow(
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                [logs, f"{logs}:*"],
            ),
            *_use_key(kms_key, write=False),
        ]
    )


def invoke(function: str, dead_letters: str) -> Document:
    """Allow a schedule to invoke a function, or else to send the undelivered event to a dead-letter queue."""
    return _document([_allow(["lambda:InvokeFunction"], [function]), _send(dead_letters)])


def start_crawler(crawler: str, dead_letters: str) -> Document:
    """Allow a schedule to start the crawler, or else to send the undelivered event to a dead-letter queue."""
    return _document([_allow(["glue:StartCrawler"], [crawler]), _send(dead_letters)])


# Permissions of people, to be attached to their users or roles.


def analyst(workgroup: str, database: str, transformed_bucket: str, results_bucket: str, kms_key: str) -> Document:
    """Allow a person to run queries in the workgroup and to read the tables, and nothing else.

    Sources: https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html,
    https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html and
    https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html.
    """
    return _document(
        [
            _allow(
                [
                    "athena:BatchGetNamedQuery",
                    "athena:BatchGetQueryExecution",
                    "athena:GetNamedQuery",
                    "athena:GetQueryExecution",
                    "athena:GetQueryResults",
                    "athena:GetQueryResultsStream",
                    "athena:GetQueryRuntimeStatistics",
                    "athena:GetWorkGroup",
                    "athena:ListNamedQueries",
                    "athena:ListQueryExecutions",
                    "athena:StartQueryExecution",
                    "athena:StopQueryExecution",
                ],
                [workgroup],
            ),
            # SQL editors list tables through Athena, which then needs the permissions on Glue below.
            _allow(
                ["athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListTableMetadata"],
                [f"{_prefix(workgroup, 'athena')}:datacatalog/AwsDataCatalog"],
            ),
            _allow(
                [
                    "glue:BatchGetPartition",
                    "glue:GetDatabase",
                    "glue:GetPartition",
                    "glue:GetPartitions",
                    "glue:GetTable",
                    "glue:GetTables",
                ],
                [_catalog(database), database, _tables(database)],
            ),
            # As for the publish function.
            _allow(["glue:GetDatabase"], [_catalog(database), _default_database(database)]),
            _allow(["s3:GetBucketLocation", "s3:ListBucket"], [transformed_bucket]),
            _allow(["s3:GetObject"], [f"{transformed_bucket}/{TABLES_PREFIX}*"]),
            _allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [results_bucket]),
            _allow(
                ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
                [f"{results_bucket}/*"],
            ),
            *_use_key(kms_key, write=True),
        ]
    )


# Resource policies: who may access a bucket or a queue.


def bucket(bucket: str) -> Document:
    """Deny access to the bucket without TLS 1.2 or newer."""
    everything = [bucket, f"{bucket}/*"]
    return _document(
        [
            _deny_without_tls("s3:*", everything),
            _deny("DenyOldTls", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ]
    )


def queue(queue: str) -> Document:
    """Deny access to the queue without TLS."""
    return _document([_deny_without_tls("sqs:*", [queue])])


def queue_for_bucket(queue: str, sender: str) -> Document:
    """Like `queue`, and allow S3 to send the events of one bucket, which must be in the queue's account.

    A bucket's ARN names no account, and another account can take the name of a deleted bucket.
    """
    condition = {"ArnLike": {"aws:SourceArn": sender}, "StringEquals": {"aws:SourceAccount": _account(queue)}}
    return _document([_allow_sender("s3.amazonaws.com", queue, condition), _deny_without_tls("sqs:*", [queue])])


def queue_for_rule(queue: str, sender: str) -> Document:
    """Like `queue`, and allow EventBridge to send the events that a rule could not deliver."""
    condition = {"ArnEquals": {"aws:SourceArn": sender}}
    return _document([_allow_sender("events.amazonaws.com", queue, condition), _deny_without_tls("sqs:*", [queue])])


def alerts_topic(topic: str, rule: str) -> Document:
    """Allow the account's alarms and budgets, and one rule, to publish to the topic."""
    account = {"StringEquals": {"aws:SourceAccount": _account(topic)}}
    return _document(
        [
            _allow_publish("cloudwatch.amazonaws.com", topic, account),
            _allow_publish("budgets.amazonaws.com", topic, account),
            _allow_publish("events.amazonaws.com", topic, {"ArnEquals": {"aws:SourceArn": rule}}),
            _deny_without_tls("sns:Publish", [topic]),
        ]
    )


def _document(statements: Sequence[Statement]) -> Document:
    return {"Version": _VERSION, "Statement": list(statements)}


def _allow(actions: list[str], resources: list[str]) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _deny(sid: str, action: str, resources: list[str], condition: Mapping[str, Any]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resources,
        "Condition": condition,
    }


def _deny_without_tls(action: str, resources: list[str]) -> Statement:
    return _deny("DenyWithoutTls", action, resources, {"Bool": {"aws:SecureTransport": "false"}})


def _allow_sender(service: str, queue: str, condition: Mapping[str, Any]) -> Statement:
    return {"Sid": "AllowSender", **_allow_service(service, "sqs:SendMessage", queue, condition)}


def _allow_publish(service: str, topic: str, condition: Mapping[str, Any]) -> Statement:
    return _allow_service(service, "sns:Publish", topic, condition)


def _allow_service(service: str, action: str, resource: str, condition: Mapping[str, Any]) -> Statement:
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }


def _send(queue: str) -> Statement:
    return _allow(["sqs:SendMessage"], [queue])


def _write_logs(log_group: str) -> Statement:
    return _allow(["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group}:*"])


def _use_key(kms_key: str, *, write: bool) -> list[Statement]:
    if not kms_key:
        return []
    return [_allow(["kms:Decrypt", "kms:GenerateDataKey"] if write else ["kms:Decrypt"], [kms_key])]


def _account(arn: str) -> str:
    return arn.split(":")[4]


def _prefix(arn: str, service: str) -> str:
    """Return the beginning of an ARN of another service in the same partition, region and account."""
    _, partition, _, region, account, *_ = arn.split(":")
    return f"arn:{partition}:{service}:{region}:{account}"


def _catalog(database: str) -> str:
    return f"{_prefix(database, 'glue')}:catalog"


def _default_database(database: str) -> str:
    return f"{database.rpartition('/')[0]}/default"


def _tables(database: str) -> str:
    return f"{_prefix(database, 'glue')}:table/{database.rpartition('/')[2]}/*"
