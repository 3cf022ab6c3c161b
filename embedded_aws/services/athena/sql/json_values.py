"""CAST from and to JSON, built part by part for the type on the other side.

A value of JSON is its text in DuckDB. One that begins with a space has its keys sorted once somebody sees it, as
`json_parse` does; see json_text.py.
Source: https://trino.io/docs/current/functions/json.html#cast-to-json
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import nodes
from embedded_aws.services.athena.sql.nodes import TRYING

_SCALARS = {
    exp.DType.BIGINT: "bigint",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.DOUBLE: "double",
    exp.DType.INT: "bigint",
    exp.DType.SMALLINT: "bigint",
    exp.DType.TINYINT: "bigint",
    exp.DType.VARCHAR: "varchar",
}
_NARROW = {exp.DType.INT: "int", exp.DType.SMALLINT: "smallint", exp.DType.TINYINT: "tinyint"}
_TO_JSON = {
    **dict.fromkeys((exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT), "plain"),
    exp.DType.BOOLEAN: "plain",
    exp.DType.DATE: "text",
    exp.DType.DOUBLE: "double",
    exp.DType.TIMESTAMP: "text",
    exp.DType.VARCHAR: "text",
}


def from_json(value: exp.Expr, target: exp.DataType, macros: str, depth: int = 0) -> exp.Expr:
    """Return the cast of a JSON value.

    Args:
        value: the value, already rewritten.
        target: the type.
        macros: prefix of the macros of CAST or TRY_CAST.
        depth: how many lambdas are around it.

    Raises:
        QueryError: the type is not modelled.
    """
    kind: Any = target.this
    if kind == exp.DType.JSON:
        return value
    if kind in _SCALARS and not target.expressions:
        result: exp.Expr = nodes.call(f"{macros}_json_{_SCALARS[kind]}", value)
        # Out of range, a number of JSON is an argument that cannot be cast, whatever other numbers are.
        plain = exp.TryCast if macros == TRYING else exp.Cast
        return plain(this=result, to=exp.DataType.build(_NARROW[kind])) if kind in _NARROW else result
    if kind == exp.DType.ARRAY and target.expressions:
        elements = nodes.call(f"{macros}_json_elements", value)
        return _each(elements, depth, lambda one: from_json(one, _part(target, 0), macros, depth + 1))
    if kind == exp.DType.MAP and _part(target, 0).this == exp.DType.VARCHAR:
        entries = nodes.call(f"{macros}_json_entries", value)
        values = nodes.call("map_values", entries.copy())
        cast = _each(values, depth, lambda one: from_json(one, _part(target, 1), macros, depth + 1))
        return nodes.call("map", nodes.call("map_keys", entries), cast)
    if kind == exp.DType.STRUCT and all(isinstance(part, exp.ColumnDef) for part in target.expressions):
        return _row(value, target, macros, depth)
    raise not_supported(f"CAST of JSON to {target.sql('trino').lower()}")


def to_json(value: exp.Expr, kind: exp.DataType | None) -> exp.Expr:
    """Return the JSON of a value.

    Args:
        value: the value, already rewritten.
        kind: its type.

    Raises:
        QueryError: the type is not modelled.
    """
    if kind is None or kind.this == exp.DType.UNKNOWN:
        raise not_supported("CAST to JSON of a value of an unknown type; cast it to that type first")
    nested = list(kind.find_all(exp.DataType))
    has_map = any(part.this == exp.DType.MAP for part in nested)
    if has_map and any(part.this in {exp.DType.STRUCT, exp.DType.JSON} for part in nested):
        raise not_supported("CAST to JSON of maps together with rows or JSON")
    result = _to_json(value, kind, 0)
    return nodes.call("trino_json_sorted", result) if has_map else result


def _to_json(value: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    if kind.this == exp.DType.JSON:
        return value
    if kind.this in _TO_JSON:
        return nodes.call(f"trino_json_of_{_TO_JSON[kind.this]}", value)
    if kind.this == exp.DType.ARRAY and kind.expressions:
        return nodes.call(
            "trino_json_of_nested", _each(value, depth, lambda one: _to_json(one, _part(kind, 0), depth + 1))
        )
    if kind.this == exp.DType.MAP and kind.expressions and _part(kind, 0).this == exp.DType.VARCHAR:
        values = nodes.call("map_values", value.copy())
        written = _each(values, depth, lambda one: _to_json(one, _part(kind, 1), depth + 1))
        return nodes.call("trino_json_of_nested", nodes.call("map", nodes.call("map_keys", value), written))
    raise not_supported(f"CAST to JSON of {kind.sql('trino').lower()}")


def _row(value: exp.Expr, target: exp.DataType, macros: str, depth: int) -> exp.Expr:
    fields = [
        exp.PropertyEQ(
            this=exp.to_identifier(part.name, quoted=True),
            expression=from_json(
                nodes.call(
                    "trino_json_field", value.copy(), exp.Literal.string(part.name.lower()), exp.Literal.number(place)
                ),
                part.args["kind"],
                macros,
                depth,
            ),
        )
        for place, part in enumerate(target.expressions)
    ]
    present = nodes.call(f"{macros}_json_row", value, exp.Literal.number(len(fields)))
    is_known = exp.Not(this=exp.Is(this=present, expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=is_known, true=exp.Struct(expressions=fields))])


def _each(values: exp.Expr, depth: int, change: Any) -> exp.Expr:
    name = f"element{depth}"
    body = change(exp.column(name))
    if isinstance(body, exp.Column):
        return values
    return nodes.call("list_transform", values, exp.Lambda(this=body, expressions=[exp.to_identifier(name)]))


def _part(kind: exp.DataType, place: int) -> exp.DataType:
    part = kind.expressions[place]
    if not isinstance(part, exp.DataType):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast to {kind.sql('trino').lower()}")
    return part
