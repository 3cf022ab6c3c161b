"""Bringing the catalog's tables into DuckDB, as far as a query reads them.

An object is read again only if it changed, or if a query wants columns that no earlier one did.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CatalogTable, Partition
from embedded_aws.services.athena.csv_files import CsvColumns
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.loaded_table import PATH, SCHEMA, LoadedTable, qualified, quoted
from embedded_aws.services.athena.objects import ObjectSource, S3Object
from embedded_aws.services.athena.parquet import ObjectFooter, ParquetColumns, partition_values
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.types import SqlType

_FEW_OBJECTS = 64
_FEW_BYTES = 500_000
"""Up to so many objects, and bytes, all columns are read: that takes no time, and no query reads them again."""

_BATCH_OBJECTS = 500
_BATCH_BYTES = 4_000_000
"""Objects whose rows are in Arrow's memory at the same time, and their bytes in S3."""
_TASK_OBJECTS = 25
_TASK_BYTES = 1_000_000
"""Objects that a thread reads in a row."""


@dataclass
class _KnownTable:
    """What is known of a catalog table."""

    shape: tuple[object, ...]
    """Columns, partition keys and format."""
    loaded: LoadedTable
    version: int
    objects: frozenset[S3Object] = frozenset()
    """All there were when the whole table was read last."""
    wanted: set[str] = field(default_factory=set)
    """Columns that queries have read."""


@dataclass(frozen=True)
class TableState:
    """What a table that was read as a whole holds."""

    rows: int
    version: int
    """Changes with the rows."""


@dataclass(frozen=True)
class WantedRows:
    """What a query reads of a table."""

    columns: frozenset[str]
    partitions: Sequence[Partition]
    left_out: frozenset[tuple[str, ...]]
    """Values of the other partitions."""


class _ReadObject(Protocol):
    """The content of one object."""

    @property
    def footer(self) -> ObjectFooter: ...


class _ObjectReader(Protocol):
    """Reads columns of a table from objects."""

    def read(self, content: bytes, address: str) -> _ReadObject: ...

    def joined(self, contents: Iterable[Any]) -> pa.Table:
        """Return the rows of contents that it has read."""


