"""The objects of the catalog's partitions as DuckDB tables, each object read once.

Athena reads Parquet columns by name: one that an object lacks is null, one that the catalog does not name is not seen.
Source: https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from local.athena.errors import QueryError

if TYPE_CHECKING:
    import duckdb

    from local.athena.caller import Caller
    from local.athena.catalog import CatalogTable, Partition
    from local.athena.types import SqlType
    from local.aws.server import AwsServer

PATH = "$path"
"""Athena's hidden column: the address of the object that a row comes from."""

_OBJECT = "$object"
_BATCH = 500


@dataclass(frozen=True)
class S3Object:
    """One object that a query may read."""

    bucket: str
    key: str
    etag: str
    values: tuple[str, ...]

    @property
    def address(self) -> str:
        """Where it lies."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass
class _Loaded:
    """What of a table lies in DuckDB: each object's number, column sizes in bytes and columns of wrong types."""

    shape: tuple[Any, ...]
    numbers: dict[S3Object, int] = field(default_factory=dict)
    sizes: dict[S3Object, dict[str, int]] = field(default_factory=dict)
    mismatches: dict[S3Object, dict[str, str]] = field(default_factory=dict)


class Data:
    """Keeps DuckDB's tables as S3 is."""

    def __init__(self, server: AwsServer, connection: duckdb.DuckDBPyConnection) -> None:
        self._server = server
        self._connection = connection
        self._loaded: dict[tuple[str, str], _Loaded] = {}
        self._next_number = 0

    def declare(self, table: CatalogTable) -> None:
        """Have a table of the catalog's columns in DuckDB, whatever lies in it."""
        name = (table.database, table.name)
        shape = (table.columns, table.partition_keys)
        loaded = self._loaded.get(name)
        if loaded is not None and loaded.shape == shape:
            return
        columns = [*table.columns, *table.partition_keys]
        declared = ", ".join(f"{quoted(column)} {kind.duckdb}" for column, kind in columns)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}")
        self._connection.execute(
            f"CREATE OR REPLACE TABLE {qualified(*name)} ({declared}, {quoted(PATH)} VARCHAR, {quoted(_OBJECT)} BIGINT)"
        )
        self._loaded[name] = _Loaded(shape)

    def load(self, table: CatalogTable, columns: Iterable[str], caller: Caller) -> int:
        """Bring a table's rows up to date with the objects in its partitions.

        Args:
            table: as the catalog has it; declared before.
            columns: what the query reads of it.
            caller: who must be allowed to read every object.

        Returns:
            Bytes that the columns take in the objects. No partition is left out, so it is the most that Athena scans.

        Raises:
            QueryError: an object is no Parquet file, or has a column of another type than the catalog says.
            AccessError: the caller may not read an object.
        """
        loaded = self._loaded[table.database, table.name]
        present = list(self._objects(table.partitions, caller))
        for one in present:
            self._require_readable(one, caller)
        self._forget(table, loaded, set(loaded.numbers) - set(present))
        missing = [one for one in present if one not in loaded.numbers]
        for start in range(0, len(missing), _BATCH):
            self._read(table, loaded, missing[start : start + _BATCH])
        wanted = set(columns)
        for one, wrong in loaded.mismatches.items():
            for column in sorted(wanted & set(wrong)):
                raise QueryError("HIVE_BAD_DATA", f"{wrong[column]}: {one.address}")
        return sum(size for one in present for column, size in loaded.sizes[one].items() if column in wanted)

    def _objects(self, partitions: Iterable[Partition], caller: Caller) -> Iterator[S3Object]:
        listings: dict[str, tuple[list[str], Mapping[str, Any]]] = {}
        for partition in partitions:
            caller.bucket("ListBucket", partition.bucket, {"s3:prefix": partition.prefix})
            if partition.bucket not in listings:
                listings[partition.bucket] = self._listing(partition.bucket)
            keys, contents = listings[partition.bucket]
            for index in range(bisect_left(keys, partition.prefix), len(keys)):
                key = keys[index]
                if not key.startswith(partition.prefix):
                    break
                # Athena passes over hidden files and empty ones.
                if key.rpartition("/")[2].startswith(("_", ".")) or not contents[key].contentsize:
                    continue
                yield S3Object(partition.bucket, key, contents[key].etag, partition.values)

    def _listing(self, bucket: str) -> tuple[list[str], Mapping[str, Any]]:
        buckets = self._server.backend("s3").buckets
        if bucket not in buckets:
            raise QueryError("HIVE_METASTORE_ERROR", f"The specified bucket does not exist: {bucket}")
        # A deleted object of a versioned bucket still has a marker, which has no content.
        present = {key: found for key in list(buckets[bucket].keys) if hasattr(found := buckets[bucket].keys[key], "etag")}
        return sorted(present), present

    def _content(self, one: S3Object) -> bytes:
        content: bytes = self._server.backend("s3").buckets[one.bucket].keys[one.key].value
        return content

    def _require_readable(self, one: S3Object, caller: Caller) -> None:
        caller.object("GetObject", one.bucket, one.key)
        found = self._server.backend("s3").buckets[one.bucket].keys[one.key]
        if found.encryption == "aws:kms" and found.kms_key_id and not found.kms_key_id.endswith("alias/aws/s3"):
            caller.key("Decrypt", found.kms_key_id)

    def _forget(self, table: CatalogTable, loaded: _Loaded, gone: set[S3Object]) -> None:
        if not gone:
            return
        numbers = [loaded.numbers.pop(one) for one in gone]
        for one in gone:
            del loaded.sizes[one]
            loaded.mismatches.pop(one, None)
        where = f"{quoted(_OBJECT)} IN (SELECT UNNEST(?))"
        self._connection.execute(f"DELETE FROM {qualified(table.database, table.name)} WHERE {where}", [numbers])  # noqa: S608 - quoted names

    def _read(self, table: CatalogTable, loaded: _Loaded, objects: list[S3Object]) -> None:
        parts = []
        for one in objects:
            number = self._next_number
            self._next_number += 1
            parts.append(_arrow_table(self._content(one), one, table, number, loaded))
            loaded.numbers[one] = number
        rows = pa.concat_tables(parts)
        self._connection.register("arriving", rows)
        try:
            self._connection.execute(f"INSERT INTO {qualified(table.database, table.name)} SELECT * FROM arriving")  # noqa: S608 - quoted names
        finally:
            self._connection.unregister("arriving")


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(database: str, name: str) -> str:
    """Return a table's name as DuckDB has it."""
    return f"{quoted(database)}.{quoted(name)}"


