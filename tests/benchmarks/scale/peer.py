"""The peer: DuckDB, with the same views and queries over the same Parquet files, which are compacted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import duckdb

from cli.duckdb_file import in_dependency_order, to_duckdb
from handlers.tables import TABLES
from tests.queries.lake import DUCKDB_TYPES


class DuckDbPeer:
    """DuckDB over a folder of tables.

    Args:
        folder: has a folder for each table.
        views: SQL in Athena's dialect by the view's name.
    """

    def __init__(self, folder: Path, views: Mapping[str, str]) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        for table in TABLES.values():
            columns = [f'NULL::{DUCKDB_TYPES[column.type]} AS "{column.name}"' for column in table.all_columns]
            shape = f'SELECT {", ".join(columns)}, NULL::VARCHAR AS "{table.partition_key}" WHERE false'
            files = sorted((folder / table.name).rglob("*.parquet"))
            rows = (
                f" UNION ALL BY NAME SELECT * FROM read_parquet({[str(file) for file in files]!r},"
                " hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
                if files
                else ""
            )
            self._connection.execute(f'CREATE VIEW "{table.name}" AS {shape}{rows}')
        for name in in_dependency_order(views):
            self._connection.execute(f'CREATE VIEW "{name}" AS {to_duckdb(views[name])}')

    def close(self) -> None:
        """Drop everything."""
        self._connection.close()

    def seconds(self, sql: str) -> float:
        """Run a query in Athena's dialect, and return how long it took."""
        began = time.perf_counter()
        self._connection.execute(to_duckdb(sql)).fetchall()
        return time.perf_counter() - began
