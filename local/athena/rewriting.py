"""The nodes of a query one by one: kept where DuckDB means the same, rewritten where it does not, else refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local.athena import formats
from local.athena.casts import STRICT, TRYING
from local.athena.errors import QueryError, not_supported
from local.athena.functions import AGGREGATES, ALIASES, IGNORING_NULLS, MACROS, OF_LOCAL_TIME, OVERLOADED, RENAMED, SAME
from local.athena.reading import Athena3

NOW = "athena_now"
"""DuckDB's variable that holds the moment at which a query began."""

_ZONE = "zone"
_UTC = "UTC"
_NUMBERS = exp.DataType.NUMERIC_TYPES
_INTEGERS = exp.DataType.INTEGER_TYPES

_KEPT: tuple[type[exp.Expr], ...] = (
    exp.Alias, exp.And, exp.Array, exp.Between, exp.Boolean, exp.Case, exp.Column, exp.CTE, exp.Cube, exp.DataType,
    exp.DataTypeParam, exp.Distinct, exp.EQ, exp.Escape, exp.Except, exp.Exists, exp.Fetch, exp.Filter, exp.From, exp.Group,
    exp.GroupConcat, exp.GroupingSets, exp.GT, exp.GTE, exp.Having, exp.Identifier, exp.If, exp.In, exp.Intersect,
    exp.Interval, exp.Is, exp.Join, exp.Lambda, exp.Like, exp.Limit, exp.LT, exp.LTE, exp.Mod, exp.Mul, exp.Neg, exp.NEQ,
    exp.Not, exp.Null, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Offset, exp.Or, exp.Order, exp.Ordered, exp.Pseudocolumn,
    exp.Rollup, exp.Select, exp.Star, exp.Subquery, exp.Table, exp.TableAlias, exp.Tuple, exp.Union, exp.Values, exp.Var,
    exp.Where, exp.WindowSpec, exp.With,
)  # fmt: skip

_OF_INSTANTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Is, exp.Ordered)
"""Nodes for which the zone of a timestamp makes no difference."""


def rewrite(node: exp.Expr) -> exp.Expr:
    """Rewrite a query that has been qualified and annotated with types.

    Raises:
        QueryError: a part of it is not modelled.
    """
    for child in list(node.iter_expressions()):
        rewritten = rewrite(child)
        if rewritten is not child:
            child.replace(rewritten)
    handler = _REWRITTEN.get(type(node))
    if handler is None:
        if not isinstance(node, _KEPT):
            raise not_supported(f"{type(node).__name__.upper()}: {node.sql(Athena3)[:200]}")
        result = node
        if not isinstance(node, _OF_INSTANTS):
            _refuse_zones(node)
    else:
        result = handler(node)
    if result.type is None:
        result.type = node.type
    return result


# Zones: a timestamp with time zone is an instant in DuckDB, so the zone is kept beside it while it is in sight.


def _zone(node: exp.Expr | None) -> str:
    return str(node.meta.get(_ZONE, _UTC)) if node is not None else _UTC


def _in_zone(node: exp.Expr, zone: str) -> exp.Expr:
    node.meta[_ZONE] = zone
    return node


def _local(node: exp.Expr) -> exp.Expr:
    """Return what the clock of a timestamp's zone shows."""
    zone = _zone(node)
    return node if zone == _UTC else _call("trino_local", exp.Literal.string(zone), node.copy())


def _refuse_zones(node: exp.Expr) -> None:
    for child in node.iter_expressions():
        if _zone(child) != _UTC:
            raise not_supported(
                f"A timestamp in zone {_zone(child)} as an operand or column: cast it to timestamp or date first"
            )


