"""DuckDB as the engine behind Athena: tables and views of the catalog as its own, and queries on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.catalog import Catalog, CatalogTable, CatalogView
from embedded_aws.services.athena.data import PATH, Data, qualified, quoted
from embedded_aws.services.athena.errors import QueryError, from_duckdb
from embedded_aws.services.athena.results import formatted
from embedded_aws.services.athena.sql.calls import NOW
from embedded_aws.services.athena.sql.dialect import Schema, Translation, translate
from embedded_aws.services.athena.sql.functions import MACROS
from embedded_aws.services.athena.sql.reading import Query, read
from embedded_aws.services.athena.types import SqlType
from embedded_aws.services.athena.types import from_duckdb as type_of
from embedded_aws.services.athena.views import ViewDefinition

Name = tuple[str, str]

_REMEMBERED = 1000


@dataclass(frozen=True)
class Answer:
    """What a query gave.

    Attributes:
        columns: names; None for a column without one.
        kinds: their types.
        rows: texts as Athena writes them.
        scanned: bytes read from S3, at most.
    """

    columns: tuple[str | None, ...]
    kinds: tuple[SqlType, ...]
    rows: tuple[tuple[str | None, ...], ...]
    scanned: int


@dataclass(frozen=True)
class _Known:
    """A table or view that DuckDB has: its columns' types, and what a view reads."""

    columns: dict[str, str]
    read: dict[Name, frozenset[str]]


