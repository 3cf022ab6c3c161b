"""The lengths that text has in Trino: varchar(n), which only a table that is created from a query shows.

Source: https://trino.io/docs/current/language/types.html#varchar
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from embedded_aws.services.athena.sql.functions import OF_ALL_ARGUMENTS

MILLISECONDS = re.compile(r".*:\d{1,2}\.\d{3}\s*")
"""The text of a timestamp with milliseconds."""

UNKNOWN = -1
"""Text whose length is not modelled."""

_OF_FIRST = frozenset(
    {
        "any_value",
        "arbitrary",
        "first_value",
        "last_value",
        "lower",
        "ltrim",
        "max",
        "min",
        "nth_value",
        "nullif",
        "regexp_extract",
        "reverse",
        "rtrim",
        "split_part",
        "substr",
        "substring",
        "trim",
        "try",
        "upper",
    }
)
_NESTING = frozenset(
    {"array_agg", "array_distinct", "array_sort", "map", "map_agg", "map_concat", "map_filter", "trim_array"}
)
"""Their text is that of their arguments, which for now has to be without a limit."""

_UNBOUNDED = frozenset(
    {
        "array_join",
        "concat",
        "current_timezone",
        "date_format",
        "format",
        "format_datetime",
        "from_utf8",
        "json_extract_scalar",
        "json_format",
        "listagg",
        "lpad",
        "rpad",
        "to_base64",
        "to_hex",
        "to_iso8601",
        "translate",
    }
)


class _Sources(dict[int, exp.Expr | Mapping[str, int]]):
    """What a column is taken from, by the id of the column's node."""

    def __init__(self, sources: Mapping[int, exp.Expr | Mapping[str, int]]) -> None:
        super().__init__(sources)
        self.lengths: dict[int, tuple[int | None, ...]] = {}
        """Lengths of a query's columns, by the id of its node: each column above it asks for all of them."""


_WRAPPING = (exp.Alias, exp.Filter, exp.Order, exp.Paren, exp.Trim, exp.Window)
_WITHOUT_LENGTH = (exp.Between, exp.Binary, exp.Extract, exp.GroupConcat, exp.In, exp.Neg, exp.Not)


Lengths = Mapping[tuple[str, str], Mapping[str, int]]
"""Database and name of a table → column → the length of its text."""


def text_lengths(tree: exp.Expr, tables: Lengths) -> tuple[int | None, ...]:
    """Return the length of the text in each column of a query that is qualified and annotated with types.

    Args:
        tree: the query.
        tables: what is known of the tables that it reads.

    Returns:
        None for a column without a limit or without text, `UNKNOWN` for one that is not modelled.
    """
    if any(part.args.get("recursive") for part in tree.find_all(exp.With)):
        return (UNKNOWN,) * len(tree.selects if isinstance(tree, exp.Query) else ())
    sources = _Sources(
        {
            id(column): _source(source, tables)
            for scope in traverse_scope(tree)
            for column in scope.columns
            if (source := scope.sources.get(column.table)) is not None
        }
    )
    return _of_query(tree, sources)


def has_other_precision(tree: exp.Expr) -> bool:
    """Return whether a column of a query may be a timestamp with other than three digits after the seconds."""
    return any(
        isinstance(cast.this, exp.Literal)
        and cast.to.this == exp.DType.TIMESTAMP
        and not MILLISECONDS.fullmatch(cast.this.name)
        for select in tree.find_all(exp.Select)
        for column in select.selects
        if column.type is not None and column.type.this == exp.DType.TIMESTAMP
        for cast in column.find_all(exp.Cast)
    )


def _source(source: Scope | exp.Expr, tables: Lengths) -> exp.Expr | Mapping[str, int]:
    if isinstance(source, Scope):
        return source.expression
    return tables.get((source.db, source.name), {}) if isinstance(source, exp.Table) else source


def _of_query(query: exp.Expr, sources: _Sources) -> tuple[int | None, ...]:
    if isinstance(query, exp.Subquery):
        return _of_query(query.this, sources)
    if isinstance(query, exp.SetOperation):
        pairs = zip(_of_query(query.left, sources), _of_query(query.right, sources), strict=True)
        return tuple(_longest(list(pair)) for pair in pairs)
    if isinstance(query, exp.Select):
        if id(query) not in sources.lengths:
            sources.lengths[id(query)] = tuple(_of(column, sources) for column in query.selects)
        return sources.lengths[id(query)]
    return ()


