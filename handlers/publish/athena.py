"""Athena, one statement at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0
_TIMEOUT = 120.0
"""Seconds. Creating a view takes Athena a second or two."""


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

    def run(self, sql: str) -> None:
        """Run a statement and wait until it has finished.

        Raises:
            StatementError: it failed, was cancelled or timed out.
        """
        query = self._athena.start_query_execution(
            QueryString=sql, WorkGroup=self._workgroup, QueryExecutionContext={"Database": self._database}
        )["QueryExecutionId"]
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
