"""Permissions on KMS keys for reading and writing encrypted S3 objects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.s3.models import s3_backends

from embedded_aws.iam.policies import AuthorizationRequest
from embedded_aws.iam.principals import PARTITION
from embedded_aws.server.requests import AwsRequest

KMS = frozenset({"aws:kms", "aws:kms:dsse"})


def kms_checks(
    request: AwsRequest, reads: Iterable[tuple[str, str, str | None]], writes: Iterable[tuple[str, str]]
) -> list[AuthorizationRequest]:
    """Return what a request needs of customer keys; the AWS managed key `aws/s3` requires no permission."""
    context = {"kms:viaservice": f"s3.{request.region}.amazonaws.com"}
    read_keys = [_key_of_object(*read) for read in reads]
    written_keys = [_key_of_write(request, bucket) for bucket, _ in writes]
    return [AuthorizationRequest("kms:Decrypt", key, context) for key in read_keys if key] + [
        AuthorizationRequest("kms:GenerateDataKey", key, context) for key in written_keys if key
    ]


def _key_of_object(bucket_name: str, key: str, version: str | None) -> str | None:
    bucket = _bucket(bucket_name)
    if bucket is None:
        return None
    found = bucket.keys.get(key) if version is None else _version(bucket, key, version)
    return _customer_key(found.encryption, found.kms_key_id) if hasattr(found, "encryption") else None


def _version(bucket: Any, key: str, version: str) -> Any:
    return next((found for found in bucket.keys.getlist(key, []) if str(found.version_id) == version), None)


def _key_of_write(request: AwsRequest, bucket_name: str) -> str | None:
    if "x-amz-server-side-encryption" in request.headers:
        return _customer_key(
            request.headers["x-amz-server-side-encryption"],
            request.headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
        )
    bucket = _bucket(bucket_name)
    if bucket is None or not bucket.encryption:
        return None
    rule = bucket.encryption["Rule"]
    default = (rule[0] if isinstance(rule, list) else rule)["ApplyServerSideEncryptionByDefault"]
    return _customer_key(default["SSEAlgorithm"], default.get("KMSMasterKeyID"))


def _customer_key(algorithm: str | None, key_id: str | None) -> str | None:
    return key_id if algorithm in KMS and key_id and not key_id.endswith("alias/aws/s3") else None


def _bucket(name: str) -> Any:
    account = s3_backends.bucket_accounts.get(name)
    return s3_backends[account[1]][PARTITION].buckets.get(name) if account else None
