"""The statements that test the embedded Athena's SQL have the same results in Trino."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine

from tests.embedded_aws.athena_lab import DATABASE, WORKGROUP, Lab
from tests.embedded_aws.test_athena_dialect import QUERIES, REFUSED, SCALARS
from tests.embedded_aws.test_athena_dialect import lab as lab  # noqa: PLC0414 - a fixture, reused with its table
from tests.trino.results import differences, from_athena
from tests.trino.server import TrinoQueryError, TrinoServer

pytestmark = pytest.mark.trino

VALID = [f"SELECT {expression} FROM t" for expression, _ in SCALARS] + [sql for sql, _ in QUERIES]
NOT_MODELLED = re.compile(r"NOT_SUPPORTED|FUNCTION_NOT_FOUND$")
"""How the embedded Athena refuses what it does not model."""
INVALID = [(sql, reason) for sql, reason in REFUSED if not NOT_MODELLED.match(reason)]


@pytest.fixture(scope="module")
def read_lab(trino: TrinoServer, lab: Lab) -> Iterator[Lab]:
    with trino.reading(lab.server):
        yield lab


@pytest.mark.parametrize("sql", VALID)
def test_statement_has_the_same_result(trino: TrinoServer, read_lab: Lab, sql: str) -> None:
    of_trino = trino.query(sql, database=DATABASE, precise=False)
    assert of_trino.now
    with time_machine.travel(of_trino.now, tick=False):
        of_athena = from_athena(read_lab.client("athena"), sql, database=DATABASE, workgroup=WORKGROUP)
    assert differences(of_athena, of_trino, sql) == []


@pytest.mark.usefixtures("read_lab")
@pytest.mark.parametrize(("sql", "reason"), INVALID)
def test_statement_fails_for_the_same_reason(trino: TrinoServer, sql: str, reason: str) -> None:
    with pytest.raises(TrinoQueryError) as refused:
        trino.query(sql, database=DATABASE)
    # The rest of the message differs between the engines.
    assert str(refused.value).split(":")[0] in {one.split(":")[0] for one in reason.split("|")}
