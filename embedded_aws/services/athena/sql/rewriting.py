"""Rewriting a query node by node: kept where DuckDB agrees with Trino, rewritten where it differs, else refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import decimals, nodes
from embedded_aws.services.athena.sql.calls import now, overloaded, rewrite_call
from embedded_aws.services.athena.sql.casts import rewrite_cast, rewrite_json_literal
from embedded_aws.services.athena.sql.functions import ALIASES, IGNORING_NULLS, LOCAL_TIME, SAME, TYPED_MACROS
from embedded_aws.services.athena.sql.nodes import STRICT
from embedded_aws.services.athena.sql.parsing import Athena3
from embedded_aws.services.athena.sql.unnesting import expanded
from embedded_aws.services.athena.sql.zones import ColumnZones

_KEPT: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Array, exp.Between, exp.Boolean, exp.Case, exp.Coalesce, exp.Column, exp.ColumnDef, exp.CTE,
    exp.Cube, exp.DataType, exp.DataTypeParam, exp.Distinct, exp.Dot, exp.Escape, exp.Except, exp.Exists, exp.Fetch,
    exp.Filter, exp.From, exp.Group, exp.GroupingSets, exp.Having, exp.Identifier, exp.If, exp.Intersect,
    exp.Interval, exp.Is, exp.Join, exp.Lambda, exp.Like, exp.Limit, exp.LimitOptions, exp.Neg, exp.Not, exp.Null,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Offset, exp.Or, exp.Order, exp.Ordered, exp.Pseudocolumn, exp.Rollup,
    exp.Select, exp.Star, exp.Subquery, exp.Table, exp.TableAlias, exp.Tuple, exp.Union, exp.Values, exp.Var,
    exp.Where, exp.WindowSpec, exp.With,
)  # fmt: skip

_READ = (exp.With, exp.From, exp.Join, exp.Lateral)
_OF_INSTANTS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Group, exp.Is, exp.Ordered, exp.Select,
)  # fmt: skip
"""Nodes for which a timestamp's zone makes no difference."""


def rewrite(node: exp.Expr, zones: ColumnZones) -> exp.Expr:
    """Rewrite a query that is qualified and annotated with types.

    Args:
        node: the query, or a part of it.
        zones: where its columns come from.

    Raises:
        QueryError: a part of it is not modelled.
    """
    sums = _sums_integers(node)
    # What a query reads comes first: it decides the zones of its columns.
    for child in sorted(node.iter_expressions(), key=lambda one: not isinstance(one, _READ)):
        rewritten = rewrite(child, zones)
        if rewritten is not child:
            child.replace(rewritten)
    if isinstance(node, exp.Column | exp.Subquery | exp.SetOperation):
        zones.follow(node)
    handler = _REWRITTEN.get(type(node))
    if handler is None:
        if not isinstance(node, _KEPT):
            raise not_supported(f"This part of the query, {node.sql(Athena3)[:200]},")
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
    named = isinstance(function, exp.Anonymous) and str(function.this).lower() == "sum"
    return named and nodes.kind(function) in nodes.INTEGERS


def _literal(node: exp.Literal) -> exp.Expr:
    """Cast text to its type: DuckDB would read a bare literal as a date or number where one is expected."""
    if not node.is_string and "." in node.name and "e" not in node.name.lower():
        # DuckDB counts the zero before the point.
        return decimals.cast(node.copy(), decimals.literal(node.name))
    if not node.is_string or isinstance(node.parent, exp.Interval | exp.Cast | exp.TryCast | exp.Escape):
        return node
    return exp.Cast(this=node.copy(), to=exp.DataType.build("varchar"))


def _paren(node: exp.Paren) -> exp.Expr:
    return nodes.in_zone(node, nodes.zone_of(node.this))


def _alias(node: exp.Alias) -> exp.Expr:
    return nodes.in_zone(node, nodes.zone_of(node.this))


_LONG_UNITS = {"MONTH", "QUARTER", "YEAR"}


def _is_interval(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren | exp.Neg):
        return _is_interval(node.this)
    if isinstance(node, exp.Mul):
        return _is_interval(node.left) or _is_interval(node.right)
    return isinstance(node, exp.Interval)


def _add(node: exp.Add) -> exp.Expr:
    nodes.refuse_zones(node)
    left, right = node.left, node.right
    if (exact := decimals.compute(node)) is not None:
        return exact
    if _is_interval(left) or _is_interval(right):
        moment, interval = (right, left) if _is_interval(left) else (left, right)
        return overloaded("plus_interval", moment, interval)
    if nodes.kind(left) in nodes.NUMBERS and nodes.kind(right) in nodes.NUMBERS:
        return node
    return nodes.call("trino_plus", left, right)


