"""Statements run by Athena, one at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0
_DEADLINE = 120.0
"""Seconds. A view's definition takes Athena a second or two."""


class StatementError(Exception):
    """A statement that did not succeed; the message is Athena's reason."""


class Athena:
    """One workgroup, asked in one database.

    Args:
        athena: the client.
        workgroup: the workgroup, which says where results go.
        database: where unqualified names are looked for.
    """

    def __init__(self, athena: AthenaClient, workgroup: str, database: str) -> None:
        self._athena = athena
        self._workgroup = workgroup
        self._database = database

    def run(self, sql: str) -> None:
        """Run a statement and wait for its end.

        Raises:
            StatementError: it failed, was cancelled or took too long.
        """
        query = self._athena.start_query_execution(
            QueryString=sql, WorkGroup=self._workgroup, QueryExecutionContext={"Database": self._database}
        )["QueryExecutionId"]
        deadline = time.monotonic() + _DEADLINE
        wait = _FIRST_WAIT
        while True:
            status = self._athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in {"FAILED", "CANCELLED"}:
                raise StatementError(status.get("StateChangeReason", f"Athena gives no reason; the query is {query}"))
            if time.monotonic() > deadline:
                self._athena.stop_query_execution(QueryExecutionId=query)
                raise StatementError(f"Athena did not finish within {_DEADLINE:.0f} s; the query is {query}")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
