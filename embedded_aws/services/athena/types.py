"""Column types in the four languages that meet here: Hive (Glue), Trino (Athena), DuckDB and Arrow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from embedded_aws.services.athena.errors import QueryError, not_supported

_TOKEN = re.compile(r"\s*(?:(?P<word>[^<>(),:]+)|(?P<mark>[<>(),:]))")


@dataclass(frozen=True)
class SqlType:
    """A type.

    Attributes:
        name: as Trino names it, without parameters, e.g. "varchar", "array", "row".
        parameters: of decimal: precision, scale; of char: length.
        fields: of array, map and row: name ("" except for row) and type of each part.
    """

    name: str
    parameters: tuple[int, ...] = ()
    fields: tuple[tuple[str, SqlType], ...] = ()

    @property
    def trino(self) -> str:
        """As Trino writes it."""
        if self.name == "timestamp":
            return "timestamp(3)"
        if self.name == "timestamp with time zone":
            return "timestamp(3) with time zone"
        if self.name == "row":
            return f"row({', '.join(f'{name} {kind.trino}' for name, kind in self.fields)})"
        return self.name + _listed(kind.trino for _, kind in self.fields) + _listed(map(str, self.parameters))

    @property
    def hive(self) -> str:
        """As the Glue catalog writes it.

        Raises:
            QueryError: Hive has no such type.
        """
        if self.name == "row":
            return f"struct<{','.join(f'{name}:{kind.hive}' for name, kind in self.fields)}>"
        if self.fields:
            return f"{self.name}<{','.join(kind.hive for _, kind in self.fields)}>"
        if self.name not in _HIVE:
            raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {self.trino}")
        return _HIVE[self.name] + _listed(map(str, self.parameters))

    @property
    def duckdb(self) -> str:
        """As DuckDB writes it."""
        if self.name == "array":
            return f"{self.fields[0][1].duckdb}[]"
        if self.name == "row":
            return f"STRUCT({', '.join(f'{_quoted(name)} {kind.duckdb}' for name, kind in self.fields)})"
        if self.name == "map":
            return f"MAP({self.fields[0][1].duckdb}, {self.fields[1][1].duckdb})"
        return _DUCKDB[self.name] + _listed(map(str, self.parameters if self.name == "decimal" else ()))

    @property
    def arrow(self) -> pa.DataType:
        """As Arrow has it; timestamps in milliseconds, the precision of Athena's Hive tables."""
        if self.name == "array":
            return pa.list_(self.fields[0][1].arrow)
        if self.name == "map":
            return pa.map_(self.fields[0][1].arrow, self.fields[1][1].arrow)
        if self.name == "row":
            return pa.struct([pa.field(name, kind.arrow) for name, kind in self.fields])
        if self.name == "decimal":
            return pa.decimal128(*self.parameters)
        return _ARROW[self.name]


def from_hive(text: str) -> SqlType:
    """Read a type of the Glue catalog.

    Raises:
        QueryError: there is no such type, or it is not modelled.
    """
    tokens = [match["word"] or match["mark"] for match in _TOKEN.finditer(text.strip().lower())]
    found, rest = _read_hive(tokens)
    if rest:
        raise not_supported(f"Hive type {text}")
    return found


def from_duckdb(found: DuckDBPyType) -> SqlType:
    """Read the type of a result's column.

    Raises:
        QueryError: Athena has no such type.
    """
    kind = found.id
    if kind in {"list", "array"}:
        return SqlType("array", fields=(("", from_duckdb(_child(found, 0))),))
    if kind == "map":
        return SqlType("map", fields=(("", from_duckdb(_child(found, 0))), ("", from_duckdb(_child(found, 1)))))
    if kind == "struct":
        return SqlType(
            "row",
            fields=tuple((name, from_duckdb(_child(found, index))) for index, (name, _) in enumerate(found.children)),
        )
    if kind == "decimal":
        precision, scale = (int(str(value)) for _, value in found.children)
        return SqlType("decimal", (precision, scale))
    if kind not in _OF_DUCKDB:
        raise not_supported(f"A result of type {found}")
    return SqlType(_OF_DUCKDB[kind])


def _child(found: DuckDBPyType, index: int) -> DuckDBPyType:
    child = found.children[index][1]
    if not isinstance(child, DuckDBPyType):
        raise not_supported(f"A result of type {found}")
    return child


def _read_hive(tokens: list[str]) -> tuple[SqlType, list[str]]:
    name, rest = tokens[0].strip(), tokens[1:]
    if name in {"array", "map"} and rest[:1] == ["<"]:
        fields = []
        while rest[0] in {"<", ","}:
            kind, rest = _read_hive(rest[1:])
            fields.append(("", kind))
        return SqlType(name, fields=tuple(fields)), rest[1:]
    if name == "struct" and rest[:1] == ["<"]:
        fields = []
        while rest[0] in {"<", ","}:
            field = rest[1].strip()
            kind, rest = _read_hive(rest[3:])
            fields.append((field, kind))
        return SqlType("row", fields=tuple(fields)), rest[1:]
    parameters: tuple[int, ...] = ()
    if rest[:1] == ["("]:
        end = rest.index(")")
        parameters = tuple(int(number) for number in rest[1:end] if number != ",")
        rest = rest[end + 1 :]
    if name not in _OF_HIVE:
        raise not_supported(f"Hive type {name}")
    if name == "decimal" and not parameters:
        parameters = (10, 0)
    # A length bounds what may be written; what is read is text.
    return SqlType(_OF_HIVE[name], parameters if name == "decimal" else ()), rest


def _listed(parts: Iterable[str]) -> str:
    inside = ", ".join(parts)
    return f"({inside})" if inside else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_OF_HIVE = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "int": "integer",
    "integer": "integer",
    "bigint": "bigint",
    "float": "real",
    "double": "double",
    "decimal": "decimal",
    "string": "varchar",
    "varchar": "varchar",
    "char": "varchar",
    "binary": "varbinary",
    "date": "date",
    "timestamp": "timestamp",
}
_HIVE = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "integer": "int",
    "bigint": "bigint",
    "real": "float",
    "double": "double",
    "decimal": "decimal",
    "varchar": "string",
    "varbinary": "binary",
    "date": "date",
    "timestamp": "timestamp",
}
_DUCKDB = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "decimal": "DECIMAL",
    "varchar": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
_ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
}
_OF_DUCKDB = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "integer": "integer",
    "bigint": "bigint",
    # The sum of integers, which Trino bounds to bigint.
    "hugeint": "bigint",
    "float": "real",
    "double": "double",
    "varchar": "varchar",
    "blob": "varbinary",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp with time zone": "timestamp with time zone",
    "sqlnull": "unknown",
    '"null"': "unknown",
}