# Nodes


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _overloaded(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Call a macro that gives the type of one of its arguments.

    DuckDB chooses by that type, which it does not know while the argument holds an aggregate or a window function.
    """
    argument = arguments[OVERLOADED[name]]
    if not any(str(call.this).lower() in AGGREGATES for call in argument.find_all(exp.Anonymous)):
        return _call(f"trino_{name}", *arguments)
    kind = _kind(argument)
    if kind in _INTEGERS:
        variant = "bigint"
    elif kind in _NUMBERS:
        variant = "double"
    elif kind == exp.DType.DATE:
        variant = "date"
    elif kind in exp.DataType.TEMPORAL_TYPES:
        variant = "timestamp"
    else:
        raise not_supported(f"The unknown type of {argument.sql(Athena3)}; cast it")
    return _call(f"trino_{name}_{variant}", *arguments)


def _kind(node: exp.Expr) -> Any:
    return node.type.this if node.type is not None else None


def _text(node: exp.Expr, what: str) -> str:
    """Return the text of a literal, which by now is cast to varchar."""
    literal = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(literal, exp.Literal) or not literal.is_string:
        raise not_supported(f"{what} that is no literal")
    return str(literal.this)


def _literal(node: exp.Literal) -> exp.Expr:
    """Give text its type: DuckDB would take a bare literal for a date or a number where one is wanted."""
    if not node.is_string or isinstance(node.parent, exp.Interval | exp.Cast | exp.TryCast | exp.Escape):
        return node
    return exp.Cast(this=node.copy(), to=exp.DataType.build("varchar"))


def _paren(node: exp.Paren) -> exp.Expr:
    return _in_zone(node, _zone(node.this))


def _is_interval(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren | exp.Neg):
        return _is_interval(node.this)
    if isinstance(node, exp.Mul):
        return _is_interval(node.left) or _is_interval(node.right)
    return isinstance(node, exp.Interval)


def _add(node: exp.Add) -> exp.Expr:
    _refuse_zones(node)
    left, right = node.left, node.right
    if _is_interval(left) or _is_interval(right):
        moment, interval = (right, left) if _is_interval(left) else (left, right)
        return _overloaded("plus_interval", moment, interval)
    if _kind(left) in _NUMBERS and _kind(right) in _NUMBERS:
        return node
    return _call("trino_plus", left, right)


def _sub(node: exp.Sub) -> exp.Expr:
    _refuse_zones(node)
    left, right = node.left, node.right
    if _is_interval(right):
        return _overloaded("plus_interval", left, exp.Neg(this=exp.Paren(this=right)))
    if _kind(left) in _NUMBERS and _kind(right) in _NUMBERS:
        return node
    return _call("trino_minus", left, right)


def _div(node: exp.Div) -> exp.Expr:
    _refuse_zones(node)
    return _call("trino_divide", node.left, node.right)


def _dpipe(node: exp.DPipe) -> exp.Expr:
    _refuse_zones(node)
    return _call("trino_concat", node.left, node.right)


def _bracket(node: exp.Bracket) -> exp.Expr:
    _refuse_zones(node)
    index = node.expressions[0]
    if not isinstance(index, exp.Literal) or index.is_string:
        raise not_supported("A subscript that is no number; use element_at")
    # sqlglot counts from 0.
    return _call("trino_subscript", node.this, exp.Literal.number(int(index.name) + 1))


def _interval(node: exp.Interval) -> exp.Expr:
    if not isinstance(node.args.get("unit"), exp.Var):
        raise not_supported(f"{node.sql(Athena3)}")
    return node


def _unnest(node: exp.Unnest) -> exp.Expr:
    if len(node.expressions) != 1:
        raise not_supported("UNNEST of several arrays at once")
    return node


def _now(_node: exp.Expr) -> exp.Expr:
    return _call("getvariable", exp.Literal.string(NOW))


def _today(node: exp.Expr) -> exp.Expr:
    return _call(f"{STRICT}_date", _now(node))


def _local_now(node: exp.Expr) -> exp.Expr:
    return _call(f"{STRICT}_timestamp", _now(node))


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expr:
    return _in_zone(_call("trino_instant", node.this), _text(node.args["zone"], "A time zone"))


def _trim(node: exp.Trim) -> exp.Expr:
    _refuse_zones(node)
    name = {"LEADING": "trino_ltrim", "TRAILING": "trino_rtrim"}.get((node.text("position") or "").upper(), "trino_trim")
    return _call(name, node.this, *([node.expression] if node.args.get("expression") else []))


def _str_position(node: exp.StrPosition) -> exp.Expr:
    return _call("trino_strpos", node.this, node.args["substr"])


def _extract(node: exp.Extract) -> exp.Expr:
    part = node.this.name.lower()
    name = ALIASES.get(part, part)
    if name not in OF_LOCAL_TIME or name in {"date_format", "format_datetime", "last_day_of_month"}:
        raise not_supported(f"EXTRACT of {part}")
    return _call(name if name in SAME else f"trino_{name}", _local(node.expression))


def _window(node: exp.Window) -> exp.Expr:
    _refuse_zones(node)
    return node


def _ignore_nulls(node: exp.IgnoreNulls) -> exp.Expr:
    """Name the function to sqlglot, which then puts the words inside the parentheses as DuckDB has them."""
    call = node.this
    kind = IGNORING_NULLS.get(str(call.this).lower()) if isinstance(call, exp.Anonymous) else None
    if kind is None:
        raise not_supported(f"{node.sql(Athena3)}")
    return exp.IgnoreNulls(this=kind.from_arg_list([one.copy() for one in call.expressions]))


def _respect_nulls(node: exp.RespectNulls) -> exp.Expr:
    return node.this.copy()  # the default


# Casts

_DATE = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}\s*")
_TIMESTAMP = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,3})?)?)?\s*")
_ZONED = re.compile(r"(?P<moment>\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?) (?P<zone>[A-Za-z_/]+)")

_TARGETS = {
    exp.DType.BIGINT: "bigint",
    exp.DType.INT: "bigint",
    exp.DType.SMALLINT: "bigint",
    exp.DType.TINYINT: "bigint",
    exp.DType.DOUBLE: "double",
    exp.DType.FLOAT: "double",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamptz",
}
_NARROWED = {exp.DType.INT: "INTEGER", exp.DType.SMALLINT: "SMALLINT", exp.DType.TINYINT: "TINYINT", exp.DType.FLOAT: "FLOAT"}


def _cast(node: exp.Cast) -> exp.Expr:
    target, operand = node.to, node.this
    macros = TRYING if isinstance(node, exp.TryCast) else STRICT
    plain = exp.TryCast if isinstance(node, exp.TryCast) else exp.Cast
    if isinstance(operand, exp.Null) or (isinstance(operand, exp.Array) and not operand.expressions):
        return exp.Cast(this=operand, to=_plain_type(target))
    if isinstance(operand, exp.Literal) and operand.is_string:
        if target.this == exp.DType.TIMESTAMPTZ and (zoned := _ZONED.fullmatch(operand.name)):
            moment = exp.Cast(this=exp.Literal.string(zoned["moment"]), to=exp.DataType.build("timestamp"))
            return _in_zone(_call("trino_with_timezone", moment, exp.Literal.string(zoned["zone"])), zoned["zone"])
        if (target.this == exp.DType.DATE and _DATE.fullmatch(operand.name)) or (
            target.this == exp.DType.TIMESTAMP and _TIMESTAMP.fullmatch(operand.name)
        ):
            return plain(this=operand, to=_plain_type(target))
        operand = exp.Cast(this=operand.copy(), to=exp.DataType.build("varchar"))
    if target.this in {exp.DType.VARCHAR, exp.DType.TEXT}:
        if _zone(operand) != _UTC:
            _refuse_zones(node)
        text = _call(f"{macros}_varchar", operand)
        # Trino cuts text to the length; anything else must fit.
        return _call("left", text, target.expressions[0].this.copy()) if target.expressions else text
    if target.this == exp.DType.DECIMAL:
        _refuse_zones(node)
        return plain(this=operand, to=target)
    if target.this not in _TARGETS:
        raise not_supported(f"CAST to {target.sql(Athena3)}")
    if target.this in {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ} and target.expressions:
        precision = int(target.expressions[0].name)
        if precision != 3 and not isinstance(node.this, exp.Literal):
            raise not_supported(f"CAST to {target.sql(Athena3)}; only timestamp(3)")
    if target.this == exp.DType.TIMESTAMPTZ:
        return _in_zone(_call(f"{macros}_timestamptz", operand), _zone(operand))
    if target.this in {exp.DType.TIMESTAMP, exp.DType.DATE}:
        operand = _local(operand)
    else:
        _refuse_zones(node)
    result = _call(f"{macros}_{_TARGETS[target.this]}", operand)
    if target.this in _NARROWED:
        return plain(this=result, to=exp.DataType.build(_NARROWED[target.this], dialect="duckdb"))
    return result


def _plain_type(target: exp.DataType) -> exp.DataType:
    """Return a type without the precision of timestamps, which DuckDB has under other names."""
    if target.this in {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ}:
        return exp.DataType(this=target.this)
    return target.copy()


# Functions


def _function(node: exp.Anonymous) -> exp.Expr:
    name = str(node.this).lower()
    name = ALIASES.get(name, name)
    arguments = node.expressions
    if name in _SPECIAL:
        return _SPECIAL[name](node)
    if name in OF_LOCAL_TIME:
        arguments = [_local(one) for one in arguments]
    elif name != "to_unixtime":
        _refuse_zones(node)
    if name in OVERLOADED:
        return _overloaded(name, *(one.copy() for one in arguments))
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
    return _call(called, *(one.copy() for one in arguments))


def _at_timezone(node: exp.Anonymous) -> exp.Expr:
    moment, zone = _arguments(node, 2)
    return _in_zone(_call("trino_instant", moment), _text(zone, "A time zone"))


def _with_timezone(node: exp.Anonymous) -> exp.Expr:
    _refuse_zones(node)
    moment, zone = _arguments(node, 2)
    return _in_zone(_call("trino_with_timezone", moment, zone), _text(zone, "A time zone"))


def _date_trunc(node: exp.Anonymous) -> exp.Expr:
    unit, moment = _arguments(node, 2)
    zone = _zone(moment)
    if zone == _UTC:
        return _overloaded("date_trunc", unit, moment)
    begin = _call("trino_date_trunc_timestamp", unit, _local(moment))
    return _in_zone(_call("trino_with_timezone", begin, exp.Literal.string(zone)), zone)


def _date(node: exp.Anonymous) -> exp.Expr:
    (moment,) = _arguments(node, 1)
    return _call(f"{STRICT}_date", _local(moment))


def _date_format(node: exp.Anonymous) -> exp.Expr:
    moment, pattern = _arguments(node, 2)
    translated = formats.from_mysql(_text(pattern, "A date pattern"))
    return _call("trino_strftime", _local(moment), exp.Literal.string(translated))


def _format_datetime(node: exp.Anonymous) -> exp.Expr:
    moment, pattern = _arguments(node, 2)
    translated = formats.from_joda(_text(pattern, "A date pattern"))
    return _call("trino_strftime", _local(moment), exp.Literal.string(translated))


def _date_parse(node: exp.Anonymous) -> exp.Expr:
    text, pattern = _arguments(node, 2)
    translated = formats.from_mysql(_text(pattern, "A date pattern"))
    return _call("trino_strptime", text, exp.Literal.string(translated))


def _concat(node: exp.Anonymous) -> exp.Expr:
    _refuse_zones(node)
    first, *others = node.expressions
    result: exp.Expr = first.copy()
    for other in others:
        result = _call("trino_concat", result, other.copy())
    return result


def _array_match(quantifier: str) -> Callable[[exp.Anonymous], exp.Expr]:
    """Return the rewriting of any_match and the like: three-valued as and/or over the elements."""

    def rewrite_match(node: exp.Anonymous) -> exp.Expr:
        array, condition = _arguments(node, 2)
        outcomes = _call("list_transform", array, condition)
        return _call(f"trino_{quantifier}_true", outcomes)

    return rewrite_match


def _format(node: exp.Anonymous) -> exp.Expr:
    """`format` with %s, %d and %.nf, which both print alike."""
    _refuse_zones(node)
    pattern = _text(node.expressions[0], "A format")
    if re.search(r"%(?!s|%|0?\d*d|\.\d+f)", pattern.replace("%%", "")):
        raise not_supported(f"The format {pattern}")
    return _call("printf", *(one.copy() for one in node.expressions))


def _json_path(node: exp.Anonymous) -> exp.Expr:
    text, path = _arguments(node, 2)
    return _call("trino_json_extract_scalar", text, exp.Literal.string(_text(path, "A JSON path")))


def _arguments(node: exp.Anonymous, count: int) -> list[exp.Expr]:
    if len(node.expressions) != count:
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {node.this}: expected {count}")
    return [one.copy() for one in node.expressions]


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
    "json_extract_scalar": _json_path,
    "none_match": _array_match("none"),
    "now": _now,
    "with_timezone": _with_timezone,
}

_REWRITTEN: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Add: _add,
    exp.Anonymous: _function,
    exp.AtTimeZone: _at_time_zone,
    exp.Bracket: _bracket,
    exp.Cast: _cast,
    exp.CurrentDate: _today,
    exp.CurrentTimestamp: _now,
    exp.Div: _div,
    exp.DPipe: _dpipe,
    exp.Extract: _extract,
    exp.IgnoreNulls: _ignore_nulls,
    exp.Interval: _interval,
    exp.Literal: _literal,
    exp.Localtimestamp: _local_now,
    exp.Paren: _paren,
    exp.RespectNulls: _respect_nulls,
    exp.StrPosition: _str_position,
    exp.Sub: _sub,
    exp.Trim: _trim,
    exp.TryCast: _cast,
    exp.Unnest: _unnest,
    exp.Window: _window,
}
