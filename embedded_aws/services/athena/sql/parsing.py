"""Parsing of Athena's SQL: Trino's grammar, with every function call under its own name."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.loaded_table import PATH
from embedded_aws.services.athena.sql import decimals
from embedded_aws.services.athena.sql.tokens import check_tokens
from embedded_aws.services.athena.views import CATALOG

_DECIMAL = (38, 0)
"""Precision and scale of a decimal that does not say them."""

_OWN_SYNTAX = ("CAST", "EXTRACT", "LISTAGG", "POSITION", "TRIM", "TRY_CAST")


class Athena3(Trino):
    """Trino's dialect without sqlglot's function classes: a call keeps its name."""

    PSEUDOCOLUMNS = {PATH.upper()}  # noqa: RUF012 - as sqlglot declares it
    EXCLUDES_PSEUDOCOLUMNS_FROM_STAR = True

    class Parser(TrinoParser):
        """A parser that knows only the functions with their own syntax."""

        FUNCTIONS = {}  # noqa: RUF012 - as sqlglot declares it
        TYPE_LITERAL_PARSERS = {  # noqa: RUF012 - likewise
            **TrinoParser.TYPE_LITERAL_PARSERS,
            exp.DType.DECIMAL: lambda _parser, text, _kind: exp.Cast(this=text, to=decimals.literal(text.name)),
        }
        FUNCTION_PARSERS = {name: TrinoParser.FUNCTION_PARSERS[name] for name in _OWN_SYNTAX}  # noqa: RUF012 - likewise


@dataclass(frozen=True)
class Query:
    """A parsed query."""

    tree: exp.Query
    """The query, with every catalog table qualified by its database."""

    tables: tuple[tuple[str, str], ...]
    """Database and name of these tables."""

    labels: tuple[str | None, ...]
    """Column names as written; None for a column without one, empty for `*`."""


@functools.lru_cache(maxsize=256)
def parse(sql: str, database: str, parameters: tuple[str, ...] = ()) -> Query:
    """Return a parsed query, which must not be changed: a statement reads the same views again and again.

    Args:
        sql: SELECT, WITH or VALUES.
        database: database of unqualified names.
        parameters: SQL literals for `?`, in order.

    Raises:
        QueryError: it is not a query.
    """
    tree = parse_tree(sql).copy()
    _fill_parameters(tree, parameters)
    selects = _outermost(tree).expressions
    labels = () if any(column.is_star for column in selects) else tuple(_label(column) for column in selects)
    for index, column in enumerate(selects):
        if not column.is_star and _label(column) is None:
            column.replace(exp.alias_(column.copy(), f"_col{index}"))
    return Query(tree, tuple(dict.fromkeys(_qualify_tables(tree, database))), labels)


@functools.lru_cache(maxsize=256)
def parse_tree(sql: str) -> exp.Query:
    """Return the syntax tree of a query, which must not be changed.

    Raises:
        QueryError: it is not a query.
    """
    try:
        tokens = Athena3().tokenize(sql)
        if shorthand := next((token for token in tokens if token.token_type == TokenType.DCOLON), None):
            raise QueryError("SYNTAX_ERROR", f"line {shorthand.line}:{shorthand.col - 1}: mismatched input ':'")
        check_tokens(tokens)
        statements = [statement for statement in sqlglot.parse(sql, read=Athena3) if statement is not None]
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        place = f"line {found.get('line', 1)}:{found.get('col', 1)}: "
        near = f"mismatched input '{found.get('highlight', '')}'. {found.get('description', error)}"
        raise QueryError("SYNTAX_ERROR", place + near) from error
    except TokenError as error:
        raise QueryError("SYNTAX_ERROR", str(error)) from error
    if len(statements) != 1:
        raise QueryError("SYNTAX_ERROR", "Only one sql statement is allowed")
    tree = statements[0]
    if isinstance(tree, exp.Values):
        tree = _selected(tree)
    if not isinstance(tree, exp.Query):
        raise not_supported(f"The statement {sql.split(maxsplit=1)[0].upper()}")
    _complete_values(tree)
    _find_parameters(tree)
    for kind in tree.find_all(exp.DataType):
        if kind.this == exp.DType.DECIMAL and len(kind.expressions) < len(_DECIMAL):
            given = tuple(int(part.name) for part in kind.expressions)
            kind.replace(decimals.decimal((given[0] if given else _DECIMAL[0], _DECIMAL[1])))
    return tree


def _find_parameters(tree: exp.Query) -> None:
    """Let functions find their parameters whatever their capitals; sqlglot takes the others for columns."""
    for function in tree.find_all(exp.Lambda):
        names = {parameter.name.lower() for parameter in function.expressions}
        for parameter in function.expressions:
            parameter.replace(exp.to_identifier(parameter.name.lower(), quoted=True))
        for column in list(function.this.find_all(exp.Column)):
            if column.table.lower() in names and not column.db:
                row = exp.to_identifier(column.table.lower(), quoted=True)
                column.replace(exp.Dot(this=row, expression=column.this.copy()))
            elif column.name.lower() in names and not column.table:
                column.replace(exp.to_identifier(column.name.lower(), quoted=True))


def _complete_values(tree: exp.Query) -> None:
    """Let every VALUES be that of a SELECT, with names for its columns."""
    for values in list(tree.find_all(exp.Values)):
        if isinstance(values.parent, exp.Subquery):
            values.replace(_selected(values))
    for number, values in enumerate(tree.find_all(exp.Values)):
        if isinstance(values.parent, exp.From | exp.Join) and not values.args.get("alias"):
            values.set("alias", exp.TableAlias(this=exp.to_identifier(f"_values{number}")))
        _name_columns(values)


def _selected(values: exp.Values) -> exp.Select:
    """Return VALUES as a SELECT, which sqlglot does not make of them where they stand alone or in parentheses."""
    return exp.select("*").from_(exp.alias_(values.copy(), "_values", table=True))


def _name_columns(values: exp.Values) -> None:
    """Give the columns of VALUES Trino's names unless the query names them."""
    alias = values.args.get("alias")
    if alias is not None and not alias.columns and values.expressions:
        row = values.expressions[0]
        width = len(row.expressions) if isinstance(row, exp.Tuple) else 1
        alias.set("columns", [exp.to_identifier(f"_col{index}") for index in range(width)])


