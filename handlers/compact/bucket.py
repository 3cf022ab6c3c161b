"""The requests to the transformed bucket: nothing that changed meanwhile is replaced or deleted.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.transform.threads import in_order

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_CHUNK_BYTES = 1024 * 1024
_DELETING_THREADS = 8
_TRIES = 5


class OvertakenError(Exception):
    """Another writer was first."""


@dataclass(frozen=True)
class Stored:
    """An object as it was listed."""

    key: str
    etag: str
    size: int
    modified: datetime

    @property
    def name(self) -> str:
        """The file name."""
        return self.key.rpartition("/")[2]


class TransformedBucket:
    """The transformed bucket.

    Args:
        s3: a client; used by several threads.
        name: the bucket.
    """

    def __init__(self, s3: S3Client, name: str) -> None:
        self._s3 = s3
        self._name = name

    def listed(self, prefix: str) -> Iterator[Stored]:
        """Yield the objects below a prefix in the order of their keys, page by page."""
        after = ""
        while True:
            page = self._s3.list_objects_v2(Bucket=self._name, Prefix=prefix, StartAfter=after)
            found = page.get("Contents", [])
            for item in found:
                yield Stored(item["Key"], item["ETag"], item["Size"], item["LastModified"])
            if not page["IsTruncated"]:
                return
            after = found[-1]["Key"]

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return the content and the ETag of a small object; None if there is none."""
        answer = self._get(key)
        return None if answer is None else (answer["Body"].read(), answer["ETag"])

    def download(self, key: str, path: Path) -> str | None:
        """Write an object to a file; return its ETag, or None if it is gone."""
        answer = self._get(key)
        if answer is None:
            return None
        with closing(answer["Body"]) as body, path.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                file.write(chunk)
        return answer["ETag"]

    def replace(self, key: str, content: bytes, etag: str | None) -> None:
        """Replace the version with that ETag, or create the key if it is None.

        Raises:
            OvertakenError: the key has another version, or none.
        """
        try:
            if etag is None:
                self._s3.put_object(
                    Bucket=self._name, Key=key, Body=content, ContentType="application/json", IfNoneMatch="*"
                )
            else:
                self._s3.put_object(
                    Bucket=self._name, Key=key, Body=content, ContentType="application/json", IfMatch=etag
                )
        except ClientError as error:
            if _changed(error):
                raise OvertakenError(f"Another writer was first at {key}.") from error
            raise

    def create(self, key: str, path: Path) -> None:
        """Store a file under a key that follows from its content: one that exists is left as it is.

        Raises:
            OvertakenError: others keep writing to the key, so that it is not known whether it exists.
        """
        for _ in range(_TRIES):
            try:
                with path.open("rb") as body:
                    self._s3.put_object(Bucket=self._name, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) == "PreconditionFailed":
                    return
                # 409: a concurrent write; AWS says to retry.
                if not _changed(error):
                    raise
            else:
                return
        raise OvertakenError(f"Others keep writing to {key}.")

    def delete_unchanged(self, objects: Iterable[Stored]) -> int:
        """Delete objects that still have the ETags they were listed with; return how many were deleted."""
        deleted = in_order(lambda stored: self.delete(stored.key, stored.etag), objects, threads=_DELETING_THREADS)
        with closing(deleted):
            return sum(deleted)

    def delete(self, key: str, etag: str | None) -> bool:
        """Delete an object if it has that ETag; return whether it had."""
        if etag is None:
            return False
        try:
            self._s3.delete_object(Bucket=self._name, Key=key, IfMatch=etag)
        except ClientError as error:
            if _changed(error):
                return False
            raise
        return True

    def _get(self, key: str) -> GetObjectOutputTypeDef | None:
        try:
            return self._s3.get_object(Bucket=self._name, Key=key)
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise


def _changed(error: ClientError) -> bool:
    """Return whether a condition did not hold: 412, or 409 for a concurrent request, or 404 where it named an ETag."""
    return _code(error) in {"PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "NoSuchKey"}


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
