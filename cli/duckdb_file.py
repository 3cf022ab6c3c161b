"""The tables with every view and named query in one DuckDB file: the lake without Athena."""

from __future__ import annotations

import contextlib
import functools
import glob
import graphlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from cli.errors import CommandError
from cli.query_parameters import ParameterType, parameters_of, with_expressions
from cli.text import quoted
from handlers.tables import TABLES, Table

QUERIES_SCHEMA = "queries"
"""Where the named queries are; some have the name of a view."""
_STORED = frozenset({"listens"})
_PARAMETER_TYPES: Mapping[ParameterType, str] = {"date": "date", "number": "integer", "text": "varchar"}


def write_duckdb_file(
    path: Path,
    files: Mapping[str, Sequence[Path]],
    *,
    views: Mapping[str, str],
    queries: Mapping[str, str],
) -> None:
    """Write the file; an earlier one is replaced once the new one is complete.

    Tables and views are in the schema `main`, named queries are views in the schema `queries`. One with parameters is
    also a table macro there: `FROM queries.top_artists(number := 10)`. `listens` is a table, since most queries read it
    and it takes seconds over ten years of plays.

    Args:
        path: of the DuckDB file.
        files: the Parquet files of each table, in hive partitions.
        views: SQL in Athena's dialect by the view's name.
        queries: likewise, by the name of the query.

    Raises:
        CommandError: the file cannot be written.
    """
    incomplete = path.with_name(f"{path.name}.incomplete")
    try:
        incomplete.unlink(missing_ok=True)
        with duckdb.connect(str(incomplete)) as database:
            # One transaction: a commit for each of the hundreds of comments would take most of the time.
            database.begin()
            for table in TABLES.values():
                _create_table(database, table, files.get(table.name, ()))
            for name in in_dependency_order(views):
                _create_view(
                    database, _identifier(name), to_duckdb(views[name]), _title(views[name]), stored=name in _STORED
                )
            database.execute(f"CREATE SCHEMA {QUERIES_SCHEMA}")
            for name, sql in queries.items():
                _create_query(database, f"{QUERIES_SCHEMA}.{_identifier(name)}", sql)
            database.commit()
        # A log that a killed writer left belongs to the earlier file; DuckDB would refuse the new one.
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        # The history is the user's alone.
        incomplete.chmod(0o600)
        incomplete.replace(path)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        with contextlib.suppress(OSError):
            incomplete.unlink(missing_ok=True)
        raise CommandError(
            f"Cannot write {path} ({quoted(error)}): free some space or choose another folder."
        ) from error


def to_duckdb(sql: str) -> str:
    """Translate one of the project's queries from Athena's dialect; its tables are those of the schema `main`."""
    tree = parse_query(sql).copy()
    for table in _tables_in(tree):
        table.set("db", exp.to_identifier("main"))
    for node in list(tree.find_all(exp.ArgMax, exp.ArgMin)):
        # DuckDB's arg_max skips null values; Trino's max_by does not.
        name = f"{node.key}_null".replace("arg", "arg_")
        node.replace(exp.Anonymous(this=name, expressions=[node.this, node.expression]))
    for span in list(tree.find_all(exp.DateDiff)):
        # DuckDB's date_diff counts the boundaries in between, Trino's the whole units.
        unit = exp.Literal.string(span.text("unit").lower())
        span.replace(exp.Anonymous(this="date_sub", expressions=[unit, span.expression, span.this]))
    return tree.sql(dialect="duckdb", comments=False)


def in_dependency_order(views: Mapping[str, str]) -> list[str]:
    """Return the names of the views, each after those that it reads."""
    return list(
        graphlib.TopologicalSorter({name: tables_of(sql) & views.keys() for name, sql in views.items()}).static_order()
    )


def tables_of(sql: str) -> set[str]:
    """Return the names of the tables and views that a query in Athena's dialect reads."""
    return {table.name for table in _tables_in(parse_query(sql))}


@functools.cache
def parse_query(sql: str) -> exp.Expr:
    """Return the tree of a single statement in Athena's dialect; change only copies of it."""
    (tree,) = sqlglot.parse(sql, read="athena")
    if tree is None:
        raise ValueError("The query is empty.")
    return tree


def _tables_in(tree: exp.Expr) -> list[exp.Table]:
    local = {cte.alias for cte in tree.find_all(exp.CTE)}
    return [table for table in tree.find_all(exp.Table) if table.name not in local]


def _create_table(database: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    name = _identifier(table.name)
    columns = [f"{_identifier(column.name)} {_duckdb_type(column.type)}" for column in table.all_columns]
    columns.append(f"{_identifier(table.partition_key)} VARCHAR")
    database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    database.execute(f"COMMENT ON TABLE {name} IS {_literal(table.doc)}")
    for column in table.all_columns:
        database.execute(f"COMMENT ON COLUMN {name}.{_identifier(column.name)} IS {_literal(column.doc)}")
    if not files:
        return
    # Each file by itself would be slow. The partition comes from the table's own folder, not from any above it.
    by_folder: dict[str, list[str]] = {}
    for file in files:
        by_folder.setdefault(file.parent.name, []).append(_literal_path(file))
    for folder, paths in by_folder.items():
        key, _, value = folder.partition("=")
        values: dict[str, str] = {table.partition_key: table.partition_value(value)}
        if any(column.name == key for column in table.all_columns):
            # What an earlier version wrote and no compaction has moved yet: the column is not in the files.
            values[key] = value
        database.execute(
            f"INSERT INTO {name} BY NAME SELECT *, {', '.join(f'? AS {_identifier(one)}' for one in values)}"  # noqa: S608 - quoted names
            " FROM read_parquet(?, hive_partitioning = false, union_by_name = true)",
            [*values.values(), paths],
        )


def _literal_path(file: Path) -> str:
    """Return a path in which nothing is a pattern to DuckDB."""
    return glob.escape(str(file))


def _create_query(database: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    """Create a view of a named query, and a table macro if it has parameters.

    DuckDB replaces their names everywhere in the query, so none may be that of a column that is used without its table.
    """
    parameters = parameters_of(sql)
    if not parameters:
        _create_view(database, name, to_duckdb(sql), _title(sql))
        return
    defaults = ", ".join(
        f"{_identifier(each.name)} := CAST({'NULL' if each.default is None else _literal(each.default)} AS"
        f" {_PARAMETER_TYPES[each.type]})"
        for each in parameters
    )
    body = to_duckdb(with_expressions(sql, lambda each: f"CAST({each.name} AS {_PARAMETER_TYPES[each.type]})"))
    database.execute(f"CREATE MACRO {name}({defaults}) AS TABLE {body}")
    _create_view(database, name, f"FROM {name}()", _title(sql))


def _create_view(database: duckdb.DuckDBPyConnection, name: str, sql: str, title: str, *, stored: bool = False) -> None:
    kind = "TABLE" if stored else "VIEW"
    database.execute(f"CREATE {kind} {name} AS {sql}")
    database.execute(f"COMMENT ON {kind} {name} IS {_literal(title)}")


def _title(sql: str) -> str:
    first = sql.strip().partition("\n")[0]
    return first.removeprefix("--").strip() if first.startswith("--") else ""


def _duckdb_type(athena_type: str) -> str:
    return exp.DataType.build(athena_type, dialect="hive").sql(dialect="duckdb")


def _identifier(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")


def _literal(text: str) -> str:
    return exp.Literal.string(text).sql(dialect="duckdb")
