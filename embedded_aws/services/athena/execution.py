"""Query executions: what moto keeps of a query, and its outcome.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html
"""

from __future__ import annotations

import time
from typing import Any

from moto.athena.models import Execution, WorkGroup

from embedded_aws.services.athena.results import ResultSet


class QueryExecution(Execution):
    """A query that has ended by the time StartQueryExecution returns."""

    def __init__(
        self,
        query: str,
        context: dict[str, str],
        workgroup: WorkGroup,
        parameters: list[str] | None,
        location: str,
    ) -> None:
        # moto declares the context with a type other than the one it passes.
        given: Any = context
        super().__init__(query=query, context=given, config={}, workgroup=workgroup, execution_parameters=parameters)
        self.group = workgroup.name
        """Name of the workgroup it ran in."""
        self.result: ResultSet | None = None
        """Its rows; None unless it succeeded."""
        self.config = {"OutputLocation": location}
        self._state = "RUNNING"
        self._reason = ""
        self._kind = ("DML", "")
        self._scanned = 0

    @property  # type: ignore[misc] # moto lets its tests set the state
    def status(self) -> str:
        """The state, which is final."""
        return self._state

    def advance(self) -> None:
        """Do nothing: moto would step through states here."""

    def succeed(self, kind: tuple[str, str], result: ResultSet, scanned: int) -> None:
        """Record success."""
        self._end("SUCCEEDED", kind, scanned)
        self.result = result

    def fail(self, kind: str, reason: str, scanned: int = 0) -> None:
        """Record failure."""
        self._end("FAILED", (kind, ""), scanned)
        self._reason = reason

    def cancel(self, kind: tuple[str, str], reason: str, scanned: int) -> None:
        """Record that the workgroup's limit stopped the query."""
        self._end("CANCELLED", kind, scanned)
        self._reason = reason

    def interrupt(self) -> None:
        """Record failure if the query is still running: the process that ran it is gone."""
        if self._state == "RUNNING":
            self.fail("DML", "GENERIC_INTERNAL_ERROR: The embedded AWS ended while the query was running.")

    def describe(self) -> dict[str, Any]:
        """Return the `QueryExecution` of GetQueryExecution."""
        milliseconds = max(1, round((self.end_time - self.start_time) * 1000))
        status: dict[str, Any] = {
            "State": self._state,
            "SubmissionDateTime": self.start_time,
            "CompletionDateTime": self.end_time,
        }
        if self._reason:
            status["StateChangeReason"] = self._reason
        if self._state == "FAILED":
            # 2 is a user error.
            status["AthenaError"] = {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": self._reason}
        description = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self._kind[0],
            "ResultConfiguration": self.config,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": self.context,
            "Status": status,
            "Statistics": {
                "EngineExecutionTimeInMillis": milliseconds,
                "DataScannedInBytes": self._scanned,
                "TotalExecutionTimeInMillis": milliseconds,
                "QueryQueueTimeInMillis": 0,
                "ServicePreProcessingTimeInMillis": 0,
                "QueryPlanningTimeInMillis": 0,
                "ServiceProcessingTimeInMillis": 0,
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            },
            "WorkGroup": self.group,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
        }
        if self._kind[1]:
            description["SubstatementType"] = self._kind[1]
        if self.execution_parameters:
            description["ExecutionParameters"] = self.execution_parameters
        return description

    def _end(self, state: str, kind: tuple[str, str], scanned: int) -> None:
        self._state, self._kind, self._scanned = state, kind, scanned
        self.end_time = time.time()
