"""The recorded answers and errors are Trino's: it is asked each statement again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.embedded_aws.athena_lab import DATABASE, Lab
from tests.embedded_aws.test_athena_dialect import lab as lab  # noqa: PLC0414 - a fixture, reused with its tables
from tests.embedded_aws.trino_cases import ANSWERS, ERRORS, NOT_MODELLED
from tests.trino.server import TrinoQueryError, TrinoServer

pytestmark = pytest.mark.trino


@pytest.fixture(scope="module", autouse=True)
def read_lab(trino: TrinoServer, lab: Lab) -> Iterator[None]:
    with trino.reading(lab.server):
        yield


@pytest.mark.parametrize(("sql", "types", "rows"), ANSWERS)
def test_trino_returns_the_recorded_answer(
    trino: TrinoServer, sql: str, types: list[str], rows: list[tuple[str | None, ...]]
) -> None:
    answer = trino.query(sql, database=DATABASE, precise=False)
    assert [kind for _, kind in answer.columns] == types
    assert Counter(answer.rows) == Counter(rows)


@pytest.mark.parametrize(("sql", "code"), ERRORS)
def test_trino_refuses_with_the_recorded_error(trino: TrinoServer, sql: str, code: str) -> None:
    with pytest.raises(TrinoQueryError, match=rf"^{code}: "):
        trino.query(sql, database=DATABASE)


@pytest.mark.parametrize("sql", [sql for sql, _ in NOT_MODELLED])
def test_trino_answers_what_the_embedded_athena_does_not_model(trino: TrinoServer, sql: str) -> None:
    assert trino.query(sql, database=DATABASE, precise=False).columns
