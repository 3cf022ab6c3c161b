"""Query executions: what moto keeps of a query, its state, and its outcome.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.athena.models import Execution, WorkGroup

from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.writing import Destination


class QueryExecution(Execution):
    """A query from its start to its outcome.

    Args:
        query: the statement.
        context: `QueryExecutionContext` of the request.
        workgroup: where it runs.
        parameters: `ExecutionParameters` of the request.
        kind: `StatementType`.
        result: names its result object, given its id.
        location: where that goes.
        token: `ClientRequestToken` of the request; empty without one.
        requested_location: the output location in the request, whatever the workgroup made of it.
    """

    token: str = ""
    requested_location: str | None = None
    updated: int = 0
    """How many rows it wrote."""
    _manifest: str | None = None
    _running_since: float | None = None

    def __init__(
        self,
        query: str,
        context: dict[str, str],
        workgroup: WorkGroup,
        parameters: list[str] | None,
        *,
        kind: str,
        result: Callable[[str], str],
        location: str,
        token: str,
        requested_location: str | None,
    ) -> None:
        # moto declares the context with a type other than the one it passes.
        given: Any = context
        super().__init__(query=query, context=given, config={}, workgroup=workgroup, execution_parameters=parameters)
        self.group = workgroup.name
        """Name of the workgroup it runs in."""
        self.result: ResultSet | None = None
        """Its rows; None unless it succeeded."""
        self.destination = Destination(self.id, location.rstrip("/"))
        """Where it writes."""
        self.config = {"OutputLocation": f"{self.destination.results}/{result(self.id)}"}
        self.token = token
        self.requested_location = requested_location
        self._state = "QUEUED"
        self._reason = ""
        self._kind = (kind, "")
        self._scanned = 0

    @property  # type: ignore[misc] # moto lets its tests set the state
    def status(self) -> str:
        """The state."""
        return self._state

    @property
    def is_active(self) -> bool:
        """Whether it is queued or running."""
        return self._state in {"QUEUED", "RUNNING"}

    def advance(self) -> None:
        """Do nothing: moto would step through states here."""

    def is_repeated_by(self, query: str, context: Mapping[str, str], requested_location: str | None) -> bool:
        """Return whether a request with the same token asks for the same.

        Athena compares neither the execution parameters nor the workgroup.
        """
        given: Any = self.context
        return (self.query, given.get("Database"), self.requested_location) == (
            query,
            context.get("Database"),
            requested_location,
        )

    def begin(self) -> None:
        """Record that it runs now."""
        self._state = "RUNNING"
        self._running_since = time.time()

    def succeed(
        self, kind: tuple[str, str], result: ResultSet, scanned: int, *, updated: int = 0, manifest: str | None = None
    ) -> None:
        """Record success.

        Args:
            kind: `StatementType` and `SubstatementType`.
            result: the rows.
            scanned: bytes.
            updated: how many rows it wrote.
            manifest: where the list of the files is that it wrote.
        """
        self.result, self.updated, self._manifest = result, updated, manifest
        self._end("SUCCEEDED", kind, scanned)

    def fail(self, reason: str) -> None:
        """Record failure."""
        self._reason = reason
        self._end("FAILED", self._kind, 0)

    def cancel(self, reason: str, scanned: int = 0) -> None:
        """Record that somebody stopped it, or the workgroup's limit."""
        self._reason = reason
        self._end("CANCELLED", self._kind, scanned)

    def interrupt(self) -> None:
        """Record failure if the query has not ended: the process that ran it is gone."""
        if self.is_active:
            self.fail("GENERIC_INTERNAL_ERROR: The embedded AWS ended while the query was running.")

    def describe(self) -> dict[str, Any]:
        """Return the `QueryExecution` of GetQueryExecution."""
        status: dict[str, Any] = {"State": self._state, "SubmissionDateTime": self.start_time}
        if not self.is_active:
            status["CompletionDateTime"] = self.end_time
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
            "Statistics": self._statistics(),
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

    def runtime_statistics(self) -> dict[str, Any]:
        """Return the body of a QueryRuntimeStatistics.

        Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryRuntimeStatistics.html
        """
        statistics = self._statistics()
        timeline = {name: value for name, value in statistics.items() if name.endswith("InMillis")}
        found: dict[str, Any] = {"Timeline": timeline}
        if self.result is not None:
            found["Rows"] = {"InputBytes": self._scanned, "OutputRows": len(self.result.rows)}
        return found

    def _statistics(self) -> dict[str, Any]:
        end = time.time() if self.is_active else self.end_time
        began = end if self._running_since is None else self._running_since
        queued = max(0, round((began - self.start_time) * 1000))
        ran = max(1, round((end - began) * 1000))
        manifest = {} if self._manifest is None else {"DataManifestLocation": self._manifest}
        return {
            **manifest,
            "EngineExecutionTimeInMillis": ran,
            "DataScannedInBytes": self._scanned,
            "TotalExecutionTimeInMillis": queued + ran,
            "QueryQueueTimeInMillis": queued,
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }

    def _end(self, state: str, kind: tuple[str, str], scanned: int) -> None:
        self._kind, self._scanned = kind, scanned
        self.end_time = time.time()
        # Last: whoever sees the state sees everything else.
        self._state = state
