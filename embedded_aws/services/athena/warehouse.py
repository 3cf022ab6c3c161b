"""The DuckDB database behind Athena: the catalog's tables and views, and queries on them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena import information_schema
from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CallerCatalog, CatalogTable, CatalogView
from embedded_aws.services.athena.errors import QueryError, from_duckdb
from embedded_aws.services.athena.kept_views import KeptViews, ViewState
from embedded_aws.services.athena.loaded_table import PATH, qualified, quoted
from embedded_aws.services.athena.object_files import ROOT, ObjectFiles, query_error
from embedded_aws.services.athena.objects import ObjectSource
from embedded_aws.services.athena.parquet import partition_values
from embedded_aws.services.athena.results import format_rows
from embedded_aws.services.athena.scan_plan import Scan, ScanPlanner, plain_name
from embedded_aws.services.athena.sql.calls import NOW
from embedded_aws.services.athena.sql.functions import MACROS, TRIED, TRIED_MACROS
from embedded_aws.services.athena.sql.parsing import Query, parse
from embedded_aws.services.athena.sql.translation import Schema, StoredText, Translation, stored_text, translate
from embedded_aws.services.athena.table_loader import TableLoader, WantedRows
from embedded_aws.services.athena.types import SqlType
from embedded_aws.services.athena.types import from_duckdb as type_of
from embedded_aws.services.athena.views import ViewDefinition

Name = tuple[str, str]

_CACHE_SIZE = 1000

_MANY_ROWS = 20_000
"""Rows of the tables from which on the rows of a view that reads them are kept: computing fewer takes no time."""

_COSTLY = (" OVER ", "GROUP BY")
"""What makes computing a view slow, and keeps DuckDB from computing only what a query wants."""


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
    """Bytes that Athena would scan."""


@dataclass(frozen=True)
class QueryColumns:
    """The columns of a query."""

    names: tuple[str | None, ...]
    """None for a column without one."""

    kinds: tuple[SqlType, ...]
    """Types of the columns."""

    text: StoredText


@dataclass(frozen=True)
class QueryRows:
    """The rows of a query, to be written."""

    rows: pa.Table
    scanned: int
    """Bytes that Athena would scan."""


@dataclass(frozen=True)
class _Known:
    """A table or view that exists in DuckDB."""

    columns: dict[str, str]
    """Column → Trino type."""
    lengths: dict[str, int]
    """Column → the length of its text, if it has a limit."""

    read: dict[Name, frozenset[str]] | None
    """Base table → columns that a view reads of it; None for a table."""

    sql: frozenset[str] = frozenset()
    """The queries of a view and of the views that it reads."""


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
        objects = ObjectSource(server)
        files = self._files = ObjectFiles(objects)
        self._connection.register_filesystem(files)
        # Each scan of a query reads the footers.
        self._connection.execute("SET GLOBAL parquet_metadata_cache = true")
        # They are in memory already.
        self._connection.execute("SET GLOBAL enable_external_file_cache = false")
        # SQL can reach the catalog's tables, but no other files or URLs.
        self._connection.execute("SET allowed_directories = ?", [[ROOT]])
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute(MACROS)
        self._has_tried_macros = False
        self._planner = ScanPlanner()
        self._data = TableLoader(objects, self._connection, files)
        self._views: dict[Name, tuple[ViewDefinition, str, tuple[object, ...]]] = {}
        self._translations: dict[tuple[str, str, str], Translation] = {}
        self._known_in_statement: dict[Name, _Known] = {}
        # Held while tables and views are made to follow the catalog, not while a query runs.
        self._following = threading.Lock()
        self._kept_views = KeptViews(self._connection, self._following)

    def close(self) -> None:
        """Drop everything."""
        self._connection.close()
        self._planner.close()

    def session(self, limit: int | None, cancellation: Cancellation) -> QuerySession:
        """Return a session for one statement.

        Args:
            limit: bytes that it may scan; None without a limit.
            cancellation: ends it.
        """
        return QuerySession(self, limit, cancellation)

    def described(self, sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog) -> QueryColumns:
        """Describe the columns of a query; see `QuerySession`."""
        with self._following:
            self._known_in_statement.clear()
            translation, _ = self._translated(sql, database, parameters, catalog)
            query, known = self._resolved(parse(sql, database, tuple(parameters)), catalog, ())
            text = stored_text(query, _schema(known), {name: found.lengths for name, found in known.items()})
            return QueryColumns(translation.columns, tuple(self._kinds(translation.sql)), text)

    def executed(
        self,
        sql: str,
        database: str,
        parameters: Sequence[str],
        catalog: CallerCatalog,
        limit: int | None,
        cancellation: Cancellation,
        read: Callable[[duckdb.DuckDBPyConnection, str], tuple[Any, Any]],
    ) -> tuple[Translation, tuple[SqlType, ...], Any, int]:
        """Run a query and return its translation, the types of its columns, its rows and the bytes scanned.

        Raises what `QuerySession.query` does.
        """
        while True:
            with self._following:
                cancellation.check()
                self._known_in_statement.clear()
                clock = _clock_statement()
                translation, read_columns = self._translated(sql, database, parameters, catalog)
                scanned = self._loaded(translation, read_columns, catalog, clock, cancellation)
                if limit is not None and scanned > limit:
                    raise ScanLimitError(limit, scanned)
                step = self._prepared_views(translation, clock)
                if step is None:
                    cursor = self._snapshot(clock)
                    break
            step(cancellation)
        opened = self._files.opened
        try:
            with cancellation.interrupting(cursor.interrupt):
                description, rows = read(cursor, translation.sql)
                kinds = tuple(type_of(column[1]) for column in description or ())
        except duckdb.Error as error:
            cancellation.check()
            raise query_error(error, is_reading=self._files.opened > opened) from error
        finally:
            cursor.close()
        return translation, kinds, rows, scanned

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
            named = checked_names(translation.columns)
            return list(zip(named, self._kinds(translation.sql), strict=True))

    def _loaded(
        self,
        translation: Translation,
        read_columns: Mapping[Name, frozenset[str]],
        catalog: CallerCatalog,
        clock: str,
        cancellation: Cancellation,
    ) -> int:
        """Load what a query reads; return how many bytes Athena would scan for it."""
        scans = self._scans(translation, clock)
        whole = self._read_by_kept_views()
        total = 0
        for table in self._tables(read_columns, catalog):
            name = (table.database, table.name)
            plain = plain_name(".".join(name))
            partitions = {partition.values: partition for partition in catalog.partitions(table)}
            columns = {column.lower() for column in read_columns[name]}
            scanned: list[tuple[Scan, list[tuple[str, ...]]]] = []
            for scan in scans:
                if plain_name(scan.table) == plain:
                    scanned.append((scan, self._selected(scan, table, list(partitions))))
                    columns |= scan.columns
            selected = set(partitions) if name in whole else {values for _, found in scanned for values in found}
            wanted = WantedRows(
                frozenset(columns),
                [partitions[values] for values in partitions if values in selected],
                frozenset(partitions.keys() - selected),
            )
            self._data.load(table, wanted, catalog.caller, cancellation)
            total += sum(self._data.size(name, scan.columns, found) for scan, found in scanned)
        return total

    def _scans(self, translation: Translation, clock: str) -> tuple[Scan, ...]:
        """Return what a query reads of the tables."""
        parts = {translation.sql}.union(*(self._known_in_statement[name].sql for name in translation.read))
        depends_on_time = any(NOW in part for part in parts)
        try:
            return self._planner.scans(translation.sql, clock, depends_on_time=depends_on_time)
        except duckdb.Error as error:
            raise from_duckdb(error) from error

    def _selected(self, scan: Scan, table: CatalogTable, partitions: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Return the values of the partitions that a scan's conditions leave."""
        keys = {key: kind.duckdb for key, kind in table.partition_keys}
        condition = scan.on(keys)
        if not condition:
            return partitions
        places = self._planner.select([partition_values(one) for one in partitions], keys, condition)
        return [partitions[place] for place in places]

    def _read_by_kept_views(self) -> set[Name]:
        """Return the tables that a statement reads through views whose rows are kept, once there are enough."""
        views = (known for known in self._known_in_statement.values() if _is_costly(known))
        return {table for known in views for table in known.read or ()}

    def _prepared_views(self, translation: Translation, clock: str) -> Callable[[Cancellation], None] | None:
        """Return what must be done, without the lock, before a query can read its views; None if nothing."""
        known = {name: one for name, one in self._known_in_statement.items() if one.read is not None}
        states = {name: self._view_state(name, one) for name, one in known.items()}
        self._kept_views.refresh(states.values())
        kept = [states[name] for name in translation.read if name in known and self._is_worth_keeping(known[name])]
        return self._kept_views.next_step(kept, partial(self._snapshot, clock))

    def _view_state(self, name: Name, known: _Known) -> ViewState:
        versions = frozenset((table, self._data.state(table).version) for table in known.read or ())
        create = partial(_view_statement, name, tuple(known.columns), self._views[name][1])
        return ViewState(qualified(*name), (known.sql, versions), create)

    def _is_worth_keeping(self, known: _Known) -> bool:
        return _is_costly(known) and sum(self._data.state(table).rows for table in known.read or ()) >= _MANY_ROWS

    def _snapshot(self, clock: str) -> duckdb.DuckDBPyConnection:
        """Return a connection that sees everything as it is now, whatever others load meanwhile."""
        cursor = self._connection.cursor()
        cursor.execute(clock)
        cursor.begin()
        # DuckDB takes the snapshot with the first read.
        cursor.execute("SELECT count(*) FROM duckdb_schemas()").fetchall()
        return cursor

    def _translated(
        self, sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog, within: tuple[Name, ...] = ()
    ) -> tuple[Translation, dict[Name, frozenset[str]]]:
        """Return a query's translation, and the columns it reads of each base table, through views."""
        parsed = parse(sql, database, tuple(parameters))
        query, known = self._resolved(parsed, catalog, within)
        schema = _schema(known)
        if query is parsed:
            translation = self._translation(query, (sql, database, repr((parameters, schema))), schema)
        else:
            # What it holds of the catalog may be something else the next time.
            translation = translate(query, schema)
        if TRIED in translation.sql and not self._has_tried_macros:
            self._connection.execute(TRIED_MACROS)
            self._planner.follow(TRIED_MACROS)
            self._has_tried_macros = True
        read_columns: dict[Name, frozenset[str]] = {}
        for name, columns in translation.read.items():
            of_view = known[name].read
            for base, used in ({name: columns} if of_view is None else of_view).items():
                read_columns[base] = read_columns.get(base, frozenset()) | used
        return translation, read_columns

    def _resolved(
        self, parsed: Query, catalog: CallerCatalog, within: tuple[Name, ...]
    ) -> tuple[Query, dict[Name, _Known]]:
        """Return a query with what `information_schema` holds in it, and what it reads."""
        query = information_schema.resolve(parsed, catalog)
        return query, {name: self._known(name, catalog, within) for name in query.tables}

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
            for statement in self._data.declare(found):
                self._planner.follow(statement)
            columns = {column: kind.trino for column, kind in (*found.columns, *found.partition_keys)}
            return _Known({**columns, PATH: "varchar"}, found.lengths, None)
        return self._known_view(found, catalog, within)

    def _known_view(self, view: CatalogView, catalog: CallerCatalog, within: tuple[Name, ...]) -> _Known:
        name = (view.database, view.name)
        if name in within:
            raise QueryError("VIEW_IS_RECURSIVE", f"Statement would create a recursive view: {'.'.join(name)}")
        definition = view.definition
        translation, read_columns = self._translated(
            definition.sql, definition.database, (), catalog, within=(*within, name)
        )
        nested = (self._known_in_statement[one].sql for one in translation.read)
        columns = dict(definition.columns)
        # With other types of what it reads, the same SQL may have other columns.
        kinds = tuple((one, *self._known_in_statement[one].columns.items()) for one in sorted(translation.read))
        if self._views.get(name) != (definition, translation.sql, kinds):
            self._create_view(name, translation, list(columns.items()))
            self._views[name] = (definition, translation.sql, kinds)
        return _Known(columns, {}, read_columns, frozenset({translation.sql}).union(*nested))

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
        self._kept_views.forget(qualified(*name))
        for statement in (
            f"CREATE SCHEMA IF NOT EXISTS {quoted(name[0])}",
            _view_statement(name, tuple(dict(columns)), translation.sql, None),
        ):
            self._connection.execute(statement)
            self._planner.follow(statement)

    def _kinds(self, sql: str) -> list[SqlType]:
        self._connection.execute(_clock_statement())
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
        translation, kinds, rows, scanned = self.warehouse.executed(
            sql, database, parameters, catalog, self.limit, self.cancellation, _python_rows
        )
        return QueryOutput(translation.columns, kinds, format_rows(rows, kinds, translation.zones), scanned)

    def rows(self, sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog) -> QueryRows:
        """Run a query and return its rows as DuckDB has them; raises what `query` does."""
        _, _, rows, scanned = self.warehouse.executed(
            sql, database, parameters, catalog, self.limit, self.cancellation, _arrow_rows
        )
        return QueryRows(rows, scanned)

    def described(self, sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog) -> QueryColumns:
        """Return the columns of a query without running it.

        Raises:
            QueryError: the query is invalid.
            QueryCancelledError: the statement is cancelled.
        """
        columns = self.warehouse.described(sql, database, parameters, catalog)
        self.cancellation.check()
        return columns

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


