"""The examples in docs/queries.md: each is understood, and asks what the project's queries can answer."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.label_files import read_labels
from cli.lake_export import parse_formats
from cli.main import app
from cli.query.request import QueryRequest
from cli.query_parameters import parameters_of, with_parameters
from tests.markdown import blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/queries.md"
EXAMPLES = [line for block in blocks(PAGE, "sh") for line in block.splitlines() if " query " in line]
SQL_EXAMPLE, MACRO_EXAMPLE = blocks(PAGE, "sql")


def named(name: str) -> str:
    return (ROOT / f"queries/named/{name}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", EXAMPLES)
def test_a_query_on_the_page_takes_these_parameters(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[QueryRequest] = []

    def record(request: QueryRequest, **_: Any) -> None:
        asked.append(request)

    monkeypatch.setattr("cli.query.command.run_query_command", record)
    program, *arguments = shlex.split(line)
    ended = CliRunner().invoke(app, arguments)

    assert (program, ended.exit_code) == (".venv/bin/spotify-etl", 0)
    [request] = asked
    assert request.parameters
    changed = parameters_of(with_parameters(named(request.name), request.parameters))
    assert {each.name: each.default for each in changed if each.name in request.parameters} == request.parameters


def test_the_parameters_on_the_page_are_those_of_the_query() -> None:
    assert SQL_EXAMPLE in named("top_artists")
    known = {each.name for each in parameters_of(named("top_artists"))}
    assert MACRO_EXAMPLE.startswith("FROM queries.top_artists(")
    assert {part.partition(" := ")[0].rpartition("(")[2].strip() for part in MACRO_EXAMPLE.split(",")} <= known


def test_the_labels_on_the_page_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "my_labels.csv"
    [text] = blocks(PAGE, "csv")
    path.write_text(text, encoding="utf-8")

    assert [(label.label, label.excluded) for label in read_labels(path)] == [
        ("sleep", True),
        ("party", False),
        ("focus", False),
        (None, True),
    ]


def test_the_formats_on_the_page_are_all_that_there_are() -> None:
    assert "--format duckdb,parquet,csv,m3u --out" in PAGE.read_text(encoding="utf-8")
    assert parse_formats("duckdb,parquet,csv,m3u") == ("duckdb", "parquet", "csv", "m3u")
