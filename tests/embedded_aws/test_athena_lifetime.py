"""Queries that run while simulated time passes, and when the embedded AWS ends."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from tests.embedded_aws.stage import REGION, Stage
from tests.embedded_aws.test_athena_executions import ENDLESS, ROWS


def test_simulated_time_does_not_pass_while_a_query_runs(tmp_path: Path) -> None:
    with Stage(tmp_path) as aws:
        aws.function("sleeper", "import time\ndef handler(event, context):\n    time.sleep(10)\n")
        aws.invoke("sleeper")
        count = f"WITH v AS ({ROWS}) SELECT count(*), sum(a.n * h.n) FROM v a, v b, v c, v d, v e, v f, v g, v h"
        query = started(aws, count)
        before = aws.now
        aws.invoke("sleeper")
        assert (aws.now - before).total_seconds() > 10
        found = aws.server.backend("athena").executions[query]
        assert found.status == "SUCCEEDED"
        # It ended before the function's sleep began.
        assert found.end_time < before.timestamp() + 10


def started(aws: Stage, sql: str) -> str:
    aws.client("s3").create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": REGION})
    identifier: str = aws.client("athena").start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": "s3://results/"}
    )["QueryExecutionId"]
    return identifier


def test_what_ran_when_the_process_ended_is_not_left_running(tmp_path: Path) -> None:
    data, copied = tmp_path / "data", tmp_path / "copied"
    with Stage(tmp_path / "one", data=data) as aws:
        query = started(aws, ENDLESS)
        while status(aws, query)["State"] != "RUNNING":
            pass
        # What a process that was killed now would leave behind.
        shutil.copytree(data, copied)
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 10
    with Stage(tmp_path / "two", data=data) as aws:
        found = status(aws, query)
        assert (found["State"], found["StateChangeReason"]) == (
            "CANCELLED",
            "Query cancelled: the embedded AWS was stopped",
        )
    with Stage(tmp_path / "three", data=copied) as aws:
        found = status(aws, query)
        assert found["State"] == "FAILED"
        assert "The embedded AWS ended while the query was running" in found["StateChangeReason"]


def status(aws: Stage, query: str) -> Any:
    return aws.client("athena").get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
