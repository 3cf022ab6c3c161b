"""Loading the catalog's tables into DuckDB; each object is read once.

Athena reads Parquet columns by name: a column missing from an object is null, and one that is not in the catalog is
ignored.
Source: https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pyarrow as pa

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CallerCatalog, CatalogTable, Partition
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.parquet import ParquetContent, constant_column, read_parquet
from embedded_aws.services.athena.permissions import CallerPermissions

PATH = "$path"
"""Athena's hidden column: the address of the object a row comes from."""

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
        """Its S3 URI."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def deleted(self) -> QueryError:
        """The error if it is deleted after it was listed."""
        text = f"Error opening Hive split {self.address}: The specified key does not exist. (Error Code: NoSuchKey)"
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", text)


@dataclass
class _Loaded:
    """What DuckDB holds of a table."""

    shape: tuple[Any, ...]
    """Columns and partition keys."""
    numbers: dict[S3Object, int] = field(default_factory=dict)
    """The number in `_OBJECT` of each object's rows."""
    contents: dict[S3Object, ParquetContent] = field(default_factory=dict)
    """What is known of each object besides its rows."""
    sizes: dict[tuple[str, ...], Counter[str]] = field(default_factory=dict)
    """Values of a partition → column → its compressed size in the partition's objects, in bytes."""
    rows: int = 0
    version: int = 0
    """Changes with the rows."""


@dataclass(frozen=True)
class TableState:
    """What a table holds now."""

    rows: int
    version: int
    """Changes with the rows."""


