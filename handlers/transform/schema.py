"""Arrow schemas: of tables, from `tables.py`, and for reading raw lines, from `mapping.py`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, TypeAlias

import pyarrow as pa

from handlers.tables import COMMON, TABLES, Column, Table
from handlers.transform.mapping import STREAM_MAPPINGS, Entity, EpochTime, Expression, Part, StreamMapping, paths

ArrowType: TypeAlias = "pa.DataType"

# Hive and Athena read `timestamp` from INT64 milliseconds that are not adjusted to UTC, hence no time zone in the type.
_ARROW_TYPES: dict[str, ArrowType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("ms"),
    "date": pa.date32(),
    "array<string>": pa.list_(pa.string()),
}

READ_TYPES: dict[str, ArrowType] = {
    **_ARROW_TYPES,
    "int": pa.int64(),
    "timestamp": pa.string(),
    "date": pa.string(),
}
"""The types in JSON: narrower integers and times are converted after reading, value by value."""

# Fields of a raw line besides `context` and `record`, with the column each one feeds.
ENVELOPE = {
    "run_id": "_run_id",
    "read_id": "_read_id",
    "extracted_at": "_extracted_at",
    "account_id": "account_id",
}


def arrow_type(column: Column) -> ArrowType:
    """Return the Arrow type that a column is written as."""
    return _ARROW_TYPES[column.type]


def column_of(table: str, name: str) -> Column:
    """Return a table's column by its name."""
    return next(column for column in TABLES[table].all_columns if column.name == name)


_REPEATED = {"account_id", "_run_id", "_read_id", "_raw_key", "dt"}
"""Columns with the same value in most rows of a block; memory holds each value once."""


def _held_type(column: Column) -> ArrowType:
    return pa.dictionary(pa.int32(), pa.string()) if column.name in _REPEATED else arrow_type(column)


@functools.cache
def table_schema(name: str) -> pa.Schema:
    """Return the schema of a table's Parquet files: own columns, then common ones; only the grain is required."""
    table: Table = TABLES[name]
    return pa.schema(
        [
            pa.field(column.name, _held_type(column), nullable=column.name not in table.grain)
            for column in table.all_columns
        ]
    )


@functools.cache
def read_schema(stream: str) -> pa.Schema:
    """Return the nested schema for reading a stream's raw lines: only fields that some column needs."""
    tree: dict[str, Any] = {"context": {}, "record": {}}
    for name, type_ in _leaves(STREAM_MAPPINGS[stream]):
        _plant(tree, name, type_)
    for name, column in ENVELOPE.items():
        tree[name] = READ_TYPES[next(common.type for common in COMMON if common.name == column)]
    return pa.schema([pa.field(name, _grown(node)) for name, node in tree.items()])


def _leaves(mapping: StreamMapping) -> Iterator[tuple[str, ArrowType]]:
    """Yield every path of a stream in a raw line, with the type to read it as."""
    for name, expression in mapping.columns.items():
        type_ = _read_type(column_of(mapping.table, name), expression)
        for path in paths(expression):
            for raw in mapping.raw_paths(path):
                yield raw, type_
    for part in mapping.parts:
        for place in mapping.raw_paths(part.path):
            yield from _leaves_of_part(part, place)


def _leaves_of_part(part: Part, place: str) -> Iterator[tuple[str, ArrowType]]:
    entity: Entity = part.entity
    for name, expression in entity.columns.items():
        for path in paths(expression):
            yield f"{place}.{path}", _read_type(column_of(entity.table, name), expression)
    for inner in entity.parts:
        yield from _leaves_of_part(inner, f"{place}.{inner.path}")


def _read_type(column: Column, expression: Expression) -> ArrowType:
    return pa.int64() if isinstance(expression, EpochTime) else READ_TYPES[column.type]


def _plant(tree: dict[str, Any], path: str, type_: ArrowType) -> None:
    """Put a leaf into a tree of dictionaries; a list of objects is a list with the tree of its elements."""
    *parents, last = path.split(".")
    for name in parents:
        key = name.partition("[")[0]
        tree = tree.setdefault(key, {}) if key == name else tree.setdefault(key, [{}])[0]
    tree[last] = type_


def _grown(node: Any) -> ArrowType:
    if isinstance(node, list):
        return pa.list_(_grown(node[0]))
    if isinstance(node, dict):
        return pa.struct([pa.field(name, _grown(child)) for name, child in node.items()])
    type_: ArrowType = node
    return type_
