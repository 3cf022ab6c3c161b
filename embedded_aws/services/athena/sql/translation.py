"""Translating a query into DuckDB's SQL: resolved against the catalog, checked and rewritten."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.sql.checks import check_grammar, check_types
from embedded_aws.services.athena.sql.functions import RESULTS
from embedded_aws.services.athena.sql.parsing import Athena3, Query
from embedded_aws.services.athena.sql.rewriting import rewrite

Schema = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Database → table → column → Trino type."""

_UNRESOLVED = re.compile(
    r"Column '(?P<name>.*?)' could not be resolved(?: for table: '(?P<table>.*?)')?\.|Unknown column: (?P<unknown>.*)"
)


@dataclass(frozen=True)
class Translation:
    """A query in DuckDB's SQL."""

    sql: str
    columns: tuple[str | None, ...]
    """Names of its columns; None for a column without one."""

    read: Mapping[tuple[str, str], frozenset[str]]
    """Table or view → the columns read of it."""


def translate(query: Query, schema: Schema) -> Translation:
    """Translate a query over tables of a known schema.

    Raises:
        QueryError: a column cannot be resolved, types do not fit, or something is not modelled.
    """
    check_grammar(query.tree)
    known = MappingSchema({name: dict(tables) for name, tables in schema.items()}, dialect=Athena3, normalize=False)
    try:
        tree = qualify(query.tree.copy(), schema=known, dialect=Athena3, expand_alias_refs=False)
    except OptimizeError as error:
        raise _unresolved(error, query.tree) from error
    annotate_types(tree, schema=known, dialect=Athena3, expression_metadata=_METADATA)
    check_types(tree)
    read = _columns_read(tree)
    columns = query.labels or tuple(tree.named_selects)
    sql = rewrite(tree).sql(dialect="duckdb", normalize_functions=False)
    return Translation(sql, columns, read)


def _unresolved(error: OptimizeError, tree: exp.Expr) -> QueryError:
    found = _UNRESOLVED.match(str(error))
    if found is None:
        return QueryError("SYNTAX_ERROR", str(error))
    name, table = found["unknown"] or found["name"], found["table"]
    place = ""
    for column in tree.find_all(exp.Column):
        if column.name.lower() == name.lower() and (table is None or column.table.lower() == table.lower()):
            name = f"{column.table}.{name}" if column.table else name
            first = column.parts[0].meta
            if "line" in first:
                place = f"line {first['line']}:{first['col'] - len(column.parts[0].name) + 1}: "
            break
    return QueryError(
        "COLUMN_NOT_FOUND",
        f"{place}Column '{name}' cannot be resolved or requester is not authorized to access requested resources",
    )


def _columns_read(tree: exp.Expr) -> dict[tuple[str, str], frozenset[str]]:
    read: dict[tuple[str, str], set[str]] = {}
    for scope in traverse_scope(tree):
        tables = {name: source for name, source in scope.sources.items() if isinstance(source, exp.Table)}
        for table in tables.values():
            read.setdefault((table.db, table.name), set())
        for column in scope.columns:
            source = tables.get(column.table)
            if source is not None:
                read[source.db, source.name].add(column.name)
    return {name: frozenset(columns) for name, columns in read.items()}


def _annotate_function(annotator: Any, node: exp.Anonymous) -> exp.Expr:
    """Annotate a call with its result type in Trino, if known."""
    name = str(node.this).lower()
    result = RESULTS.get(name)
    kind: Any = exp.DType.UNKNOWN
    if isinstance(result, str):
        kind = exp.DataType.build(result, dialect=Athena3)
    elif isinstance(result, int) and result < len(node.expressions):
        argument = node.expressions[result]
        kind = (argument.expressions[0] if isinstance(argument, exp.Distinct) else argument).type
    elif name == "sum" and node.expressions and node.expressions[0].type is not None:
        summed = node.expressions[0].type
        kind = exp.DType.BIGINT if summed.this in exp.DataType.INTEGER_TYPES else summed
    return cast("exp.Expr", annotator._set_type(node, kind))  # noqa: SLF001 - how sqlglot's annotators are written


def _annotate_literal(annotator: Any, node: exp.Literal) -> exp.Expr:
    """Annotate a literal: a number with a point is a decimal, one with an exponent a double."""
    kind = exp.DType.VARCHAR
    if not node.is_string:
        text = node.name.lower()
        kind = exp.DType.DOUBLE if "e" in text else exp.DType.DECIMAL if "." in text else exp.DType.INT
    return cast("exp.Expr", annotator._set_type(node, kind))  # noqa: SLF001 - likewise


_METADATA: Any = {
    **Athena3().EXPRESSION_METADATA,
    exp.Anonymous: {"annotator": _annotate_function},
    exp.Literal: {"annotator": _annotate_literal},
}