class TableLoader:
    """Keeps DuckDB's tables in step with S3."""

    def __init__(self, server: AwsServer, connection: duckdb.DuckDBPyConnection) -> None:
        self._server = server
        self._connection = connection
        self._loaded: dict[tuple[str, str], _Loaded] = {}
        self._next_number = 0
        self._version = 0

    def declare(self, table: CatalogTable) -> tuple[str, ...]:
        """Create the DuckDB table for a catalog table, unless it exists with the same columns.

        Returns:
            The statements that created it.
        """
        name = (table.database, table.name)
        shape = (table.columns, table.partition_keys)
        loaded = self._loaded.get(name)
        if loaded is not None and loaded.shape == shape:
            return ()
        columns = [*table.columns, *table.partition_keys]
        declared = ", ".join(f"{quoted(column)} {kind.duckdb}" for column, kind in columns)
        declared += f", {quoted(PATH)} VARCHAR, {quoted(_OBJECT)} BIGINT"
        statements = (
            f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}",
            f"CREATE OR REPLACE TABLE {qualified(*name)} ({declared})",
        )
        for statement in statements:
            self._connection.execute(statement)
        self._loaded[name] = _Loaded(shape, version=self._next_version())
        return statements

    def state(self, name: tuple[str, str]) -> TableState:
        """Return what a table that was declared earlier holds now."""
        loaded = self._loaded[name]
        return TableState(loaded.rows, loaded.version)

    def load(
        self, table: CatalogTable, columns: Iterable[str], catalog: CallerCatalog, cancellation: Cancellation
    ) -> None:
        """Bring a table's rows up to date with the objects in its partitions.

        Args:
            table: a table declared earlier.
            columns: those that the query reads.
            catalog: source of the partitions, and of the caller, who must be allowed to read every object.
            cancellation: ends the loading.

        Raises:
            QueryError: an object is not a Parquet file or was deleted meanwhile, or a column's type contradicts the
                catalog.
            AccessError: the caller may not read an object.
            QueryCancelledError: the query is cancelled.
        """
        loaded = self._loaded[table.database, table.name]
        caller = catalog.caller
        present = list(self._objects(catalog.partitions(table), caller))
        for stored in present:
            self._require_readable(stored, caller)
        self._forget(table, loaded, set(loaded.numbers) - set(present))
        missing = [stored for stored in present if stored not in loaded.numbers]
        for start in range(0, len(missing), _BATCH):
            cancellation.check()
            self._read(table, loaded, missing[start : start + _BATCH])
        wanted = set(columns)
        for stored, content in loaded.contents.items():
            for column in sorted(wanted & content.mismatches.keys()):
                raise QueryError("HIVE_BAD_DATA", f"{content.mismatches[column]}: {stored.address}")

    def partitions(self, name: tuple[str, str]) -> list[tuple[str, ...]]:
        """Return the values of the partitions that a loaded table has objects in."""
        return list(self._loaded[name].sizes)

    def size(self, name: tuple[str, str], columns: Iterable[str], partitions: Iterable[tuple[str, ...]]) -> int:
        """Return the size in bytes of columns in the objects of partitions of a loaded table."""
        sizes, wanted = self._loaded[name].sizes, tuple(columns)
        return sum(sizes[values][column] for values in partitions for column in wanted)

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
                # Athena ignores hidden and empty files.
                if key.rpartition("/")[2].startswith(("_", ".")) or not contents[key].contentsize:
                    continue
                yield S3Object(partition.bucket, key, contents[key].etag, partition.values)

    def _listing(self, bucket: str) -> tuple[list[str], Mapping[str, Any]]:
        buckets = self._server.backend("s3").buckets
        if bucket not in buckets:
            raise QueryError("HIVE_METASTORE_ERROR", f"The specified bucket does not exist: {bucket}")
        # A deleted object of a versioned bucket leaves a marker, which has no content.
        present = {
            key: found for key in list(buckets[bucket].keys) if hasattr(found := buckets[bucket].keys[key], "etag")
        }
        return sorted(present), present

    def _content(self, stored: S3Object) -> bytes:
        content: bytes = self._opened(stored).value
        return content

    def _opened(self, stored: S3Object) -> Any:
        """Return the object as it is now, which may be newer than the listing, or gone as in S3."""
        found = self._server.backend("s3").buckets[stored.bucket].keys.get(stored.key)
        if not hasattr(found, "etag"):
            raise stored.deleted
        return found

    def _require_readable(self, stored: S3Object, caller: CallerPermissions) -> None:
        caller.check_object("GetObject", stored.bucket, stored.key)
        found = self._opened(stored)
        if found.encryption == "aws:kms" and found.kms_key_id and not found.kms_key_id.endswith("alias/aws/s3"):
            caller.check_key("Decrypt", found.kms_key_id)

    def _forget(self, table: CatalogTable, loaded: _Loaded, gone: set[S3Object]) -> None:
        if not gone:
            return
        numbers = [loaded.numbers.pop(stored) for stored in gone]
        for stored in gone:
            content = loaded.contents.pop(stored)
            loaded.rows -= content.count
            loaded.sizes[stored.values].subtract(content.sizes)
        loaded.version = self._next_version()
        where = f"{quoted(_OBJECT)} IN (SELECT UNNEST(?))"
        self._connection.execute(f"DELETE FROM {qualified(table.database, table.name)} WHERE {where}", [numbers])  # noqa: S608 - quoted names

    def _read(self, table: CatalogTable, loaded: _Loaded, objects: list[S3Object]) -> None:
        contents = _parsed(table, [(stored, self._content(stored)) for stored in objects])
        numbers = {stored: self._next_number + index for index, stored in enumerate(objects)}
        self._next_number += len(objects)
        rows = pa.concat_tables(_numbered(contents[stored].rows, stored, numbers[stored]) for stored in objects)
        # DuckDB takes far longer over many small pieces.
        rows = rows.combine_chunks()
        self._connection.register("arriving", rows)
        try:
            self._connection.execute(f"INSERT INTO {qualified(table.database, table.name)} SELECT * FROM arriving")  # noqa: S608 - quoted names
        finally:
            self._connection.unregister("arriving")
        # Only now: if one of the objects cannot be read, none of the batch is loaded.
        loaded.numbers |= numbers
        loaded.rows += rows.num_rows
        for stored, content in contents.items():
            loaded.sizes.setdefault(stored.values, Counter()).update(content.sizes)
        loaded.version = self._next_version()
        loaded.contents |= {stored: replace(content, rows=None) for stored, content in contents.items()}

    def _next_version(self) -> int:
        self._version += 1
        return self._version


def _parsed(table: CatalogTable, objects: list[tuple[S3Object, bytes]]) -> dict[S3Object, ParquetContent]:
    """Parse objects, on as many cores as there are: Arrow lets other threads run meanwhile."""

    def parse(found: tuple[S3Object, bytes]) -> ParquetContent:
        stored, content = found
        return read_parquet(content, stored.address, table, stored.values)

    if len(objects) == 1:
        return {objects[0][0]: parse(objects[0])}
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="parquet") as threads:
        return dict(zip((stored for stored, _ in objects), threads.map(parse, objects), strict=True))


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(database: str, name: str) -> str:
    """Return a table's qualified name in DuckDB."""
    return f"{quoted(database)}.{quoted(name)}"


def _numbered(rows: pa.Table | None, stored: S3Object, number: int) -> pa.Table:
    if rows is None:
        raise RuntimeError(f"The rows of {stored.address} are already in DuckDB.")
    addresses = constant_column(stored.address, rows.num_rows, pa.string())
    return rows.append_column(PATH, addresses).append_column(
        _OBJECT, constant_column(number, rows.num_rows, pa.int64())
    )
