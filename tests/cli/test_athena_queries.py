"""Queries that the command runs beside each other, in a made-up Athena."""

from __future__ import annotations

from typing import Any

import pytest

from cli import athena_queries
from cli.athena_queries import run_queries
from cli.errors import CommandError

QUOTA = 3


class RejectedError(Exception):
    """A query that Athena does not accept."""


class QuotaError(Exception):
    """More queries than the account may run."""


class Exceptions:
    InvalidRequestException = RejectedError
    TooManyRequestsException = QuotaError


class BusyAthena:
    """An account that runs `QUOTA` queries at once, of which others may use some; a query ends when it is waited for.

    Args:
        others: queries of others, of which one ends at each attempt.
        fails: the query that fails.
        reason: why it does.
    """

    exceptions = Exceptions

    def __init__(self, *, others: int = 0, fails: str = "", reason: str = "DIVISION_BY_ZERO: no.") -> None:
        self.others, self.fails, self.reason = others, fails, reason
        self.running: dict[str, str] = {}
        self.most = 0
        self.events: list[str] = []

    def start_query_execution(self, QueryString: str, **_: Any) -> dict[str, str]:  # noqa: N803 - as in boto3
        if len(self.running) + self.others >= QUOTA:
            self.others = max(0, self.others - 1)
            raise QuotaError
        self.running[QueryString] = "RUNNING"
        self.most = max(self.most, len(self.running))
        self.events.append(f"start {QueryString}")
        return {"QueryExecutionId": QueryString}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803 - as in boto3
        del self.running[QueryExecutionId]
        self.events.append(f"end {QueryExecutionId}")
        if QueryExecutionId == self.fails:
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": self.reason}}}
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}}

    def stop_query_execution(self, QueryExecutionId: str) -> None:  # noqa: N803 - as in boto3
        self.events.append(f"stop {QueryExecutionId}")

    def get_paginator(self, _: str) -> BusyAthena:
        return self

    def paginate(self, QueryExecutionId: str) -> Any:  # noqa: N803 - as in boto3
        rows = [{"Data": [{"VarCharValue": text}]} for text in ("name", QueryExecutionId)]
        yield {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": [{"Name": "name"}]}}}


def run(athena: Any, *names: str, asked: list[str] | None = None) -> dict[str, tuple[tuple[str | None, ...], ...]]:
    seen = [] if asked is None else asked
    queries = {name: f"SELECT {name}" for name in names}
    found = run_queries(athena, queries, database="music", workgroup="analysts", on_query=seen.append)
    return {name: answer.rows for name, answer in found.items()}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("cli.athena_queries.time.sleep", waited.append)
    return waited


def test_queries_run_beside_each_other_as_far_as_the_account_allows(pauses: list[float]) -> None:
    athena, asked = BusyAthena(), list[str]()
    answers = run(athena, "a", "b", "c", "d", "e", asked=asked)
    assert answers == {name: ((f"SELECT {name}",),) for name in "abcde"}
    assert asked == list("abcde")
    assert athena.most == QUOTA
    assert athena.events[:5] == ["start SELECT a", "start SELECT b", "start SELECT c", "end SELECT a", "start SELECT d"]
    assert pauses == []


def test_no_more_than_athenas_quota_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(athena_queries, "_MOST_RUNNING", 2)
    athena = BusyAthena()
    assert list(run(athena, "a", "b", "c")) == ["a", "b", "c"]
    assert athena.most == 2


def test_queries_of_others_are_waited_for(pauses: list[float]) -> None:
    athena = BusyAthena(others=QUOTA + 1)
    assert list(run(athena, "a", "b")) == ["a", "b"]
    assert pauses == [1.0, 2.0]


def test_an_account_that_stays_busy_is_an_error(pauses: list[float]) -> None:
    with pytest.raises(QuotaError):
        run(BusyAthena(others=1000), "a")
    assert sum(pauses) == 63.0


def test_a_query_that_fails_stops_the_others() -> None:
    athena = BusyAthena(fails="SELECT a")
    with pytest.raises(CommandError, match=r"The query failed in Athena: DIVISION_BY_ZERO: no\."):
        run(athena, "a", "b", "c", "d")
    assert athena.events[-2:] == ["stop SELECT b", "stop SELECT c"]


def test_an_object_that_a_compaction_deleted_is_explained() -> None:
    reason = "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://lake/a.parquet: The specified key does not exist."
    with pytest.raises(CommandError, match=r"deleted while the query read it.*: run the query again\.$"):
        run(BusyAthena(fails="SELECT a", reason=reason), "a")


def test_ctrl_c_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = BusyAthena()

    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(athena, "get_query_execution", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(athena, "a", "b")
    assert athena.events[-2:] == ["stop SELECT a", "stop SELECT b"]