def _arrow_table(content: bytes, one: S3Object, table: CatalogTable, number: int, loaded: _Loaded) -> pa.Table:
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        present = {name.lower(): name for name in file.schema_arrow.names}
        wanted = [present[name] for name, _ in table.columns if name in present]
        found = file.read(columns=wanted, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {one.address}: {error}") from error
    arrays: list[Any] = []
    fields: list[pa.Field[Any]] = []
    mismatches: dict[str, str] = {}
    for name, kind in table.columns:
        wanted_type = kind.arrow
        array: Any = pa.nulls(found.num_rows, wanted_type)
        if name in present:
            column = found.column(present[name])
            if _readable_as(column.type, wanted_type):
                array = column if column.type == wanted_type else pc.cast(column, wanted_type, safe=False)
            else:
                mismatches[name] = _mismatch(name, column.type, kind)
        arrays.append(array)
        fields.append(pa.field(name, wanted_type))
    for (name, kind), value in zip(table.partition_keys, one.values, strict=True):
        # Hive's name for a partition without a value.
        text = None if value == "__HIVE_DEFAULT_PARTITION__" else value
        scalar = pc.cast(pa.scalar(text, pa.string()), kind.arrow)
        arrays.append(pa.repeat(scalar, found.num_rows))
        fields.append(pa.field(name, kind.arrow))
    arrays += [pa.repeat(pa.scalar(one.address), found.num_rows), pa.repeat(pa.scalar(number), found.num_rows)]
    fields += [pa.field(PATH, pa.string()), pa.field(_OBJECT, pa.int64())]
    loaded.sizes[one] = _column_sizes(file.metadata)
    if mismatches:
        loaded.mismatches[one] = mismatches
    return pa.table(arrays, schema=pa.schema(fields))


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


_WIDER = {
    pa.int8(): (pa.int16(), pa.int32(), pa.int64()),
    pa.int16(): (pa.int32(), pa.int64()),
    pa.int32(): (pa.int64(),),
    pa.float32(): (pa.float64(),),
}


def _readable_as(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Tell whether Trino's Parquet reader takes a file's column for the catalog's type."""
    if found == wanted or wanted in _WIDER.get(found, ()):
        return True
    if pa.types.is_dictionary(found):
        return _readable_as(found.value_type, wanted)
    if pa.types.is_large_string(found) or pa.types.is_large_binary(found):
        return _readable_as(pa.string() if pa.types.is_large_string(found) else pa.binary(), wanted)
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(wanted):
        return True
    if pa.types.is_decimal(found) and pa.types.is_decimal(wanted):
        return found.scale == wanted.scale and found.precision <= wanted.precision
    if pa.types.is_list(found) and pa.types.is_list(wanted):
        return _readable_as(found.value_type, wanted.value_type)
    if pa.types.is_map(found) and pa.types.is_map(wanted):
        return _readable_as(found.key_type, wanted.key_type) and _readable_as(found.item_type, wanted.item_type)
    if pa.types.is_struct(found) and pa.types.is_struct(wanted):
        ours = {part.name: part.type for part in wanted}
        return all(part.name not in ours or _readable_as(part.type, ours[part.name]) for part in found)
    # A column without any value has no type of its own.
    return pa.types.is_null(found)
