"""Checks for what Trino rejects and DuckDB would accept: its own grammar and implicit casts."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql.functions import OF_JSON
from embedded_aws.services.athena.sql.parsing import Athena3

_OPERATORS: dict[Any, str] = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_CHECKED = (
    exp.Distinct, exp.Group, exp.Join, exp.LimitOptions, exp.Select, exp.Star, exp.Window,
)  # fmt: skip
_AROUND_JSON = (
    exp.Alias, exp.Array, exp.Case, exp.Cast, exp.DataType, exp.From, exp.If, exp.Is, exp.Join, exp.Lambda, exp.Paren,
    exp.Query, exp.Unnest,
)  # fmt: skip
_OF_NUMBERS = frozenset({"avg", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance"})


def check_grammar(tree: exp.Expr) -> None:
    """Check that a query is Trino SQL, as far as it is modelled.

    Raises:
        QueryError: it is not.
    """
    for between in tree.find_all(exp.Between):
        if between.args.get("symmetric") is not None:
            raise QueryError("SYNTAX_ERROR", "mismatched input after BETWEEN: SYMMETRIC and ASYMMETRIC are not Trino's")
    for call in tree.find_all(exp.Anonymous):
        _check_arguments(call)
    _check_clauses(tree)


def _check_clauses(tree: exp.Expr) -> None:
    for node in tree.find_all(*_CHECKED):
        if isinstance(node, exp.Group) and node.args.get("all"):
            raise QueryError("COLUMN_NOT_FOUND", "Column 'all' cannot be resolved")
        if isinstance(node, exp.Distinct) and node.args.get("on"):
            raise QueryError("SYNTAX_ERROR", "mismatched input 'ON'")
        if isinstance(node, exp.Star) and any(node.args.get(name) for name in ("except_", "replace", "rename")):
            raise QueryError("SYNTAX_ERROR", f"mismatched input: {node.sql(Athena3)}")
        if isinstance(node, exp.Join) and (node.args.get("method") or node.kind in {"SEMI", "ANTI"}):
            raise not_supported(f"A {node.args.get('method') or node.kind} join")
        if isinstance(node, exp.LimitOptions) and (node.args.get("with_ties") or node.args.get("percent")):
            raise not_supported("FETCH FIRST other than ROWS ONLY")
        if isinstance(node, exp.Window) and isinstance(node.this, exp.Anonymous) and node.this.find(exp.Distinct):
            raise QueryError("NOT_SUPPORTED", "DISTINCT in window function parameters not yet supported")
        if isinstance(node, exp.Select):
            _check_using(node)


def _check_arguments(node: exp.Anonymous) -> None:
    """Refuse aggregates of several columns, and the bare NULL that makes Trino's concatenation one of arrays."""
    name = str(node.this).lower()
    arguments = node.expressions
    if name == "count" and arguments:
        of_distinct = arguments[0].expressions if isinstance(arguments[0], exp.Distinct) else ()
        if len(arguments) > 1 or len(of_distinct) > 1:
            raise QueryError(
                "FUNCTION_NOT_FOUND", "Unexpected parameters for function count. Expected: count(), count(t)"
            )
    if name == "concat" and any(isinstance(argument, exp.Null) for argument in arguments):
        raise not_supported("concat of a bare NULL, which is an array in Trino; cast it to varchar")


def _check_using(select: exp.Select) -> None:
    """Reject table-qualified references to a USING column, which belongs to both tables."""
    joins = select.args.get("joins") or []
    shared = {column.name.lower() for join in joins for column in join.args.get("using") or ()}
    if not shared:
        return
    sources = [select.args["from_"].this, *(join.this for join in joins)]
    tables = {source.alias_or_name.lower() for source in sources}
    for column in select.find_all(exp.Column):
        if column.name.lower() in shared and column.table.lower() in tables:
            raise QueryError("COLUMN_NOT_FOUND", f"Column '{column.table}.{column.name}' cannot be resolved")


