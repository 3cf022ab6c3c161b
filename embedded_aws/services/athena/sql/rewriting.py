"""Rewriting a query node by node: kept where DuckDB agrees with Trino, rewritten where it differs, else refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from embedded_aws.services.athena.errors import not_supported
from embedded_aws.services.athena.sql import nodes
from embedded_aws.services.athena.sql.calls import now, overloaded, rewrite_call
from embedded_aws.services.athena.sql.casts import STRICT, rewrite_cast
from embedded_aws.services.athena.sql.functions import ALIASES, IGNORING_NULLS, LOCAL_TIME, SAME, TYPED_MACROS
from embedded_aws.services.athena.sql.parsing import Athena3

_KEPT: tuple[type[exp.Expr], ...] = (
    exp.Alias, exp.And, exp.Array, exp.Between, exp.Boolean, exp.Case, exp.Coalesce, exp.Column, exp.CTE, exp.Cube,
    exp.DataType, exp.DataTypeParam, exp.Distinct, exp.EQ, exp.Escape, exp.Except, exp.Exists, exp.Fetch, exp.Filter,
    exp.From, exp.Group, exp.GroupConcat, exp.GroupingSets, exp.GT, exp.GTE, exp.Having, exp.Identifier, exp.If, exp.In,
    exp.Intersect, exp.Interval, exp.Is, exp.Join, exp.Lambda, exp.Like, exp.Limit, exp.LimitOptions, exp.LT, exp.LTE,
    exp.Mod, exp.Mul, exp.Neg, exp.NEQ, exp.Not, exp.Null, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Offset, exp.Or,
    exp.Order, exp.Ordered, exp.Pseudocolumn, exp.Rollup, exp.Select, exp.Star, exp.Subquery, exp.Table,
    exp.TableAlias, exp.Tuple, exp.Union, exp.Values, exp.Var, exp.Where, exp.WindowSpec, exp.With,
)  # fmt: skip

_OF_INSTANTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Is, exp.Ordered)
"""Nodes for which a timestamp's zone makes no difference."""


def rewrite(node: exp.Expr) -> exp.Expr:
    """Rewrite a query that is qualified and annotated with types.

    Raises:
        QueryError: a part of it is not modelled.
    """
    sums = _sums_integers(node)
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
            nodes.refuse_zones(node)
    else:
        result = handler(node)
    if result.type is None:
        result.type = node.type
    if sums:
        # DuckDB sums integers in 128 bits.
        bounded = exp.Cast(this=result.copy(), to=exp.DataType.build("bigint"))
        bounded.type = exp.DType.BIGINT
        return bounded
    return result


def _sums_integers(node: exp.Expr) -> bool:
    """Return whether a node is a sum of integers, including its window or filter."""
    if isinstance(node.parent, exp.Window | exp.Filter) and node.arg_key == "this":
        return False
    function = node
    while isinstance(function, exp.Window | exp.Filter):
        function = function.this
    named = isinstance(function, exp.Anonymous) and str(function.this).lower() in {"count_if", "sum"}
    return named and nodes.kind(function) in nodes.INTEGERS


def _literal(node: exp.Literal) -> exp.Expr:
    """Cast text to its type: DuckDB would read a bare literal as a date or number where one is expected."""
    if not node.is_string or isinstance(node.parent, exp.Interval | exp.Cast | exp.TryCast | exp.Escape):
        return node
    return exp.Cast(this=node.copy(), to=exp.DataType.build("varchar"))


def _paren(node: exp.Paren) -> exp.Expr:
    return nodes.in_zone(node, nodes.zone_of(node.this))


def _is_interval(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren | exp.Neg):
        return _is_interval(node.this)
    if isinstance(node, exp.Mul):
        return _is_interval(node.left) or _is_interval(node.right)
    return isinstance(node, exp.Interval)


def _add(node: exp.Add) -> exp.Expr:
    nodes.refuse_zones(node)
    left, right = node.left, node.right
    if _is_interval(left) or _is_interval(right):
        moment, interval = (right, left) if _is_interval(left) else (left, right)
        return overloaded("plus_interval", moment, interval)
    if nodes.kind(left) in nodes.NUMBERS and nodes.kind(right) in nodes.NUMBERS:
        return node
    return nodes.call("trino_plus", left, right)


def _sub(node: exp.Sub) -> exp.Expr:
    nodes.refuse_zones(node)
    left, right = node.left, node.right
    if _is_interval(right):
        return overloaded("plus_interval", left, exp.Neg(this=exp.Paren(this=right)))
    if nodes.kind(left) in nodes.NUMBERS and nodes.kind(right) in nodes.NUMBERS:
        return node
    return nodes.call("trino_minus", left, right)


