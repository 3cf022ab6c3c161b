"""Trino reads the tables that the embedded Athena writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.embedded_aws.athena_lab import DATABASE, WORKGROUP, Lab
from tests.embedded_aws.test_athena_dialect import lab as lab  # noqa: PLC0414 - a fixture, reused with its tables
from tests.trino.results import differences, from_athena
from tests.trino.server import TrinoServer

pytestmark = pytest.mark.trino

WRITES = {
    "CREATE TABLE w1 AS SELECT * FROM t": ("w1", None),
    "CREATE TABLE w2 WITH (write_compression = 'ZSTD') AS SELECT id, s, m, ss, ARRAY[1e0, NULL] AS doubles FROM n": (
        "w2",
        None,
    ),
    "CREATE TABLE w3 WITH (partitioned_by = ARRAY['p', 'on_day']) AS SELECT id, 'a/b c=%' AS p, on_day FROM t": (
        "w3",
        "INSERT INTO w3 VALUES (7, 'a/b c=%', DATE '2026-01-31'), (8, NULL, NULL)",
    ),
    "CREATE TABLE w4 AS SELECT upper('abc') AS short, id + 0.5 AS exact, CAST(ratio AS real) AS single FROM t": (
        "w4",
        "INSERT INTO w4 (exact, short) VALUES (1, 'a  '), (1.26, NULL)",
    ),
}


@pytest.fixture(scope="module")
def read_lab(trino: TrinoServer, lab: Lab) -> Iterator[Lab]:
    with trino.reading(lab.server):
        yield lab


@pytest.mark.parametrize("sql", list(WRITES))
def test_trino_reads_what_is_written(trino: TrinoServer, read_lab: Lab, sql: str) -> None:
    name, insertion = WRITES[sql]
    for statement in (sql, insertion):
        assert statement is None or read_lab.run(statement)["Status"]["State"] == "SUCCEEDED"
    query = f"SELECT * FROM {name}"
    of_trino = trino.query(query, database=DATABASE, precise=False)
    of_athena = from_athena(read_lab.client("athena"), query, database=DATABASE, workgroup=WORKGROUP)
    assert of_athena.rows
    assert differences(of_athena, of_trino, query) == []
