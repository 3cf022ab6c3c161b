"""A table of `handlers.tables` in the form that a Glue crawler creates.

The crawler marks a table in any other form as deprecated and adds no partitions to it.
Source: https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.layout import TABLES_PREFIX
from handlers.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import ColumnTypeDef, TableInputTypeDef

_PARAMETERS = {"classification": "parquet", "compressionType": "none", "typeOfData": "file"}


def columns(table: Table) -> list[ColumnTypeDef]:
    """Return the columns of a table's Parquet files; the types of `handlers.tables` are Glue's own."""
    return [{"Name": column.name, "Type": column.type} for column in table.all_columns]


def partition_keys(table: Table) -> list[ColumnTypeDef]:
    """Return the partition keys, which a crawler always types as strings."""
    return [{"Name": table.partition_key, "Type": "string"}]


def location(table: Table, bucket: str) -> str:
    """Return the folder of a table's files, as a crawler writes it."""
    return f"s3://{bucket}/{TABLES_PREFIX}{table.name}/"


def table_input(table: Table, bucket: str) -> TableInputTypeDef:
    """Return the input of CreateTable for a table with files in a bucket."""
    return {
        "Name": table.name,
        "Description": table.doc,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": _PARAMETERS,
        "PartitionKeys": partition_keys(table),
        "StorageDescriptor": {
            "Columns": columns(table),
            "Location": location(table, bucket),
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": _PARAMETERS,
            "StoredAsSubDirectories": False,
        },
    }