def check_types(tree: exp.Expr) -> None:
    """Check that types fit, where they are known; DuckDB finds most other mismatches.

    Args:
        tree: annotated with types.

    Raises:
        QueryError: types do not fit.
    """
    for node in tree.walk():
        if isinstance(node, (*_OPERATORS, exp.Between, exp.In)):
            _check_comparison(node)
        elif isinstance(node, exp.Where | exp.Having | exp.Not | exp.If):
            _check_condition(node.this)
        elif isinstance(node, exp.And | exp.Or):
            _check_condition(node.left)
            _check_condition(node.right)
        elif isinstance(node, exp.SetOperation):
            _check_set_operation(node)
        elif isinstance(node, exp.Anonymous):
            _check_call(node)
        _check_json(node)


def _check_json(node: exp.Expr) -> None:
    """Refuse JSON where Trino does, and where only its canonical text would tell values apart."""
    if isinstance(node, exp.Select) and node.args.get("distinct") and any(map(_is_json, node.selects)):
        raise not_supported("DISTINCT of JSON")
    if isinstance(node, _AROUND_JSON) or not any(_is_json(child) for child in node.iter_expressions()):
        return
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        if name not in OF_JSON:
            raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters (json) for function {name}")
        if any(_is_json(argument) for argument in node.expressions[1:]) and name != "coalesce":
            raise not_supported(f"{name} of JSON as other than its first argument")
        return
    if isinstance(node, exp.Binary) and not (
        isinstance(node, exp.EQ | exp.NEQ) and _is_json(node.left) and _is_json(node.right)
    ):
        raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {_name(node.left)} {node.key} {_name(node.right)}")
    raise not_supported("JSON in a comparison, GROUP BY or ORDER BY; compare what json_extract_scalar returns")


def _is_json(node: exp.Expr) -> bool:
    return node.type is not None and node.type.this == exp.DType.JSON


def _check_comparison(node: exp.Expr) -> None:
    if isinstance(node, exp.Between):
        others, operator = [node.args["low"], node.args["high"]], "BETWEEN"
    elif isinstance(node, exp.In):
        others, operator = node.expressions, "IN"
    else:
        others, operator = [node.expression], _OPERATORS[type(node)]
    for other in others:
        if _differ(node.this, other):
            raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {_name(node.this)} {operator} {_name(other)}")


def _check_condition(node: exp.Expr) -> None:
    # The WHEN of a CASE with an operand is a value.
    simple_case = (
        isinstance(node.parent, exp.If) and isinstance(node.parent.parent, exp.Case) and node.parent.parent.this
    )
    if not simple_case and _family(node) not in {None, "boolean"}:
        raise QueryError("TYPE_MISMATCH", f"A condition must evaluate to a boolean (actual: {_name(node)})")


def _check_set_operation(node: exp.SetOperation) -> None:
    ours, theirs = node.left.selects, node.right.selects
    if len(ours) != len(theirs):
        raise QueryError(
            "TYPE_MISMATCH", f"{node.key.upper()} query has different number of fields: {len(ours)}, {len(theirs)}"
        )
    for position, (left, right) in enumerate(zip(ours, theirs, strict=True), start=1):
        if _differ(left, right):
            raise QueryError(
                "TYPE_MISMATCH",
                f"column {position} in {node.key.upper()} query has incompatible types: {_name(left)}, {_name(right)}",
            )


def _check_call(node: exp.Anonymous) -> None:
    name = str(node.this).lower()
    if not node.expressions:
        return
    argument = node.expressions[0]
    kind = argument.type.this if argument.type is not None else None
    if name in _OF_NUMBERS and _family(argument) not in {None, "number"}:
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({_name(argument)}) for function {name}")
    if name == "avg" and kind == exp.DType.DECIMAL and isinstance(node.parent, exp.Window | exp.Filter):
        raise not_supported("avg of a decimal with OVER or FILTER; cast to double")


def _differ(left: exp.Expr, right: exp.Expr) -> bool:
    families = {_family(left), _family(right)}
    return None not in families and len(families) > 1


def _name(node: exp.Expr) -> str:
    return node.type.sql(Athena3).lower() if node.type is not None else "unknown"


def _family(node: exp.Expr) -> str | None:
    kind = node.type
    if kind is None:
        return None
    if kind.this in exp.DataType.TEXT_TYPES:
        return "text"
    if kind.this in exp.DataType.NUMERIC_TYPES:
        return "number"
    if kind.this in exp.DataType.TEMPORAL_TYPES:
        return "time"
    return "boolean" if kind.this == exp.DType.BOOLEAN else None