def _fill_parameters(tree: exp.Query, parameters: Sequence[str]) -> None:
    placeholders = list(tree.find_all(exp.Placeholder))
    if len(placeholders) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(placeholders)} but found {len(parameters)}",
        )
    in_order = sorted(tree.find_all(exp.Placeholder, bfs=False), key=placeholders.index)
    for placeholder, literal in zip(in_order, parameters, strict=True):
        placeholder.replace(sqlglot.parse_one(literal, read=Athena3))


def _outermost(tree: exp.Expr) -> exp.Select:
    """Return the query that names the columns: the first one of a union."""
    while not isinstance(tree, exp.Select):
        tree = tree.this
    return tree


def _label(column: exp.Expr) -> str | None:
    """Return the name of a column: its alias, or the last of the names that it consists of."""
    base = column
    while isinstance(base, exp.Dot):
        base = base.this
    is_named = isinstance(column, exp.Alias) or isinstance(base, exp.Column | exp.Identifier)
    return column.output_name if is_named else None


def _qualify_tables(tree: exp.Query, database: str) -> list[tuple[str, str]]:
    """Qualify every table with its database, in lower case, and return database and name of each."""
    try:
        scopes = traverse_scope(tree)
    except OptimizeError as error:
        raise QueryError("SYNTAX_ERROR", str(error)) from error
    found: dict[int, exp.Table] = {}
    for scope in scopes:
        found |= {id(source): source for source in scope.sources.values() if isinstance(source, exp.Table)}
    names = []
    for table in found.values():
        if not isinstance(table.this, exp.Identifier):
            raise not_supported(f"The table function {table.sql(Athena3)}")
        if table.catalog and table.catalog.lower() != CATALOG:
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{table.catalog}' does not exist")
        name = ((table.db or database).lower(), table.name.lower())
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name[1], quoted=True)))
        table.set("catalog", None)
        table.set("db", exp.to_identifier(name[0], quoted=True))
        table.set("this", exp.to_identifier(name[1], quoted=True))
        names.append(name)
    for column in tree.find_all(exp.Column):
        # The table's alias is unambiguous.
        column.set("db", None)
        column.set("catalog", None)
    return names
