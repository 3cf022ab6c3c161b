"""What happened beside the engines, as steps: calls that were refused, and queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_aws.runtime.step_log import StepLog
    from embedded_aws.server.server import AwsServer

_SHOWN = 80


class StepCollector:
    """Looks from time to time at what the server has to tell; each thing becomes one step."""

    def __init__(self, server: AwsServer, steps: StepLog) -> None:
        self._server = server
        self._steps = steps
        self._denials = 0
        self._queries: set[str] = set()

    def collect(self) -> None:
        """Write down what is new."""
        self._note_denials()
        self._note_queries()

    def _note_denials(self) -> None:
        """Every refusal, whoever met it and whatever became of it."""
        denials = self._server.authorization.denials
        for denial in denials[self._denials :]:
            self._steps.record("denied", denial.principal, denial.message, ok=False)
            self._denials += 1

    def _note_queries(self) -> None:
        """Queries that have ended, with the start of their text or the reason of their failure."""
        for identifier in [one for one in self._server.backend("athena").executions if one not in self._queries]:
            query = self._server.client("athena").get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            state, reason = query["Status"]["State"], query["Status"].get("StateChangeReason", "")
            if state in {"QUEUED", "RUNNING"}:
                continue
            self._queries.add(identifier)
            text = " ".join(query["Query"].split())
            detail = reason or (text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …")
            seconds = query.get("Statistics", {}).get("EngineExecutionTimeInMillis", 0) / 1000
            self._steps.record("query", query["WorkGroup"], detail, ok=state == "SUCCEEDED", seconds=seconds)
