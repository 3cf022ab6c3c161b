"""Reading a Parquet object as the catalog's columns and types.

Athena reads Parquet columns by name: a column missing from an object is null, and one that is not in the catalog is
ignored.
Source: https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.parquet_types import converted, int96_columns, is_readable, may_fail, mismatch, plain
from embedded_aws.services.athena.text_limits import Limits, shortened
from embedded_aws.services.athena.types import SqlType

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""Hive's name for a null partition value."""

_LARGE = 1_000_000
"""Bytes from which on the columns of an object are read side by side."""

_COMPRESSIONS = {"UNCOMPRESSED", "SNAPPY", "ZSTD"}
"""Those that writers use today, and DuckDB reads; of gzip it does not check the checksum."""


WHOLE = ""
"""In place of a column: what is read whichever columns a query wants."""


@dataclass(frozen=True)
class ObjectFooter:
    """What is known of one object whose rows are read."""

    count: int
    """How many rows it has."""

    sizes: Mapping[str, int]
    """Column → its size as stored in the object, in bytes."""

    mismatches: Mapping[str, QueryError]
    """Column that cannot be read as the catalog's type → Athena's error; such columns are null in the rows."""


@dataclass(frozen=True, eq=False)
class ColumnMatch:
    """How the columns of objects with one schema fit those of the catalog."""

    present: Mapping[str, str]
    """Column that can be read → its name in the object."""
    risky: Mapping[str, Any]
    """Column that can be read, but not with every value → its type in the catalog."""
    mismatches: Mapping[str, QueryError]
    leaves: tuple[tuple[int, str], ...]
    """Place of a leaf in the object's schema → its column."""
    is_exact: bool
    """Whether no two names of the object are alike, and DuckDB reads all columns that can be read as Arrow does."""


@dataclass(frozen=True)
class ParquetContent:
    """The content of one object."""

    footer: ObjectFooter
    match: ColumnMatch
    found: Any
    """Its rows as an Arrow table, in the object's own names and types; None if no column was read."""


class ParquetColumns:
    """Reads columns of a table from objects.

    Args:
        columns: names and types in the catalog.
        limits: column with texts of a limited length → their limits.
    """

    def __init__(self, columns: Iterable[tuple[str, SqlType]], limits: Mapping[str, Limits]) -> None:
        self._columns = tuple(columns)
        self._limits = limits
        self._latest: tuple[pa.Schema, frozenset[str] | None, ColumnMatch] | None = None

    def read(self, content: pa.NativeFile, address: str) -> ParquetContent:
        """Read an object.

        Args:
            content: the object.
            address: its S3 URI, for messages.

        Raises:
            QueryError: it is not a Parquet file.
        """
        with _valid_parquet(address):
            file, match = self._opened(content)
            names = list(match.present.values())
            found: Any = file.read(columns=names, use_threads=content.size() > _LARGE) if names else None
        match = _without_failing(match, found)
        # A file with none of the columns still has rows.
        footer, _ = _footer(file.metadata, match)
        return ParquetContent(footer, match, found)

    def exact(self, content: pa.NativeFile, address: str) -> ParquetContent | None:
        """Return what is known of an object from its footer, if DuckDB reads its columns as `read` does.

        Args:
            content: the object.
            address: its S3 URI, for messages.

        Raises:
            QueryError: it is not a Parquet file.
        """
        with _valid_parquet(address):
            file, match = self._opened(content)
        footer, compressions = _footer(file.metadata, match)
        is_exact = match.is_exact and bool(match.present) and compressions <= _COMPRESSIONS
        return ParquetContent(footer, match, None) if is_exact else None

    def joined(self, contents: Iterable[ParquetContent]) -> pa.Table:
        """Return the rows of objects in the catalog's types."""
        # Together as far as they are alike: the work for each small table would take most of the time.
        return pa.concat_tables(
            self._converted(match, list(alike)) for match, alike in itertools.groupby(contents, lambda one: one.match)
        )

    def _converted(self, match: ColumnMatch, contents: list[ParquetContent]) -> pa.Table:
        found = pa.concat_tables([one.found for one in contents]) if match.present else None
        count = sum(one.footer.count for one in contents)
        columns: dict[str, Any] = {}
        for name, kind in self._columns:
            column: Any = None if found is None or name not in match.present else found.column(match.present[name])
            columns[name] = (
                constant_column(None, count, kind.arrow)
                if column is None
                else shortened(converted(column, kind.arrow), self._limits.get(name))
            )
        return pa.table(columns)

    def _opened(self, content: pa.NativeFile) -> tuple[pq.ParquetFile, ColumnMatch]:
        # It is in memory already.
        file = pq.ParquetFile(content, pre_buffer=False)
        return file, self._match(file)

    def _match(self, file: pq.ParquetFile) -> ColumnMatch:
        """Compare an object's schema with the catalog, once for objects in a row that have the same."""
        schema, latest = file.schema_arrow, self._latest
        if latest and latest[0].equals(schema) and (latest[1] is None or latest[1] == int96_columns(file)):
            return latest[2]
        # Only nanoseconds may be stored in two ways.
        int96 = int96_columns(file) if "timestamp[ns" in str(schema.types) else None
        names = {name.lower(): name for name in schema.names}
        present: dict[str, str] = {}
        risky: dict[str, Any] = {}
        mismatches: dict[str, QueryError] = {}
        is_exact = len(names) == len(schema.names)
        for name, kind in self._columns:
            if name in names:
                found: Any = schema.field(names[name]).type
                if is_readable(found, kind.arrow, is_int96=names[name] in (int96 or ())):
                    present[name] = names[name]
                    if may_fail(found, kind.arrow):
                        risky[name] = kind.arrow
                    is_exact &= _is_exact(found, kind.arrow) and name not in self._limits
                else:
                    mismatches[name] = mismatch(name, found, kind)
        leaves = tuple(_leaves(file.metadata, {*present, *mismatches}))
        match = ColumnMatch(present, risky, mismatches, leaves, is_exact)
        self._latest = (schema, int96, match)
        return match


