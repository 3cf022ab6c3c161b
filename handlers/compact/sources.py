"""Reading the Parquet objects of a partition: all of an object is checked before any of its rows count."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from handlers.compact.bucket import Stored, TransformedBucket
from handlers.layout import folder_in, is_original, output_of
from handlers.tables import TABLES
from handlers.transform.arrow import pc
from handlers.transform.schema import table_schema

_BATCH_ROWS = 8_192
_HELD_BYTES = 8 * 1024 * 1024
"""Size of the rows up to which an object that was checked need not be read again."""
_MEMORY_BYTES = 1024 * 1024
"""Size of an object up to which it needs no file."""
_BUFFER_BYTES = 64 * 1024
"""Of each column: otherwise all of its bytes in a row group would be in memory."""
_REQUIRED = ("_raw_key", "_line", "_schema_version")
"""Columns that every file has since the first version, besides those of the grain."""


class UnusableError(Exception):
    """The object cannot be compacted; the message is one sentence."""


@dataclass
class Source:
    """An object of a partition, which was read to its end once."""

    stored: Stored
    """With the ETag of what was read."""
    table: str
    content: bytes | Path
    """Of the object, or its file on disk."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Column → its value in all rows, if the file lacks it: the partition key that a folder had until it was a column.
    """
    keys: set[str] = field(default_factory=set)
    """The raw keys that its rows come from, once it was checked."""
    small: list[pa.Table] | None = field(default=None, repr=False)
    """All of its rows, if they are few."""

    def rows(self) -> Iterator[pa.Table]:
        """Yield the rows with the table's schema, part by part."""
        yield from _parts(self) if self.small is None else self.small

    def discard(self) -> None:
        """Free memory and disk."""
        self.small = None
        if isinstance(self.content, Path):
            self.content.unlink(missing_ok=True)


class Sources:
    """The objects of a table's partition.

    Args:
        bucket: where they are.
        table: the table.
        folder: where large ones are kept until they are discarded.
    """

    def __init__(self, bucket: TransformedBucket, table: str, folder: Path) -> None:
        self._bucket = bucket
        self._table = table
        self._folder = folder
        self._numbers = itertools.count()

    def fetch(self, stored: Stored) -> Source | UnusableError | None:
        """Fetch and check an object; called by several threads.

        Returns:
            The object, or why it cannot be used, or None if it is gone.

        Raises:
            ClientError: S3 refused the request.
            BotoCoreError: the object could not be read to its end.
            OSError: the disk is full.
        """
        found = self._content(stored)
        if found is None:
            return None
        content, etag = found
        partition_key, _, value = folder_in(stored.key).partition("=")
        source = Source(dataclasses.replace(stored, etag=etag), self._table, content, {partition_key: value})
        try:
            _check(source)
        except UnusableError as error:
            source.discard()
            return error
        return source

    def _content(self, stored: Stored) -> tuple[bytes | Path, str] | None:
        """Return an object, or its file, with its ETag; None if it is gone."""
        if stored.size <= _MEMORY_BYTES:
            return self._bucket.read(stored.key)
        path = self._folder / f"source-{next(self._numbers)}.parquet"
        etag = self._bucket.download(stored.key, path)
        return None if etag is None else (path, etag)


def raw_keys(rows: pa.Table) -> list[str]:
    """Return the raw keys that rows come from, each once."""
    found: list[str] = pc.unique(rows["_raw_key"].combine_chunks()).to_pylist()
    return found


def _check(source: Source) -> None:
    """Read an object to its end.

    Raises:
        UnusableError: it is damaged, or not what a version up to this one writes.
    """
    small: list[pa.Table] | None = []
    size = 0
    try:
        for part in _parts(source):
            part.validate(full=True)
            source.keys |= _checked_keys(part, source)
            size += part.nbytes
            small = [*small, part] if small is not None and size <= _HELD_BYTES else None
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        # Of a damaged file, Arrow raises an OSError without a number: no call to the system failed.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnusableError(f"It is no readable Parquet file ({_first_line(error)}).") from error
    source.small = small


def _checked_keys(rows: pa.Table, source: Source) -> set[str]:
    """Check rows, and return the raw keys that they come from."""
    for name in (*TABLES[source.table].grain, *_REQUIRED):
        if rows[name].null_count:
            raise UnusableError(f"It has null in the column {name}.")
    found = set(raw_keys(rows))
    if is_original(source.stored.name):
        for key in found - source.keys:
            if "{}-{}.parquet".format(*output_of(key)) != source.stored.name:
                raise UnusableError("It has rows of another raw object than its key says.")
    return found


def _parts(source: Source) -> Iterator[pa.Table]:
    table, schema = source.table, table_schema(source.table)
    with _opened(source.content) as content:
        with pq.ParquetFile(content) as file:
            metadata, found = file.metadata, file.schema_arrow
        _check_schema(found, schema, TABLES[table].grain)
        held: Any = [one.name for one in schema if one.name in found.names and pa.types.is_dictionary(one.type)]
        with pq.ParquetFile(content, metadata=metadata, read_dictionary=held, buffer_size=_BUFFER_BYTES) as file:
            for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                if batch.num_rows:
                    yield _conformed(pa.Table.from_batches([batch]), schema, source.missing)


def _opened(content: bytes | Path) -> pa.NativeFile:
    return pa.OSFile(str(content), mode="r") if isinstance(content, Path) else pa.BufferReader(content)


def _check_schema(found: pa.Schema, expected: pa.Schema, grain: tuple[str, ...]) -> None:
    types: Mapping[str, Any] = {one.name: one.type for one in expected}
    if len(set(found.names)) < len(found.names):
        raise UnusableError("It has a column twice.")
    for column in found:
        if column.name not in types:
            raise UnusableError(f"It has the column {column.name}, which this version does not know.")
        if _plain(column.type) != _plain(types[column.name]):
            raise UnusableError(
                f"Its column {column.name} is of type {_plain(column.type)} instead of {_plain(types[column.name])}."
            )
    for name in (*grain, *_REQUIRED):
        if name not in found.names:
            raise UnusableError(f"It lacks the column {name}.")


def _plain(type_: Any) -> Any:
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _conformed(rows: pa.Table, schema: pa.Schema, missing: Mapping[str, str]) -> pa.Table:
    """Return rows with all columns of the table: those that an older version did not have are null or as given."""
    if rows.schema.equals(schema):
        return rows
    columns: list[Any] = [
        _cast(rows[one.name], one.type)
        if one.name in rows.column_names
        else _repeated(missing.get(one.name), len(rows), one.type)
        for one in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: Any, type_: Any) -> Any:
    return column if column.type == type_ else column.cast(type_)


def _repeated(value: str | None, count: int, type_: Any) -> Any:
    if value is None:
        return pa.nulls(count, type_)
    values = pa.repeat(pa.scalar(value), count)
    return values.dictionary_encode() if pa.types.is_dictionary(type_) else values


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
