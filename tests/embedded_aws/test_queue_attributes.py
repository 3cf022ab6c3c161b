"""Attributes of SQS queues: allowed values are kept, others are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded_aws.stage import ACCOUNT, REGION, Stage
from tests.thoroughness import sampled

DEAD = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
KEPT = {
    "DelaySeconds": "900",
    "MaximumMessageSize": "1024",
    "MessageRetentionPeriod": "60",
    "ReceiveMessageWaitTimeSeconds": "20",
    "RedriveAllowPolicy": '{"redrivePermission":"denyAll"}',
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 1000}, separators=(",", ":")),
    "SqsManagedSseEnabled": "false",
    "VisibilityTimeout": "0",
}


@pytest.fixture
def sqs(stage: Stage) -> Any:
    """A client of SQS, with the queues `one` and `dead`."""
    client = stage.client("sqs")
    for name in ("one", "dead"):
        client.create_queue(QueueName=name)
    return client


def attributes(sqs: Any, name: str) -> dict[str, str]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def test_allowed_values_are_kept(sqs: Any) -> None:
    url = sqs.get_queue_url(QueueName="one")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=KEPT)
    sqs.create_queue(QueueName="two", Attributes=KEPT)
    for name in ("one", "two"):
        found = attributes(sqs, name)
        assert {key: found[key] for key in KEPT} == KEPT
        assert found["CreatedTimestamp"].isdecimal()
        assert found["LastModifiedTimestamp"].isdecimal()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    sampled(
        [
            ("Nonsense", "1", "InvalidAttributeName"),
            ("QueueArn", DEAD, "InvalidAttributeName"),
            ("FifoQueue", "maybe", "InvalidAttributeName"),
            ("ContentBasedDeduplication", "true", "InvalidAttributeName"),
            ("VisibilityTimeout", "43201", "InvalidAttributeValue"),
            ("VisibilityTimeout", "-1", "InvalidAttributeValue"),
            ("VisibilityTimeout", "x", "InvalidAttributeValue"),
            ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
            ("DelaySeconds", "901", "InvalidAttributeValue"),
            ("MaximumMessageSize", "1048577", "InvalidAttributeValue"),
            ("ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"),
            ("KmsDataKeyReusePeriodSeconds", "59", "InvalidAttributeValue"),
            ("SqsManagedSseEnabled", "maybe", "InvalidAttributeValue"),
            ("Policy", "{", "InvalidAttributeValue"),
            ("RedrivePolicy", "{", "InvalidAttributeValue"),
            ("RedrivePolicy", f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":1001}}', "InvalidParameterValue"),
            ("RedriveAllowPolicy", '{"redrivePermission":"some"}', "InvalidParameterValue"),
        ],
        4,
    ),
)
def test_other_values_are_refused(sqs: Any, name: str, value: str, error: str) -> None:
    before = attributes(sqs, "one")
    url = sqs.get_queue_url(QueueName="one")["QueueUrl"]
    with pytest.raises(sqs.exceptions.ClientError) as raised:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})
    assert raised.value.response["Error"]["Code"] == error
    with pytest.raises(sqs.exceptions.ClientError) as raised:
        sqs.create_queue(QueueName="two", Attributes={name: value})
    assert raised.value.response["Error"]["Code"] == error
    assert attributes(sqs, "one") == before
    assert len(sqs.list_queues()["QueueUrls"]) == 2


def test_fifo_queues_have_attributes_of_their_own(sqs: Any) -> None:
    given = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup"}
    url = sqs.create_queue(QueueName="ordered.fifo", Attributes=given)["QueueUrl"]
    assert attributes(sqs, "ordered.fifo").items() >= given.items()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"ContentBasedDeduplication": "false"})
    assert attributes(sqs, "ordered.fifo")["ContentBasedDeduplication"] == "false"
