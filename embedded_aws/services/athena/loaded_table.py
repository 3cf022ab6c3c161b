"""A catalog table's rows in DuckDB: of some of its columns and objects.

The table that holds them has only those columns. A view with the catalog's name reads it and has all columns: those
that the table does not hold are null, and no query that runs wants them. The view also reads the files of large
objects, whose rows the table does not hold.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from embedded_aws.services.athena.catalog import CatalogTable
from embedded_aws.services.athena.object_files import ObjectFiles, key_column, url_of
from embedded_aws.services.athena.objects import S3Object
from embedded_aws.services.athena.parquet import WHOLE, ObjectFooter, partition_values
from embedded_aws.services.athena.types import SqlType, from_hive

PATH = "$path"
"""Athena's hidden column: the address of the object a row comes from."""

SCHEMA = "$loaded"
"""Of the tables that hold rows."""

_OBJECT = "$object"
_URL = "$url"
_TEXT = from_hive("string")


@dataclass(frozen=True)
class OwnReading:
    """How DuckDB reads an object itself."""

    footer: ObjectFooter
    names: Mapping[str, str]
    """Column → its name in the file, which has it in the catalog's type."""


class LoadedTable:
    """The rows that DuckDB holds of a table; none at first.

    Args:
        connection: of the warehouse.
        reading: the files that the connection can read.
        table: the catalog's.
        number: of the table that holds the rows, unlike any other's.
        columns: names of the columns that it holds.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        reading: ObjectFiles,
        table: CatalogTable,
        number: int,
        columns: Iterable[str],
    ) -> None:
        self.columns = frozenset(columns)
        self.data = tuple((name, kind) for name, kind in table.columns if name in self.columns)
        """Columns that come from the objects' content, with their types."""
        self.footers: dict[S3Object, ObjectFooter] = {}
        """Of the objects whose rows are there."""
        self.files: dict[S3Object, OwnReading] = {}
        """Of the objects that DuckDB reads itself."""
        self.rows = 0
        self._connection = connection
        self._reading = reading
        self._table = table
        self._name = qualified(SCHEMA, str(number))
        self._keys = tuple(
            (place, name, kind) for place, (name, kind) in enumerate(table.partition_keys) if name in self.columns
        )
        self._numbers: dict[S3Object, int] = {}
        """The number in `_OBJECT` of each object's rows."""
        self._next_number = 0
        self._shown = ""
        """The view's query."""
        self._sizes: dict[tuple[str, ...], Counter[str]] = {}
        """Values of a partition → column → its compressed size in the partition's objects, in bytes."""
        self._create()

    def size(self, columns: Iterable[str], partitions: Iterable[tuple[str, ...]]) -> int:
        """Return the size in bytes of columns in the objects of partitions."""
        wanted = {*columns, WHOLE}
        found = (self._sizes[values] for values in partitions if values in self._sizes)
        return sum(sizes[column] for sizes in found for column in wanted)

    def drop(self) -> None:
        """Drop the rows that are held; whoever already reads them still sees them."""
        self._connection.execute(f"DROP TABLE {self._name}")

    def forget(self, gone: Iterable[S3Object]) -> None:
        """Delete the rows of objects."""
        numbers = []
        for stored in gone:
            footer = self.footers.pop(stored)
            self.rows -= footer.count
            self._sizes[stored.values].subtract(footer.sizes)
            if self.files.pop(stored, None) is None:
                numbers.append(self._numbers.pop(stored))
        if numbers:
            where = f"{quoted(_OBJECT)} IN (SELECT UNNEST(?))"
            self._connection.execute(f"DELETE FROM {self._name} WHERE {where}", [numbers])  # noqa: S608 - quoted names

    def add(self, objects: Sequence[S3Object], footers: Sequence[ObjectFooter], rows: pa.Table) -> None:
        """Insert the rows of objects: all, or none if that fails.

        Args:
            objects: those that are not held.
            footers: of each.
            rows: the `data` columns, in the order of the objects.
        """
        counts = [footer.count for footer in footers]
        arriving: dict[str, Any] = {name: rows.column(name) for name, _ in self.data}
        for place, name, kind in self._keys:
            texts = (partition_values(stored.values)[place] for stored in objects)
            arriving[name] = _repeated(pc.cast(pa.array(texts, pa.string()), kind.arrow), counts, kind.arrow)
        if PATH in self.columns:
            arriving[PATH] = _repeated((stored.address for stored in objects), counts, pa.string())
        numbers = range(self._next_number, self._next_number + len(objects))
        arriving[_OBJECT] = _repeated(numbers, counts, pa.int64())
        # DuckDB takes far longer over many small pieces.
        self._connection.register("arriving", pa.table(arriving).combine_chunks())
        try:
            self._connection.execute(f"INSERT INTO {self._name} SELECT * FROM arriving")  # noqa: S608 - quoted names
        finally:
            self._connection.unregister("arriving")
        self._next_number += len(objects)
        self._numbers.update(zip(objects, numbers, strict=True))
        for stored, footer in zip(objects, footers, strict=True):
            self._count(stored, footer)

    def add_files(self, files: Mapping[S3Object, OwnReading]) -> None:
        """Let DuckDB read objects itself."""
        self.files.update(files)
        for stored, file in files.items():
            self._count(stored, file.footer)

    def _count(self, stored: S3Object, footer: ObjectFooter) -> None:
        self.rows += footer.count
        self.footers[stored] = footer
        self._sizes.setdefault(stored.values, Counter()).update(footer.sizes)

    def _create(self) -> None:
        held = [f"{quoted(name)} {kind.duckdb}" for name, kind in self._every if name in self.columns]
        held.append(f"{quoted(_OBJECT)} BIGINT")
        self._connection.execute(f"CREATE TABLE {self._name} ({', '.join(held)})")

    def show(self, objects: Iterable[S3Object]) -> None:
        """Let the view read what is held, and the files of objects that DuckDB reads itself."""
        alike: dict[tuple[tuple[str, str], ...], list[S3Object]] = {}
        for stored in objects:
            if stored in self.files:
                alike.setdefault(tuple(self.files[stored].names.items()), []).append(stored)
        parts = [self._held()] if self._numbers or not alike else []
        parts += (self._of_files(dict(names), some) for names, some in alike.items())
        query = " UNION ALL ".join(parts)
        if query != self._shown:
            view = qualified(self._table.database, self._table.name)
            self._connection.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")
            self._shown = query

    def _held(self) -> str:
        shown = (
            quoted(name) if name in self.columns else _shown("NULL", name, kind.duckdb) for name, kind in self._every
        )
        return f"SELECT {', '.join(shown)} FROM {self._name}"  # noqa: S608 - quoted names

    def _of_files(self, names: Mapping[str, str], objects: Iterable[S3Object]) -> str:
        keys = {name: quoted(key_column(place)) for place, (name, _) in enumerate(self._table.partition_keys)}
        found = {name: quoted(given) for name, given in names.items()} | keys
        found[PATH] = f"url_decode(parse_filename({quoted(_URL)}))"
        shown = (_shown(found.get(name, "NULL"), name, kind.duckdb) for name, kind in self._every)
        kinds = dict(self._table.columns)
        schema = pa.schema([(given, kinds[name].arrow) for name, given in names.items()])
        urls = (self._reading.empty(schema, len(keys)), *map(url_of, objects))
        options = f"filename = {_text(_URL)}, hive_partitioning = true, hive_types_autocast = false"
        return f"SELECT {', '.join(shown)} FROM read_parquet([{', '.join(map(_text, urls))}], {options})"  # noqa: S608 - quoted names

    @property
    def _every(self) -> tuple[tuple[str, SqlType], ...]:
        return (*self._table.columns, *self._table.partition_keys, (PATH, _TEXT))


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(database: str, name: str) -> str:
    """Return a table's qualified name in DuckDB."""
    return f"{quoted(database)}.{quoted(name)}"


def _shown(value: str, name: str, kind: str) -> str:
    return f"CAST({value} AS {kind}) AS {quoted(name)}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _repeated(values: Iterable[Any], counts: Iterable[int], kind: pa.DataType) -> Any:
    """Return a column that repeats each value as often as its count says."""
    runs = [(value, count) for value, count in zip(values, counts, strict=True) if count]
    ends = pa.array(itertools.accumulate(count for _, count in runs), pa.int32())
    return pa.RunEndEncodedArray.from_arrays(ends, pa.array((value for value, _ in runs), kind))
