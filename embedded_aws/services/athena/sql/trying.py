"""`try`, as far as it can be written without: DuckDB's own does not accept the errors that macros raise."""

from __future__ import annotations

from sqlglot import exp

_SIMPLE = (exp.Column, exp.Literal, exp.Neg, exp.Paren)
_AGGREGATES = {"count", "max", "min", "sum"}


def replace_try(call: exp.Anonymous) -> None:
    """Replace a `try` of a CAST or a division of simple values by what it stands for; nothing else."""
    if str(call.this).lower() != "try" or len(call.expressions) != 1:
        return
    tried = call.expressions[0]
    if _is_simple(tried):
        call.replace(tried.copy())
    elif type(tried) is exp.Cast and _is_simple(tried.this):
        call.replace(exp.TryCast(this=tried.this.copy(), to=tried.to.copy()))
    elif isinstance(tried, exp.Div) and _is_simple(tried.left) and _is_simple(tried.right):
        is_zero = exp.EQ(this=tried.right.copy(), expression=exp.Literal.number(0))
        call.replace(exp.Case(ifs=[exp.If(this=exp.Not(this=is_zero), true=tried.copy())]))


def _is_simple(node: exp.Expr) -> bool:
    """Return whether computing a value cannot fail."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in _AGGREGATES and all(
            isinstance(one, exp.Star) or _is_simple(one) for one in node.expressions
        )
    if isinstance(node, exp.Neg | exp.Paren):
        return _is_simple(node.this)
    return isinstance(node, _SIMPLE)
