"""Reading a Parquet object as the catalog's columns and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from embedded_aws.services.athena.catalog import CatalogTable
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.types import SqlType

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""Hive's name for a null partition value."""


@dataclass(frozen=True)
class ParquetContent:
    """The content of one object."""

    rows: pa.Table | None
    """The table's columns, partition keys last; None once stored elsewhere."""

    count: int
    """How many rows it has."""

    sizes: Mapping[str, int]
    """Column → its compressed size in the object, in bytes."""

    mismatches: Mapping[str, str]
    """Column whose type contradicts the catalog → Athena's message; such columns are null in the rows."""


def read_parquet(content: bytes, address: str, table: CatalogTable, values: tuple[str, ...]) -> ParquetContent:
    """Read an object.

    Args:
        content: the object.
        address: its S3 URI, for messages.
        table: its table in the catalog.
        values: values of the partition keys.

    Raises:
        QueryError: it is not a Parquet file.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        present = {name.lower(): name for name in file.schema_arrow.names}
        wanted = [present[name] for name, _ in table.columns if name in present]
        found = file.read(columns=wanted, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {address}: {error}") from error
    # A file with none of the columns still has rows.
    count = file.metadata.num_rows
    arrays: dict[str, Any] = {}
    mismatches: dict[str, str] = {}
    for name, kind in table.columns:
        column: Any = found.column(present[name]) if name in present else None
        if column is not None and not _readable_as(column.type, kind.arrow):
            mismatches[name] = _mismatch(name, column.type, kind)
            column = None
        if column is None:
            column = constant_column(None, count, kind.arrow)
        elif column.type != kind.arrow:
            column = pc.cast(column, kind.arrow, safe=False)
        arrays[name] = column
    for (name, kind), value in zip(table.partition_keys, partition_values(values), strict=True):
        texts = constant_column(value, count, pa.string())
        arrays[name] = pc.cast(texts, kind.arrow)
    return ParquetContent(pa.table(arrays), count, _column_sizes(file.metadata), mismatches)


def partition_values(texts: Sequence[str]) -> tuple[str | None, ...]:
    """Return the values of partition keys, from their texts in the catalog."""
    return tuple(None if text == NO_VALUE else text for text in texts)


def constant_column(value: Any, count: int, kind: pa.DataType) -> Any:
    """Return a column that repeats one value."""
    scalar: Any = pa.scalar(value, kind)
    return pa.repeat(scalar, count)


def _column_sizes(metadata: Any) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            name = chunk.path_in_schema.partition(".")[0].lower()
            sizes[name] = sizes.get(name, 0) + chunk.total_compressed_size
    return sizes


def _mismatch(name: str, found: pa.DataType, kind: SqlType) -> str:
    return f"Field {name}'s type {found} in parquet file is incompatible with type {kind.trino} defined in table schema"


_SIMPLE_READS: dict[pa.DataType, tuple[pa.DataType, ...]] = {
    pa.int8(): (pa.int16(), pa.int32(), pa.int64()),
    pa.int16(): (pa.int32(), pa.int64()),
    pa.int32(): (pa.int64(),),
    pa.float32(): (pa.float64(),),
    pa.large_string(): (pa.string(),),
    pa.large_binary(): (pa.binary(),),
}


def _readable_as(found: Any, wanted: Any) -> bool:
    """Return whether Trino's Parquet reader reads a file's type as the catalog's."""
    # A column without values has no type of its own.
    if found == wanted or wanted in _SIMPLE_READS.get(found, ()) or pa.types.is_null(found):
        return True
    if pa.types.is_dictionary(found):
        return _readable_as(found.value_type, wanted)
    if pa.types.is_timestamp(found):
        return bool(pa.types.is_timestamp(wanted))
    if pa.types.is_decimal(found):
        return bool(pa.types.is_decimal(wanted) and found.scale == wanted.scale and found.precision <= wanted.precision)
    return type(found) is type(wanted) and _parts_readable_as(found, wanted)


def _parts_readable_as(found: Any, wanted: Any) -> bool:
    if pa.types.is_list(found):
        return _readable_as(found.value_type, wanted.value_type)
    if pa.types.is_map(found):
        return _readable_as(found.key_type, wanted.key_type) and _readable_as(found.item_type, wanted.item_type)
    if pa.types.is_struct(found):
        ours = {part.name: part.type for part in wanted}
        return all(part.name not in ours or _readable_as(part.type, ours[part.name]) for part in found)
    return False
