"""`try`, by DuckDB's TRY within a lambda.

Within it, since DuckDB would compute what occurs twice in it beforehand, outside of TRY. The lambda's argument holds
aggregates and windows, which TRY does not accept; their own errors are not caught, as in Trino. Macros are called by
names of their own, whose errors TRY accepts.
"""

from __future__ import annotations

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.sql import nodes
from embedded_aws.services.athena.sql.functions import AGGREGATES, TRIED

_TRIED = "trino_tried"
_OUTSIDE = AGGREGATES | {"histogram", "list", "quantile_disc"}
"""By their names in DuckDB."""


def rewrite_try(node: exp.Anonymous) -> exp.Expr:
    """Rewrite a `try`, whose argument is rewritten already.

    Raises:
        QueryError: it has not one argument, or one in another zone than UTC.
    """
    if len(node.expressions) != 1:
        raise QueryError("SYNTAX_ERROR", "The 'try' function must have exactly one argument")
    nodes.refuse_zones(node)
    # With a place of its own, so that it can be replaced itself.
    holder = exp.Paren(this=node.expressions[0].copy())
    computed: list[exp.Expr] = []
    _take_out(holder, computed)
    for call in holder.find_all(exp.Anonymous):
        if str(call.this).startswith("trino_"):
            call.set("this", f"{TRIED}{call.this}")
    fields = {f"a{number}": one for number, one in enumerate(computed)}
    argument = nodes.struct(**fields) if fields else exp.Literal.number(0)
    tried = exp.Lambda(this=nodes.call("TRY", holder), expressions=[exp.to_identifier(_TRIED)])
    return nodes.call(
        "list_extract",
        nodes.call("list_transform", exp.Array(expressions=[argument]), tried),
        exp.Literal.number(1),
    )


def _take_out(node: exp.Expr, computed: list[exp.Expr]) -> None:
    """Move the aggregates and windows below a node into a list, and refer to them instead."""
    for child in list(node.iter_expressions()):
        if _is_outside(child):
            field = exp.Literal.string(f"a{len(computed)}")
            computed.append(child.copy())
            child.replace(nodes.call("struct_extract", exp.column(_TRIED), field))
        elif not isinstance(child, exp.Query):
            _take_out(child, computed)


def _is_outside(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in _OUTSIDE
    if isinstance(node, exp.Cast):
        # The bound of a sum of integers.
        return _is_outside(node.this)
    return isinstance(node, exp.Window | exp.Filter | exp.WithinGroup | exp.GroupConcat)
