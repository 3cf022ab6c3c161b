"""Helpers for rewriting nodes: calls, types and the time zones of timestamps.

A timestamp with time zone is a bare instant in DuckDB, so its zone is kept in the node's metadata.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_aws.services.athena.errors import not_supported

STRICT = "trino_cast"
TRYING = "trino_try_cast"
"""Macro prefixes of CAST and TRY_CAST."""

UTC = "UTC"
NUMBERS = exp.DataType.NUMERIC_TYPES
INTEGERS = exp.DataType.INTEGER_TYPES

_ZONE = "zone"
_INSTANT = "trino_instant"


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Return a call of a function or macro of DuckDB."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def struct(**parts: exp.Expr) -> exp.Struct:
    """Return a row with names."""
    return exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(name), expression=part) for name, part in parts.items()]
    )


def kind(node: exp.Expr) -> Any:
    """Return the type of a node, without its parameters."""
    return node.type.this if node.type is not None else None


def text(node: exp.Expr, what: str) -> str:
    """Return the text of a literal, which is already cast to varchar.

    Raises:
        QueryError: `what`, a noun phrase for the message, is not a literal.
    """
    literal = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(literal, exp.Literal) or not literal.is_string:
        raise not_supported(f"{what} that is not a literal")
    return str(literal.this)


def zone_of(node: exp.Expr | None) -> str:
    """Return the zone of a timestamp; the session's zone, UTC, for anything else."""
    return str(node.meta.get(_ZONE, UTC)) if node is not None else UTC


def in_zone(node: exp.Expr, zone: str) -> exp.Expr:
    """Return an instant, marked with a zone."""
    node.meta[_ZONE] = zone
    return node


def instant(moment: exp.Expr) -> exp.Expr:
    """Return a timestamp as an instant; anything else is refused when DuckDB plans the query."""
    # A macro repeats its argument, so one within another takes DuckDB long.
    is_one = isinstance(moment, exp.Anonymous) and moment.this == _INSTANT
    return moment.copy() if is_one else call(_INSTANT, moment)


def local(node: exp.Expr) -> exp.Expr:
    """Return a timestamp's local time in its zone."""
    zone = zone_of(node)
    # Only an instant has another zone than UTC.
    return node if zone == UTC else call("timezone", exp.Literal.string(zone), node.copy())


def refuse_zones(node: exp.Expr) -> None:
    """Refuse operands in a zone other than UTC, which would be lost.

    Raises:
        QueryError: an operand has another zone.
    """
    for child in node.iter_expressions():
        if zone_of(child) != UTC:
            raise not_supported(
                f"A timestamp in zone {zone_of(child)} as an operand or column: cast it to timestamp or date first"
            )
