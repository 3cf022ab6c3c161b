"""CAST and TRY_CAST, by the macros of casts.sql."""

from __future__ import annotations

import re

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import nodes
from embedded_aws.services.athena.sql.json_values import from_json, to_json
from embedded_aws.services.athena.sql.lengths import MILLISECONDS
from embedded_aws.services.athena.sql.nodes import STRICT, TRYING
from embedded_aws.services.athena.sql.parsing import Athena3

_DATE = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}\s*")
_TIMESTAMP = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}( ([01]?\d|2[0-3]):\d{1,2}(:\d{1,2}(\.\d{1,3})?)?)?\s*")
_ZONED = re.compile(r"(?P<moment>\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?) (?P<zone>[A-Za-z_/]+)")

_TARGETS = {
    exp.DType.BIGINT: "bigint",
    exp.DType.DOUBLE: "double",
    exp.DType.FLOAT: "real",
    exp.DType.BOOLEAN: "boolean",
}
_BITS = {exp.DType.INT: 32, exp.DType.SMALLINT: 16, exp.DType.TINYINT: 8}


_REALS = {exp.DType.DOUBLE, exp.DType.FLOAT}
_TIMES = {exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ}


def rewrite_cast(node: exp.Cast) -> exp.Expr:
    """Rewrite CAST or TRY_CAST.

    Raises:
        QueryError: the target type, or this operand for it, is not modelled.
    """
    target, operand = node.to, node.this
    if isinstance(operand, exp.Anonymous) and str(operand.this).lower() == "row":
        return _cast_of_row(node, operand)
    if isinstance(operand, exp.Null) or (isinstance(operand, exp.Array) and not operand.expressions):
        return exp.Cast(this=operand, to=_plain_type(target))
    if exp.DType.JSON in {nodes.kind(operand), target.this}:
        return _cast_of_json(node)
    if isinstance(operand, exp.Literal) and operand.is_string:
        if literal := _time_literal(node):
            return literal
        operand = exp.Cast(this=operand.copy(), to=exp.DataType.build("varchar"))
    return _cast_to_time(node, operand) if target.this in _TIMES else _cast_from_zone(node, operand)


def _cast_from_zone(node: exp.Cast, operand: exp.Expr) -> exp.Expr:
    zone = nodes.zone_of(operand)
    if zone != nodes.UTC and node.to.this == exp.DType.VARCHAR and not node.to.expressions:
        local = exp.Cast(this=nodes.local(operand), to=exp.DataType.build("timestamp"))
        return exp.DPipe(this=nodes.call(f"{STRICT}_varchar", local), expression=exp.Literal.string(f" {zone}"))
    nodes.refuse_zones(node)
    return _cast_to_scalar(node, operand)


def _cast_of_json(node: exp.Cast) -> exp.Expr:
    """Cast from or to JSON."""
    nodes.refuse_zones(node)
    operand = node.this.copy()
    if nodes.kind(node.this) == exp.DType.JSON:
        return from_json(operand, node.to, _strictness(node)[0])
    if isinstance(operand, exp.Literal) and operand.is_string:
        return to_json(exp.Cast(this=operand, to=exp.DataType.build("varchar")), exp.DataType.build("varchar"))
    refuse_other_precision(node.this)
    return to_json(operand, node.this.type)


def rewrite_json_literal(node: exp.ParseJSON) -> exp.Expr:
    """Rewrite `JSON '...'`."""
    return nodes.call("trino_json_parse", node.this.copy())


def _cast_of_row(node: exp.Cast, row: exp.Anonymous) -> exp.Expr:
    """Cast a row field by field."""
    fields = node.to.expressions
    if isinstance(node, exp.TryCast):
        raise not_supported("TRY_CAST of a row; use TRY_CAST for its fields")
    if not all(isinstance(field, exp.ColumnDef) for field in fields):
        raise not_supported("A row without names for its fields; cast it to ROW(name type, ...)")
    if len(fields) != len(row.expressions):
        count = len(row.expressions)
        raise QueryError("TYPE_MISMATCH", f"Cannot cast a row of {count} fields to {node.to.sql(Athena3).lower()}")
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(
                this=exp.to_identifier(field.name, quoted=True),
                expression=_cast_of_field(value, field.args["kind"], type(node)),
            )
            for field, value in zip(fields, row.expressions, strict=True)
        ]
    )


def _cast_of_field(value: exp.Expr, target: exp.DataType, cast: type[exp.Cast]) -> exp.Expr:
    if target.this in exp.DataType.NESTED_TYPES:
        if value.type is None or value.type != target:
            raise not_supported(f"CAST of a row with a field of type {target.sql(Athena3).lower()}")
        return value.copy()
    field = cast(this=value.copy(), to=target.copy())
    field.this.type = value.type
    return rewrite_cast(field)


def _cast_to_scalar(node: exp.Cast, operand: exp.Expr) -> exp.Expr:
    target = node.to
    macros, plain = _strictness(node)
    if target.this in exp.DataType.TEXT_TYPES:
        return _cast_to_text(node, operand)
    if target.this == exp.DType.DECIMAL:
        return _cast_to_decimal(operand, target, plain)
    if target.this in _BITS:
        return _cast_to_narrow(operand, target, macros)
    if target.this == exp.DType.BIGINT and nodes.kind(operand) in nodes.INTEGERS:
        return plain(this=operand, to=_plain_type(target))
    if target.this not in _TARGETS:
        raise not_supported(f"CAST to {target.sql(Athena3)}")
    return nodes.call(f"{macros}_{_TARGETS[target.this]}", operand)


