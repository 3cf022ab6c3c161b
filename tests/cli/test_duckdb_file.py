"""The lake as one DuckDB file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from cli import duckdb_file
from cli.duckdb_file import to_duckdb, write_duckdb_file
from cli.errors import CommandError
from cli.query_parameters import parameters_of
from handlers.tables import TABLES
from tests.thoroughness import sampled

VALUES = {"date": "DATE '2026-11-01'", "number": "3", "text": "'Abba'"}
QUERIES = Path(__file__).parents[2] / "queries"


@pytest.fixture
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file have one table: all of them with their comments take most of a test's time."""
    monkeypatch.setattr(duckdb_file, "TABLES", {"saved_tracks": TABLES["saved_tracks"]})


def statements(folder: str) -> dict[str, str]:
    return {
        file.stem: file.read_text(encoding="utf-8").replace("${timezone}", "Europe/Berlin")
        for file in sorted((QUERIES / folder).glob("*.sql"))
    }


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute(sql).fetchall()


def names(path: Path, function: str, schema: str) -> set[str]:
    kind = function.removeprefix("duckdb_").removesuffix("s()")
    return {
        name
        for (name,) in rows(path, f"SELECT {kind}_name FROM {function} WHERE NOT internal AND schema_name = '{schema}'")
    }


def write(path: Path, views: Mapping[str, str], queries: Mapping[str, str] | None = None) -> None:
    write_duckdb_file(path, {}, views=views, queries=queries or {})


