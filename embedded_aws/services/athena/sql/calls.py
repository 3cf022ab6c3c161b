"""Function calls: renamed for DuckDB, rewritten or refused."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import formats, nodes
from embedded_aws.services.athena.sql.casts import STRICT, refuse_other_precision
from embedded_aws.services.athena.sql.functions import (
    AGGREGATES,
    ALIASES,
    LOCAL_TIME,
    MACROS,
    OVERLOADED,
    RENAMED,
    SAME,
)
from embedded_aws.services.athena.sql.parsing import Athena3

NOW = "athena_now"
"""DuckDB variable with the start time of the query."""


def rewrite_call(node: exp.Anonymous) -> exp.Expr:
    """Rewrite a call.

    Raises:
        QueryError: the function, or one of its arguments, is not modelled.
    """
    name = str(node.this).lower()
    name = ALIASES.get(name, name)
    arguments = node.expressions
    if name in _SPECIAL:
        return _SPECIAL[name](node)
    if name in LOCAL_TIME:
        arguments = [nodes.local(argument) for argument in arguments]
    elif name != "to_unixtime":
        nodes.refuse_zones(node)
    if name in OVERLOADED:
        return overloaded(name, *(argument.copy() for argument in arguments))
    if f"trino_{name}" in _MACRO_NAMES:
        called = f"trino_{name}"
    elif name in RENAMED:
        called = RENAMED[name]
    elif name in SAME:
        called = name
    else:
        raise QueryError(
            "FUNCTION_NOT_FOUND", f"Function '{name}' not registered (or not modelled by the embedded Athena)"
        )
    return nodes.call(called, *(argument.copy() for argument in arguments))


def overloaded(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Return a call of a macro whose result has the type of one of its arguments.

    DuckDB picks an overload by that type, which it cannot infer if the argument holds an aggregate or window function.

    Raises:
        QueryError: it cannot be inferred here either.
    """
    argument = arguments[OVERLOADED[name]]
    if not any(str(call.this).lower() in AGGREGATES for call in argument.find_all(exp.Anonymous)):
        return nodes.call(f"trino_{name}", *arguments)
    kind = nodes.kind(argument)
    if kind in nodes.INTEGERS:
        variant = "bigint"
    elif kind in nodes.NUMBERS:
        variant = "double"
    elif kind == exp.DType.DATE:
        variant = "date"
    elif kind in exp.DataType.TEMPORAL_TYPES:
        variant = "timestamp"
    else:
        raise not_supported(f"The unknown type of {argument.sql(Athena3)}; cast it")
    return nodes.call(f"trino_{name}_{variant}", *arguments)


def now() -> exp.Expr:
    """Return the start time of the query."""
    return nodes.call("getvariable", exp.Literal.string(NOW))


def _now(node: exp.Anonymous) -> exp.Expr:
    _arguments(node, 0)
    return now()


def _at_timezone(node: exp.Anonymous) -> exp.Expr:
    moment, zone = _arguments(node, 2)
    return nodes.in_zone(nodes.call("trino_instant", moment), nodes.text(zone, "A time zone"))


def _with_timezone(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    moment, zone = _arguments(node, 2)
    return nodes.in_zone(nodes.call("trino_with_timezone", moment, zone), nodes.text(zone, "A time zone"))


def _date_trunc(node: exp.Anonymous) -> exp.Expr:
    unit, moment = _arguments(node, 2)
    zone = nodes.zone_of(moment)
    if zone == nodes.UTC:
        return overloaded("date_trunc", unit, moment)
    begin = nodes.call("trino_date_trunc_timestamp", unit, nodes.local(moment))
    return nodes.in_zone(nodes.call("trino_with_timezone", begin, exp.Literal.string(zone)), zone)


def _date(node: exp.Anonymous) -> exp.Expr:
    (moment,) = _arguments(node, 1)
    return nodes.call(f"{STRICT}_date", nodes.local(moment))


def _date_format(node: exp.Anonymous) -> exp.Expr:
    moment, pattern = _arguments(node, 2)
    translated = formats.from_mysql(nodes.text(pattern, "A date pattern"))
    return nodes.call("trino_strftime", nodes.local(moment), exp.Literal.string(translated))


def _format_datetime(node: exp.Anonymous) -> exp.Expr:
    moment, pattern = _arguments(node, 2)
    translated = formats.from_joda(nodes.text(pattern, "A date pattern"))
    return nodes.call("trino_strftime", nodes.local(moment), exp.Literal.string(translated))


def _date_parse(node: exp.Anonymous) -> exp.Expr:
    text, pattern = _arguments(node, 2)
    translated = formats.from_mysql(nodes.text(pattern, "A date pattern"))
    return nodes.call("trino_strptime", text, exp.Literal.string(translated))


def _concat(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    first, *others = node.expressions
    result: exp.Expr = first.copy()
    for other in others:
        result = nodes.call("trino_concat", result, other.copy())
    return result


def _extreme(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `greatest` and `least`: unlike DuckDB's, they are null if any argument is."""
    known = exp.and_(
        *(exp.Not(this=exp.Is(this=argument.copy(), expression=exp.Null())) for argument in node.expressions)
    )
    call = nodes.call(str(node.this), *(argument.copy() for argument in node.expressions))
    return exp.Case(ifs=[exp.If(this=known, true=call)])


def _array_match(quantifier: str) -> Callable[[exp.Anonymous], exp.Expr]:
    """Return the rewriter of any_match and the like, which combine the elements in three-valued logic."""

    def rewrite_match(node: exp.Anonymous) -> exp.Expr:
        array, condition = _arguments(node, 2)
        matches = nodes.call("list_transform", array, condition)
        return nodes.call(f"trino_{quantifier}_true", matches)

    return rewrite_match


def _format(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `format` with %s, %d and %.nf, which DuckDB formats alike."""
    nodes.refuse_zones(node)
    pattern = nodes.text(node.expressions[0], "A format")
    if re.search(r"%(?!s|%|0?\d*d|\.\d+f)", pattern.replace("%%", "")):
        raise not_supported(f"The format {pattern}")
    return nodes.call("printf", *(argument.copy() for argument in node.expressions))


def _json_path(node: exp.Anonymous) -> exp.Expr:
    text, path = _arguments(node, 2)
    return nodes.call("trino_json_extract_scalar", text, exp.Literal.string(nodes.text(path, "A JSON path")))


def _to_iso8601(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    (moment,) = _arguments(node, 1)
    refuse_other_precision(moment)
    return nodes.call("trino_to_iso8601", moment)


def _arguments(node: exp.Anonymous, count: int) -> list[exp.Expr]:
    if len(node.expressions) != count:
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {node.this}: expected {count}")
    return [argument.copy() for argument in node.expressions]


_MACRO_NAMES = frozenset(re.findall(r"CREATE MACRO (\w+)", MACROS))

_SPECIAL: dict[str, Callable[[exp.Anonymous], exp.Expr]] = {
    "all_match": _array_match("all"),
    "any_match": _array_match("any"),
    "at_timezone": _at_timezone,
    "concat": _concat,
    "date": _date,
    "date_format": _date_format,
    "date_parse": _date_parse,
    "date_trunc": _date_trunc,
    "format": _format,
    "format_datetime": _format_datetime,
    "greatest": _extreme,
    "json_extract_scalar": _json_path,
    "least": _extreme,
    "none_match": _array_match("none"),
    "now": _now,
    "to_iso8601": _to_iso8601,
    "with_timezone": _with_timezone,
}
