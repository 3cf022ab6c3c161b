"""Conditional writes to the raw bucket: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TRIES = 5


class KeyTakenError(Exception):
    """Other bytes lie under the key."""


class ConflictError(Exception):
    """Another writer was first."""


class Bucket:
    """One bucket, written only where the writer knows what it replaces."""

    def __init__(self, client: S3Client, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: str) -> tuple[bytes, str] | None:
        """The bytes and the ETag under a key; None where there is nothing."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        return answer["Body"].read(), answer["ETag"]

    def put_new(self, key: str, body: bytes, content_type: str, metadata: Mapping[str, str] | None = None) -> None:
        """Write once. Our own bytes found there are a write whose answer was lost, and no conflict.

        Raises:
            KeyTakenError: other bytes lie there.
            ConflictError: others keep writing there.
        """
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        for _ in range(_TRIES):
            try:
                self._client.put_object(
                    Bucket=self.name,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    Metadata=metadata or {},
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if _status(error) == 412:
                    if self._checksum(key) == checksum:
                        return
                    raise KeyTakenError(f"Other bytes lie under {key}.") from error
                # 409: another writes there at this moment; AWS asks to send it again.
                if _status(error) != 409:
                    raise
            else:
                return
        raise ConflictError(f"Others keep writing {key}.")

    def replace(self, key: str, body: bytes, content_type: str, etag: str | None) -> str:
        """Write over exactly the version with that ETag, or, where it is None, over nothing; gives the new ETag.

        Raises:
            ConflictError: another version lies there, or none.
        """
        try:
            if etag is None:
                answer = self._client.put_object(
                    Bucket=self.name, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
                )
            else:
                answer = self._client.put_object(
                    Bucket=self.name, Key=key, Body=body, ContentType=content_type, IfMatch=etag
                )
        except ClientError as error:
            # A missing key is 404 too, where a version was to be replaced.
            if _status(error) in {404, 409, 412} and not isinstance(error, self._client.exceptions.NoSuchBucket):
                raise ConflictError(f"Another writer was first at {key}.") from error
            raise
        return answer["ETag"]

    def _checksum(self, key: str) -> str | None:
        return self._client.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED").get("ChecksumSHA256")


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
