"""The DuckDB database behind Athena: the catalog's tables and views, and queries on them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CallerCatalog, CatalogTable, CatalogView
from embedded_aws.services.athena.errors import QueryError, from_duckdb
from embedded_aws.services.athena.results import format_rows
from embedded_aws.services.athena.sql.calls import NOW
from embedded_aws.services.athena.sql.functions import MACROS
from embedded_aws.services.athena.sql.parsing import Query, parse
from embedded_aws.services.athena.sql.translation import Schema, Translation, translate
from embedded_aws.services.athena.table_loader import PATH, TableLoader, qualified, quoted
from embedded_aws.services.athena.types import SqlType
from embedded_aws.services.athena.types import from_duckdb as type_of
from embedded_aws.services.athena.views import ViewDefinition

Name = tuple[str, str]

_CACHE_SIZE = 1000


@dataclass(frozen=True)
class QueryOutput:
    """The output of a query."""

    columns: tuple[str | None, ...]
    """Names; None for a column without one."""

    kinds: tuple[SqlType, ...]
    """Types of the columns."""

    rows: tuple[tuple[str | None, ...], ...]
    """Values as Athena writes them."""

    scanned: int
    """Upper bound of the bytes read from S3."""


@dataclass(frozen=True)
class _Known:
    """A table or view that exists in DuckDB."""

    columns: dict[str, str]
    """Column → Trino type."""

    read: dict[Name, frozenset[str]]
    """Base table → columns that a view reads of it; empty for a table."""


class ScanLimitError(Exception):
    """A query would scan more than its workgroup allows.

    Args:
        limit: of the workgroup, in bytes.
        scanned: what the query would scan, in bytes.
    """

    def __init__(self, limit: int, scanned: int) -> None:
        super().__init__(f"Query cancelled! : Bytes scanned limit was exceeded (limit {limit})")
        self.scanned = scanned


class Warehouse:
    """An in-memory DuckDB database whose tables follow the catalog and S3.

    Queries run beside each other; each sees the tables as they were when it began.

    Args:
        server: the server with the objects.
        folder: folder for what DuckDB spills to disk.
    """

    def __init__(self, server: AwsServer, folder: Path) -> None:
        self._connection = duckdb.connect(
            config={
                "temp_directory": str(folder / "athena"),
                "autoload_known_extensions": False,
                # All queries share them.
                "threads": os.cpu_count() or 1,
            }
        )
        # As in Athena's sessions.
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET error_on_division_by_zero = true")
        self._connection.execute("SET ieee_floating_point_ops = true")
        # SQL can reach the catalog's tables, but no files or URLs.
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute(MACROS)
        self._data = TableLoader(server, self._connection)
        self._views: dict[Name, tuple[ViewDefinition, str]] = {}
        self._translations: dict[tuple[str, str, str], Translation] = {}
        self._known_in_statement: dict[Name, _Known] = {}
        # Held while tables and views are made to follow the catalog, not while a query runs.
        self._following = threading.Lock()

    def close(self) -> None:
        """Drop everything."""
        self._connection.close()

    def session(self, limit: int | None, cancellation: Cancellation) -> QuerySession:
        """Return a session for one statement.

        Args:
            limit: bytes that it may scan; None without a limit.
            cancellation: ends it.
        """
        return QuerySession(self, limit, cancellation)

    def query(
        self,
        sql: str,
        database: str,
        parameters: Sequence[str],
        catalog: CallerCatalog,
        *,
        limit: int | None,
        cancellation: Cancellation,
    ) -> QueryOutput:
        """Run a query; see `QuerySession`."""
        with self._following:
            cancellation.check()
            self._known_in_statement.clear()
            translation, read_columns = self._translated(sql, database, parameters, catalog)
            scanned = sum(
                self._data.load(found, read_columns[found.database, found.name], catalog, cancellation)
                for found in self._tables(read_columns, catalog)
            )
            if limit is not None and scanned > limit:
                raise ScanLimitError(limit, scanned)
            cursor = self._snapshot()
        try:
            with cancellation.interrupting(cursor.interrupt):
                relation = cursor.execute(translation.sql)
                kinds = tuple(type_of(column[1]) for column in relation.description or ())
                rows = relation.fetchall()
        except duckdb.Error as error:
            cancellation.check()
            raise from_duckdb(error) from error
        finally:
            cursor.close()
        return QueryOutput(translation.columns, kinds, format_rows(rows, kinds), scanned)

    def columns_of_view(
        self, sql: str, database: str, catalog: CallerCatalog, *, name: Name
    ) -> list[tuple[str, SqlType]]:
        """Return the columns of a view on a query.

        Raises:
            QueryError: the query is invalid, or a column's name is missing or a duplicate.
        """
        with self._following:
            self._known_in_statement.clear()
            translation, _ = self._translated(sql, database, (), catalog, within=(name,))
            named: list[str] = []
            for position, column in enumerate(translation.columns, start=1):
                if column is None:
                    raise QueryError(
                        "MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {position}"
                    )
                if column.lower() in named:
                    raise QueryError(
                        "DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{column}' specified more than once"
                    )
                named.append(column.lower())
            return list(zip(named, self._kinds(translation.sql), strict=True))

    def _snapshot(self) -> duckdb.DuckDBPyConnection:
        """Return a connection that sees everything as it is now, whatever others load meanwhile."""
        cursor = self._connection.cursor()
        _set_clock(cursor)
        cursor.begin()
        # DuckDB takes the snapshot with the first read.
        cursor.execute("SELECT count(*) FROM duckdb_schemas()").fetchall()
        return cursor

    def _translated(
        self, sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog, within: tuple[Name, ...] = ()
    ) -> tuple[Translation, dict[Name, frozenset[str]]]:
        """Return a query's translation, and the columns it reads of each base table, through views."""
        query = parse(sql, database, parameters)
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
        """Return a query's translation, cached by text, parameters and schema."""
        if key not in self._translations:
            if len(self._translations) >= _CACHE_SIZE:
                self._translations.clear()
            self._translations[key] = translate(query, schema)
        return self._translations[key]

    def _known(self, name: Name, catalog: CallerCatalog, within: tuple[Name, ...]) -> _Known:
        """Create a table or view of the catalog in DuckDB, once a statement."""
        found = catalog.find(*name)
        if name not in self._known_in_statement or name in within:
            self._known_in_statement[name] = self._create(found, catalog, within)
        return self._known_in_statement[name]

    def _create(self, found: CatalogTable | CatalogView, catalog: CallerCatalog, within: tuple[Name, ...]) -> _Known:
        if isinstance(found, CatalogTable):
            self._data.declare(found)
            columns = {column: kind.trino for column, kind in (*found.columns, *found.partition_keys)}
            return _Known({**columns, PATH: "varchar"}, {})
        return self._known_view(found, catalog, within)

    def _known_view(self, view: CatalogView, catalog: CallerCatalog, within: tuple[Name, ...]) -> _Known:
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
        _set_clock(self._connection)
        try:
            described = self._connection.execute(f"SELECT * FROM ({sql}) LIMIT 0").description or ()  # noqa: S608 - translated
        except duckdb.Error as error:
            raise from_duckdb(error) from error
        return [type_of(column[1]) for column in described]

    def _tables(self, names: Iterable[Name], catalog: CallerCatalog) -> Iterable[CatalogTable]:
        for name in names:
            found = catalog.find(*name)
            if isinstance(found, CatalogTable):
                yield found


@dataclass(frozen=True)
class QuerySession:
    """Where the queries of one statement run."""

    warehouse: Warehouse
    limit: int | None
    """Bytes that a query may scan; None without a limit."""
    cancellation: Cancellation

    def query(self, sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog) -> QueryOutput:
        """Run a query.

        Raises:
            QueryError: the query fails.
            ScanLimitError: it would scan too much.
            QueryCancelledError: it is cancelled.
        """
        return self.warehouse.query(
            sql, database, parameters, catalog, limit=self.limit, cancellation=self.cancellation
        )

    def columns_of_view(
        self, sql: str, database: str, catalog: CallerCatalog, *, name: Name
    ) -> list[tuple[str, SqlType]]:
        """Return the columns of a view on a query.

        Raises:
            QueryError: the query is invalid, or a column's name is missing or a duplicate.
            QueryCancelledError: the statement is cancelled.
        """
        columns = self.warehouse.columns_of_view(sql, database, catalog, name=name)
        self.cancellation.check()
        return columns


def _set_clock(connection: duckdb.DuckDBPyConnection) -> None:
    """Set DuckDB's clock to Python's, which may be simulated."""
    connection.execute(f"SET VARIABLE {NOW} = TIMESTAMPTZ '{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}+00'")
