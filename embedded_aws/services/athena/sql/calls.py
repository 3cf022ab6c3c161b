"""Function calls: renamed for DuckDB, rewritten or refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import decimals, entries, formats, nodes
from embedded_aws.services.athena.sql.casts import refuse_other_precision
from embedded_aws.services.athena.sql.functions import (
    AGGREGATES,
    ALIASES,
    INTERNAL,
    LOCAL_TIME,
    MACROS,
    OVERLOADED,
    RENAMED,
    SAME,
    TRINO,
)
from embedded_aws.services.athena.sql.nodes import STRICT
from embedded_aws.services.athena.sql.parsing import Athena3
from embedded_aws.services.athena.sql.printf import rewrite_format
from embedded_aws.services.athena.sql.regexes import group_macro
from embedded_aws.services.athena.sql.trying import rewrite_try

NOW = "athena_now"
"""DuckDB variable with the start time of the query."""


_WITH_OWN_SYNTAX = frozenset({"json_array", "json_exists", "json_object", "json_query", "json_table", "json_value"})
"""Trino's grammar has them, and SHOW FUNCTIONS does not."""


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
    if name in _KEEPING_ZONES and arguments:
        kept = nodes.call(RENAMED.get(name, name), *(argument.copy() for argument in arguments))
        return nodes.in_zone(kept, nodes.zone_of(arguments[0]))
    if name in LOCAL_TIME:
        arguments = [nodes.local(argument) for argument in arguments]
    elif name != "to_unixtime":
        nodes.refuse_zones(node)
    if (exact := decimals.compute_function(node, name)) is not None:
        return exact
    if name in OVERLOADED:
        return overloaded(name, *(argument.copy() for argument in arguments))
    return nodes.call(_called(name), *(argument.copy() for argument in arguments))


def modelled() -> frozenset[str]:
    """Return the names of the functions that are modelled."""
    macros = {name.removeprefix("trino_") for name in _MACRO_NAMES if name.startswith("trino_")} - INTERNAL
    return frozenset(macros | RENAMED.keys() | SAME | _SPECIAL.keys() | OVERLOADED.keys())


def _called(name: str) -> str:
    """Return the name of a function in DuckDB.

    Raises:
        QueryError: it is not modelled.
    """
    if f"trino_{name}" in _MACRO_NAMES and name not in INTERNAL:
        return f"trino_{name}"
    if name in RENAMED:
        return RENAMED[name]
    if name in SAME:
        return name
    if name in TRINO or name in _WITH_OWN_SYNTAX:
        raise not_supported(f"The function {name}")
    raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered")


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
    return nodes.in_zone(nodes.instant(moment), nodes.text(zone, "A time zone"))


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


def _count_if(node: exp.Anonymous) -> exp.Expr:
    """Count what is true; DuckDB's own is NULL over no rows."""
    (condition,) = _arguments(node, 1)
    is_distinct = isinstance(condition, exp.Distinct)
    matching: exp.Expr = exp.Case(
        ifs=[exp.If(this=condition.expressions[0] if is_distinct else condition, true=exp.Literal.number(1))]
    )
    return nodes.call("count", exp.Distinct(expressions=[matching]) if is_distinct else matching)