def _of(node: exp.Expr, sources: _Sources) -> int | None:
    if isinstance(node, exp.Literal):
        # Hive has no varchar(0).
        return max(1, len(node.name)) if node.is_string else None
    if isinstance(node, exp.Cast):
        return _of_cast(node.to)
    for kinds, length in _LENGTHS:
        if isinstance(node, kinds):
            return length(node, sources)
    return None if isinstance(node, _WITHOUT_LENGTH) or not _has_text(node) else UNKNOWN


def _branches(node: exp.Case | exp.If) -> list[exp.Expr]:
    if isinstance(node, exp.If):
        return [one for one in (node.args.get("true"), node.args.get("false")) if one is not None]
    default = node.args.get("default")
    return [*(branch.args["true"] for branch in node.args["ifs"]), *([] if default is None else [default])]


def _of_cast(target: exp.DataType) -> int | None:
    if target.this == exp.DType.VARCHAR and target.expressions:
        return int(target.expressions[0].name)
    lengths = [part for part in target.find_all(exp.DataType) if part.this == exp.DType.VARCHAR and part.expressions]
    return UNKNOWN if lengths else None


def _of_column(column: exp.Column, sources: _Sources) -> int | None:
    source = sources.get(id(column), column)
    if isinstance(source, Mapping):
        return source.get(column.name)
    if isinstance(source, exp.Query):
        names = [one.alias_or_name.lower() for one in source.selects]
        lengths = _of_query(source, sources)
        place = names.index(column.name.lower()) if column.name.lower() in names else None
        return UNKNOWN if place is None or place >= len(lengths) else lengths[place]
    if isinstance(source, exp.Values):
        return _of_rows(source, column.name, sources)
    return UNKNOWN if _is_text(column) else None


def _of_rows(values: exp.Values, name: str, sources: _Sources) -> int | None:
    alias = values.args.get("alias")
    names = [one.name.lower() for one in alias.columns] if alias is not None else []
    if name.lower() not in names:
        return UNKNOWN
    place = names.index(name.lower())
    cells = [row.expressions[place] if isinstance(row, exp.Tuple) else row for row in values.expressions]
    return _of_values(cells, sources)


def _of_call(call: exp.Anonymous, sources: _Sources) -> int | None:
    name = str(call.this).lower()
    if name in _UNBOUNDED or not _has_text(call):
        return None
    if name in _OF_FIRST and call.expressions:
        return _of(call.expressions[0], sources)
    if name in OF_ALL_ARGUMENTS:
        return _of_values(call.expressions, sources)
    if name in _NESTING or name == "split":
        return _of_nested(call.expressions[:1] if name == "split" else call.expressions, sources)
    if not _is_text(call):
        return None
    return UNKNOWN


def _of_nested(parts: list[exp.Expr], sources: _Sources) -> int | None:
    return None if all(_of(part, sources) is None for part in parts) else UNKNOWN


def _of_values(values: list[exp.Expr], sources: _Sources) -> int | None:
    return _longest([_of(one, sources) for one in values if not isinstance(one, exp.Null)])


def _longest(lengths: list[int | None]) -> int | None:
    if UNKNOWN in lengths:
        return UNKNOWN
    known = [one for one in lengths if one is not None]
    return max(known) if known and len(known) == len(lengths) else None


def _has_text(node: exp.Expr) -> bool:
    """Return whether text of a limited length, or a column that may hold it, is part of a node."""
    return any(literal.is_string for literal in node.find_all(exp.Literal)) or any(
        _is_text(column) for column in node.find_all(exp.Column)
    )


def _is_text(node: exp.Expr) -> bool:
    kind: Any = node.type
    return kind is None or kind.this in {*exp.DataType.TEXT_TYPES, *exp.DataType.NESTED_TYPES, exp.DType.UNKNOWN}


_LENGTHS: tuple[tuple[Any, Callable[[Any, _Sources], int | None]], ...] = (
    (_WRAPPING, lambda node, sources: _of(node.this, sources)),
    (exp.Column, _of_column),
    ((exp.Case, exp.If), lambda node, sources: _of_values(_branches(node), sources)),
    (exp.Anonymous, _of_call),
    ((exp.Array, exp.Distinct), lambda node, sources: _of_nested(node.expressions, sources)),
)
