"""Comparing results: what counts as the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.trino.results import Result, differences, from_trino, ordering

NOW = datetime(2026, 11, 2, tzinfo=UTC)
COLUMNS = (("id", "bigint"), ("name", "varchar"))
ROWS = (("1", "a"), ("1", "b"), ("2", None))
RESULT = Result(COLUMNS, ROWS)


def test_values_of_trino_are_formatted_like_athenas() -> None:
    columns = [
        ("flag", "boolean"),
        ("ratio", "double"),
        ("small", "real"),
        ("price", "decimal(10, 2)"),
        ("at", "timestamp(3) with time zone"),
        ("tags", "array(varchar(3))"),
        ("name", "varchar(3)"),
        ("none", "unknown"),
    ]
    values = [True, 1e7, "Infinity", "1.50", "2026-01-02 03:04:05.000 UTC", ["x", None], "abc", None]

    result = from_trino(columns, [values], NOW)

    assert result.columns == (
        ("flag", "boolean"),
        ("ratio", "double"),
        ("small", "float"),
        ("price", "decimal(10,2)"),
        ("at", "timestamp with time zone"),
        ("tags", "array"),
        ("name", "varchar"),
        ("none", "unknown"),
    )
    assert result.rows == (
        ("true", "10000000.0", "inf", "1.50", "2026-01-02 03:04:05.000 UTC", "[x, null]", "abc", None),
    )
    assert result.trino_types == tuple(kind for _, kind in columns)


def test_a_value_of_an_unknown_type_is_an_error() -> None:
    with pytest.raises(TypeError, match="No query has returned"):
        from_trino([("pairs", "json")], [[{"a": 1}]], NOW)


@pytest.mark.parametrize(
    "other",
    [
        replace(RESULT, columns=(("id", "integer"), ("name", "varchar"))),
        replace(RESULT, columns=(("id", "bigint"), ("title", "varchar"))),
        replace(RESULT, rows=ROWS[:2]),
        replace(RESULT, rows=(*ROWS, ROWS[0])),
        replace(RESULT, rows=(("1", "a"), ("1", "b"), ("2", "null"))),
    ],
)
def test_other_names_types_or_rows_are_a_difference(other: Result) -> None:
    assert differences(RESULT, other, "SELECT id, name FROM t")
    assert differences(other, RESULT, "SELECT id, name FROM t")


def test_order_is_the_querys_and_arbitrary_among_ties() -> None:
    tied = replace(RESULT, rows=(ROWS[1], ROWS[0], ROWS[2]))
    turned = replace(RESULT, rows=(ROWS[2], ROWS[0], ROWS[1]))

    assert differences(RESULT, tied, "SELECT id, name FROM t ORDER BY id") == []
    assert differences(RESULT, turned, "SELECT id, name FROM t") == []
    assert differences(RESULT, turned, "SELECT id, name FROM t ORDER BY id") != []
    assert differences(RESULT, tied, "SELECT id, name FROM t ORDER BY id, name") != []


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("SELECT t.id, t.name AS title FROM t ORDER BY t.name DESC, t.id", [1, 0]),
        ("SELECT id, name AS title FROM t ORDER BY title, 1", [1, 0]),
        ("SELECT id, name FROM t ORDER BY id, length(name), name", [0]),
        ("SELECT id, name FROM (SELECT * FROM t ORDER BY name)", []),
        ("SELECT id, 1 AS title FROM t UNION SELECT 2, 3 ORDER BY title", [1]),
    ],
)
def test_ordering_is_by_selected_columns(sql: str, keys: list[int]) -> None:
    assert ordering(sql, ["id", "title" if "title" in sql else "name"]) == keys