def partition_values(texts: Sequence[str]) -> tuple[str | None, ...]:
    """Return the values of partition keys, from their texts in the catalog."""
    return tuple(None if text == NO_VALUE else text for text in texts)


def constant_column(value: Any, count: int, kind: pa.DataType) -> Any:
    """Return a column that repeats one value."""
    scalar: Any = pa.scalar(value, kind)
    return pa.repeat(scalar, count)


def _without_failing(match: ColumnMatch, found: Any) -> ColumnMatch:
    """Return a match without the columns of which this object has values that the catalog's type has not."""
    failing: dict[str, QueryError] = {}
    for name, wanted in match.risky.items():
        try:
            converted(found.column(match.present[name]), wanted)
        except QueryError as error:
            failing[name] = error
    if not failing:
        return match
    present = {name: stored for name, stored in match.present.items() if name not in failing}
    return replace(match, present=present, mismatches={**match.mismatches, **failing})


def _leaves(metadata: Any, columns: set[str]) -> Iterator[tuple[int, str]]:
    for place in range(metadata.num_columns):
        name = metadata.schema.column(place).path.partition(".")[0].lower()
        if name in columns:
            yield place, name


def _footer(metadata: Any, match: ColumnMatch) -> tuple[ObjectFooter, set[str]]:
    """Return what a footer says, and the compressions of the columns."""
    sizes: dict[str, int] = {}
    compressions = set()
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place, name in match.leaves:
            column = group.column(place)
            sizes[name] = sizes.get(name, 0) + column.total_compressed_size
            compressions.add(column.compression)
    return ObjectFooter(metadata.num_rows, sizes, match.mismatches), compressions


@contextmanager
def _valid_parquet(address: str) -> Iterator[None]:
    """Raise Athena's error where Arrow cannot read an object."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {address}: {error}") from error


def _is_exact(found: Any, wanted: Any) -> bool:
    """Return whether DuckDB reads a file's type as the catalog's, with the same values."""
    # DuckDB believes a footer's bounds of floating-point numbers, which leave out NaN.
    return plain(found) == wanted and not any(name in str(wanted) for name in ("float", "double"))
