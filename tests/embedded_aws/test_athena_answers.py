"""The embedded Athena answers or refuses each of the recorded statements as Trino does, or says that it cannot."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.embedded_aws.athena_lab import DATABASE, WORKGROUP, Lab, QueryFailedError
from tests.embedded_aws.test_athena_dialect import lab as lab  # noqa: PLC0414 - a fixture, reused with its tables
from tests.embedded_aws.trino_cases import ANSWERS, ERRORS, NOT_MODELLED
from tests.thoroughness import sampled
from tests.trino.results import from_athena


# A twelfth shows some of each: the lists are in the order of what they are about.
@pytest.mark.parametrize(("sql", "types", "rows"), sampled(ANSWERS, ANSWERS[::12]))
def test_query_has_the_types_and_rows_that_trino_returned(
    lab: Lab, sql: str, types: list[str], rows: list[tuple[str | None, ...]]
) -> None:
    answer = from_athena(lab.client("athena"), sql, database=DATABASE, workgroup=WORKGROUP)
    assert [kind for _, kind in answer.columns] == types
    assert Counter(answer.rows) == Counter(rows)


@pytest.mark.parametrize(("sql", "code"), sampled(ERRORS, ERRORS[::8]))
def test_statement_fails_with_trinos_error(lab: Lab, sql: str, code: str) -> None:
    with pytest.raises(QueryFailedError, match=rf"^{code}: \S"):
        lab.query(sql)


@pytest.mark.parametrize(("sql", "sentence"), sampled(NOT_MODELLED, NOT_MODELLED[::12]))
def test_what_is_not_modelled_is_refused_in_a_sentence(lab: Lab, sql: str, sentence: str) -> None:
    with pytest.raises(QueryFailedError) as refused:
        lab.query(sql)
    assert str(refused.value) == sentence
    assert sentence.startswith("NOT_SUPPORTED: ")
    # No macro, class or message of DuckDB's.
    assert "trino_" not in sentence.lower() or "try(" in sentence.lower()


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 2147483647 + 1", "integer addition overflow: 2147483647 + 1"),
        ("SELECT CAST(-128 AS tinyint) - CAST(1 AS tinyint)", "tinyint subtraction overflow: -128 - 1"),
        ("SELECT 9223372036854775807 * 2", "bigint multiplication overflow: 9223372036854775807 * 2"),
        ("SELECT sum(x) FROM (VALUES 9223372036854775807, 1) t(x)", "bigint addition overflow"),
        ("SELECT DECIMAL '99999999999999999999999999999999999999' + 1", "Decimal overflow"),
    ],
)
def test_overflows_are_told_in_trinos_words(lab: Lab, sql: str, reason: str) -> None:
    assert lab.run(sql)["Status"]["StateChangeReason"] == f"NUMERIC_VALUE_OUT_OF_RANGE: {reason}"
