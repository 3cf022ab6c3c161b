"""Runs queries in Athena, on AWS or in the embedded cloud."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class QueryResult:
    """The result of a query: text as Athena returns it, None for null."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    seconds: float


def run_query(athena: AthenaClient, sql: str, *, database: str, workgroup: str) -> QueryResult:
    """Run a query and wait for its result.

    Raises:
        CommandError: Athena rejected the query, or it failed.
    """
    began = time.perf_counter()
    execution = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
    )["QueryExecutionId"]
    while (status := athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"])["State"] in {
        "QUEUED",
        "RUNNING",
    }:
        time.sleep(_POLL_SECONDS)
    if status["State"] != "SUCCEEDED":
        reason = quoted(status.get("StateChangeReason", status["State"]))
        raise CommandError(f"The query failed in Athena ({reason}): {quoted(sql)}")
    columns: tuple[str, ...] = ()
    rows: list[tuple[str | None, ...]] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution):
        columns = tuple(column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"])
        rows.extend(tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in page["ResultSet"]["Rows"])
    # The first row of the first page holds the column names.
    return QueryResult(columns, tuple(rows[1:]), time.perf_counter() - began)


def named_queries(athena: AthenaClient, ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the stack's named queries by name, each with `QueryString` and `Description`."""
    return {name: dict(athena.get_named_query(NamedQueryId=ids[name])["NamedQuery"]) for name in sorted(ids)}
