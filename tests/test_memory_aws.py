"""The AWS in memory answers as moto does whatever functions, commands and tests ask of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from moto import mock_aws

from tests.memory_aws import memory_aws
from tests.moto_s3 import addresses_loaded_once, services_limited_to

Call = tuple[str, dict[str, Any]]

SHA256 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
ETAG = '"900150983cd24fb0d6963f7d28e17f72"'
OTHER_ETAG = '"00000000000000000000000000000000"'
ABC: dict[str, Any] = {"Bucket": "bucket", "Key": "a/1", "Body": b"abc"}

S3_CALLS: list[Call] = [
    ("list_objects_v2", {"Bucket": "bucket"}),
    ("get_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("head_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("delete_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("put_object", {**ABC, "IfMatch": ETAG}),
    ("put_object", {**ABC, "IfNoneMatch": "*", "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": SHA256}),
    ("head_object", {"Bucket": "bucket", "Key": "a/1", "ChecksumMode": "ENABLED"}),
    ("put_object", {**ABC, "IfNoneMatch": "*"}),
    ("get_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("put_object", {**ABC, "IfMatch": OTHER_ETAG}),
    ("put_object", {**ABC, "IfMatch": ETAG, "ContentType": "a/b", "Metadata": {"Account-Id": "%C3%BC", "n": "1"}}),
    ("get_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("head_object", {"Bucket": "bucket", "Key": "a/1", "ChecksumMode": "ENABLED"}),
    ("delete_object", {"Bucket": "bucket", "Key": "a/1", "IfMatch": OTHER_ETAG}),
    ("head_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("delete_object", {"Bucket": "bucket", "Key": "a/1", "IfMatch": ETAG}),
    ("delete_object", {"Bucket": "bucket", "Key": "a/1", "IfMatch": ETAG}),
    ("get_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("put_object", ABC),
    ("put_object", {**ABC, "Key": "b/text", "Body": "\u00fc"}),
    ("get_object", {"Bucket": "bucket", "Key": "b/text"}),
    ("put_object", {"Bucket": "bucket", "Key": "a/empty"}),
    ("put_object", {**ABC, "Key": "a/%20 \u00fc"}),
    ("list_objects_v2", {"Bucket": "bucket"}),
    ("list_objects_v2", {"Bucket": "bucket", "Prefix": "a/", "MaxKeys": 2}),
    ("list_objects_v2", {"Bucket": "bucket", "Prefix": "a/", "StartAfter": "a/1"}),
    ("list_objects_v2", {"Bucket": "bucket", "Prefix": "none"}),
    ("delete_bucket", {"Bucket": "bucket"}),
    ("delete_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("get_object", {"Bucket": "bucket", "Key": "a/1"}),
    ("put_object", {**ABC, "Bucket": "missing"}),
    ("put_object", {**ABC, "Bucket": "missing", "IfMatch": ETAG}),
    ("get_object", {"Bucket": "missing", "Key": "a/1"}),
    ("head_object", {"Bucket": "missing", "Key": "a/1"}),
    ("list_objects_v2", {"Bucket": "missing"}),
    ("delete_object", {"Bucket": "missing", "Key": "a/1"}),
    ("delete_bucket", {"Bucket": "missing"}),
    ("get_object", {"Bucket": "no bucket", "Key": "a/1"}),
    ("get_object", {"Bucket": "bucket"}),
]
SECRET_CALLS: list[Call] = [
    ("get_secret_value", {"SecretId": "empty"}),
    ("put_secret_value", {"SecretId": "empty", "SecretString": "1"}),
    ("put_secret_value", {"SecretId": "empty", "SecretString": "2"}),
    ("get_secret_value", {"SecretId": "empty"}),
    ("get_secret_value", {"SecretId": "full"}),
    ("delete_secret", {"SecretId": "full", "ForceDeleteWithoutRecovery": True}),
    ("get_secret_value", {"SecretId": "full"}),
    ("put_secret_value", {"SecretId": "missing", "SecretString": "1"}),
]
COMPARED = {
    "Body", "ChecksumSHA256", "ContentLength", "ContentType", "Contents", "ETag", "IsTruncated", "KeyCount", "Metadata",
    "Name", "SecretString", "Status",
}  # fmt: skip
"""Fields of answers that anything reads."""


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)


def test_every_answer_is_motos() -> None:
    with addresses_loaded_once(), services_limited_to("s3", "secretsmanager"):
        expected = answers(mock_aws)
    found = answers(memory_aws)
    for call, one, other in zip([*S3_CALLS, *SECRET_CALLS], found, expected, strict=True):
        assert one == other, call
    assert [one[0] for one in expected].count("answer") > len(expected) / 2


def test_every_page_is_listed() -> None:
    keys = [f"{number:02}" for number in range(25)]
    with memory_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for key in reversed(keys):
            s3.put_object(Bucket="bucket", Key=key, Body=b"")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 10})
        assert [[one["Key"] for one in page["Contents"]] for page in pages] == [keys[:10], keys[10:20], keys[20:]]


def test_what_is_not_modelled_is_an_error() -> None:
    with memory_aws():
        s3 = boto3.client("s3")
        with pytest.raises(KeyError, match="ListBuckets"):
            s3.list_buckets()
        with pytest.raises(TypeError, match="Range"):
            s3.get_object(Bucket="bucket", Key="a", Range="bytes=0-1")


def answers(account: Callable[[], AbstractContextManager[Any]]) -> list[tuple[str, Any]]:
    with account():
        s3, secrets = boto3.client("s3"), boto3.client("secretsmanager")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        arn = secrets.create_secret(Name="empty")["ARN"]
        assert ":secret:empty-" in arn
        secrets.create_secret(Name="full", SecretString="0")
        calls: list[tuple[Any, Call]] = [
            *((s3, call) for call in S3_CALLS),
            *((secrets, call) for call in SECRET_CALLS),
        ]
        return [answer(client, *call) for client, call in calls]


def answer(client: Any, operation: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    try:
        found = getattr(client, operation)(**arguments)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return type(error).__name__, (status, str(error))
    except ParamValidationError as error:
        return type(error).__name__, str(error)
    fields = {name: value for name, value in found.items() if name in COMPARED}
    fields["Status"] = found["ResponseMetadata"]["HTTPStatusCode"]
    if "Body" in fields:
        fields["Body"] = fields["Body"].read()
        # S3 returns it only if asked to.
        fields.pop("ChecksumSHA256", None)
    if "Contents" in fields:
        fields["Contents"] = [(one["Key"], one["Size"], one["ETag"]) for one in fields["Contents"]]
    return "answer", fields
