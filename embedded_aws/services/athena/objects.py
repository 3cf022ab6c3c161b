"""The objects in S3 that a query reads."""

from __future__ import annotations

import functools
import io
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.catalog import Partition
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.permissions import CallerPermissions


@dataclass(frozen=True)
class S3Object:
    """One object that a query may read."""

    bucket: str
    key: str
    etag: str
    values: tuple[str, ...]
    """Of its partition."""
    size: int = field(compare=False)
    """Bytes."""

    @property
    def address(self) -> str:
        """Its S3 URI."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def deleted(self) -> QueryError:
        """The error if it is deleted after it was listed."""
        text = f"Error opening Hive split {self.address}: The specified key does not exist. (Error Code: NoSuchKey)"
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", text)

    @property
    def replaced(self) -> QueryError:
        """The error if it has another content than when it was listed."""
        text = f"Error opening Hive split {self.address}: The object was replaced meanwhile; run the query again."
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", text)


class ObjectFile:
    """An object as an open file, read piece by piece; each thread has its own position.

    Args:
        stored: the object.
        find: returns moto's object.
    """

    closed = False

    def __init__(self, stored: S3Object, find: Callable[[], Any]) -> None:
        self._stored = stored
        self._find = find
        self._found: Any = None
        self._here = threading.local()

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        if whence != io.SEEK_SET:
            position += self.tell() if whence == io.SEEK_CUR else self._stored.size
        self._here.position = position
        return position

    def tell(self) -> int:
        """Return the position."""
        position: int = getattr(self._here, "position", 0)
        return position

    def read(self, size: int = -1) -> bytes:
        """Read from the position.

        Raises:
            QueryError: the object was deleted or replaced meanwhile.
        """
        if self._found is None:
            self._found = self._find()
        with self._found.lock:
            buffer = self._found._value_buffer  # noqa: SLF001 - moto offers a copy of all of it only
            if buffer.closed:
                self._find()
                raise self._stored.replaced
            buffer.seek(self.tell())
            content: bytes = buffer.read(size)
        self._here.position = self.tell() + len(content)
        return content

    def close(self) -> None:
        """Close it."""
        self._found = None
        self.closed = True


class ObjectSource:
    """Lists and reads objects.

    Args:
        server: the server with the objects.
    """

    def __init__(self, server: AwsServer) -> None:
        self._server = server
        self._buckets: Any = {}
        """moto's buckets, as of the last listing."""

    def listed(self, partitions: Iterable[Partition], caller: CallerPermissions) -> list[S3Object]:
        """Return the objects of partitions.

        Raises:
            QueryError: a bucket does not exist, or an object was deleted meanwhile.
            AccessError: the caller may not list a partition or read an object.
        """
        self._buckets = self._server.backend("s3").buckets
        present = list(self._objects(partitions, caller))
        for stored in present:
            self._require_readable(stored, caller)
        return present

    def content(self, stored: S3Object) -> bytes:
        """Return the content of an object.

        Raises:
            QueryError: it was deleted meanwhile.
        """
        content: bytes = self._opened(stored).value
        return content

    def file(self, stored: S3Object) -> ObjectFile:
        """Return an object as an open file, which is looked for when it is read."""
        return ObjectFile(stored, functools.partial(self._unchanged, stored))

    def _objects(self, partitions: Iterable[Partition], caller: CallerPermissions) -> Iterator[S3Object]:
        listings: dict[str, tuple[list[str], Mapping[str, Any]]] = {}
        for partition in partitions:
            caller.check_bucket("ListBucket", partition.bucket, {"s3:prefix": partition.prefix})
            if partition.bucket not in listings:
                listings[partition.bucket] = self._listing(partition.bucket)
            keys, contents = listings[partition.bucket]
            for index in range(bisect_left(keys, partition.prefix), len(keys)):
                key = keys[index]
                if not key.startswith(partition.prefix):
                    break
                found = contents[key]
                # Athena ignores hidden and empty files.
                if key.rpartition("/")[2].startswith(("_", ".")) or not found.contentsize:
                    continue
                yield S3Object(partition.bucket, key, found.etag, partition.values, found.contentsize)

    def _listing(self, bucket: str) -> tuple[list[str], Mapping[str, Any]]:
        if bucket not in self._buckets:
            raise QueryError("HIVE_METASTORE_ERROR", f"The specified bucket does not exist: {bucket}")
        keys = self._buckets[bucket].keys
        # A deleted object of a versioned bucket leaves a marker, which has no content.
        present = {key: found for key in list(keys) if hasattr(found := keys[key], "etag")}
        return sorted(present), present

    def _opened(self, stored: S3Object) -> Any:
        """Return the object as it is now, which may be newer than the listing, or gone as in S3."""
        found = self._buckets[stored.bucket].keys.get(stored.key)
        if not hasattr(found, "etag"):
            raise stored.deleted
        return found

    def _unchanged(self, stored: S3Object) -> Any:
        found = self._opened(stored)
        if found.etag != stored.etag:
            raise stored.replaced
        return found

    def _require_readable(self, stored: S3Object, caller: CallerPermissions) -> None:
        caller.check_object("GetObject", stored.bucket, stored.key)
        found = self._opened(stored)
        if found.encryption == "aws:kms" and found.kms_key_id and not found.kms_key_id.endswith("alias/aws/s3"):
            caller.check_key("Decrypt", found.kms_key_id)
