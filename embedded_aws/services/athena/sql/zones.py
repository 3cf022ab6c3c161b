"""The zones of columns of type timestamp with time zone: DuckDB's are bare instants."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from embedded_aws.services.athena.errors import not_supported
from embedded_aws.services.athena.sql import nodes


class ColumnZones:
    """Follows zones from the columns of subqueries to those that read them.

    Args:
        tree: a qualified query, which is then rewritten from the inside out.
    """

    def __init__(self, tree: exp.Expr) -> None:
        self._sources: dict[int, exp.Expr] = {
            id(column): source.expression
            for scope in traverse_scope(tree)
            for column in scope.columns
            if isinstance(source := scope.sources.get(column.table), Scope)
        }

    def follow(self, node: exp.Column | exp.Subquery | exp.SetOperation) -> None:
        """Mark a column with its zone, and refuse what would lose one.

        Raises:
            QueryError: an expression is a subquery in a zone, or a union has two.
        """
        if isinstance(node, exp.Column):
            source = self._sources.get(id(node))
            if source is not None:
                nodes.in_zone(node, _zone(source, node.name))
        elif isinstance(node, exp.Subquery):
            is_source = isinstance(node.parent, exp.From | exp.Join | exp.Subquery | exp.SetOperation)
            if not is_source and any(zone != nodes.UTC for zone in zones_of(node.this)):
                raise not_supported("A subquery in a time zone as an expression; cast it to timestamp")
        elif zones_of(node.left) != zones_of(node.right):
            raise not_supported("A union of timestamps in several time zones")


def zones_of(query: exp.Expr) -> tuple[str, ...]:
    """Return the zones of a query's columns."""
    return tuple(nodes.zone_of(column) for column in query.selects) if isinstance(query, exp.Query) else ()


def _zone(source: exp.Expr, name: str) -> str:
    if not isinstance(source, exp.Query):
        return nodes.UTC
    found = {nodes.zone_of(column) for column in source.selects if column.alias_or_name.lower() == name.lower()}
    return found.pop() if len(found) == 1 else nodes.UTC
