"""EXPLAIN of the embedded Athena."""

from __future__ import annotations

import pytest

from tests.embedded_aws.athena_lab import Lab, QueryFailedError


@pytest.fixture
def lab(one_lab: Lab) -> Lab:
    one_lab.empty()
    one_lab.table("plays", {"item": "string", "ms": "bigint"})
    return one_lab


def test_a_plan_names_what_is_read_and_says_that_it_is_not_trinos(lab: Lab) -> None:
    sql = (
        "EXPLAIN WITH top AS (SELECT item, sum(ms) AS ms FROM plays WHERE dt > '2026' GROUP BY item HAVING sum(ms) > 1)"
        " SELECT DISTINCT t.item FROM top AS t LEFT JOIN plays AS p ON p.item = t.item ORDER BY 1 LIMIT 5"
    )
    execution = lab.run(sql)
    assert (execution["StatementType"], execution["SubstatementType"]) == ("UTILITY", "EXPLAIN")
    assert execution["Statistics"]["DataScannedInBytes"] == 0
    heading, *lines = (line for (line,) in lab.pages(execution))
    assert heading == "Query Plan"
    assert lines == [
        "Plan of the embedded Athena: Trino's has other operators, and estimates",
        "Output[t.item]",
        "    - Limit[LIMIT 5]",
        "        - Sort[ORDER BY 1]",
        "            - Distinct",
        "                - Join[LEFT, p.item = t.item]",
        "                    - TableScan[table = awsdatacatalog:music:plays]",
        "                    - CTE[top]",
        "                    - With[top]",
        "                        - Output[item, sum(ms) AS ms]",
        "                            - Filter[HAVING sum(ms) > 1]",
        "                                - Aggregate[GROUP BY item]",
        "                                    - Filter[WHERE dt > '2026']",
        "                                        - TableScan[table = awsdatacatalog:music:plays]",
    ]


def test_a_query_is_validated_without_running(lab: Lab) -> None:
    execution = lab.run("EXPLAIN (TYPE VALIDATE) SELECT ms / 0 FROM plays")
    assert lab.pages(execution) == [("Valid",), ("true",)]
    found = lab.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert found["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Type"] == "boolean"


@pytest.mark.parametrize("query", ["(VALUES 1)", "(SELECT 1) UNION ALL (SELECT 2)", "((SELECT 1))"])
def test_a_query_in_parentheses_is_not_taken_for_options(lab: Lab, query: str) -> None:
    assert lab.query(f"EXPLAIN {query}")
    assert lab.pages(lab.run(f"EXPLAIN (TYPE VALIDATE) {query}")) == [("Valid",), ("true",)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("EXPLAIN (TYPE VALIDATE) SELECT nosuch FROM plays", r"COLUMN_NOT_FOUND: .*'nosuch'"),
        ("EXPLAIN SELECT item FROM nosuch", "TABLE_NOT_FOUND: "),
        ("EXPLAIN SELECT FROM", "SYNTAX_ERROR: "),
        ("EXPLAIN (TYPE NOSUCH) SELECT 1", "SYNTAX_ERROR: .*TYPE NOSUCH"),
        ("EXPLAIN ANALYZE SELECT 1", "NOT_SUPPORTED: EXPLAIN ANALYZE, which measures Trino's operators"),
        ("EXPLAIN (TYPE IO, FORMAT JSON) SELECT 1", r"NOT_SUPPORTED: EXPLAIN \(TYPE IO, FORMAT JSON\)"),
        ("EXPLAIN (FORMAT GRAPHVIZ) SELECT 1", r"NOT_SUPPORTED: EXPLAIN \(TYPE DISTRIBUTED, FORMAT GRAPHVIZ\)"),
        ("EXPLAIN SHOW TABLES", "NOT_SUPPORTED: EXPLAIN of other than a query"),
    ],
)
def test_what_cannot_be_explained_is_refused(lab: Lab, sql: str, reason: str) -> None:
    with pytest.raises(QueryFailedError, match=f"^{reason}"):
        lab.query(sql)