class TableLoader:
    """Keeps DuckDB's tables in step with S3.

    Args:
        server: the server with the objects.
        connection: of the warehouse.
    """

    def __init__(self, server: AwsServer, connection: duckdb.DuckDBPyConnection) -> None:
        self._objects = ObjectSource(server)
        self._connection = connection
        self._known: dict[tuple[str, str], _KnownTable] = {}
        self._number = 0
        connection.execute(f"CREATE SCHEMA {quoted(SCHEMA)}")

    def declare(self, table: CatalogTable) -> tuple[str, ...]:
        """Let a catalog table exist in DuckDB, unless it does with the same columns.

        Returns:
            The statements that create a table like it.
        """
        name = (table.database, table.name)
        shape = (table.columns, table.partition_keys, table.csv)
        known = self._known.get(name)
        if known is not None and known.shape == shape:
            return ()
        schema = f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}"
        self._connection.execute(schema)
        loaded = LoadedTable(self._connection, table, self._next_number(), ())
        if known is not None:
            known.loaded.drop()
        self._known[name] = _KnownTable(shape, loaded, self._next_number())
        declared = ", ".join(f"{quoted(column)} {kind.duckdb}" for column, kind in _columns(table))
        return schema, f"CREATE OR REPLACE TABLE {qualified(*name)} ({declared}, {quoted(PATH)} VARCHAR)"

    def state(self, name: tuple[str, str]) -> TableState:
        """Return what a table holds that was read as a whole."""
        known = self._known[name]
        return TableState(known.loaded.rows, known.version)

    def size(self, name: tuple[str, str], columns: Iterable[str], partitions: Iterable[tuple[str, ...]]) -> int:
        """Return the size in bytes of loaded columns in the objects of loaded partitions."""
        return self._known[name].loaded.size(columns, partitions)

    def load(
        self, table: CatalogTable, wanted: WantedRows, caller: CallerPermissions, cancellation: Cancellation
    ) -> None:
        """Bring a table's rows up to date, as far as a query reads them.

        Args:
            table: a table declared earlier.
            wanted: what the query reads.
            caller: must be allowed to read every object.
            cancellation: ends the loading.

        Raises:
            QueryError: an object is not a Parquet file or was deleted meanwhile, or a column's type or the value of a
                partition contradicts the catalog.
            AccessError: the caller may not read an object.
            QueryCancelledError: the query is cancelled.
        """
        _check_values(table, wanted.partitions)
        known = self._known[table.database, table.name]
        objects = self._objects.listed(wanted.partitions, caller)
        present = frozenset(objects)
        if not wanted.left_out and present != known.objects:
            known.objects = present
            known.version = self._next_number()
        self._hold(table, known, wanted.columns, objects)
        loaded = known.loaded
        gone = [stored for stored in loaded.footers if stored not in present and stored.values not in wanted.left_out]
        if gone:
            loaded.forget(gone)
        self._read(table, loaded, [stored for stored in objects if stored not in loaded.footers], cancellation)
        for stored in objects:
            mismatches = loaded.footers[stored].mismatches
            for column in sorted(wanted.columns & mismatches.keys()):
                raise QueryError("HIVE_BAD_DATA", f"{mismatches[column]}: {stored.address}")

    def _hold(self, table: CatalogTable, known: _KnownTable, columns: frozenset[str], objects: list[S3Object]) -> None:
        """Let the columns that a query reads be held, if need be instead of all that was loaded."""
        known.wanted |= columns
        loaded = known.loaded
        missing = [stored for stored in objects if stored not in loaded.footers]
        if columns <= loaded.columns and (loaded.columns == known.wanted or _are_few(missing)):
            return
        every = frozenset(name for name, _ in _columns(table)) | {PATH}
        held = every if _are_few([*loaded.footers, *missing]) else frozenset(known.wanted)
        known.loaded = LoadedTable(self._connection, table, self._next_number(), held)
        loaded.drop()

    def _read(
        self, table: CatalogTable, loaded: LoadedTable, objects: list[S3Object], cancellation: Cancellation
    ) -> None:
        reader = _reader(table, loaded)

        def read(some: list[S3Object]) -> list[_ReadObject]:
            return [reader.read(self._objects.content(stored), stored.address) for stored in some]

        # Arrow lets other threads run while it reads.
        with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="objects") as threads:
            for batch in _pieces(objects, _BATCH_OBJECTS, _BATCH_BYTES):
                cancellation.check()
                pieces = threads.map(read, _pieces(batch, _TASK_OBJECTS, _TASK_BYTES))
                found = [content for piece in pieces for content in piece]
                loaded.add(batch, [content.footer for content in found], reader.joined(found))

    def _next_number(self) -> int:
        self._number += 1
        return self._number


def _reader(table: CatalogTable, loaded: LoadedTable) -> _ObjectReader:
    if table.csv is None:
        return ParquetColumns(loaded.data)
    return CsvColumns(table.csv, [name for name, _ in table.columns], [name for name, _ in loaded.data])


def _columns(table: CatalogTable) -> tuple[tuple[str, SqlType], ...]:
    return (*table.columns, *table.partition_keys)


def _check_values(table: CatalogTable, partitions: Sequence[Partition]) -> None:
    """Check the values of partitions, also of keys that a query does not read, as Athena does.

    Raises:
        QueryError: one is not of its key's type.
    """
    for place, (key, kind) in enumerate(table.partition_keys):
        if kind.arrow == pa.string():
            continue
        for text in dict.fromkeys(partition_values(partition.values)[place] for partition in partitions):
            try:
                pc.cast(pa.scalar(text, pa.string()), kind.arrow)
            except pa.ArrowInvalid as error:
                message = f"Invalid partition value '{text}' for {kind.trino} partition key: {key}"
                raise QueryError("HIVE_INVALID_PARTITION_VALUE", message) from error


def _are_few(objects: Sequence[S3Object]) -> bool:
    return len(objects) <= _FEW_OBJECTS and sum(stored.size for stored in objects) <= _FEW_BYTES


def _pieces(objects: Iterable[S3Object], count: int, size: int) -> Iterator[list[S3Object]]:
    """Split objects into pieces of a number of them, or a few more bytes than a size."""
    piece: list[S3Object] = []
    held = 0
    for stored in objects:
        piece.append(stored)
        held += stored.size
        if len(piece) == count or held >= size:
            yield piece
            piece, held = [], 0
    if piece:
        yield piece