def _cast_to_text(node: exp.Cast, operand: exp.Expr) -> exp.Expr:
    target = node.to
    macros, plain = _strictness(node)
    refuse_other_precision(operand)
    if target.this != exp.DType.VARCHAR:
        raise not_supported(f"CAST to {target.sql(Athena3)}, which is padded; cast to varchar")
    if target.expressions:
        return nodes.call(f"{macros}_varchar_of", operand, target.expressions[0].this.copy())
    # A macro has a branch for each type that an operand may be of, and takes DuckDB long.
    if nodes.kind(operand) in exp.DataType.TEXT_TYPES:
        return plain(this=operand, to=_plain_type(target))
    return nodes.call(f"{macros}_varchar", operand)


def _cast_to_narrow(operand: exp.Expr, target: exp.DataType, macros: str) -> exp.Expr:
    """Cast to an integer of fewer bits than bigint; for what it cannot hold, Trino's error depends on the type."""
    name = target.sql(Athena3).lower()
    highest = 2 ** (_BITS[target.this] - 1) - 1
    limits = [exp.Literal.number(limit) for limit in (-highest - 1, highest)]
    narrowed = nodes.call(f"{macros}_narrow", operand, exp.Literal.string(name), *limits)
    return exp.Cast(this=narrowed, to=exp.DataType.build(name, dialect="duckdb"))


def _cast_to_decimal(operand: exp.Expr, target: exp.DataType, plain: type[exp.Cast]) -> exp.Expr:
    """Cast to a decimal; a double through its text, as in Java: 1.005 is not a little less there."""
    if not target.expressions:
        target = exp.DataType.build("decimal(38, 0)")
    text = plain(this=exp.Cast(this=operand.copy(), to=exp.DataType.build("varchar")), to=target)
    kind = nodes.kind(operand)
    if kind in _REALS:
        return text
    direct = plain(this=operand, to=target)
    if kind not in {None, exp.DType.UNKNOWN}:
        return direct
    reals = [exp.Literal.string(name) for name in ("DOUBLE", "FLOAT")]
    is_real = exp.In(
        this=nodes.call("typeof", operand.copy()),
        expressions=reals,
    )
    return exp.Case(ifs=[exp.If(this=is_real, true=text)], default=direct)


def refuse_other_precision(moment: exp.Expr) -> None:
    """Refuse to convert a timestamp to text unless it has milliseconds: a literal keeps the digits it is written with.

    Raises:
        QueryError: it has another precision.
    """
    if nodes.kind(moment) not in _TIMES - {exp.DType.DATE}:
        return
    for cast in moment.find_all(exp.Cast):
        written = cast.this.name if isinstance(cast.this, exp.Literal) else None
        if cast.to.this == exp.DType.TIMESTAMP and written is not None and not MILLISECONDS.fullmatch(written):
            raise not_supported("The text of a timestamp literal; write it with three digits after the seconds")


def _strictness(node: exp.Cast) -> tuple[str, type[exp.Cast]]:
    return (TRYING, exp.TryCast) if isinstance(node, exp.TryCast) else (STRICT, exp.Cast)


def _time_literal(node: exp.Cast) -> exp.Expr | None:
    """Return a date or timestamp if its text is clearly valid; None leaves the check to the macros."""
    operand, target = node.this, node.to.this
    if target == exp.DType.TIMESTAMPTZ and (zoned := _ZONED.fullmatch(operand.name)):
        moment = exp.Cast(this=exp.Literal.string(zoned["moment"]), to=exp.DataType.build("timestamp"))
        zone = exp.Literal.string(zoned["zone"])
        return nodes.in_zone(nodes.call("trino_with_timezone", moment, zone), zoned["zone"])
    pattern = {exp.DType.DATE: _DATE, exp.DType.TIMESTAMP: _TIMESTAMP}.get(target)
    if pattern is None or not pattern.fullmatch(operand.name):
        return None
    _, plain = _strictness(node)
    return plain(this=operand, to=_plain_type(node.to))


def _cast_to_time(node: exp.Cast, operand: exp.Expr) -> exp.Expr:
    target = node.to
    # A literal has the precision it is written with.
    precise = target.expressions and target.expressions[0].name != "3" and not isinstance(node.this, exp.Literal)
    if precise:
        raise not_supported(f"CAST to {target.sql(Athena3)}; only timestamp(3)")
    macros, plain = _strictness(node)
    if target.this == exp.DType.TIMESTAMPTZ:
        return nodes.in_zone(nodes.call(f"{macros}_timestamptz", operand), nodes.zone_of(operand))
    if nodes.zone_of(operand) != nodes.UTC:
        return plain(this=nodes.local(operand), to=_plain_type(target))
    return nodes.call(f"{macros}_{target.this.value.lower()}", nodes.local(operand))


def _plain_type(target: exp.DataType) -> exp.DataType:
    """Return a type without the precision of timestamps, for which DuckDB has other type names."""
    if target.this in {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ}:
        return exp.DataType(this=target.this)
    return target.copy()
