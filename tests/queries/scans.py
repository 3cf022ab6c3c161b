"""How often a query reads each table when nothing that it names several times is shared, as on Athena."""

from __future__ import annotations

import functools
from collections import Counter

import sqlglot
from sqlglot import exp

from cli.duckdb_file import in_dependency_order, to_duckdb
from embedded_aws.services.athena.scan_plan import Scan, ScanPlanner, plain_name
from handlers.tables import TABLES
from tests.queries.lake import TIMEZONE, VIEWS, table_statement


def scans(sql: str) -> dict[str, int]:
    """Return table → number of scans of a query in Athena's SQL; parts that are pruned as never true are not read."""
    return dict(sorted(Counter(table for table, _ in planned_scans(sql)).items()))


def planned_scans(sql: str) -> list[tuple[str, Scan]]:
    """Return the table and the plan of each scan of a query in Athena's SQL."""
    found = planner().scans(_unshared(sql), "SET TimeZone = 'UTC'", depends_on_time=False)
    return [(plain_name(scan.table).rpartition(".")[2], scan) for scan in found]


@functools.cache
def planner() -> ScanPlanner:
    """Return a planner that knows every table and view."""
    made = ScanPlanner()
    for table in TABLES.values():
        made.follow(table_statement(table))
    for name in in_dependency_order(VIEWS):
        made.follow(f'CREATE VIEW "{name}" AS {_unshared(VIEWS[name])}')
    return made


def _unshared(sql: str) -> str:
    """Return a query in DuckDB's dialect whose common table expressions are read wherever they are named.

    DuckDB would keep the rows of one that is named more than once; Trino reads its tables again:
    https://trino.io/docs/current/sql/select.html#with-clause
    """
    tree = sqlglot.parse_one(to_duckdb(sql.replace("${timezone}", TIMEZONE)), read="duckdb")
    for expression in tree.find_all(exp.CTE):
        expression.set("materialized", False)
    return tree.sql("duckdb")
