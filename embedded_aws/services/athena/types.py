"""Column types in Hive (Glue), Trino (Athena), DuckDB and Arrow."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError
from sqlglot.generators.trino import TrinoGenerator

from embedded_aws.services.athena.errors import QueryError, not_supported

# sqlglot also accepts the names of other engines.
# A char(n) is padded when it is read, which is not modelled.
_HIVE_NAMES = {
    "array", "bigint", "binary", "boolean", "date", "decimal", "double", "float", "int", "integer", "map",
    "smallint", "string", "struct", "timestamp", "tinyint", "varchar",
}  # fmt: skip
_FIELD = re.compile(r"(?<=[<,])\s*(?P<name>[^<>(),:]+?)\s*:")
_DUCKDB_NULL = re.compile(r'"NULL"(?=[\[\]),]|$)')


class UnknownTypeError(Exception):
    """An Arrow type that has no counterpart in Hive."""


@dataclass(frozen=True)
class SqlType:
    """A type in Athena."""

    tree: exp.DataType
    """The type in sqlglot: text without a length, decimals with both parameters, timestamps without precision."""

    @cached_property
    def trino(self) -> str:
        """The type in Trino's SQL."""
        return self.tree.sql(_Athena).lower()

    @cached_property
    def name(self) -> str:
        """Trino's name for it without parameters, e.g. "varchar", "array", "row"."""
        return re.sub(r"\(.*\)", "", self.trino)

    @property
    def hive(self) -> str:
        """The type in the Glue catalog.

        Raises:
            QueryError: Hive has no such type.
        """
        if any(
            part.this in {exp.DType.INTERVAL, exp.DType.JSON, exp.DType.NULL, exp.DType.TIMESTAMPTZ}
            for part in self.tree.find_all(exp.DataType)
        ):
            raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {self.trino}")
        return self.tree.sql("hive").lower().replace("`", "").replace(": ", ":").replace(", ", ",")

    @cached_property
    def duckdb(self) -> str:
        """The type in DuckDB's SQL."""
        return self.tree.sql("duckdb", identify=True)

    @cached_property
    def arrow(self) -> pa.DataType:
        """The type in Arrow; timestamps in milliseconds, the precision of Athena's Hive tables."""
        kind, parts = self.tree.this, [part.arrow for _, part in self.parts]
        if kind == exp.DType.ARRAY:
            return pa.list_(*parts)
        if kind == exp.DType.MAP:
            return pa.map_(*parts)
        if kind == exp.DType.STRUCT:
            return pa.struct([pa.field(name, part.arrow) for name, part in self.parts])
        if kind == exp.DType.DECIMAL:
            return pa.decimal128(*self.parameters)
        return _ARROW[kind]

    @property
    def parameters(self) -> tuple[int, ...]:
        """Precision and scale of a decimal; empty for any other type."""
        return tuple(int(part.name) for part in self.tree.expressions if isinstance(part, exp.DataTypeParam))

    @cached_property
    def parts(self) -> tuple[tuple[str, SqlType], ...]:
        """Name and type of a row's fields; unnamed types of an array's elements or a map's keys and values."""
        nested = (part for part in self.tree.expressions if not isinstance(part, exp.DataTypeParam))
        return tuple(
            (part.name, SqlType(part.args["kind"]) if isinstance(part, exp.ColumnDef) else SqlType(part))
            for part in nested
        )


@cache
def from_hive(text: str) -> SqlType:
    """Return the type that the Glue catalog names.

    Raises:
        QueryError: Hive has no such type, or it is not modelled.
    """
    lowered = text.lower()
    names = set(re.findall(r"[a-z]\w*|[^\s\w<>(),]", _FIELD.sub("", lowered)))
    if not names <= _HIVE_NAMES or text.count("<") != text.count(">"):
        raise not_supported(f"Hive type {text}")
    return _read(with_quoted_fields(text), "hive", f"Hive type {text}")


def with_quoted_fields(text: str) -> str:
    """Return a Hive type in lower case with quoted names of fields: one may be named like a keyword."""
    return _FIELD.sub(r"`\g<name>`:", text.lower())


def from_duckdb(found: DuckDBPyType) -> SqlType:
    """Return the type of a result's column.

    Raises:
        QueryError: Athena has no such type.
    """
    return _from_duckdb(str(found))


def from_arrow(arrow: Any) -> SqlType:
    """Return the type that a crawler gives a Parquet column.

    Raises:
        UnknownTypeError: Hive has none.
    """
    if pa.types.is_dictionary(arrow):
        return from_arrow(arrow.value_type)
    kind = _OF_ARROW.get(arrow) or next((kind for is_kind, kind in _ARROW_FAMILIES if is_kind(arrow)), None)
    if kind is None:
        raise UnknownTypeError(f"Hive has no type for {arrow}.")
    return SqlType(exp.DataType(this=kind, expressions=_arrow_parts(kind, arrow), nested=kind in _FEWEST_PARTS))


def _arrow_parts(kind: exp.DType, arrow: Any) -> list[exp.Expr]:
    if kind == exp.DType.DECIMAL:
        return _decimal(arrow.precision, arrow.scale)
    if kind == exp.DType.ARRAY:
        return [from_arrow(arrow.value_type).tree]
    if kind == exp.DType.MAP:
        return [from_arrow(arrow.key_type).tree, from_arrow(arrow.item_type).tree]
    if kind == exp.DType.STRUCT:
        return [
            exp.ColumnDef(this=exp.to_identifier(field.name.lower()), kind=from_arrow(field.type).tree)
            for field in arrow
        ]
    return []


