"""The names that Hive has for how a table's objects are read and written."""

from __future__ import annotations

from dataclasses import dataclass

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


@dataclass(frozen=True)
class TableFormat:
    """The classes that a table in the catalog names."""

    reader: str
    """`InputFormat`."""
    writer: str
    """`OutputFormat`."""
    serde: str
    """`SerializationLibrary`."""


PARQUET = TableFormat(
    f"{_PARQUET}.MapredParquetInputFormat",
    f"{_PARQUET}.MapredParquetOutputFormat",
    f"{_PARQUET}.serde.ParquetHiveSerDe",
)
TEXT = TableFormat(
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
)
OPEN_CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
"""Of a table in CSV, whose other classes are those of a text."""
