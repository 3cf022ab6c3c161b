"""Queries of the embedded Athena that run beside each other: states, cancelling, tokens, errors at the start."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.services.athena.sql.parsing import parse_tree
from tests.embedded_aws.athena_lab import DATABASE, LAKE, RESULTS, WORKGROUP, Lab, ended

ROWS = "SELECT n FROM (VALUES 0, 1, 2, 3, 4, 5, 6, 7) AS v (n)"
ENDLESS = (
    f"WITH v AS ({ROWS}) SELECT sum({' + '.join(f'v{place}.n' for place in range(14))})"
    f" FROM {', '.join(f'v AS v{place}' for place in range(14))}"
)
"""Takes hours, and next to no memory."""

ACTIVE = 20
"""Athena's quota of queries that are queued or running."""


@pytest.fixture
def lab(one_lab: Lab) -> Lab:
    one_lab.empty()
    return one_lab


def start(lab: Lab, sql: str, **options: Any) -> str:
    given = {"WorkGroup": WORKGROUP, "QueryExecutionContext": {"Database": DATABASE}, **options}
    identifier: str = lab.client("athena").start_query_execution(QueryString=sql, **given)["QueryExecutionId"]
    return identifier


def execution(lab: Lab, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = lab.client("athena").get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    return found


def state(lab: Lab, identifier: str) -> str:
    found: str = execution(lab, identifier)["Status"]["State"]
    return found


def running(lab: Lab, sql: str = ENDLESS) -> str:
    """Start a query and wait until it runs."""
    identifier = start(lab, sql)
    while (found := state(lab, identifier)) == "QUEUED":
        pass
    assert found == "RUNNING"
    return identifier


def stop(lab: Lab, *identifiers: str) -> None:
    for identifier in identifiers:
        lab.client("athena").stop_query_execution(QueryExecutionId=identifier)


def error_of(failed: pytest.ExceptionInfo[ClientError]) -> tuple[str, str, str]:
    response: Any = failed.value.response
    return response["Error"]["Code"], response["AthenaErrorCode"], response["Error"]["Message"]


def test_a_query_ends_while_another_runs_until_it_is_stopped(lab: Lab) -> None:
    athena = lab.client("athena")
    long = running(lab)
    assert lab.query("SELECT 1 + 1") == [("2",)]
    found = execution(lab, long)
    assert found["Status"]["State"] == "RUNNING"
    assert "CompletionDateTime" not in found["Status"]
    with pytest.raises(ClientError) as early:
        athena.get_query_results(QueryExecutionId=long)
    assert error_of(early) == (
        "InvalidRequestException",
        "INVALID_QUERY_EXECUTION_STATE",
        "Query has not yet finished. Current state: RUNNING",
    )

    stop(lab, long)
    status = execution(lab, long)["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    assert status["CompletionDateTime"] >= status["SubmissionDateTime"]
    with pytest.raises(ClientError, match="Could not find results"):
        athena.get_query_results(QueryExecutionId=long)


def test_stopping_a_query_that_has_ended_changes_nothing(lab: Lab) -> None:
    before = lab.run("SELECT 1")
    stop(lab, before["QueryExecutionId"])
    assert execution(lab, before["QueryExecutionId"]) == before
    with pytest.raises(ClientError, match="QueryExecution nosuch was not found"):
        stop(lab, "nosuch")


@pytest.mark.slow
def test_others_wait_for_their_turn_and_too_many_are_refused(lab: Lab) -> None:
    started = [start(lab, ENDLESS) for _ in range(ACTIVE)]
    try:
        assert state(lab, started[-1]) == "QUEUED"
        with pytest.raises(ClientError, match="exceeded the limit for the number of queries") as refused:
            start(lab, "SELECT 1")
        assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
        stop(lab, started[-1])
        assert state(lab, started[-1]) == "CANCELLED"
        queued = start(lab, "SELECT 1")
    finally:
        stop(lab, *started)
    assert ended(lab.client("athena"), queued)["Status"]["State"] == "SUCCEEDED"
    assert execution(lab, queued)["Statistics"]["QueryQueueTimeInMillis"] > 0


def test_a_query_sees_the_tables_as_they_were_when_it_began(lab: Lab) -> None:
    lab.table("numbers", {"n": "bigint"})
    lab.partition("numbers", "1")
    lab.put("tables/numbers/dt=1/a.parquet", {"n": list(range(8))})
    joined = ", ".join(f"numbers AS n{place}" for place in range(8))
    counting = start(lab, f"SELECT count(*), sum(n0.n * n7.n - n0.n * n7.n) FROM {joined}")
    while state(lab, counting) == "QUEUED":
        pass
    lab.put("tables/numbers/dt=1/b.parquet", {"n": [8, 9]})
    assert lab.query("SELECT count(*) FROM numbers") == [("10",)]
    assert lab.pages(ended(lab.client("athena"), counting))[1:] == [(str(8**8), "0")]


def test_a_repeated_request_with_the_same_token_is_the_same_query(lab: Lab) -> None:
    token = "t" * 32
    first = start(lab, "SELECT 1", ClientRequestToken=token)
    assert start(lab, "SELECT 1", ClientRequestToken=token) == first
    assert start(lab, "SELECT 1", ClientRequestToken="u" * 32) != first
    for changed in (
        {"sql": "SELECT 2"},
        {"sql": "SELECT 1", "QueryExecutionContext": {"Database": "other"}},
        {"sql": "SELECT 1", "ResultConfiguration": {"OutputLocation": f"s3://{LAKE}/"}},
    ):
        with pytest.raises(ClientError) as refused:
            start(lab, ClientRequestToken=token, **changed)
        assert error_of(refused) == (
            "InvalidRequestException",
            "IDEMPOTENT_PARAMETER_MISMATCH",
            "Idempotent parameters do not match",
        )
    assert len(lab.client("athena").list_query_executions(WorkGroup=WORKGROUP)["QueryExecutionIds"]) == 2


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'"),
        ("SELECT FROM WHERE", "line 1:"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
        ("CREATE VIEW v AS SELECT (1", "line 1:"),
        ("SELECT DISTINCT ON (id) id FROM t", "mismatched input 'ON'"),
    ],
)
def test_wrong_syntax_is_refused_at_the_start(lab: Lab, sql: str, message: str) -> None:
    with pytest.raises(ClientError) as refused:
        start(lab, sql)
    kind, code, text = error_of(refused)
    assert (kind, code) == ("InvalidRequestException", "MALFORMED_QUERY")
    assert text.startswith(message)
    assert lab.client("athena").list_query_executions(WorkGroup=WORKGROUP)["QueryExecutionIds"] == []


def test_the_query_of_a_view_is_parsed_once(lab: Lab) -> None:
    parse_tree.cache_clear()
    lab.query("CREATE VIEW numbers AS\n-- All of them.\nSELECT 1 AS n")
    assert parse_tree.cache_info().misses == 1


def test_a_view_may_try(lab: Lab) -> None:
    lab.query(
        "CREATE VIEW days AS SELECT try(date_parse(x, '%Y-%m-%d')) AS day FROM (VALUES '2026-01-02', 'no') AS t (x)"
    )
    assert lab.query("SELECT day FROM days ORDER BY day") == [("2026-01-02 00:00:00.000",), (None,)]
    assert lab.query("SELECT count(try(1 / month(day))) FROM days") == [("1",)]


def test_a_prepared_statement_runs_with_its_parameters(lab: Lab) -> None:
    athena = lab.client("athena")
    athena.create_prepared_statement(StatementName="two", WorkGroup=WORKGROUP, QueryStatement="SELECT ?, ? || 'b'")
    assert lab.query("EXECUTE two USING 1 + 1, 'it''s, '") == [("2", "it's, b")]
    assert lab.query("execute two", parameters=["3", "'a'"]) == [("3", "ab")]
    ran = lab.run("EXECUTE two USING 1, 'a'")
    assert (ran["Query"], ran["StatementType"], ran["SubstatementType"]) == (
        "EXECUTE two USING 1, 'a'",
        "DML",
        "SELECT",
    )
    athena.create_prepared_statement(StatementName="a@b:c", WorkGroup=WORKGROUP, QueryStatement="SELECT 4")
    assert lab.query('EXECUTE "a@b:c"') == [("4",)]
    for sql, parameters, reason in (
        ("EXECUTE two USING 1", [], "Incorrect number of parameters: expected 2 but found 1"),
        ("EXECUTE two", ["1", "2", "3"], "Incorrect number of parameters: expected 2 but found 3"),
        ("EXECUTE three", [], f"PreparedStatement three was not found in workGroup {WORKGROUP}"),
    ):
        failed = lab.run(sql, parameters=parameters)
        assert (failed["Status"]["State"], failed["Status"]["StateChangeReason"]) == ("FAILED", reason)
        assert (failed["Query"], failed["StatementType"]) == (sql, "UTILITY")
        assert failed["ResultConfiguration"]["OutputLocation"].endswith(".txt")
    athena.create_work_group(
        Name="others", Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"}}
    )
    elsewhere = ended(athena, start(lab, "EXECUTE two USING 1, 'a'", WorkGroup="others"))["Status"]
    assert elsewhere["StateChangeReason"] == "PreparedStatement two was not found in workGroup others"


def test_a_prepared_statement_may_write(lab: Lab) -> None:
    athena = lab.client("athena")
    athena.create_prepared_statement(
        StatementName="make", WorkGroup=WORKGROUP, QueryStatement="CREATE TABLE made AS SELECT ? AS a, '?' AS b"
    )
    ran = lab.run("EXECUTE make USING 7")
    location = f"s3://{RESULTS}/answers/tables/{ran['QueryExecutionId']}"
    assert ran["ResultConfiguration"]["OutputLocation"] == location
    assert (ran["StatementType"], ran["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert lab.query("SELECT a, b FROM made") == [("7", "?")]
    placed = f"CREATE TABLE w WITH (external_location = 's3://{LAKE}/w/') AS SELECT 1 AS a"
    athena.create_prepared_statement(StatementName="place", WorkGroup=WORKGROUP, QueryStatement=placed)
    with pytest.raises(ClientError, match="Please remove the 'external_location' property"):
        start(lab, "EXECUTE place")


def test_braces_in_an_output_location_are_kept(lab: Lab) -> None:
    lab.client("athena").create_work_group(
        Name="braces", Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/{{id}}/{{x}}/"}}
    )
    identifier = start(lab, "SELECT 1", WorkGroup="braces")
    found = ended(lab.client("athena"), identifier)
    assert found["Status"]["State"] == "SUCCEEDED"
    assert found["ResultConfiguration"]["OutputLocation"] == f"s3://{RESULTS}/{{id}}/{{x}}/{identifier}.csv"
    lab.client("athena").delete_work_group(WorkGroup="braces", RecursiveDeleteOption=True)


def test_an_unknown_workgroup_is_refused(lab: Lab) -> None:
    with pytest.raises(ClientError, match="WorkGroup is not found"):
        start(lab, "SELECT 1", WorkGroup="nosuch")


def test_runtime_statistics_are_those_of_the_execution(lab: Lab) -> None:
    athena = lab.client("athena")
    execution = lab.run("SELECT * FROM (VALUES 1, 2) AS v (x)")
    found = athena.get_query_runtime_statistics(QueryExecutionId=execution["QueryExecutionId"])[
        "QueryRuntimeStatistics"
    ]
    statistics = execution["Statistics"]
    assert found["Rows"] == {"InputBytes": statistics["DataScannedInBytes"], "OutputRows": 2}
    for name in ("EngineExecutionTimeInMillis", "QueryQueueTimeInMillis", "TotalExecutionTimeInMillis"):
        assert found["Timeline"][name] == statistics[name]
    failed = lab.run("SELECT 1 / 0")
    found = athena.get_query_runtime_statistics(QueryExecutionId=failed["QueryExecutionId"])["QueryRuntimeStatistics"]
    assert "Rows" not in found
    with pytest.raises(athena.exceptions.InvalidRequestException, match="was not found"):
        athena.get_query_runtime_statistics(QueryExecutionId="nosuch")
