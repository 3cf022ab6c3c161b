"""Partitions of the catalog whose folders have no objects any more: Athena lists each of them in every scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.layout import table_prefix
from handlers.tables import TABLES, Table

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 25
"""As many partitions as Glue deletes at once."""


def delete_empty_partitions(s3: S3Client, glue: GlueClient, database: str, bucket: str, table: str = "") -> int:
    """Delete the partitions without objects from the catalog, and return how many there were.

    A partition that gets an object again appears with the next crawl.

    Args:
        s3: a client.
        glue: a client.
        database: of the tables.
        bucket: the transformed bucket.
        table: name of a table; '' for all.
    """
    deleted = 0
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for found in page["TableList"]:
            if found.get("TableType") != "VIRTUAL_VIEW" and table in ("", found["Name"]):
                deleted += _delete_empty(s3, glue, database, bucket, found["Name"])
    return deleted


def _delete_empty(s3: S3Client, glue: GlueClient, database: str, bucket: str, table: str) -> int:
    # While rows are moved here from folders of an earlier partition key, what is empty still waits for some.
    waiting = f"/{TABLES[table].partition_key}=" if table in TABLES and _is_moving(s3, bucket, TABLES[table]) else None
    empty = [
        partition["Values"]
        for page in glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table, ExcludeColumnSchema=True
        )
        for partition in page["Partitions"]
        if (waiting is None or waiting not in partition["StorageDescriptor"]["Location"])
        and _is_empty(s3, bucket, partition["StorageDescriptor"]["Location"])
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


def _is_moving(s3: S3Client, bucket: str, table: Table) -> bool:
    if table.earlier_partition_key is None:
        return False
    prefix = f"{table_prefix(table.name)}{table.earlier_partition_key}="
    return bool(s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"])


def _is_empty(s3: S3Client, bucket: str, location: str) -> bool:
    prefix = location.removeprefix(f"s3://{bucket}/")
    if prefix == location:
        return False
    return not s3.list_objects_v2(Bucket=bucket, Prefix=prefix.rstrip("/") + "/", MaxKeys=1)["KeyCount"]
