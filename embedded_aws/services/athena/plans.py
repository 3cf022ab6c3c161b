"""The text of EXPLAIN: the clauses of a query in the order in which they are computed, last one first.

It says that it is not Trino's plan, which only Trino's planner has.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from embedded_aws.services.athena.sql.parsing import Athena3
from embedded_aws.services.athena.views import CATALOG

HEADING = "Plan of the embedded Athena: Trino's has other operators, and estimates"

_STEPS: tuple[tuple[str, str], ...] = (
    ("limit", "Limit"),
    ("offset", "Offset"),
    ("order", "Sort"),
    ("distinct", "Distinct"),
    ("having", "Filter"),
    ("group", "Aggregate"),
    ("where", "Filter"),
)


def plan_lines(query: exp.Expr) -> list[str]:
    """Return the lines of a query's plan.

    Args:
        query: qualified with databases.
    """
    return [HEADING, *(f"{'    ' * depth}{'- ' if depth else ''}{text}" for depth, text in _steps(query, 0))]


def _steps(node: exp.Expr, depth: int) -> Iterator[tuple[int, str]]:
    if isinstance(node, exp.Subquery):
        yield from _steps(node.this, depth)
    elif isinstance(node, exp.SetOperation):
        yield depth, node.key.capitalize()
        yield from _steps(node.left, depth + 1)
        yield from _steps(node.right, depth + 1)
    elif isinstance(node, exp.Select):
        yield from _of_select(node, depth)
    elif isinstance(node, exp.Table):
        if node.db:
            yield depth, f"TableScan[table = {CATALOG}:{node.db}:{node.name}]"
        else:
            yield depth, f"CTE[{node.name}]"
    else:
        yield depth, f"{type(node).__name__}[{_shown(node)}]"


def _of_select(select: exp.Select, depth: int) -> Iterator[tuple[int, str]]:
    yield depth, f"Output[{', '.join(_shown(column) for column in select.expressions)}]"
    for key, name in _STEPS:
        clause = select.args.get(key)
        if clause is not None:
            depth += 1
            yield depth, f"{name}[{_shown(clause)}]" if key != "distinct" else name
    source = select.args.get("from_")
    for join in reversed(select.args.get("joins") or []):
        depth += 1
        yield depth, f"Join[{_joined(join)}]"
        yield from _steps(join.this, depth + 1)
    if source is not None:
        yield from _steps(source.this, depth + 1)
    with_ = select.args.get("with_")
    for cte in with_.expressions if with_ is not None else ():
        yield depth + 1, f"With[{cte.alias}]"
        yield from _steps(cte.this, depth + 2)


def _joined(join: exp.Join) -> str:
    condition = join.args.get("on")
    using = ", ".join(column.name for column in join.args.get("using") or ())
    kind = " ".join(part for part in (join.side, join.kind) if part) or ("INNER" if condition or using else "CROSS")
    return f"{kind}{f', {_shown(condition)}' if condition is not None else f', using {using}' if using else ''}"


def _shown(node: exp.Expr) -> str:
    return node.sql(Athena3, normalize_functions=False).strip()
