"""Steps for what happens outside the workers: denied requests and queries."""

from __future__ import annotations

from embedded_aws.runtime.step_log import StepLog
from embedded_aws.server.server import AwsServer

_SHOWN = 80


class StepCollector:
    """Records new denials and finished queries of a server as steps."""

    def __init__(self, server: AwsServer, steps: StepLog) -> None:
        self._server = server
        self._steps = steps
        self._denials = 0
        self._queries: set[str] = set()

    def skip(self) -> None:
        """Regard everything so far as recorded."""
        self._denials = len(self._server.authorization.denials)
        self._queries = set(self._server.backend("athena").executions)

    def collect(self) -> None:
        """Record what is new."""
        self._collect_denials()
        self._collect_queries()

    def _collect_denials(self) -> None:
        denials = self._server.authorization.denials
        for denial in denials[self._denials :]:
            self._steps.record("denied", denial.principal, denial.message, ok=False)
            self._denials += 1

    def _collect_queries(self) -> None:
        """Record finished queries with the beginning of their text, or the reason for their failure."""
        executions = self._server.backend("athena").executions
        for identifier in [one for one in executions if one not in self._queries]:
            query = executions[identifier].describe()
            state, reason = query["Status"]["State"], query["Status"].get("StateChangeReason", "")
            if state in {"QUEUED", "RUNNING"}:
                continue
            self._queries.add(identifier)
            text = " ".join(query["Query"].split())
            detail = reason or (text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …")
            seconds = query.get("Statistics", {}).get("EngineExecutionTimeInMillis", 0) / 1000
            self._steps.record("query", query["WorkGroup"], detail, ok=state == "SUCCEEDED", seconds=seconds)
