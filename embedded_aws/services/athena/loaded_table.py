"""A catalog table's rows in DuckDB: of some of its columns and objects.

The table that holds them has only those columns. A view with the catalog's name reads it and has all columns: those
that the table does not hold are null, and no query that runs wants them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from embedded_aws.services.athena.catalog import CatalogTable
from embedded_aws.services.athena.objects import S3Object
from embedded_aws.services.athena.parquet import WHOLE, ObjectFooter, constant_column, partition_values

PATH = "$path"
"""Athena's hidden column: the address of the object a row comes from."""

SCHEMA = "$loaded"
"""Of the tables that hold rows."""

_OBJECT = "$object"


class LoadedTable:
    """The rows that DuckDB holds of a table; none at first.

    Args:
        connection: of the warehouse.
        table: the catalog's.
        number: of the table that holds the rows, unlike any other's.
        columns: names of the columns that it holds.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: CatalogTable, number: int, columns: Iterable[str]
    ) -> None:
        self.columns = frozenset(columns)
        self.data = tuple((name, kind) for name, kind in table.columns if name in self.columns)
        """Columns that come from the objects' content, with their types."""
        self.footers: dict[S3Object, ObjectFooter] = {}
        """Of the objects whose rows are held."""
        self.rows = 0
        self._connection = connection
        self._name = qualified(SCHEMA, str(number))
        self._keys = tuple(
            (place, name, kind) for place, (name, kind) in enumerate(table.partition_keys) if name in self.columns
        )
        self._numbers: dict[S3Object, int] = {}
        """The number in `_OBJECT` of each object's rows."""
        self._next_number = 0
        self._sizes: dict[tuple[str, ...], Counter[str]] = {}
        """Values of a partition → column → its compressed size in the partition's objects, in bytes."""
        self._create(table)

    def size(self, columns: Iterable[str], partitions: Iterable[tuple[str, ...]]) -> int:
        """Return the size in bytes of columns in the objects of partitions."""
        wanted = {*columns, WHOLE}
        found = (self._sizes[values] for values in partitions if values in self._sizes)
        return sum(sizes[column] for sizes in found for column in wanted)

    def drop(self) -> None:
        """Drop the rows; whoever already reads them still sees them."""
        self._connection.execute(f"DROP TABLE {self._name}")

    def forget(self, gone: Iterable[S3Object]) -> None:
        """Delete the rows of objects."""
        numbers = []
        for stored in gone:
            numbers.append(self._numbers.pop(stored))
            footer = self.footers.pop(stored)
            self.rows -= footer.count
            self._sizes[stored.values].subtract(footer.sizes)
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
            arriving[name] = pc.cast(_repeated(texts, counts, pa.string()), kind.arrow)
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
        self.rows += sum(counts)
        for stored, footer in zip(objects, footers, strict=True):
            self.footers[stored] = footer
            self._sizes.setdefault(stored.values, Counter()).update(footer.sizes)

    def _create(self, table: CatalogTable) -> None:
        every = [*table.columns, *table.partition_keys]
        held = [f"{quoted(name)} {kind.duckdb}" for name, kind in every if name in self.columns]
        shown = [
            quoted(name) if name in self.columns else f"CAST(NULL AS {kind.duckdb}) AS {quoted(name)}"
            for name, kind in every
        ]
        if PATH in self.columns:
            held.append(f"{quoted(PATH)} VARCHAR")
        shown.append(quoted(PATH) if PATH in self.columns else f"CAST(NULL AS VARCHAR) AS {quoted(PATH)}")
        held.append(f"{quoted(_OBJECT)} BIGINT")
        self._connection.execute(f"CREATE TABLE {self._name} ({', '.join(held)})")
        view = qualified(table.database, table.name)
        self._connection.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT {', '.join(shown)} FROM {self._name}")  # noqa: S608 - quoted names


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(database: str, name: str) -> str:
    """Return a table's qualified name in DuckDB."""
    return f"{quoted(database)}.{quoted(name)}"


def _repeated(values: Iterable[Any], counts: Iterable[int], kind: pa.DataType) -> Any:
    """Return a column that repeats each value as often as its count says."""
    pieces = [constant_column(value, count, kind) for value, count in zip(values, counts, strict=True)]
    made: Any = pa.chunked_array
    return made(pieces, kind)
