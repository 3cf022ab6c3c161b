"""Checks of the attributes that a queue is given; moto stores whatever it is sent.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue
from moto.sqs.models import Queue, SQSBackend

_RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_CHOICES = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_DOCUMENTS = ("Policy", "RedriveAllowPolicy", "RedrivePolicy")
"""JSON; an empty text deletes them."""

_FREE = ("KmsMasterKeyId",)
_OF_FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
_MOST_RECEIVES = 1000


@contextmanager
def checked_queue_attributes() -> Iterator[None]:
    """Refuse attributes that SQS refuses while the context lasts."""
    create, change = SQSBackend.create_queue, SQSBackend.set_queue_attributes

    def create_queue(backend: SQSBackend, name: str, tags: dict[str, str] | None = None, **given: Any) -> Queue:
        is_fifo = name.endswith(".fifo")
        attributes = dict(given)
        # Only a queue that is being created may be told that it is a FIFO queue.
        if is_fifo or attributes.get("FifoQueue") == "true":
            attributes.pop("FifoQueue", None)
        _check(attributes, is_fifo=is_fifo)
        return create(backend, name, tags, **given)

    def set_queue_attributes(backend: SQSBackend, queue_name: str, attributes: dict[str, Any]) -> Queue:
        _check(attributes, is_fifo=backend.get_queue(queue_name).fifo_queue)
        return change(backend, queue_name, attributes)

    with (
        patch.object(SQSBackend, "create_queue", create_queue),
        patch.object(SQSBackend, "set_queue_attributes", set_queue_attributes),
    ):
        yield


def _check(attributes: Mapping[str, Any], *, is_fifo: bool) -> None:
    for name, value in attributes.items():
        text = str(value)
        if name in _RANGES:
            lowest, highest = _RANGES[name]
            if not text.isdecimal() or not lowest <= int(text) <= highest:
                raise InvalidAttributeValue(name)
        elif name in _CHOICES and (is_fifo or name not in _OF_FIFO):
            if text not in _CHOICES[name]:
                raise InvalidAttributeValue(name)
        elif name in _DOCUMENTS:
            _check_document(name, text)
        elif name not in _FREE:
            raise InvalidAttributeName(name)


def _check_document(name: str, text: str) -> None:
    if not text:
        return
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise InvalidAttributeValue(name)
    if name == "RedrivePolicy" and "maxReceiveCount" in content:
        count = str(content["maxReceiveCount"])
        if not count.isdecimal() or not 1 <= int(count) <= _MOST_RECEIVES:
            raise InvalidParameterValue(
                f"Value {text} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount:"
                f" {count}, valid values are from 1 to {_MOST_RECEIVES} both inclusive."
            )
    if name == "RedriveAllowPolicy" and content.get("redrivePermission") not in {"allowAll", "denyAll", "byQueue"}:
        raise InvalidParameterValue(
            f"Value {text} for parameter RedriveAllowPolicy is invalid. Reason: redrivePermission must be allowAll,"
            " denyAll or byQueue."
        )
