"""Runs queries in Athena, on AWS or in the embedded cloud."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CommandError
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_SHORTEST_POLL, _LONGEST_POLL = 0.02, 0.4
"""Seconds between looks at a query; each wait is half as long again as the last: many queries take no second."""

_MOST_RUNNING = 20
"""Athena's default quota of active queries, in the regions where it is lowest.

Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
"""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts to start a query while others use up the quota; each pause is twice as long as the last."""

_MB = 1_000_000
_USD_PER_TB = 5.0
_LEAST_MB = 10
_OVER_LIMIT = "Bytes scanned limit was exceeded"
"""What Athena says of a query that the workgroup's limit stopped."""
_DELETED = re.compile(r"HIVE_CANNOT_OPEN_SPLIT.*(?:NoSuchKey|key does not exist)", re.DOTALL)
"""What it says of a query one of whose objects was deleted after it was listed."""


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
class _Started:
    """A query that was started."""

    id: str
    began: float
    """When, on `time.perf_counter`."""


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
    started = _start(athena, sql, database=database, workgroup=workgroup)
    try:
        return _finished(athena, started, workgroup=workgroup, on_wait=on_wait)
    except KeyboardInterrupt:
        _stop(athena, started)
        raise


def run_query(athena: AthenaClient, sql: str, *, database: str, workgroup: str) -> QueryResult:
    """Run a query and return its result, which must not be large.

    Raises:
        CommandError: Athena rejected the query, it failed, or the workgroup's limit stopped it.
    """
    return _result(athena, execute(athena, sql, database=database, workgroup=workgroup))


def run_queries(
    athena: AthenaClient,
    queries: Mapping[str, str],
    *,
    database: str,
    workgroup: str,
    on_query: Callable[[str], None] = lambda _: None,
) -> dict[str, QueryResult]:
    """Run queries beside each other and return their results, which must not be large.

    If one fails, or with Ctrl-C, the others are stopped too.

    Args:
        athena: a client.
        queries: SQL by name.
        database: where unqualified names are looked up.
        workgroup: where the queries run.
        on_query: called with the name of each query before its end is waited for, in the order of `queries`.

    Raises:
        CommandError: Athena rejected a query, one failed, or the workgroup's limit stopped it.
    """
    waiting = deque(queries)
    running: deque[tuple[str, _Started]] = deque()
    results: dict[str, QueryResult] = {}
    try:
        while waiting or running:
            _start_more(athena, queries, waiting, running, database=database, workgroup=workgroup)
            name, started = running[0]
            on_query(name)
            results[name] = _result(athena, _finished(athena, started, workgroup=workgroup))
            running.popleft()
    except BaseException:
        for _, started in running:
            _stop(athena, started)
        raise
    return results


def _start_more(
    athena: AthenaClient,
    queries: Mapping[str, str],
    waiting: deque[str],
    running: deque[tuple[str, _Started]],
    *,
    database: str,
    workgroup: str,
) -> None:
    """Start as many queries as Athena takes, but at least one if none is running."""
    pause = _FIRST_PAUSE
    while waiting and len(running) < _MOST_RUNNING:
        try:
            started = _start(athena, queries[waiting[0]], database=database, workgroup=workgroup)
        except athena.exceptions.TooManyRequestsException:
            # Others use the account, too.
            if running:
                return
            if pause > _LONGEST_PAUSE:
                raise
            time.sleep(pause)
            pause *= 2
            continue
        running.append((waiting.popleft(), started))


def _start(athena: AthenaClient, sql: str, *, database: str, workgroup: str) -> _Started:
    began = time.perf_counter()
    try:
        identifier = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )["QueryExecutionId"]
    except athena.exceptions.InvalidRequestException as error:
        raise CommandError(f"Athena rejected the query: {_reason(error.response['Error'].get('Message'))}.") from error
    return _Started(identifier, began)


def _stop(athena: AthenaClient, started: _Started) -> None:
    # What cannot be stopped ends by itself at the workgroup's limit.
    with contextlib.suppress(BotoCoreError, ClientError):
        athena.stop_query_execution(QueryExecutionId=started.id)


def _finished(
    athena: AthenaClient, started: _Started, *, workgroup: str, on_wait: Callable[[str], None] = lambda _: None
) -> FinishedQuery:
    """Wait for the end of a query."""
    pause = _SHORTEST_POLL
    while True:
        found = athena.get_query_execution(QueryExecutionId=started.id)["QueryExecution"]
        status = found["Status"]
        if status["State"] not in {"QUEUED", "RUNNING"}:
            break
        on_wait(status["State"].lower())
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_POLL)
    if status["State"] != "SUCCEEDED":
        reason = status.get("StateChangeReason", "")
        if _OVER_LIMIT in reason:
            raise _over_limit(athena, workgroup)
        if status["State"] == "CANCELLED":
            raise CommandError(f"The query was stopped in Athena ({_reason(reason)}): run it again.")
        if _DELETED.search(reason):
            raise CommandError(
                "An object of a table was deleted while the query read it, as a compaction or a purge does: "
                "run the query again."
            )
        raise CommandError(f"The query failed in Athena: {_reason(reason)}.")
    return FinishedQuery(
        id=started.id,
        location=found.get("ResultConfiguration", {}).get("OutputLocation", ""),
        scanned=found.get("Statistics", {}).get("DataScannedInBytes", 0),
        seconds=time.perf_counter() - started.began,
    )


def _result(athena: AthenaClient, finished: FinishedQuery) -> QueryResult:
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
