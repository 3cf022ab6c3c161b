"""Trino's information_schema: the Glue catalog as tables of a query.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import sqlglot
from sqlglot import exp

from embedded_aws.services.athena.catalog import CallerCatalog, columns_of
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.sql.parsing import Athena3, Query
from embedded_aws.services.athena.types import from_hive
from embedded_aws.services.athena.views import CATALOG, decode, is_view

SCHEMA = "information_schema"

Row = tuple[Any, ...]


def resolve(query: Query, catalog: CallerCatalog) -> Query:
    """Return a query that reads the catalog's content itself, in place of the tables of information_schema.

    Raises:
        QueryError: such a table does not exist.
        AccessError: the caller may not see the catalog.
    """
    if all(database != SCHEMA for database, _ in query.tables):
        return query
    tree = query.tree.copy()
    for table in list(tree.find_all(exp.Table)):
        if table.db == SCHEMA:
            table.replace(_content(table, catalog))
    return replace(query, tree=tree, tables=tuple(name for name in query.tables if name[0] != SCHEMA))


def _content(table: exp.Table, catalog: CallerCatalog) -> exp.Subquery:
    found = _TABLES.get(table.name)
    if found is None:
        raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{SCHEMA}.{table.name}' does not exist")
    columns, rows = found
    content = list(rows(catalog))
    shown = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    names = ", ".join(f'"{name}"' for name in columns)
    # VALUES needs a row.
    values = ", ".join(_tuple(row) for row in content or [(None,) * len(columns)])
    condition = "" if content else " WHERE false"
    selected: Any = sqlglot.parse_one(
        f"SELECT {shown} FROM (VALUES {values}) AS content ({names}){condition}",  # noqa: S608 - quoted below
        read=Athena3,
    )
    return exp.Subquery(this=selected, alias=table.args.get("alias"))


def _tuple(row: Row) -> str:
    cells = (
        "NULL" if cell is None else str(cell) if isinstance(cell, int) else exp.Literal.string(cell).sql(Athena3)
        for cell in row
    )
    return f"({', '.join(cells)})"


def _schemata(catalog: CallerCatalog) -> Iterator[Row]:
    yield CATALOG, SCHEMA
    for database in catalog.databases():
        yield CATALOG, database["Name"]


def _found(catalog: CallerCatalog) -> Iterator[tuple[str, dict[str, Any]]]:
    for database in catalog.databases():
        name = database["Name"]
        for table in catalog.table_names(name):
            yield name, catalog.get_table(name, table)


def _tables(catalog: CallerCatalog) -> Iterator[Row]:
    for database, table in _found(catalog):
        yield CATALOG, database, table["Name"], "VIEW" if is_view(table) else "BASE TABLE"


def _views(catalog: CallerCatalog) -> Iterator[Row]:
    for database, table in _found(catalog):
        if is_view(table):
            yield CATALOG, database, table["Name"], decode(table).sql


def _columns(catalog: CallerCatalog) -> Iterator[Row]:
    for database, table in _found(catalog):
        for position, column in enumerate(columns_of(table), start=1):
            yield (
                CATALOG,
                database,
                table["Name"],
                column["Name"].lower(),
                position,
                None,
                "YES",
                _type(column["Type"]),
            )


def _type(hive: str) -> str:
    """Return a column's type in Trino; one that is not modelled as the catalog names it."""
    try:
        return re.sub(r"decimal\((\d+), (\d+)\)", r"decimal(\1,\2)", from_hive(hive).trino)
    except QueryError:
        return hive


_TEXTS = ("table_catalog", "table_schema", "table_name")
_TABLES: dict[str, tuple[dict[str, str], Callable[[CallerCatalog], Iterator[Row]]]] = {
    "schemata": (dict.fromkeys(("catalog_name", "schema_name"), "varchar"), _schemata),
    "tables": (dict.fromkeys((*_TEXTS, "table_type"), "varchar"), _tables),
    "views": (dict.fromkeys((*_TEXTS, "view_definition"), "varchar"), _views),
    "columns": (
        {
            **dict.fromkeys((*_TEXTS, "column_name"), "varchar"),
            "ordinal_position": "bigint",
            **dict.fromkeys(("column_default", "is_nullable", "data_type"), "varchar"),
        },
        _columns,
    ),
}
"""Table → its columns with their types, and what yields its rows."""
