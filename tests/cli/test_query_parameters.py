"""Parameters of a query: found in its first CTE, and replaced by literals."""

from __future__ import annotations

import duckdb
import pytest

from cli.duckdb_file import to_duckdb
from cli.errors import CommandError
from cli.query_parameters import Parameter, compared_period, parameters_of, period, with_expressions, with_parameters

SQL = """\
-- Title: it's, with 'quotes'.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, or null
        CAST(NULL AS date) AS to_date, -- last local day
        CAST(NULL AS varchar) AS artist,
        'a, b' AS label, -- a label
        50 AS number -- rows
)

SELECT from_date, to_date, artist, label, number FROM parameters -- 50
"""


def rows(sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as database:
        return database.execute(to_duckdb(sql)).fetchall()


def test_parameters_have_name_type_default_and_description() -> None:
    assert [(one.name, one.type, one.default, one.description) for one in parameters_of(SQL)] == [
        ("from_date", "date", None, "first local day, or null"),
        ("to_date", "date", None, "last local day"),
        ("artist", "text", None, ""),
        ("label", "text", "a, b", "a label"),
        ("number", "number", "50", "rows"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "WITH",
        "SELECT 1 AS number",
        "WITH others AS (SELECT 1 AS number) SELECT number FROM others",
        "WITH parameters AS (SELECT count(*) AS number, 3 + 4 AS seven, 5 FROM plays) SELECT number FROM parameters",
        "WITH parameters AS (SELECT 'unclosed AS name) SELECT 1",
    ],
)
def test_other_queries_have_no_parameters(sql: str) -> None:
    assert parameters_of(sql) == ()
    with pytest.raises(CommandError, match=r"^The query has no parameter number: it has none\.$"):
        with_parameters(sql, {"number": "1"})
    assert with_parameters(sql, {}) == sql


def test_values_become_literals_of_the_type_and_nothing_else_changes() -> None:
    given = with_parameters(SQL, {"number": "007", "from_date": "2025-01-01", "to_date": "2025-12-31"})

    assert given == SQL.replace("CAST(NULL AS date) AS from", "DATE '2025-01-01' AS from").replace(
        "CAST(NULL AS date) AS to", "DATE '2025-12-31' AS to"
    ).replace("50 AS", "7 AS")
    assert with_parameters(given, {"from_date": "", "to_date": "", "number": "50"}) == SQL


@pytest.mark.parametrize(
    "text", ["Abba", "'; DROP TABLE plays; --", "O'Brien \\' ' */", "-- '", "ʼ'😀\n\t'", "''", "${timezone}"]
)
def test_any_text_stays_text(text: str) -> None:
    given = with_parameters(SQL, {"artist": text})

    assert rows(given)[0][2] == text
    assert [(one.name, one.default) for one in parameters_of(given)][2] == ("artist", text)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"year": "2025"}, "The query has no parameter year: its parameters are from_date, to_date, artist, label, nu"),
        ({"number": "many"}, "number must be a whole number such as 20, not many."),
        ({"number": "1; SELECT 2"}, "number must be a whole number"),
        ({"number": "-1"}, "number must be a whole number"),
        ({"number": ""}, "number must be a whole number such as 20, not empty."),
        ({"number": "1" * 10}, "number must be a whole number"),
        ({"number": "٣"}, "number must be a whole number"),
        ({"from_date": "2025"}, "from_date must be a day such as 2026-03-31, not 2025."),
        ({"from_date": "20250101"}, "from_date must be a day"),
        ({"from_date": "2025-02-29"}, "There is no 2025-02-29 in the calendar"),
        ({"from_date": "0000-01-01"}, "There is no 0000-01-01 in the calendar"),
        ({"from_date": "2025-02-02", "to_date": "2025-02-01"}, "The period ends on 2025-02-01, before it begins on 20"),
        ({"artist": "a\0b"}, "artist has a character that SQL cannot hold"),
        ({"artist": "a\udcffb"}, "artist has a character that SQL cannot hold"),
    ],
)
def test_a_value_that_does_not_fit_is_one_sentence(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(CommandError) as error:
        with_parameters(SQL, values)

    assert str(error.value).startswith(sentence)


def test_a_period_that_only_its_default_ends_is_checked_too() -> None:
    ended = with_parameters(SQL, {"to_date": "2020-12-31"})

    with pytest.raises(CommandError, match=r"ends on 2020-12-31, before it begins on 2021-01-01"):
        with_parameters(ended, {"from_date": "2021-01-01"})


def test_expressions_replace_every_default() -> None:
    def quoted_name(parameter: Parameter) -> str:
        return f"'{parameter.name}'"

    assert rows(with_expressions(SQL, quoted_name)) == [("from_date", "to_date", "artist", "label", "number")]


def test_a_period_is_a_year_or_days_months_and_years() -> None:
    assert period() == {}
    assert period("2024") == period(from_="2024", to="2024") == {"from_date": "2024-01-01", "to_date": "2024-12-31"}
    assert period(from_="2024-02") == {"from_date": "2024-02-01"}
    assert period(to="2024-02") == {"to_date": "2024-02-29"}
    assert period(from_="2024-02-03", to="2024-02-03") == {"from_date": "2024-02-03", "to_date": "2024-02-03"}
    assert compared_period("2019") == {"compared_from_date": "2019-01-01", "compared_to_date": "2019-12-31"}
    assert compared_period("2019-06..2019-08-15") == {
        "compared_from_date": "2019-06-01",
        "compared_to_date": "2019-08-15",
    }


@pytest.mark.parametrize(
    ("year", "from_", "sentence"),
    [
        ("2024", "2024-01-01", "Pass either a year or the first and last day"),
        ("24", "", "24 is not a day"),
        ("", "yesterday", "yesterday is not a day: write 2026-03-31, or 2026-03 or 2026 for all of it."),
        ("", "2024-13", "There is no 2024-13 in the calendar"),
        ("0000", "", "There is no 0000 in the calendar"),
    ],
)
def test_an_impossible_period_is_one_sentence(year: str, from_: str, sentence: str) -> None:
    with pytest.raises(CommandError) as error:
        period(year, from_)

    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize("text", ["", "..", "2019..", "..2019", "2019...2020"])
def test_half_a_period_cannot_be_compared(text: str) -> None:
    with pytest.raises(CommandError, match=r"is not a (period|day)"):
        compared_period(text)