class Warehouse:
    """One DuckDB database in memory, whose tables follow the catalog and S3.

    Args:
        server: whose catalog and objects.
        folder: where DuckDB may put what does not fit into memory.
    """

    def __init__(self, server: AwsServer, folder: Path) -> None:
        self._connection = duckdb.connect(
            config={"temp_directory": str(folder / "athena"), "autoload_known_extensions": False, "threads": 2}
        )
        # As Athena's sessions are.
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET error_on_division_by_zero = true")
        self._connection.execute("SET ieee_floating_point_ops = true")
        # SQL reaches what the catalog names, and no file or address besides.
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute(MACROS)
        self._data = Data(server, self._connection)
        self._views: dict[Name, tuple[ViewDefinition, str]] = {}
        self._translations: dict[tuple[str, str, str], Translation] = {}
        self._of_statement: dict[Name, _Known] = {}

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def query(self, sql: str, database: str, parameters: Sequence[str], catalog: Catalog) -> Answer:
        """Answer a query.

        Raises:
            QueryError: it fails.
        """
        self._of_statement.clear()
        translation, read_columns = self._translated(sql, database, parameters, catalog)
        scanned = sum(
            self._data.load(found, read_columns[found.database, found.name], catalog)
            for found in self._tables(read_columns, catalog)
        )
        self._set_clock()
        try:
            relation = self._connection.execute(translation.sql)
            kinds = tuple(type_of(column[1]) for column in relation.description or ())
            rows = relation.fetchall()
        except duckdb.Error as error:
            raise from_duckdb(error) from error
        return Answer(translation.columns, kinds, formatted(rows, kinds), scanned)

    def columns_of_view(self, sql: str, database: str, catalog: Catalog, *, name: Name) -> list[tuple[str, SqlType]]:
        """Return the columns that a view of a query has.

        Raises:
            QueryError: the query is wrong, or makes no view: a column lacks a name or has another's.
        """
        self._of_statement.clear()
        translation, _ = self._translated(sql, database, (), catalog, within=(name,))
        named: list[str] = []
        for position, column in enumerate(translation.columns, start=1):
            if column is None:
                raise QueryError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {position}")
            if column.lower() in named:
                raise QueryError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{column}' specified more than once")
            named.append(column.lower())
        return list(zip(named, self._kinds(translation.sql), strict=True))

    def _translated(
        self, sql: str, database: str, parameters: Sequence[str], catalog: Catalog, within: tuple[Name, ...] = ()
    ) -> tuple[Translation, dict[Name, frozenset[str]]]:
        """Translate a query; beside it the columns that it reads of base tables, through views."""
        query = read(sql, database, parameters)
        known = {name: self._known(name, catalog, within) for name in query.tables}
        schema: dict[str, dict[str, dict[str, str]]] = {}
        for (schema_name, table), found in known.items():
            schema.setdefault(schema_name, {})[table] = found.columns
        translation = self._translation(query, (sql, database, repr((parameters, schema))), schema)
        read_columns: dict[Name, frozenset[str]] = {}
        for name, columns in translation.read.items():
            of_view = known[name].read
            for base, used in (of_view or {name: columns}).items():
                read_columns[base] = read_columns.get(base, frozenset()) | used
        return translation, read_columns

    def _translation(self, query: Query, key: tuple[str, str, str], schema: Schema) -> Translation:
        """Translate, once for the same text over the same tables."""
        if key not in self._translations:
            if len(self._translations) >= _REMEMBERED:
                self._translations.clear()
            self._translations[key] = translate(query, schema)
        return self._translations[key]

    def _known(self, name: Name, catalog: Catalog, within: tuple[Name, ...]) -> _Known:
        """Have a table or view of the catalog in DuckDB."""
        found = catalog.find(*name)
        if name not in self._of_statement or name in within:
            self._of_statement[name] = self._have(found, catalog, within)
        return self._of_statement[name]

    def _have(self, found: CatalogTable | CatalogView, catalog: Catalog, within: tuple[Name, ...]) -> _Known:
        if isinstance(found, CatalogTable):
            self._data.declare(found)
            columns = {column: kind.trino for column, kind in (*found.columns, *found.partition_keys)}
            return _Known({**columns, PATH: "varchar"}, {})
        return self._known_view(found, catalog, within)

    def _known_view(self, view: CatalogView, catalog: Catalog, within: tuple[Name, ...]) -> _Known:
        name = (view.database, view.name)
        if name in within:
            raise QueryError("VIEW_IS_RECURSIVE", f"Statement would create a recursive view: {'.'.join(name)}")
        definition = view.definition
        translation, read_columns = self._translated(
            definition.sql, definition.database, (), catalog, within=(*within, name)
        )
        columns = dict(definition.columns)
        if self._views.get(name) != (definition, translation.sql):
            self._create_view(name, translation, list(columns.items()))
            self._views[name] = (definition, translation.sql)
        return _Known(columns, read_columns)

    def _create_view(self, name: Name, translation: Translation, columns: list[tuple[str, str]]) -> None:
        kinds = self._kinds(translation.sql)
        for position, (column, kind) in enumerate(columns):
            found = kinds[position].trino if position < len(kinds) else None
            if found != kind or len(kinds) != len(columns):
                raise QueryError(
                    "VIEW_IS_STALE",
                    f"View '{'.'.join(name)}' is stale or in invalid state: column [{column}] of type {found} projected"
                    f" from query view at position {position} cannot be coerced to column [{column}] of type {kind}"
                    " stored in view definition",
                )
        names = ", ".join(quoted(column) for column, _ in columns)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name[0])}")
        self._connection.execute(f"CREATE OR REPLACE VIEW {qualified(*name)}({names}) AS {translation.sql}")

    def _kinds(self, sql: str) -> list[SqlType]:
        self._set_clock()
        try:
            described = self._connection.execute(f"SELECT * FROM ({sql}) LIMIT 0").description or ()  # noqa: S608 - translated
        except duckdb.Error as error:
            raise from_duckdb(error) from error
        return [type_of(column[1]) for column in described]

    def _tables(self, names: Iterable[Name], catalog: Catalog) -> Iterable[CatalogTable]:
        for name in names:
            found = catalog.find(*name)
            if isinstance(found, CatalogTable):
                yield found

    def _set_clock(self) -> None:
        """Give DuckDB Python's clock, which may be a simulated one."""
        self._connection.execute(f"SET VARIABLE {NOW} = TIMESTAMPTZ '{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}+00'")
