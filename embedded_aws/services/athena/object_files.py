"""Large objects as files of DuckDB: it reads of them what a query wants, straight from S3's memory."""

from __future__ import annotations

import functools
import hashlib
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from embedded_aws.services.athena.errors import QueryError, from_duckdb
from embedded_aws.services.athena.objects import ObjectFile, ObjectSource, S3Object
from embedded_aws.services.athena.parquet import NO_VALUE

ROOT = "athena-objects://"
"""What the files' URLs begin with."""

_CHANGED = datetime(2000, 1, 1, tzinfo=UTC)
"""When each file was changed last: another content has another URL."""
_URLS = 10_000
"""Whose objects are kept."""
_RAISED = re.compile(rf"^{QueryError.__name__}: (?P<code>\w+): (?P<text>.*)", re.MULTILINE)
"""What DuckDB says of our own exception."""
_FILE = re.compile(rf'"(?P<url>{re.escape(ROOT)}[^"]*)": (?P<reason>.*)')
"""What DuckDB says of a file with a wrong footer."""


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """The file system with the objects.

    Args:
        objects: reads them.
    """

    protocol = (ROOT.removesuffix("://"),)
    cachable = False

    def __init__(self, objects: ObjectSource) -> None:
        super().__init__()
        self._objects = objects
        self._empty: dict[str, bytes] = {}
        """URL → a file without rows."""
        self.opened = 0
        """How often DuckDB has opened an object."""

    def empty(self, schema: pa.Schema, keys: int) -> str:
        """Return the URL of a file without rows.

        DuckDB takes the columns from the first file of a list, whenever it looks at a view: also when a query does not
        read it, and its objects were deleted long ago.

        Args:
            schema: its columns.
            keys: the number of partition keys.
        """
        content = io.BytesIO()
        pq.write_table(schema.empty_table(), content, store_schema=False)
        digest = hashlib.sha256(content.getvalue()).hexdigest()
        url = _url((NO_VALUE,) * keys, digest)
        self._empty[url] = content.getvalue()
        return url

    def open(self, path: str, _mode: str = "rb", **_options: Any) -> ObjectFile | io.BytesIO:
        """Open a file."""
        if path in self._empty:
            return io.BytesIO(self._empty[path])
        self.opened += 1
        return self._objects.file(_object_at(path))

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Return what a listing says of a file."""
        empty = self._empty.get(path)
        size = _object_at(path).size if empty is None else len(empty)
        return {"name": path, "size": size, "type": "file"}

    def glob(self, path: str, **_options: Any) -> list[str]:
        """Return the files that a pattern matches: no URL is one."""
        return [path]

    def modified(self, _path: str) -> datetime:
        """Return when a file was changed last."""
        return _CHANGED


def url_of(stored: S3Object) -> str:
    """Return the URL of an object's file: with the values of its partition as Hive's, its address is the last part."""
    etag, address = quote(stored.etag, safe=""), quote(stored.address, safe="")
    return _url(stored.values, str(stored.size), etag, address)


def key_column(place: int) -> str:
    """Return the name that the partition key at a place has in DuckDB."""
    return f"$key{place}"


def query_error(error: duckdb.Error, *, is_reading: bool) -> QueryError:
    """Return DuckDB's error with Trino's code and wording.

    Args:
        error: of a query.
        is_reading: whether the query has opened files.
    """
    text = str(error)
    if raised := _RAISED.search(text):
        return QueryError(raised["code"], raised["text"])
    if found := _FILE.search(text):
        address = _object_at(found["url"]).address
        return QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {address}: {found['reason']}")
    other = from_duckdb(error)
    if is_reading and other.code == "GENERIC_INTERNAL_ERROR":
        # Of damage behind the footer DuckDB says neither the file nor always the same.
        return QueryError("HIVE_BAD_DATA", "Not valid Parquet file: one of those that the query reads is damaged")
    return other


def _url(values: Sequence[str], *parts: str) -> str:
    folders = (f"{key_column(place)}={quote(value, safe='')}" for place, value in enumerate(values))
    return ROOT + "/".join((*folders, *parts))


@functools.lru_cache(_URLS)
def _object_at(url: str) -> S3Object:
    *values, size, etag, address = url.removeprefix(ROOT).split("/")
    bucket, _, key = unquote(address).removeprefix("s3://").partition("/")
    found = (unquote(value.partition("=")[2]) for value in values)
    return S3Object(bucket, key, unquote(etag), tuple(found), int(size))