def _div(node: exp.Div) -> exp.Expr:
    nodes.refuse_zones(node)
    if {exp.DType.DOUBLE, exp.DType.FLOAT} & {nodes.kind(node.left), nodes.kind(node.right)}:
        # Division by zero is an error for integers only.
        return nodes.call("trino_divide_double", node.left, node.right)
    return nodes.call("trino_divide", node.left, node.right)


def _dpipe(node: exp.DPipe) -> exp.Expr:
    nodes.refuse_zones(node)
    return nodes.call("trino_concat", node.left, node.right)


def _bracket(node: exp.Bracket) -> exp.Expr:
    nodes.refuse_zones(node)
    index = node.expressions[0]
    if not isinstance(index, exp.Literal) or index.is_string:
        raise not_supported("A subscript that is not a number; use element_at")
    # sqlglot counts from 0.
    return nodes.call("trino_subscript", node.this, exp.Literal.number(int(index.name) + 1))


def _interval(node: exp.Interval) -> exp.Expr:
    if not isinstance(node.args.get("unit"), exp.Var):
        raise not_supported(f"{node.sql(Athena3)}")
    return node


def _unnest(node: exp.Unnest) -> exp.Expr:
    if len(node.expressions) != 1:
        raise not_supported("UNNEST of several arrays at once")
    # In a join, DuckDB 2.0 fails on a macro with typed parameters over a column of the other side unless a subquery
    # selects it.
    for column in list(node.expressions[0].find_all(exp.Column)):
        if _is_argument_of_typed_macros(column):
            column.replace(exp.Subquery(this=exp.Select(expressions=[column.copy()])))
    return node


def _is_argument_of_typed_macros(column: exp.Column) -> bool:
    """Return whether every call between a column and UNNEST is such a macro; lambdas allow no subqueries."""
    calls = []
    around = column.parent
    while around is not None and not isinstance(around, exp.Unnest):
        if isinstance(around, exp.Anonymous | exp.Lambda):
            calls.append(around)
        around = around.parent
    return bool(calls) and all(str(call.this) in TYPED_MACROS for call in calls)


def _now(_node: exp.CurrentTimestamp) -> exp.Expr:
    return now()


def _today(_node: exp.CurrentDate) -> exp.Expr:
    return nodes.call(f"{STRICT}_date", now())


def _local_now(_node: exp.Localtimestamp) -> exp.Expr:
    return nodes.call(f"{STRICT}_timestamp", now())


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expr:
    return nodes.in_zone(nodes.call("trino_instant", node.this), nodes.text(node.args["zone"], "A time zone"))


def _trim(node: exp.Trim) -> exp.Expr:
    nodes.refuse_zones(node)
    name = {"LEADING": "trino_ltrim", "TRAILING": "trino_rtrim"}.get(
        (node.text("position") or "").upper(), "trino_trim"
    )
    return nodes.call(name, node.this, *([node.expression] if node.args.get("expression") else []))


def _str_position(node: exp.StrPosition) -> exp.Expr:
    return nodes.call("trino_strpos", node.this, node.args["substr"])


def _extract(node: exp.Extract) -> exp.Expr:
    part = node.this.name.lower()
    name = ALIASES.get(part, part)
    if name not in LOCAL_TIME or name in {"date_format", "format_datetime", "last_day_of_month"}:
        raise not_supported(f"EXTRACT of {part}")
    return nodes.call(name if name in SAME else f"trino_{name}", nodes.local(node.expression))


def _window(node: exp.Window) -> exp.Expr:
    nodes.refuse_zones(node)
    return node


def _ignore_nulls(node: exp.IgnoreNulls) -> exp.Expr:
    """Convert the call to sqlglot's class, which puts IGNORE NULLS inside the parentheses as DuckDB does."""
    call = node.this
    kind = IGNORING_NULLS.get(str(call.this).lower()) if isinstance(call, exp.Anonymous) else None
    if kind is None:
        raise not_supported(f"{node.sql(Athena3)}")
    return exp.IgnoreNulls(this=kind.from_arg_list([argument.copy() for argument in call.expressions]))


def _respect_nulls(node: exp.RespectNulls) -> exp.Expr:
    # The default.
    call: exp.Expr = node.this.copy()
    return call


_REWRITTEN: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Add: _add,
    exp.Anonymous: rewrite_call,
    exp.AtTimeZone: _at_time_zone,
    exp.Bracket: _bracket,
    exp.Cast: rewrite_cast,
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
    exp.TryCast: rewrite_cast,
    exp.Unnest: _unnest,
    exp.Window: _window,
}