@cache
def _from_duckdb(text: str) -> SqlType:
    return _read(_DUCKDB_NULL.sub("NULL", text), "duckdb", f"A result of type {text}")


def _read(text: str, dialect: str, what: str) -> SqlType:
    try:
        tree = exp.DataType.build(text, dialect=dialect)
    except ParseError as error:
        raise not_supported(what) from error
    for name in tree.find_all(exp.Identifier):
        name.set("quoted", not exp.SAFE_IDENTIFIER_RE.match(name.name))
    for part in tree.find_all(exp.DataType):
        kind = _SYNONYMS.get(part.this, part.this)
        if kind not in _MODELLED or len(part.expressions) < _FEWEST_PARTS.get(kind, 0):
            raise not_supported(what)
        part.set("this", kind)
        if kind == exp.DType.DECIMAL:
            given = [int(parameter.name) for parameter in part.expressions]
            part.set("expressions", _decimal(*given, *_HIVE_DECIMAL[len(given) :]))
        elif kind not in _FEWEST_PARTS:
            part.set("expressions", None)
        # The length of DuckDB's fixed arrays.
        part.set("values", None)
    return SqlType(tree)


def _decimal(precision: int, scale: int) -> list[exp.Expr]:
    return [exp.DataTypeParam(this=exp.Literal.number(number)) for number in (precision, scale)]


class _Athena(Trino):
    """Trino's dialect with the precision that timestamps have in Athena."""

    class Generator(TrinoGenerator):
        """Writes types."""

        TYPE_MAPPING = {  # noqa: RUF012 - as sqlglot declares it
            **TrinoGenerator.TYPE_MAPPING,
            exp.DType.INTERVAL: "INTERVAL DAY TO SECOND",
            exp.DType.NULL: "UNKNOWN",
            exp.DType.TIMESTAMP: "TIMESTAMP(3)",
            exp.DType.TIMESTAMPTZ: "TIMESTAMP(3)",
        }


_ARROW: dict[exp.DType, pa.DataType] = {
    exp.DType.BOOLEAN: pa.bool_(),
    exp.DType.TINYINT: pa.int8(),
    exp.DType.SMALLINT: pa.int16(),
    exp.DType.INT: pa.int32(),
    exp.DType.BIGINT: pa.int64(),
    exp.DType.FLOAT: pa.float32(),
    exp.DType.DOUBLE: pa.float64(),
    exp.DType.VARCHAR: pa.string(),
    exp.DType.VARBINARY: pa.binary(),
    exp.DType.DATE: pa.date32(),
    exp.DType.TIMESTAMP: pa.timestamp("ms"),
}
_OF_ARROW = {arrow: kind for kind, arrow in _ARROW.items()} | {
    # Hive has no unsigned types: take the next larger one.
    pa.uint8(): exp.DType.SMALLINT,
    pa.uint16(): exp.DType.INT,
    pa.uint32(): exp.DType.BIGINT,
    pa.uint64(): exp.DType.BIGINT,
    pa.float16(): exp.DType.FLOAT,
    pa.large_string(): exp.DType.VARCHAR,
    pa.large_binary(): exp.DType.VARBINARY,
    pa.date64(): exp.DType.DATE,
    pa.null(): exp.DType.VARCHAR,
}
_ARROW_FAMILIES: tuple[tuple[Callable[[Any], bool], exp.DType], ...] = (
    (pa.types.is_timestamp, exp.DType.TIMESTAMP),
    (pa.types.is_fixed_size_binary, exp.DType.VARBINARY),
    (pa.types.is_time32, exp.DType.INT),
    (pa.types.is_time64, exp.DType.BIGINT),
    (pa.types.is_duration, exp.DType.BIGINT),
    (pa.types.is_decimal, exp.DType.DECIMAL),
    (pa.types.is_list, exp.DType.ARRAY),
    (pa.types.is_large_list, exp.DType.ARRAY),
    (pa.types.is_fixed_size_list, exp.DType.ARRAY),
    (pa.types.is_map, exp.DType.MAP),
    (pa.types.is_struct, exp.DType.STRUCT),
)
_FEWEST_PARTS = {exp.DType.ARRAY: 1, exp.DType.MAP: 2, exp.DType.STRUCT: 1}
_MODELLED = {
    *_ARROW, *_FEWEST_PARTS, exp.DType.DECIMAL, exp.DType.INTERVAL, exp.DType.JSON, exp.DType.NULL,
    exp.DType.TIMESTAMPTZ,
}  # fmt: skip
_HIVE_DECIMAL = (10, 0)
_SYNONYMS = {
    # A length limits only writes.
    **dict.fromkeys(exp.DataType.TEXT_TYPES, exp.DType.VARCHAR),
    exp.DType.BINARY: exp.DType.VARBINARY,
    # A sum of integers is bigint in Trino.
    exp.DType.INT128: exp.DType.BIGINT,
    exp.DType.TIMESTAMP_MS: exp.DType.TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: exp.DType.TIMESTAMP,
}
