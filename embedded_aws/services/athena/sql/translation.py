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
from embedded_aws.services.athena.sql import decimals
from embedded_aws.services.athena.sql.checks import check_grammar, check_types
from embedded_aws.services.athena.sql.functions import OF_ALL_ARGUMENTS, RESULTS
from embedded_aws.services.athena.sql.lengths import Lengths, has_other_precision, text_lengths
from embedded_aws.services.athena.sql.names import ambiguous, check_names, check_stars
from embedded_aws.services.athena.sql.parsing import Athena3, Query
from embedded_aws.services.athena.sql.rewriting import rewrite
from embedded_aws.services.athena.sql.unnesting import type_columns
from embedded_aws.services.athena.sql.zones import ColumnZones, zones_of

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

    zones: tuple[str, ...]
    """Zones of its columns: UTC unless it is a timestamp in another one."""

    read: Mapping[tuple[str, str], frozenset[str]]
    """Table or view → the columns read of it."""


@dataclass(frozen=True)
class StoredText:
    """What the types of a query's columns do not say, but those of a table that is created from it do."""

    lengths: tuple[int | None, ...]
    """The length of the text in each column, as in `text_lengths`."""

    has_other_precision: bool
    """Whether a column may be a timestamp with other than milliseconds."""


def translate(query: Query, schema: Schema) -> Translation:
    """Translate a query over tables of a known schema.

    Raises:
        QueryError: a column cannot be resolved, types do not fit, or something is not modelled.
    """
    tree = _typed(query, schema)
    read = _columns_read(tree)
    columns = query.labels or tuple(tree.named_selects)
    rewritten = rewrite(tree, ColumnZones(tree))
    zones = zones_of(rewritten)
    # Not of a copy: nothing reads the tree afterwards.
    sql = rewritten.sql(dialect="duckdb", normalize_functions=False, copy=False)
    return Translation(sql, columns, zones, read)


def stored_text(query: Query, schema: Schema, lengths: Lengths) -> StoredText:
    """Return what a table that is created from a query says of its columns beside their types.

    Args:
        query: the query.
        schema: of its tables.
        lengths: of the text in their columns.

    Raises:
        QueryError: as by `translate`.
    """
    tree = _typed(query, schema)
    return StoredText(text_lengths(tree, lengths), has_other_precision(tree))


def _typed(query: Query, schema: Schema) -> exp.Query:
    """Return a checked copy of a query, with its columns resolved and types annotated."""
    check_grammar(query.tree)
    check_stars(query.tree)
    known = MappingSchema({name: dict(tables) for name, tables in schema.items()}, dialect=Athena3, normalize=False)
    try:
        tree = qualify(query.tree.copy(), schema=known, dialect=Athena3, expand_alias_refs=False)
    except OptimizeError as error:
        raise _unresolved(error, query.tree, known) from error
    check_names(tree, known)
    annotate_types(tree, schema=known, dialect=Athena3, expression_metadata=_METADATA)
    type_columns(tree)
    check_types(tree)
    return tree


def _unresolved(error: OptimizeError, tree: exp.Expr, schema: MappingSchema) -> QueryError:
    found = _UNRESOLVED.match(str(error))
    if found is None:
        return QueryError("SYNTAX_ERROR", str(error))
    name, table = found["unknown"] or found["name"], found["table"]
    if table is None and _sources_of(name, tree, schema) > 1:
        return ambiguous(name)
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


def _sources_of(name: str, tree: exp.Expr, schema: MappingSchema) -> int:
    """Return how many sources of one scope, at most, have a column of a name."""
    found = 0
    for scope in traverse_scope(tree):
        columns: list[list[str]] = [
            list(schema.column_names(source)) if isinstance(source, exp.Table) else _names(source.expression)
            for _, source in scope.selected_sources.values()
        ]
        found = max(found, sum(name.lower() in {one.lower() for one in names} for names in columns))
    return found


def _names(query: exp.Expr) -> list[str]:
    return query.named_selects if isinstance(query, exp.Query) else []


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
    of_all = name in OF_ALL_ARGUMENTS
    decimal = decimals.common_type(node.expressions) if of_all else decimals.function_type(name, node.expressions)
    if decimal:
        return cast("exp.Expr", annotator._set_type(node, decimal))  # noqa: SLF001 - how sqlglot's annotators are written
    if of_all:
        return cast("exp.Expr", annotator._annotate_by_args(node, "expressions"))  # noqa: SLF001 - likewise
    result = RESULTS.get(name)
    kind: Any = exp.DType.UNKNOWN
    if isinstance(result, str):
        kind = exp.DataType.build(result, dialect=Athena3)
    elif isinstance(result, int) and result < len(node.expressions):
        argument = node.expressions[result]
        kind = (argument.expressions[0] if isinstance(argument, exp.Distinct) else argument).type
    elif name == "map" and node.expressions:
        kind = _map_type(node.expressions)
    elif name == "sum" and node.expressions and node.expressions[0].type is not None:
        summed = node.expressions[0].type
        kind = exp.DType.BIGINT if summed.this in exp.DataType.INTEGER_TYPES else summed
    return cast("exp.Expr", annotator._set_type(node, kind))  # noqa: SLF001 - how sqlglot's annotators are written


def _map_type(arrays: list[exp.Expr]) -> Any:
    """Return the type of a map of an array of keys and one of values."""
    parts = [array.type.expressions for array in arrays if array.type is not None]
    if [len(found) for found in parts] != [1, 1]:
        return exp.DType.UNKNOWN
    return exp.DataType(this=exp.DType.MAP, expressions=[found[0].copy() for found in parts], nested=True)


def _annotate_literal(annotator: Any, node: exp.Literal) -> exp.Expr:
    """Annotate a literal: a number with a point is a decimal, one with an exponent a double."""
    kind: Any = exp.DType.VARCHAR
    if not node.is_string:
        text = node.name.lower()
        if "e" not in text and "." in text:
            kind = decimals.literal(text)
        else:
            kind = exp.DType.DOUBLE if "e" in text else exp.DType.INT if int(text) <= _LARGEST_INT else exp.DType.BIGINT
    return cast("exp.Expr", annotator._set_type(node, kind))  # noqa: SLF001 - likewise


def _annotate_arithmetic(annotator: Any, node: exp.Binary) -> exp.Expr:
    """Annotate an operation: Trino's type for decimals, otherwise sqlglot's."""
    if decimal := decimals.arithmetic_type(node):
        return cast("exp.Expr", annotator._set_type(node, decimal))  # noqa: SLF001 - likewise
    return cast("exp.Expr", _STANDARD[type(node)]["annotator"](annotator, node))


def _annotate_choice(annotator: Any, node: exp.Case) -> exp.Expr:
    """Annotate a CASE: the type that decimals have in common, otherwise sqlglot's."""
    results = [branch.args["true"] for branch in node.args["ifs"]]
    if node.args.get("default") is not None:
        results.append(node.args["default"])
    if decimal := decimals.common_type(results):
        return cast("exp.Expr", annotator._set_type(node, decimal))  # noqa: SLF001 - likewise
    return cast("exp.Expr", _STANDARD[exp.Case]["annotator"](annotator, node))


_LARGEST_INT = 2**31 - 1
_STANDARD: Any = Athena3().EXPRESSION_METADATA
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_METADATA: Any = {
    **_STANDARD,
    **{operation: {"annotator": _annotate_arithmetic} for operation in _ARITHMETIC},
    exp.Case: {"annotator": _annotate_choice},
    exp.Anonymous: {"annotator": _annotate_function},
    exp.Literal: {"annotator": _annotate_literal},
}
