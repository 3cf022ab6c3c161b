"""Runs queries in Athena, on AWS or in the embedded cloud."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CommandError
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_POLL_SECONDS = 0.2
_MB = 1_000_000
_USD_PER_TB = 5.0
_LEAST_MB = 10
_OVER_LIMIT = "Bytes scanned limit was exceeded"
"""What Athena says of a query that the workgroup's limit stopped."""


@dataclass(frozen=True, kw_only=True)
class FinishedQuery:
    """A query that succeeded."""

    id: str
    location: str
    """S3 URL of the result object."""
    scanned: int
    """Bytes that it scanned."""
    seconds: float
    """How long it took, waiting for its turn included."""

    @property
    def usd(self) -> float:
        """What AWS charges for it in most regions: 5 USD per TB, in whole MB and at least 10 of them.

        Source: https://aws.amazon.com/athena/pricing/. Statements that read no data, such as SHOW TABLES, are free.
        """
        if not self.scanned:
            return 0.0
        return max(_LEAST_MB, math.ceil(self.scanned / _MB)) * _MB * _USD_PER_TB / 1e12


@dataclass(frozen=True)
class QueryResult:
    """The result of a query: text as Athena returns it, None for null."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    seconds: float


def execute(
    athena: AthenaClient, sql: str, *, database: str, workgroup: str, on_wait: Callable[[str], None] = lambda _: None
) -> FinishedQuery:
    """Run a query and wait for its end; Ctrl-C stops it in Athena too.

    Args:
        athena: a client.
        sql: one statement.
        database: where unqualified names are looked up.
        workgroup: where the query runs.
        on_wait: called with the query's state while it waits or runs.

    Raises:
        CommandError: Athena rejected the query, it failed, or the workgroup's limit stopped it.
    """
    began = time.perf_counter()
    try:
        execution = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )["QueryExecutionId"]
    except athena.exceptions.InvalidRequestException as error:
        raise CommandError(f"Athena rejected the query: {_reason(error.response['Error'].get('Message'))}.") from error
    try:
        while True:
            found = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            status = found["Status"]
            if status["State"] not in {"QUEUED", "RUNNING"}:
                break
            on_wait(status["State"].lower())
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        # What cannot be stopped ends by itself at the workgroup's limit.
        with contextlib.suppress(BotoCoreError, ClientError):
            athena.stop_query_execution(QueryExecutionId=execution)
        raise
    if status["State"] != "SUCCEEDED":
        reason = status.get("StateChangeReason", "")
        if _OVER_LIMIT in reason:
            raise _over_limit(athena, workgroup)
        if status["State"] == "CANCELLED":
            raise CommandError(f"The query was stopped in Athena ({_reason(reason)}): run it again.")
        raise CommandError(f"The query failed in Athena: {_reason(reason)}.")
    return FinishedQuery(
        id=execution,
        location=found.get("ResultConfiguration", {}).get("OutputLocation", ""),
        scanned=found.get("Statistics", {}).get("DataScannedInBytes", 0),
        seconds=time.perf_counter() - began,
    )


def run_query(athena: AthenaClient, sql: str, *, database: str, workgroup: str) -> QueryResult:
    """Run a query and return its result, which must not be large.

    Raises:
        CommandError: Athena rejected the query, it failed, or the workgroup's limit stopped it.
    """
    finished = execute(athena, sql, database=database, workgroup=workgroup)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str | None, ...]] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=finished.id):
        columns = tuple(column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"])
        rows.extend(tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in page["ResultSet"]["Rows"])
    # The first row of the first page holds the column names.
    return QueryResult(columns, tuple(rows[1:]), finished.seconds)


def named_queries(athena: AthenaClient, ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the stack's named queries by name, each with `QueryString` and `Description`."""
    return {name: dict(athena.get_named_query(NamedQueryId=ids[name])["NamedQuery"]) for name in sorted(ids)}


def _over_limit(athena: AthenaClient, workgroup: str) -> CommandError:
    configuration = athena.get_work_group(WorkGroup=workgroup)["WorkGroup"]["Configuration"]
    megabytes = configuration.get("BytesScannedCutoffPerQuery", 0) // _MB
    return CommandError(
        f"The query was stopped because it would scan more than {megabytes:,} MB: read fewer partitions or columns, or "
        "raise the limit with the setting athenaScanLimitMb and `pulumi up`."
    )


def _reason(text: str | None) -> str:
    return quoted(text or "Athena gives no reason").rstrip(".")
