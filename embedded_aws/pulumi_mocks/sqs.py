"""SQS queues and their policies."""

from __future__ import annotations

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource

ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
"""Argument → queue attribute."""


def _queue(resource: Resource) -> Created:
    name = resource.physical_name(longest=80)
    attributes = {name: _text(value) for name, value in resource.arguments.request(**ATTRIBUTES).items()}
    sqs = resource.account.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=resource.tags())["QueueUrl"]
    return url, {"arn": resource.account.arn("sqs", name), "name": name, "url": url}


def _queue_policy(resource: Resource) -> Created:
    url = resource.arguments.take("queueUrl")
    attributes = {"Policy": resource.arguments.take("policy")}
    resource.account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url, {}


def _redrive_allow_policy(resource: Resource) -> Created:
    url = resource.arguments.take("queueUrl")
    attributes = {"RedriveAllowPolicy": resource.arguments.take("redriveAllowPolicy")}
    resource.account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url, {}


def _text(value: str | bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


RESOURCES: dict[str, Create] = {
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _redrive_allow_policy,
}

NOT_APPLIED: dict[str, dict[str, str]] = {}
