"""Checks for names that Trino refuses to resolve, though DuckDB would."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp
from sqlglot.optimizer.resolver import Resolver
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from embedded_aws.services.athena.errors import QueryError, not_supported


def check_names(tree: exp.Expr, schema: MappingSchema) -> None:
    """Check the names of a qualified query, and qualify those of HAVING.

    Args:
        tree: the query.
        schema: of the tables that it reads.

    Raises:
        QueryError: a name means nothing there, or several things.
    """
    for scope in traverse_scope(tree):
        repeated = {
            name: _repeated(source.expression) for name, source in scope.sources.items() if isinstance(source, Scope)
        }
        for column in scope.columns:
            if column.name.lower() in repeated.get(column.table, ()):
                raise ambiguous(f"{column.table}.{column.name}")
        if isinstance(scope.expression, exp.Select):
            _resolve_having(scope.expression, Resolver(scope, schema))
            _check_order(scope.expression)


def check_stars(tree: exp.Expr) -> None:
    """Refuse `*` over a subquery with several columns of one name, whose columns sqlglot would merge.

    Raises:
        QueryError: there is one.
    """
    for scope in traverse_scope(tree):
        if not isinstance(scope.expression, exp.Select) or not scope.expression.is_star:
            continue
        for source in scope.sources.values():
            if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
                names = [name.lower() for name in source.expression.named_selects if name not in {"", "*"}]
                if len(set(names)) < len(names):
                    raise not_supported("* over a subquery with several columns of the same name")


def ambiguous(name: str) -> QueryError:
    """Return the error for a name of several columns."""
    return QueryError("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous")


def _repeated(query: exp.Expr) -> set[str]:
    """Return the names that several columns of a subquery have."""
    names = query.named_selects if isinstance(query, exp.Query) else ()
    return {name for name, count in Counter(name.lower() for name in names).items() if count > 1}


def _resolve_having(select: exp.Select, resolver: Resolver) -> None:
    """Qualify the columns of HAVING, which are those of FROM, whatever aliases there are; sqlglot leaves them alone."""
    having = select.args.get("having")
    names = {name.lower() for name in select.named_selects}
    for column in list(having.find_all(exp.Column)) if having is not None else ():
        if column.table or column.parent_select is not select:
            continue
        if (table := resolver.get_table(column)) is not None:
            column.set("table", table.copy())
        elif column.name.lower() in names:
            raise QueryError("COLUMN_NOT_FOUND", f"Column '{column.name}' cannot be resolved")


def _check_order(select: exp.Select) -> None:
    """Refuse keys that are several columns, and those that DISTINCT has dropped."""
    order = select.args.get("order")
    if order is None:
        return
    written = [column.unalias() for column in select.selects]
    names = [name.lower() for name in select.named_selects]
    for ordered in order.expressions:
        key = ordered.this
        is_name = isinstance(key, exp.Column) and not key.table and key.name.lower() in names
        if is_name and names.count(key.name.lower()) > 1:
            raise ambiguous(key.name)
        is_place = isinstance(key, exp.Literal) and not key.is_string
        if select.args.get("distinct") and not (is_name or is_place or key in written):
            raise QueryError(
                "EXPRESSION_NOT_IN_DISTINCT", "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
            )
