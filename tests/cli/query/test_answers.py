"""What becomes of Athena's result object: the same rows, typed, in every format."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.athena_queries import FinishedQuery
from cli.query.answers import QueryAnswer, fetch
from tests.cli.query.fake_athena import FakeAthena

QUERY = FinishedQuery(id="q", location="s3://results/a/q.csv", scanned=0, seconds=0.1)
TYPES = (
    ("whole", "integer"),
    ("large", "bigint"),
    ("real", "double"),
    ("exact", "decimal"),
    ("yes", "boolean"),
    ("day", "date"),
    ("moment", "timestamp"),
    ("zoned", "timestamp with time zone"),
    ("bytes", "varbinary"),
    ("list", "array"),
    ("text", "varchar"),
)
CSV = """\
"whole","large","real","exact","yes","day","moment","zoned","bytes","list","text"
"-1","9007199254740993","1.0E10","12.50","true","2026-11-02","2026-11-02 04:30:00.125",\
"2026-11-02 04:30:00.000 Europe/Berlin","48 65","[a, b]","a ""quoted"", \nwrapped title"
,,"NaN",,,,,,,,""
,,"-Infinity",,,,,,,,
"""


def answer(athena: FakeAthena, folder: Path) -> QueryAnswer:
    found = fetch(athena, athena, QUERY, folder)  # type: ignore[arg-type] # a fake of both services
    assert found
    return found


@pytest.fixture
def typed(tmp_path: Path) -> QueryAnswer:
    return answer(FakeAthena(TYPES, CSV, precision=(5, 2)), tmp_path)


def test_rows_are_those_of_athena_and_null_is_not_the_empty_text(typed: QueryAnswer) -> None:
    assert typed.count() == 3
    first, second, third = typed.head(10)
    assert first[-1] == 'a "quoted", \nwrapped title'
    assert (second[0], second[-1]) == (None, "")
    assert third[-1] is None
    assert typed.head(1) == [first]


def test_parquet_has_the_types_of_the_query(typed: QueryAnswer, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    typed.write("parquet", path)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        kinds = [row[1] for row in database.execute("DESCRIBE FROM read_parquet(?)", [str(path)]).fetchall()]
        rows: list[Any] = database.execute("FROM read_parquet(?)", [str(path)]).fetchall()
    assert kinds == [
        "INTEGER", "BIGINT", "DOUBLE", "DECIMAL(5,2)", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
        "BLOB", "VARCHAR", "VARCHAR",
    ]  # fmt: skip
    first = list(rows[0])
    first[7] = first[7].astimezone(UTC)
    assert first == [
        -1,
        9007199254740993,
        1e10,
        Decimal("12.50"),
        True,
        date(2026, 11, 2),
        datetime(2026, 11, 2, 4, 30, 0, 125000),  # noqa: DTZ001 - Athena's timestamps have no zone
        datetime(2026, 11, 2, 3, 30, tzinfo=UTC),
        b"He",
        "[a, b]",
        'a "quoted", \nwrapped title',
    ]
    assert rows[2][2] == float("-inf")


def test_json_has_an_object_a_line_and_no_number_that_json_lacks(typed: QueryAnswer, tmp_path: Path) -> None:
    typed.write("json", tmp_path / "rows.json")
    lines = (tmp_path / "rows.json").read_text("utf-8").splitlines()
    first, second, third = (json.loads(line, parse_constant=pytest.fail) for line in lines)
    assert list(first) == [name for name, _ in TYPES]
    assert (first["whole"], first["large"], first["exact"], first["yes"], first["day"]) == (
        -1, 9007199254740993, 12.5, True, "2026-11-02",
    )  # fmt: skip
    assert (second["real"], third["real"]) == (None, None)
    assert (second["text"], third["text"]) == ("", None)


def test_csv_is_text_without_formulas(tmp_path: Path) -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "plain", "a=b", "\n"]
    body = '"=title","number"\n' + "".join(f'"{cell}","-5"\n' for cell in cells)
    found = answer(FakeAthena([("=title", "varchar"), ("number", "integer")], body), tmp_path)
    found.write("csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["'=title", "number"]
    assert rows == [[f"'{cell}" if cell not in {"plain", "a=b"} else cell, "-5"] for cell in cells]


def test_names_that_athena_gives_twice_are_numbered(tmp_path: Path) -> None:
    found = answer(
        FakeAthena([("a", "integer"), ("A", "integer"), ("a", "integer")], '"a","A","a"\n"1","2","3"\n'), tmp_path
    )
    found.write("csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text("utf-8") == "a,A_2,a_3\n1,2,3\n"


def test_long_titles_and_many_rows_arrive(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    body = '"t"\n' + f'"{long}"\n' + '"y"\n' * 50_000
    found = answer(FakeAthena([("t", "varchar")], body), tmp_path)
    found.write("csv", tmp_path / "out.csv")
    assert found.count() == 50_001
    assert (tmp_path / "out.csv").read_text("utf-8") == body.replace('"', "")


def test_statements_like_show_have_pages_without_a_header(tmp_path: Path) -> None:
    athena = FakeAthena([("tab_name", "string")], pages=[["plays"], ["runs"]])
    query = FinishedQuery(id="q", location="s3://results/a/q.txt", scanned=0, seconds=0.1)
    found = fetch(athena, athena, query, tmp_path)  # type: ignore[arg-type] # a fake of both services
    assert found
    assert found.head(5) == [("plays",), ("runs",)]


def test_ddl_has_no_answer(tmp_path: Path) -> None:
    athena = FakeAthena()
    assert fetch(athena, athena, QUERY, tmp_path) is None  # type: ignore[arg-type] # a fake of both services


@pytest.mark.parametrize(
    ("scanned", "usd"), [(0, 0.0), (1, 0.00005), (10_000_000, 0.00005), (10_000_001, 0.000055), (10**12, 5.0)]
)
def test_price_is_that_of_ten_megabytes_at_least(scanned: int, usd: float) -> None:
    query = FinishedQuery(id="q", location="", scanned=scanned, seconds=0.1)
    assert query.usd == pytest.approx(usd)
