"""Athena and S3 with one made-up answer, for tests of what the command does with it."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from cli.targets import Target

OUTPUTS = {
    "athena_workgroup_name": "spotify-etl-dev",
    "glue_database_name": "spotify_dev",
    "region": "eu-north-1",
    "named_queries": {"top_artists": "1", "overview": "2", "of_their_own": "3"},
}
QUERIES = {
    "1": ("Your top artists.", "WITH parameters AS (SELECT 50 AS number) SELECT 1"),
    "2": ("All in one row.", "SELECT 2"),
    "3": ("Something else.", "SELECT 3"),
}


class RejectedError(ClientError):
    """Athena does not even start the query."""


class FakeExceptions:
    """The errors of the client, as boto3 offers them."""

    InvalidRequestException = RejectedError


class FakeAthena:
    """A workgroup that gives every query the same answer."""

    exceptions = FakeExceptions

    def __init__(
        self,
        columns: Sequence[tuple[str, str]] = (),
        csv: str = "",
        *,
        states: Sequence[str] = ("SUCCEEDED",),
        reason: str = "",
        scanned: int = 0,
        precision: tuple[int, int] = (0, 0),
        pages: Sequence[Sequence[str]] = (),
    ) -> None:
        self.columns, self.csv, self.states, self.reason, self.scanned = columns, csv, list(states), reason, scanned
        self.precision = precision
        self.pages = pages
        self.started: list[str] = []
        self.stopped: list[str] = []

    def target(self) -> Target:
        """Return a stack with this workgroup."""
        return Target("the stack dev in eu-north-1", OUTPUTS, lambda service: {"athena": self, "s3": self}[service])

    def start_query_execution(self, QueryString: str, **_: Any) -> dict[str, str]:  # noqa: N803 - as in boto3
        if ";" in QueryString:
            error = {"Error": {"Code": "InvalidRequestException", "Message": "Only one sql statement is allowed."}}
            raise RejectedError(error, "StartQueryExecution")  # type: ignore[arg-type] # a part of a response
        self.started.append(QueryString)
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state == "CTRL-C":
            signal.raise_signal(signal.SIGINT)
        return {
            "QueryExecution": {
                "Status": {"State": state, "StateChangeReason": self.reason},
                "ResultConfiguration": {"OutputLocation": f"s3://results/a/q.{'txt' if self.pages else 'csv'}"},
                "Statistics": {"DataScannedInBytes": self.scanned},
            }
        }

    def stop_query_execution(self, QueryExecutionId: str) -> None:  # noqa: N803 - as in boto3
        self.stopped.append(QueryExecutionId)

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        precision, scale = self.precision
        described = [
            {"Name": name, "Type": kind, "Precision": precision, "Scale": scale} for name, kind in self.columns
        ]
        return {"ResultSet": {"Rows": [], "ResultSetMetadata": {"ColumnInfo": described}}}

    def get_paginator(self, _: str) -> FakeAthena:
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for row in self.pages:
            yield {"ResultSet": {"Rows": [{"Data": [{"VarCharValue": cell} for cell in row]}]}}

    def get_named_query(self, NamedQueryId: str) -> dict[str, Any]:  # noqa: N803 - as in boto3
        description, sql = QUERIES[NamedQueryId]
        return {"NamedQuery": {"Description": description, "QueryString": sql}}

    def get_work_group(self, **_: Any) -> dict[str, Any]:
        return {"WorkGroup": {"Configuration": {"BytesScannedCutoffPerQuery": 1_000_000_000}}}

    def get_object(self, **place: str) -> dict[str, Any]:
        assert place == {"Bucket": "results", "Key": "a/q.csv"}
        body = self.csv.encode()
        return {"ContentLength": len(body), "Body": StreamingBody(io.BytesIO(body), len(body))}
