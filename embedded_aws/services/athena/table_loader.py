"""Bringing the catalog's tables into DuckDB, as far as a query reads them.

An object is read again only if it changed, or if a query wants columns that no earlier one did. DuckDB reads large
objects itself, each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CatalogTable, Partition
from embedded_aws.services.athena.csv_files import CsvColumns
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.loaded_table import PATH, SCHEMA, LoadedTable, OwnReading, qualified, quoted
from embedded_aws.services.athena.object_files import ObjectFiles
from embedded_aws.services.athena.objects import ObjectSource, S3Object
from embedded_aws.services.athena.parquet import ObjectFooter, ParquetColumns, ParquetContent, partition_values
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.types import SqlType

Result = TypeVar("Result")

_FEW_OBJECTS = 64
_FEW_BYTES = 500_000
"""Up to so many objects, and bytes, all columns are read: that takes no time, and no query reads them again."""

_LARGE_BYTES = 100_000
"""From so many bytes on, copying an object's rows takes longer than reading them again and again."""

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
    """Columns, limits, partition keys and format."""
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

    def read(self, content: pa.NativeFile, address: str) -> _ReadObject: ...

    def joined(self, contents: Iterable[Any]) -> pa.Table:
        """Return the rows of contents that it has read."""


class TableLoader:
    """Keeps DuckDB's tables in step with S3.

    Args:
        objects: reads the objects.
        connection: of the warehouse.
        files: the objects as files, which the connection can read.
    """

    def __init__(self, objects: ObjectSource, connection: duckdb.DuckDBPyConnection, files: ObjectFiles) -> None:
        self._objects = objects
        self._connection = connection
        self._files = files
        self._known: dict[tuple[str, str], _KnownTable] = {}
        self._number = 0
        connection.execute(f"CREATE SCHEMA {quoted(SCHEMA)}")

    def declare(self, table: CatalogTable) -> tuple[str, ...]:
        """Let a catalog table exist in DuckDB, unless it does with the same columns.

        Returns:
            The statements that create a table like it.
        """
        name = (table.database, table.name)
        shape = (table.columns, table.limits, table.partition_keys, table.csv)
        known = self._known.get(name)
        if known is not None and known.shape == shape:
            return ()
        schema = f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}"
        self._connection.execute(schema)
        loaded = self._new_loaded(table, ())
        loaded.show(())
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
        try:
            self._follow(table, loaded, wanted, objects, cancellation)
        finally:
            loaded.show(objects)
        for stored in objects:
            mismatches = loaded.footers[stored].mismatches
            for column in sorted(wanted.columns & mismatches.keys()):
                raise QueryError(mismatches[column].code, f"{mismatches[column].text}: {stored.address}")

    def _new_loaded(self, table: CatalogTable, columns: Iterable[str]) -> LoadedTable:
        return LoadedTable(self._connection, self._files, table, self._next_number(), columns)

    def _follow(
        self,
        table: CatalogTable,
        loaded: LoadedTable,
        wanted: WantedRows,
        objects: list[S3Object],
        cancellation: Cancellation,
    ) -> None:
        present = frozenset(objects)
        gone = [stored for stored in loaded.footers if stored not in present and stored.values not in wanted.left_out]
        if gone:
            loaded.forget(gone)
        missing = [stored for stored in objects if stored not in loaded.footers]
        if loaded.data and table.csv is None:
            self._read_files(table, loaded, [one for one in missing if one.size >= _LARGE_BYTES], cancellation)
        self._read(table, loaded, [stored for stored in missing if stored not in loaded.footers], cancellation)

    def _hold(self, table: CatalogTable, known: _KnownTable, columns: frozenset[str], objects: list[S3Object]) -> None:
        """Let the columns that a query reads be held, if need be instead of all that was loaded."""
        known.wanted |= columns
        loaded = known.loaded
        missing = [stored for stored in objects if stored not in loaded.footers]
        if columns <= loaded.columns and (loaded.columns == known.wanted or _are_few(missing)):
            return
        every = frozenset(name for name, _ in _columns(table)) | {PATH}
        held = every if _are_few([*loaded.footers, *missing]) else frozenset(known.wanted)
        known.loaded = self._new_loaded(table, held)
        known.loaded.add_files(loaded.files)
        loaded.drop()

    def _read_files(
        self, table: CatalogTable, loaded: LoadedTable, objects: list[S3Object], cancellation: Cancellation
    ) -> None:
        """Let DuckDB read objects itself, as far as it can."""
        reader = ParquetColumns(table.columns, dict(table.limits))

        def footer(stored: S3Object) -> ParquetContent | None:
            return reader.exact(self._part_by_part(stored), stored.address)

        with _threads() as threads:
            for batch in _pieces(objects, _BATCH_OBJECTS):
                cancellation.check()
                found = zip(batch, _each(threads, footer, _pieces(batch, _TASK_OBJECTS)), strict=True)
                own = {stored: OwnReading(one.footer, one.match.present) for stored, one in found if one is not None}
                loaded.add_files(own)

    def _read(
        self, table: CatalogTable, loaded: LoadedTable, objects: list[S3Object], cancellation: Cancellation
    ) -> None:
        reader = _reader(table, loaded)
        # Without columns, only footers are read.
        opened, batch_bytes = (self._whole, _BATCH_BYTES) if loaded.data else (self._part_by_part, None)

        def read(stored: S3Object) -> _ReadObject:
            return reader.read(opened(stored), stored.address)

        with _threads() as threads:
            for batch in _pieces(objects, _BATCH_OBJECTS, batch_bytes):
                cancellation.check()
                found = _each(threads, read, _pieces(batch, _TASK_OBJECTS, _TASK_BYTES))
                loaded.add(batch, [content.footer for content in found], reader.joined(found))

    def _whole(self, stored: S3Object) -> pa.NativeFile:
        return pa.BufferReader(self._objects.content(stored))

    def _part_by_part(self, stored: S3Object) -> pa.NativeFile:
        file: Any = self._objects.file(stored)
        return pa.PythonFile(file, mode="r")

    def _next_number(self) -> int:
        self._number += 1
        return self._number


def _reader(table: CatalogTable, loaded: LoadedTable) -> _ObjectReader:
    if table.csv is None:
        return ParquetColumns(loaded.data, dict(table.limits))
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


def _threads() -> ThreadPoolExecutor:
    # Arrow lets other threads run while it reads.
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="objects")


def _each(
    threads: ThreadPoolExecutor, action: Callable[[S3Object], Result], pieces: Iterable[list[S3Object]]
) -> list[Result]:
    """Return what an action returns for each object; a thread does a piece."""
    return [result for piece in threads.map(lambda some: [action(one) for one in some], pieces) for result in piece]


def _pieces(objects: Iterable[S3Object], count: int, size: int | None = None) -> Iterator[list[S3Object]]:
    """Split objects into pieces of a number of them, or a few more bytes than a size."""
    piece: list[S3Object] = []
    held = 0
    for stored in objects:
        piece.append(stored)
        held += stored.size
        if len(piece) == count or (size is not None and held >= size):
            yield piece
            piece, held = [], 0
    if piece:
        yield piece
