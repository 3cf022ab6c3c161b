"""Athena, several statements at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0
_TIMEOUT = 120.0
"""Seconds. Creating a view takes Athena a second or two."""
_AT_ONCE = 10
"""Statements that run at the same time: half of Athena's quota for an account, 20 statements such as CREATE VIEW.

Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html.
"""


class StatementError(Exception):
    """A statement that did not succeed; the message is Athena's reason."""


class Athena:
    """Athena with a workgroup and a database.

    Args:
        athena: the client.
        workgroup: determines where results are stored.
        database: where unqualified names are looked up.
    """

    def __init__(self, athena: AthenaClient, workgroup: str, database: str) -> None:
        self._athena = athena
        self._workgroup = workgroup
        self._database = database

    def run(self, statements: Mapping[str, str]) -> dict[str, str]:
        """Run statements that do not depend on each other, several at once, and wait until all have finished.

        Args:
            statements: name → SQL.

        Returns:
            Name → reason, for each statement that failed, was cancelled or timed out.
        """
        failed: dict[str, str] = {}
        for together in _batches(statements.items()):
            started: dict[str, str] = {}
            for name, sql in together:
                try:
                    started[name] = self._start(sql)
                except ClientError as error:
                    failed[name] = str(error)
            for name, query in started.items():
                try:
                    self._wait(query)
                except (StatementError, ClientError) as error:
                    failed[name] = str(error)
        return failed

    def _start(self, sql: str) -> str:
        return self._athena.start_query_execution(
            QueryString=sql, WorkGroup=self._workgroup, QueryExecutionContext={"Database": self._database}
        )["QueryExecutionId"]

    def _wait(self, query: str) -> None:
        deadline = time.monotonic() + _TIMEOUT
        wait = _FIRST_WAIT
        while True:
            status = self._athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in {"FAILED", "CANCELLED"}:
                raise StatementError(status.get("StateChangeReason", f"Athena gave no reason for query {query}"))
            if time.monotonic() > deadline:
                self._athena.stop_query_execution(QueryExecutionId=query)
                raise StatementError(f"Query {query} did not finish within {_TIMEOUT:.0f} s")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)


def _batches(statements: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    remaining = iter(statements)
    while batch := list(islice(remaining, _AT_ONCE)):
        yield batch
