"""Partitions of the catalog whose folders have no objects any more: Athena lists each of them in every scan."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from typing import TYPE_CHECKING

from cli.pipeline_functions import service_time
from handlers.layout import TABLES_PREFIX, table_prefix
from handlers.tables import TABLES

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 25
"""As many partitions as Glue deletes at once."""


def delete_empty_partitions(s3: S3Client, glue: GlueClient, database: str, bucket: str, table: str = "") -> int:
    """Delete the partitions without objects from the catalog, and return how many there were.

    Those that are about to get rows stay. Any other one that gets an object again appears with the next crawl.

    Args:
        s3: a client.
        glue: a client.
        database: of the tables.
        bucket: the transformed bucket.
        table: name of a table; '' for all.
    """
    objects = _Objects(s3, bucket, table_prefix(table) if table else TABLES_PREFIX)
    deleted = 0
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for found in page["TableList"]:
            if found.get("TableType") != "VIRTUAL_VIEW" and table in ("", found["Name"]):
                deleted += _delete_empty(objects, glue, database, found["Name"])
    return deleted


class _Objects:
    """The objects of the tables, listed once: there may be thousands of partitions."""

    def __init__(self, s3: S3Client, bucket: str, prefix: str) -> None:
        self._s3, self._bucket = s3, bucket
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        self._keys = sorted(found["Key"] for page in pages for found in page.get("Contents", ()))

    def are_below(self, prefix: str) -> bool:
        """Return whether there are objects below a prefix; S3 is asked again if there were none."""
        place = bisect_left(self._keys, prefix)
        if place < len(self._keys) and self._keys[place].startswith(prefix):
            return True
        return bool(self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)["KeyCount"])

    def are_at(self, location: str) -> bool:
        """Return whether there are objects at the location of a partition; in another bucket, always."""
        prefix = location.removeprefix(f"s3://{self._bucket}/")
        return prefix == location or self.are_below(prefix.rstrip("/") + "/")


def _delete_empty(objects: _Objects, glue: GlueClient, database: str, table: str) -> int:
    waiting = _waiting_folder(objects, table)
    empty = [
        partition["Values"]
        for page in glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table, ExcludeColumnSchema=True
        )
        for expected in [_expected(table, service_time(page))]
        for partition in page["Partitions"]
        if partition["Values"][0] not in expected
        and (waiting is None or waiting not in partition["StorageDescriptor"]["Location"])
        and not objects.are_at(partition["StorageDescriptor"]["Location"])
    ]
    deleted = 0
    for start in range(0, len(empty), _AT_ONCE):
        batch = empty[start : start + _AT_ONCE]
        response = glue.batch_delete_partition(
            DatabaseName=database, TableName=table, PartitionsToDelete=[{"Values": values} for values in batch]
        )
        # One that somebody else deleted, or that Glue could not: it is tried again next time.
        deleted += len(batch) - len(response.get("Errors", []))
    return deleted


def _expected(table: str, now: datetime) -> tuple[str, ...]:
    """Return the partitions that are registered before there are rows in them."""
    return TABLES[table].expected_partitions(now.date()) if table in TABLES else ()


def _waiting_folder(objects: _Objects, table: str) -> str | None:
    """Return what marks folders that rows are being moved to from those of earlier partition keys, if any are."""
    found = TABLES.get(table)
    if found is None:
        return None
    is_moving = any(objects.are_below(f"{table_prefix(table)}{key}=") for key in found.earlier_partition_keys)
    return f"/{found.partition_key}=" if is_moving else None
