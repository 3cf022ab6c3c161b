"""The lake as it is saved on this machine: DuckDB answers what Athena answers, and so does the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from cli.lake import SavedLake, save_lake
from cli.lake_export import export_lake, parse_formats
from cli.report.sections import QUERIES
from cli.report.sources import AthenaWorkgroup, DuckdbFile
from cli.targets import Target
from handlers.tables import TABLES
from spotify_simulator import LibraryPlan
from tests.e2e import model
from tests.e2e.labels import label_heard
from tests.e2e.world import TIMEZONE, World, world

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
VIEWS = sorted(file.stem for file in (ROOT / "queries/views").glob("*.sql"))
NAMED = sorted(file.stem for file in (ROOT / "queries/named").glob("*.sql"))
PLAN = LibraryPlan(saved_tracks=120, playlists=6, saved_albums=10, plays_per_day=60, timezone=TIMEZONE)
MOVING = {"age_hours"}
"""Columns that depend on when the query runs."""


@pytest.fixture(scope="module", name="lived")
def fixture_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("cloud"), PLAN, every_stream=True) as made:
        made.live(1)
        label_heard(made, tmp_path_factory.mktemp("labels"))
        made.live(2)
        yield made


@pytest.fixture(scope="module", name="saved")
def fixture_saved(lived: World, tmp_path_factory: pytest.TempPathFactory) -> SavedLake:
    folder = tmp_path_factory.mktemp("saved")
    # A second time replaces what the first one left.
    save_lake(lived.cloud.client, lived.outputs, folder)
    return save_lake(lived.cloud.client, lived.outputs, folder)


def test_every_table_is_there(lived: World, saved: SavedLake) -> None:
    assert saved.files == len(list(saved.tables.rglob("*.parquet")))
    with duckdb.connect(str(saved.database), read_only=True) as database:
        for table in TABLES:
            [[count]] = lived.query(f'SELECT count(*) FROM "{table}"').rows
            assert database.execute(f'SELECT count(*) FROM "{table}"').fetchall() == [(int(count or 0),)]


@pytest.mark.parametrize("view", VIEWS)
def test_view_answers_as_in_athena(lived: World, saved: SavedLake, view: str) -> None:
    check(lived, saved, f'SELECT * FROM "{view}"', f'SELECT * FROM "{view}"')


@pytest.mark.parametrize("name", NAMED)
def test_named_query_answers_as_in_athena(lived: World, saved: SavedLake, name: str) -> None:
    sql = (ROOT / "queries/named" / f"{name}.sql").read_text(encoding="utf-8")
    check(lived, saved, sql, f'SELECT * FROM queries."{name}"')


def test_report_has_the_same_answers_from_both(lived: World, saved: SavedLake) -> None:
    athena = AthenaWorkgroup(lived.cloud.client("athena"), lived.outputs)
    file = DuckdbFile(saved.database)
    asked: list[str] = []
    answers = athena.answers(QUERIES, asked.append)
    assert asked == list(QUERIES)
    for query in QUERIES:
        ours, theirs = file.rows(query), answers[query]
        assert [row.keys() for row in ours] == [row.keys() for row in theirs], query
        assert len(ours) == len(theirs), query


def test_labels_are_in_the_tables_and_views(lived: World) -> None:
    assert [
        row[1:] for row in lived.query("SELECT account_id, label, excluded FROM current_labels ORDER BY 3").rows
    ] == [
        ("favourite", "false"),
        (None, "true"),
    ]
    excluded = "SELECT count(*) FROM {} WHERE lower(artist_name) IN (SELECT subject FROM current_labels WHERE excluded)"
    [[plays]] = lived.query(excluded.format("plays")).rows
    assert int(plays or 0) > 0
    assert lived.query(excluded.format("listens")).rows == (("0",),)


def test_every_format_is_exported(lived: World, tmp_path: Path) -> None:
    target = Target("the cloud", lived.outputs, lived.cloud.client)

    export_lake(target, parse_formats("duckdb,parquet,csv,m3u"), tmp_path, replace=False, console=Console(quiet=True))

    [[listens]] = lived.query("SELECT count(*) FROM listens").rows
    with duckdb.connect() as database:
        found = database.execute("SELECT count(*) FROM read_csv(?)", [str(tmp_path / "csv/listens.csv")]).fetchall()
    assert found == [(int(listens or 0),)]
    [[playlists]] = lived.query("SELECT count(*) FROM current_playlists").rows
    # The saved tracks are one too.
    assert len(list((tmp_path / "playlists").iterdir())) == int(playlists or 0) + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["csv", "playlists", "spotify.duckdb", "tables"]
    assert sorted(path.stem for path in (tmp_path / "csv").iterdir()) == sorted(
        view for view in VIEWS if view.startswith("current_") or view == "listens"
    )


def check(lived: World, saved: SavedLake, athena: str, file: str) -> None:
    """Compare the rows of a query in Athena with those of one in the file, in any order."""
    answer = lived.query(athena)
    with duckdb.connect(str(saved.database), read_only=True) as database:
        found = database.execute(file)
        columns = [column[0] for column in found.description or ()]
        rows = found.fetchall()
    assert tuple(columns) == answer.columns
    kept = [index for index, column in enumerate(columns) if column not in MOVING]
    ours = [tuple(as_text(row[index]) for index in kept) for row in rows]
    theirs = [tuple(row[index] for index in kept) for row in answer.rows]
    assert sorted(ours, key=repr) == sorted(theirs, key=repr)


def as_text(value: object) -> str | None:
    return model.text(tuple(value) if isinstance(value, list) else value)