def _regexp_extract(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    arguments = [argument.copy() for argument in node.expressions]
    if len(arguments) == 2:
        return nodes.call("trino_regexp_extract", *arguments)
    text, pattern, group = _arguments(node, 3)
    return nodes.call(f"trino_{group_macro(pattern, group)}", text, pattern, group)


def _json_path(node: exp.Anonymous) -> exp.Expr:
    """Rewrite a function of JSON and a path."""
    value, path = _arguments(node, 2)
    written = nodes.text(path, "A JSON path")
    if not _JSON_PATH.fullmatch(written):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{written}'")
    # DuckDB's names are quoted, and its paths have no quotes in brackets.
    quoted = re.sub(r"\.(\w+)", r'."\1"', re.sub(r'\["([^"]*)"\]', r'."\1"', written))
    return nodes.call(f"trino_{str(node.this).lower()}", value, exp.Literal.string(quoted))


def _json_array_contains(node: exp.Anonymous) -> exp.Expr:
    array, value = _arguments(node, 2)
    kind = nodes.kind(value)
    if kind in nodes.INTEGERS:
        return nodes.call("trino_json_contains_bigint", array, value)
    name = {exp.DType.BOOLEAN: "boolean", exp.DType.DOUBLE: "double", exp.DType.VARCHAR: "varchar"}.get(kind)
    if name is None:
        raise not_supported("json_array_contains of other than a bigint, double, boolean or varchar; cast the value")
    return nodes.call(f"trino_json_contains_{name}", array, value)


def _json_format(node: exp.Anonymous) -> exp.Expr:
    (value,) = _arguments(node, 1)
    if nodes.kind(value) in exp.DataType.TEXT_TYPES:
        raise QueryError("FUNCTION_NOT_FOUND", "Unexpected parameters (varchar) for function json_format")
    return nodes.call("trino_json_format", value)


def _row(node: exp.Anonymous) -> exp.Expr:
    if not (isinstance(node.parent, exp.Cast) and node.parent.to.this == exp.DType.STRUCT):
        raise not_supported("A row without names for its fields; cast it to ROW(name type, ...)")
    return node


def _to_iso8601(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    (moment,) = _arguments(node, 1)
    refuse_other_precision(moment)
    return nodes.call("trino_to_iso8601", moment)


def _arguments(node: exp.Anonymous, count: int) -> list[exp.Expr]:
    if len(node.expressions) != count:
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {node.this}: expected {count}")
    return [argument.copy() for argument in node.expressions]


def _approx_distinct(node: exp.Anonymous) -> exp.Expr:
    """Count exactly, which is within any error."""
    nodes.refuse_zones(node)
    counted = node.expressions[0].copy()
    return nodes.call("count", exp.Distinct(expressions=[counted]))


def _approx_percentile(node: exp.Anonymous) -> exp.Expr:
    """Take the exact element whose rank Trino's digest of few values gives: the next one above the fraction."""
    nodes.refuse_zones(node)
    values, fraction = _arguments(node, 2)
    written = fraction.this if isinstance(fraction, exp.Cast) else fraction
    if not isinstance(written, exp.Literal) or written.is_string:
        raise not_supported("approx_percentile of other than one literal fraction of unweighted values")
    if nodes.kind(values) in nodes.INTEGERS:
        values = exp.Cast(this=values, to=exp.DataType.build("bigint"))
    elif nodes.kind(values) == exp.DType.DECIMAL:
        values = exp.Cast(this=values, to=exp.DataType.build("double"))
    if not 0 <= Decimal(written.name) <= 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    # Counted from the largest one, since DuckDB takes the next one below.
    rest = 1 - Decimal(written.name)
    return nodes.call("quantile_disc", values, exp.Neg(this=exp.Literal.number(str(rest))) if rest else written.copy())


def _histogram(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    if isinstance(node.parent, exp.Window | exp.Filter):
        raise not_supported("histogram with OVER or FILTER")
    return nodes.call("trino_counts", nodes.call("histogram", *_arguments(node, 1)))


def _cardinality(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    (collection,) = _arguments(node, 1)
    if nodes.kind(collection) == exp.DType.MAP:
        return exp.Cast(this=nodes.call("cardinality", collection), to=exp.DataType.build("bigint"))
    return nodes.call("trino_cardinality", collection)


def _map_agg(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    key, value = _arguments(node, 2)
    pair = nodes.struct(k=key, v=value)
    known = exp.Filter(
        this=nodes.call("list", pair),
        expression=exp.Where(this=exp.Not(this=exp.Is(this=key.copy(), expression=exp.Null()))),
    )
    if isinstance(node.parent, exp.Window | exp.Filter):
        raise not_supported("map_agg with OVER or FILTER")
    return nodes.call("trino_map_of_pairs", known)


def _reduce(node: exp.Anonymous) -> exp.Expr:
    nodes.refuse_zones(node)
    array, start, step, finish = _arguments(node, 4)
    if not isinstance(finish, exp.Lambda) or finish.this != finish.expressions[0]:
        raise not_supported("reduce whose last function changes the result; apply it outside")
    return nodes.call("list_reduce", array, step, start)


def _random(node: exp.Anonymous) -> exp.Expr:
    if node.expressions:
        # DuckDB would compute it more than once within one expression.
        raise not_supported("random with a bound")
    return nodes.call("random")


_KEEPING_ZONES = {"any_value", "arbitrary", "max", "min"}
"""Functions of one argument whose result is one of its values."""

_JSON_PATH = re.compile(r'\$(?:\.[A-Za-z_]\w*|\[\d+\]|\["[^".\[\]]*"\])*')
_MACRO_NAMES = frozenset(re.findall(r"CREATE MACRO (\w+)", MACROS))

_SPECIAL: dict[str, Callable[[exp.Anonymous], exp.Expr]] = {
    "all_match": _array_match("all"),
    "any_match": _array_match("any"),
    "approx_distinct": _approx_distinct,
    "approx_percentile": _approx_percentile,
    "at_timezone": _at_timezone,
    "cardinality": _cardinality,
    "concat": _concat,
    "date": _date,
    "date_format": _date_format,
    "date_parse": _date_parse,
    "count_if": _count_if,
    "date_trunc": _date_trunc,
    "format": rewrite_format,
    "format_datetime": _format_datetime,
    "greatest": _extreme,
    "json_array_contains": _json_array_contains,
    "json_extract": _json_path,
    "json_extract_scalar": _json_path,
    "json_format": _json_format,
    "json_size": _json_path,
    "histogram": _histogram,
    "least": _extreme,
    "map_agg": _map_agg,
    "map_filter": entries.map_filter,
    "none_match": _array_match("none"),
    "now": _now,
    "rand": _random,
    "random": _random,
    "reduce": _reduce,
    "regexp_extract": _regexp_extract,
    "row": _row,
    "to_iso8601": _to_iso8601,
    "transform_keys": entries.transform_keys,
    "transform_values": entries.transform_values,
    "try": rewrite_try,
    "with_timezone": _with_timezone,
    "zip_with": entries.zip_with,
}
