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
    """The key already exists with different content."""


class ConflictError(Exception):
    """Another writer was first."""


class RawBucket:
    """The raw bucket, in which nothing is overwritten unseen."""

    def __init__(self, client: S3Client, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: str) -> tuple[bytes, str] | None:
        """Return the content and the ETag of a key; None if it does not exist."""
        try:
            response = self._client.get_object(Bucket=self.name, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        return response["Body"].read(), response["ETag"]

    def put_new(self, key: str, body: bytes, content_type: str, metadata: Mapping[str, str] | None = None) -> None:
        """Write a key once. Finding the same bytes there is no conflict: the response to our own write was lost.

        Raises:
            KeyTakenError: the key already exists with different content.
            ConflictError: other writers keep writing to the key.
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
                    raise KeyTakenError(f"{key} already exists with different content.") from error
                # 409: a concurrent write; AWS says to retry.
                if _status(error) != 409:
                    raise
            else:
                return
        raise ConflictError(f"Other writers keep writing to {key}.")

    def replace(self, key: str, body: bytes, content_type: str, etag: str | None) -> str:
        """Replace the version with that ETag, or create the key if it is None; return the new ETag.

        Raises:
            ConflictError: the key has another version, or none.
        """
        try:
            if etag is None:
                response = self._client.put_object(
                    Bucket=self.name, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
                )
            else:
                response = self._client.put_object(
                    Bucket=self.name, Key=key, Body=body, ContentType=content_type, IfMatch=etag
                )
        except ClientError as error:
            # 404: the version to replace is gone.
            if _status(error) in {404, 409, 412} and not isinstance(error, self._client.exceptions.NoSuchBucket):
                raise ConflictError(f"Another writer was first at {key}.") from error
            raise
        return response["ETag"]

    def _checksum(self, key: str) -> str | None:
        return self._client.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED").get("ChecksumSHA256")


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
