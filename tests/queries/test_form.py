"""The conventions that every view and named query follows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlglot import exp

from cli.duckdb_file import parse_query, tables_of
from handlers.publish.views import load
from handlers.tables import TABLES
from tests.queries import test_history, test_labels, test_listening, test_named, test_periods
from tests.queries.lake import NAMED, TIMEZONE, VIEWS, Lake
from tests.thoroughness import sampled

QUERIES = {f"views/{name}": sql for name, sql in VIEWS.items()} | {f"named/{name}": sql for name, sql in NAMED.items()}
FILES = sorted(Path(__file__).parents[2].glob("queries/*/*.sql"))
HELPERS = {
    "object_versions",
    "run_attempts",
    "read_arrivals",
    "complete_reads",
    "newest_run",
    "counted_plays",
}


def test_every_table_but_a_log_has_its_current_view() -> None:
    assert VIEWS.keys() - HELPERS == {
        *(f"current_{table.name}" for table in TABLES.values() if table.kind != "log"),
        "listens",
        "run_history",
        "rejections",
        "freshness",
    }


def test_there_are_at_least_ten_named_queries() -> None:
    assert len(NAMED) >= 10


@pytest.mark.parametrize("name", NAMED)
def test_a_named_query_has_a_test_of_its_result(name: str) -> None:
    tests = [
        test.removeprefix("test_")
        for module in (test_named, test_listening, test_periods, test_history, test_labels)
        for test in vars(module)
    ]

    assert [test for test in tests if test.startswith(name)]


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_one_select_that_names_its_columns(name: str) -> None:
    tree = parse_query(QUERIES[name])

    assert isinstance(tree, exp.Select)
    assert not [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    assert not tree.find(exp.Qualify)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_begins_with_a_sentence_on_its_result(name: str) -> None:
    assert re.match(r"-- \S.*[.:]\n", QUERIES[name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_file_has_a_semicolon(path: Path) -> None:
    # Clients of Athena split a text into statements at each of them, even in a comment.
    assert [line for line in path.read_text("utf-8").splitlines() if ";" in line] == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_states_its_grain(name: str) -> None:
    comment = re.match(r"(?:--.*\n)+", VIEWS[name])

    assert comment
    assert "\n-- Grain: " in comment[0]


def test_the_publish_function_can_load_every_view() -> None:
    assert {view.name for view in load(TIMEZONE)} == VIEWS.keys()


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_only_tables_and_views_that_exist(name: str) -> None:
    assert tables_of(QUERIES[name]) <= TABLES.keys() | VIEWS.keys()


@pytest.mark.parametrize("name", NAMED)
def test_a_named_query_has_no_placeholder_and_one_order(name: str) -> None:
    tree = parse_query(NAMED[name])

    assert "${" not in NAMED[name]
    assert tree.args.get("order") is not None


@pytest.mark.parametrize("name", NAMED)
def test_a_named_query_does_not_depend_on_the_clock(name: str) -> None:
    assert not re.search(r"current_(date|time)|\bnow\(", NAMED[name], re.IGNORECASE)


def test_only_the_age_in_freshness_depends_on_the_clock() -> None:
    assert [name for name, sql in VIEWS.items() if re.search(r"current_(date|time)|\bnow\(", sql, re.IGNORECASE)] == [
        "freshness"
    ]


# The named queries are tried over data.
@pytest.mark.parametrize("name", sampled(QUERIES, [name for name in QUERIES if name.startswith("views/")]))
def test_a_query_returns_no_rows_from_an_empty_lake(name: str, lake: Lake) -> None:
    assert lake.query(QUERIES[name]) == []


@pytest.mark.parametrize(
    "table", sorted(table.name for table in TABLES.values() if table.kind in {"snapshot", "entity"})
)
def test_a_current_view_has_every_column_of_its_table(table: str, lake: Lake) -> None:
    columns = lake.columns(f"SELECT * FROM current_{table}")

    assert {column.name for column in TABLES[table].columns} <= set(columns)
    assert columns[0] == "account_id"