def _sub(node: exp.Sub) -> exp.Expr:
    nodes.refuse_zones(node)
    left, right = node.left, node.right
    if (exact := decimals.compute(node)) is not None:
        return exact
    if _is_interval(right):
        return overloaded("plus_interval", left, exp.Neg(this=exp.Paren(this=right)))
    if nodes.kind(left) in nodes.NUMBERS and nodes.kind(right) in nodes.NUMBERS:
        return node
    if nodes.kind(left) in exp.DataType.TEMPORAL_TYPES and nodes.kind(left) == nodes.kind(right):
        span = nodes.call("trino_span", left.copy(), right.copy())
        span.type = exp.DType.INTERVAL
        return span
    return nodes.call("trino_minus", left, right)


def _of_decimals(node: exp.Mul | exp.Mod) -> exp.Expr:
    nodes.refuse_zones(node)
    exact = decimals.compute(node)
    return node if exact is None else exact


def _div(node: exp.Div) -> exp.Expr:
    nodes.refuse_zones(node)
    if (exact := decimals.compute(node)) is not None:
        return exact
    if {exp.DType.DOUBLE, exp.DType.FLOAT} & {nodes.kind(node.left), nodes.kind(node.right)}:
        # Division by zero is an error for integers only.
        return nodes.call("trino_divide_double", node.left, node.right)
    if {nodes.kind(node.left), nodes.kind(node.right)} <= nodes.INTEGERS:
        left, right = (exp.Paren(this=operand) for operand in (node.left, node.right))
        return exp.Paren(this=exp.IntDiv(this=left, expression=right))
    return nodes.call("trino_divide", node.left, node.right)


def _dpipe(node: exp.DPipe) -> exp.Expr:
    nodes.refuse_zones(node)
    if isinstance(node.left, exp.Null) or isinstance(node.right, exp.Null):
        raise not_supported("|| with a bare NULL, which is an array in Trino; cast it to varchar")
    return nodes.call("trino_concat", node.left, node.right)


def _bracket(node: exp.Bracket) -> exp.Expr:
    nodes.refuse_zones(node)
    index = node.expressions[0]
    is_text = isinstance(index, exp.Cast) or (isinstance(index, exp.Literal) and index.is_string)
    if nodes.kind(node.this) == exp.DType.MAP or is_text:
        key = (
            index if not isinstance(index, exp.Literal) or index.is_string else exp.Literal.number(int(index.name) + 1)
        )
        return nodes.call("trino_key", node.this, key.copy())
    if not isinstance(index, exp.Literal) or index.is_string:
        raise not_supported("A subscript that is not a number; use element_at")
    # sqlglot counts from 0.
    return nodes.call("trino_subscript", node.this, exp.Literal.number(int(index.name) + 1))


def _interval(node: exp.Interval) -> exp.Expr:
    if not isinstance(node.args.get("unit"), exp.Var):
        raise not_supported(f"{node.sql(Athena3)}")
    around = node.parent
    while isinstance(around, exp.Paren | exp.Neg | exp.Mul):
        around = around.parent
    if node.args["unit"].name.upper().rstrip("S") in _LONG_UNITS and isinstance(
        around, exp.Alias | exp.Select | exp.Tuple
    ):
        raise not_supported("An interval of months or years as a column")
    return node


def _unnest(node: exp.Unnest) -> exp.Expr:
    if len(node.expressions) != 1:
        raise not_supported("UNNEST of several arrays at once")
    # In a join, DuckDB 2.0 fails on a macro with typed parameters over a column of the other side unless a subquery
    # selects it.
    for column in list(node.expressions[0].find_all(exp.Column)):
        if _is_argument_of_typed_macros(column):
            column.replace(exp.Subquery(this=exp.Select(expressions=[column.copy()])))
    return expanded(node)


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