def _python_rows(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, Any]:
    """Return the description of a query's columns and its rows as tuples."""
    # A relation would be bound twice, which for views of views takes as long as the rest.
    cursor.execute(sql)
    return cursor.description, cursor.fetchall()


def _arrow_rows(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, Any]:
    """Return the description of a query's columns and its rows as an Arrow table."""
    relation = cursor.sql(sql)
    return relation.description, relation.to_arrow_table()


def checked_names(columns: Iterable[str | None]) -> list[str]:
    """Return the names of columns that are to be created, in lower case.

    Raises:
        QueryError: one is missing or a duplicate.
    """
    named: list[str] = []
    for position, column in enumerate(columns, start=1):
        if column is None:
            raise QueryError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {position}")
        if column.lower() in named:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{column}' specified more than once")
        named.append(column.lower())
    return named


def _schema(known: Mapping[Name, _Known]) -> Schema:
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for (database, table), found in known.items():
        schema.setdefault(database, {})[table] = found.columns
    return schema


def _view_statement(name: Name, columns: Sequence[str], sql: str, table: str | None) -> str:
    """Return the statement that creates a view on a query, or instead on the table that keeps its rows."""
    names = ", ".join(quoted(column) for column in columns)
    return f"CREATE OR REPLACE VIEW {qualified(*name)}({names}) AS {sql if table is None else f'FROM {table}'}"


def _is_costly(known: _Known) -> bool:
    """Return whether the rows of a view, if they are many, take long to compute and depend on the tables alone."""
    changing = any(one in sql for sql in known.sql for one in (NOW, "RANDOM(", "random("))
    return not changing and any(clause in sql for sql in known.sql for clause in _COSTLY)


def _clock_statement() -> str:
    """Return the statement that sets DuckDB's clock to Python's, which may be simulated."""
    return f"SET VARIABLE {NOW} = TIMESTAMPTZ '{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"