@pytest.mark.slow
def test_every_view_and_named_query_answers_over_empty_tables(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    views, queries = statements("views"), statements("named")
    write(path, views, queries)
    assert names(path, "duckdb_tables()", "main") == {*TABLES, "listens"}
    assert names(path, "duckdb_views()", "main") == views.keys() - {"listens"}
    assert names(path, "duckdb_views()", "queries") == set(queries)
    with_parameters = {name for name, sql in queries.items() if parameters_of(sql)}
    assert names(path, "duckdb_functions()", "queries") == with_parameters
    with duckdb.connect(str(path), read_only=True) as database:
        for name in [*views, *(f"queries.{query}" for query in queries)]:
            database.execute(f"SELECT * FROM {name}").fetchall()
        for name in with_parameters:
            given = ", ".join(f"{each.name} := {VALUES[each.type]}" for each in parameters_of(queries[name]))
            database.execute(f"SELECT * FROM queries.{name}({given})").fetchall()
    assert [file.name for file in tmp_path.iterdir()] == ["spotify.duckdb"]


def test_rows_of_parquet_files_have_their_partition_and_the_types_of_athena(tmp_path: Path) -> None:
    folder = tmp_path / "tables/saved_tracks/month=2026-11"
    folder.mkdir(parents=True)
    added = datetime(2026, 11, 1, 9)  # noqa: DTZ001 - as the tables hold it
    for number, columns in enumerate(
        ({"track_id": ["t0"]}, {"track_id": ["t1"], "added_at": [added], "is_local": [True]})
    ):
        parquet.write_table(pa.table(columns), folder / f"{number}.parquet")
    path = tmp_path / "spotify.duckdb"
    write_duckdb_file(path, {"saved_tracks": sorted(folder.iterdir())}, views={}, queries={})
    assert rows(path, "SELECT track_id, added_at, is_local, month FROM saved_tracks ORDER BY track_id") == [
        ("t0", None, None, "2026-11"),
        ("t1", added, True, "2026-11"),
    ]
    types = dict(
        rows(
            path,
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'tracks'"
            " AND column_name IN ('available_markets', 'duration_ms', '_extracted_at', 'dt')",
        )
    )
    assert types == {
        "available_markets": "VARCHAR[]",
        "duration_ms": "BIGINT",
        "_extracted_at": "TIMESTAMP",
        "dt": "VARCHAR",
    }


def test_folders_of_an_earlier_partition_key_fill_both_columns(tmp_path: Path) -> None:
    files = {
        "saved_tracks": tmp_path / "tables/saved_tracks/dt=2026-11-02/old.parquet",
        "runs": tmp_path / "tables/runs/month=2026-11/old.parquet",
    }
    for file in files.values():
        file.parent.mkdir(parents=True)
        parquet.write_table(pa.table({"_line": [1]}), file)
    # Its month never was a column.
    files["replays"] = tmp_path / "tables/replays/month=2026-11/old.parquet"
    files["replays"].parent.mkdir(parents=True)
    parquet.write_table(pa.table({"_line": [1], "dt": ["2026-11-02"]}), files["replays"])
    path = tmp_path / "spotify.duckdb"
    write_duckdb_file(path, {table: [file] for table, file in files.items()}, views={}, queries={})
    assert rows(path, "SELECT month, dt FROM saved_tracks") == [("2026-11", "2026-11-02")]
    assert rows(path, "SELECT year, month, dt FROM runs") == [("2026", "2026-11", None)]
    assert rows(path, "SELECT year, dt FROM replays") == [("2026", "2026-11-02")]


@pytest.mark.usefixtures("few_tables")
def test_named_query_reads_the_view_of_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    write(
        path,
        # The first needs the second.
        {"answer": "SELECT a + 1 AS a FROM question", "question": "-- What is asked.\nSELECT 41 AS a"},
        {"answer": "WITH question AS (SELECT a FROM answer) SELECT a FROM question"},
    )
    assert rows(path, "FROM queries.answer") == [(42,)]
    assert rows(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'question'") == [("What is asked.",)]


def test_a_query_with_parameters_is_a_view_and_a_macro(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    sql = """WITH parameters AS (SELECT DATE '2026-01-02' AS day, 'it''s' AS word, 3 AS number)
        SELECT p.day, p.word, p.number FROM parameters AS p"""
    write(path, {}, {"asked": sql, "plain": "SELECT 1 AS one"})
    assert rows(path, "FROM queries.asked") == rows(path, "FROM queries.asked()") == [(date(2026, 1, 2), "it's", 3)]
    assert rows(path, "FROM queries.asked(number := 4, day := '2026-05-06')") == [(date(2026, 5, 6), "it's", 4)]


def test_tables_and_columns_say_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    write(path, {})
    assert dict(rows(path, "SELECT table_name, comment FROM duckdb_tables()")) == {
        table.name: table.doc for table in TABLES.values()
    }
    assert rows(path, "SELECT comment FROM duckdb_columns() WHERE table_name = 'plays' AND column_name = 'source'") == [
        (next(column.doc for column in TABLES["plays"].columns if column.name == "source"),)
    ]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT max_by(a, b) FROM (VALUES ('old', 1), (NULL, 2)) AS t (a, b)", None),
        ("SELECT element_at(ARRAY['a', 'b'], 2)", "b"),
        ("SELECT date_diff('second', TIMESTAMP '2026-11-01 00:00:00.9', TIMESTAMP '2026-11-01 00:00:02')", 1),
        ("SELECT date_diff('day', DATE '2026-11-01', date_add('day', 3, DATE '2026-11-01'))", 3),
    ],
)
def test_translated_query_answers_as_athena(sql: str, value: object) -> None:
    assert duckdb.execute(to_duckdb(sql)).fetchall() == [(value,)]


@pytest.mark.usefixtures("few_tables")
def test_what_cannot_be_written_is_one_sentence_and_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    write(path, {"answer": "SELECT 1 AS a"})
    (tmp_path / "spotify.duckdb.incomplete").mkdir()
    with pytest.raises(
        CommandError, match=r"^Cannot write .*spotify\.duckdb \(.*\): free some space or choose another folder\.$"
    ):
        write(path, {"answer": "SELECT 2 AS a"})
    assert rows(path, "FROM answer") == [(1,)]


@pytest.mark.usefixtures("few_tables")
@pytest.mark.parametrize("name", sampled(["demo[1]", "demo*", "run=5", "o'brien"], ["run=5", "o'brien"]))
def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    for folder in ("demo1", name):
        file = tmp_path / folder / "tables/saved_tracks/dt=2026-11-02/a.parquet"
        file.parent.mkdir(parents=True)
        parquet.write_table(pa.table({"track_id": [folder]}), file)
    path = tmp_path / "spotify.duckdb"
    write_duckdb_file(path, {"saved_tracks": [file]}, views={}, queries={})
    assert rows(path, "SELECT track_id, dt FROM saved_tracks") == [(name, "2026-11-02")]


@pytest.mark.usefixtures("few_tables")
def test_log_of_a_killed_writer_does_not_spoil_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    path.with_name("spotify.duckdb.wal").write_bytes(b"of another file")
    write(path, {"answer": "SELECT 1 AS a"})
    assert rows(path, "FROM answer") == [(1,)]
    assert path.stat().st_mode & 0o077 == 0