def _listagg(node: exp.GroupConcat) -> exp.Expr:
    nodes.refuse_zones(node)
    ordered = node.this.this if isinstance(node.this, exp.Order) else node.this
    joined = ordered.expressions[0] if isinstance(ordered, exp.Distinct) else ordered
    if nodes.kind(joined) not in {*exp.DataType.TEXT_TYPES, None, exp.DType.UNKNOWN}:
        raise QueryError("TYPE_MISMATCH", f"Expected expression of varchar for listagg: {joined.sql(Athena3)}")
    if node.args.get("separator") is None:
        # DuckDB's would be a comma.
        node.set("separator", exp.Literal.string(""))
    return node


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expr:
    return nodes.in_zone(nodes.instant(node.this), nodes.text(node.args["zone"], "A time zone"))


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
    if nodes.kind(node.expression) == exp.DType.DATE and part in {"hour", "minute", "second"}:
        raise QueryError("TYPE_MISMATCH", f"Cannot extract {part.upper()} from date")
    name = ALIASES.get(part, part)
    if name not in LOCAL_TIME or name in {"date_format", "format_datetime", "last_day_of_month"}:
        raise not_supported(f"EXTRACT of {part}")
    return nodes.call(name if name in SAME else f"trino_{name}", nodes.local(node.expression))


def _equality(node: exp.EQ | exp.NEQ) -> exp.Expr:
    if isinstance(node.left, exp.Tuple) and isinstance(node.right, exp.Tuple):
        equal_rows = _equal_rows(node.left, node.right)
        return exp.Not(this=equal_rows) if isinstance(node, exp.NEQ) else equal_rows
    if {exp.DType.STRUCT, exp.DType.MAP} & {nodes.kind(node.left), nodes.kind(node.right)}:
        raise not_supported("Comparison of rows or maps, which may hold NULLs; compare their fields")
    if exp.DType.ARRAY not in {nodes.kind(node.left), nodes.kind(node.right)}:
        return node
    equal = nodes.call("trino_array_equal", node.left.copy(), node.right.copy())
    return exp.Not(this=equal) if isinstance(node, exp.NEQ) else equal


def _order_of_arrays(node: exp.Binary) -> exp.Expr:
    if exp.DType.ARRAY not in {nodes.kind(node.left), nodes.kind(node.right)}:
        return node
    sides = (nodes.call("trino_comparable", side.copy()) for side in (node.left, node.right))
    return type(node)(this=next(sides), expression=next(sides))


def _equal_rows(left: exp.Tuple, right: exp.Tuple) -> exp.Expr:
    """Compare field by field: unknown where a field is NULL, unless another differs."""
    if len(left.expressions) != len(right.expressions):
        raise QueryError("TYPE_MISMATCH", "Cannot apply operator =: the rows have different numbers of fields")
    pairs = zip(left.expressions, right.expressions, strict=True)
    equal = [_equality(exp.EQ(this=ours.copy(), expression=theirs.copy())) for ours, theirs in pairs]
    return exp.Paren(this=exp.and_(*equal))


def _in(node: exp.In) -> exp.Expr:
    nodes.refuse_zones(node)
    if isinstance(node.this, exp.Tuple):
        if node.expressions and all(isinstance(one, exp.Tuple) for one in node.expressions):
            return exp.Paren(this=exp.or_(*(_equal_rows(node.this, one) for one in node.expressions)))
        if isinstance(node.parent, exp.Not):
            raise not_supported("NOT IN of rows from a subquery; use NOT EXISTS")
    if nodes.kind(node.this) == exp.DType.ARRAY:
        if not node.expressions:
            raise not_supported("IN for arrays from a subquery")
        return exp.or_(*(nodes.call("trino_array_equal", node.this.copy(), one.copy()) for one in node.expressions))
    return node


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
    exp.Alias: _alias,
    exp.Anonymous: rewrite_call,
    exp.AtTimeZone: _at_time_zone,
    exp.GroupConcat: _listagg,
    exp.Bracket: _bracket,
    exp.Cast: rewrite_cast,
    exp.CurrentDate: _today,
    exp.CurrentTimestamp: _now,
    exp.Div: _div,
    exp.DPipe: _dpipe,
    exp.EQ: _equality,
    exp.Extract: _extract,
    exp.GT: _order_of_arrays,
    exp.GTE: _order_of_arrays,
    exp.IgnoreNulls: _ignore_nulls,
    exp.In: _in,
    exp.Interval: _interval,
    exp.Literal: _literal,
    exp.Localtimestamp: _local_now,
    exp.LT: _order_of_arrays,
    exp.LTE: _order_of_arrays,
    exp.Mod: _of_decimals,
    exp.Mul: _of_decimals,
    exp.NEQ: _equality,
    exp.Paren: _paren,
    exp.ParseJSON: rewrite_json_literal,
    exp.RespectNulls: _respect_nulls,
    exp.StrPosition: _str_position,
    exp.Sub: _sub,
    exp.Trim: _trim,
    exp.TryCast: rewrite_cast,
    exp.Unnest: _unnest,
    exp.Window: _window,
}
