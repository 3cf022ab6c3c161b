"""Views are published in dependency order, and only where something changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.publish import views as published_views
from handlers.publish.handler import PublishError
from handlers.publish.views import ViewError
from handlers.tables import TABLES
from tests.embedded_aws.athena_lab import DATABASE
from tests.handlers.publish.conftest import Publisher
from tests.thoroughness import sampled

pytestmark = pytest.mark.usefixtures("few_tables")


def write(folder: Path, **files: str) -> None:
    for name, sql in files.items():
        (folder / f"{name}.sql").write_text(sql)


def test_views_come_after_those_they_read(publisher: Publisher, views: Path) -> None:
    write(
        views,
        a_last="-- Reads b_middle.\nWITH x AS (SELECT n FROM b_middle) SELECT n FROM x",
        b_middle='SELECT count(*) AS n FROM "c_first" CROSS JOIN artists',
        c_first="SELECT 'from a_last, b_middle' AS text /* join a_last */",
    )
    assert publisher.run()["views_created"] == ["c_first", "b_middle", "a_last"]
    assert publisher.lab.query("SELECT n FROM a_last") == [("0",)]
    view = publisher.lab.client("glue").get_table(DatabaseName=DATABASE, Name="a_last")["Table"]
    assert view["Description"] == "Reads b_middle."
    assert view["Parameters"]["presto_view"] == "true"


def test_views_that_do_not_read_each_other_are_created_together(
    publisher: Publisher, views: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.publish.athena._AT_ONCE", 2)
    write(views, a="SELECT 1 AS x", b="SELECT 2 AS x", c="SELECT 3 AS x", reader="SELECT a.x FROM a, b, c")
    assert publisher.run()["views_created"] == ["a", "b", "c", "reader"]
    calls = [call.removesuffix("QueryExecution") for call in publisher.calls if call.endswith("QueryExecution")]
    in_order = [call for call, before in zip(calls, ["", *calls], strict=False) if call != "Get" or before != "Get"]
    assert in_order == ["Start", "Start", "Get", "Start", "Get", "Start", "Get"]
    assert publisher.lab.query("SELECT x FROM reader") == [("1",)]


def test_a_comma_joins_too(views: Path) -> None:
    write(views, a="SELECT 1 AS x FROM artists AS r, z", z="SELECT 1 AS y")
    assert [one.name for one in published_views.load("UTC", views)] == ["z", "a"]


def test_the_time_zone_is_filled_in(publisher: Publisher, views: Path) -> None:
    write(views, local="SELECT CAST(TIMESTAMP '2026-07-01 12:00:00' AT TIME ZONE '${timezone}' AS timestamp) AS at")
    publisher.run()
    assert publisher.lab.query("SELECT at FROM local") == [("2026-07-01 14:00:00.000",)]


def test_another_time_zone_publishes_only_the_views_that_hold_it_and_their_readers(
    publisher: Publisher, views: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(views, zone="SELECT '${timezone}' AS name", reader="SELECT name FROM zone", other="SELECT 1 AS x")
    publisher.run()
    monkeypatch.setenv("TIMEZONE", "Asia/Tokyo")
    summary = publisher.run()
    assert summary["views_created"] == ["zone", "reader"]
    assert summary["views_unchanged"] == 1
    assert publisher.lab.query("SELECT name FROM reader") == [("Asia/Tokyo",)]


@pytest.mark.parametrize(
    "zone", sampled(["", "Europe/Berlin' --", "a b", "../x", "Europe//Berlin"], ["Europe/Berlin' --"])
)
def test_an_invalid_time_zone_never_becomes_sql(
    publisher: Publisher, views: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    write(views, local="SELECT '${timezone}' AS zone")
    monkeypatch.setenv("TIMEZONE", zone)
    with pytest.raises(ViewError, match="must be an IANA time zone"):
        publisher.run()
    assert "StartQueryExecution" not in publisher.calls


def test_a_failure_stops_only_the_views_that_read_it(publisher: Publisher, views: Path) -> None:
    write(
        views,
        broken="SELECT nosuch FROM artists",
        reader="SELECT * FROM broken",
        readers_reader="SELECT * FROM reader",
        sound="SELECT count(*) AS n FROM artists",
    )
    with pytest.raises(PublishError) as error:
        publisher.run()
    message = str(error.value)
    assert message.startswith("3 not published: view broken: COLUMN_NOT_FOUND: line 3:8: Column 'nosuch'") or (
        "view broken: COLUMN_NOT_FOUND" in message
    )
    assert "view reader: It reads broken, which failed" in message
    assert "view readers_reader: It reads reader, which failed" in message
    assert publisher.lab.query("SELECT n FROM sound") == [("0",)]
    write(views, broken="SELECT artist_id FROM artists")
    assert publisher.run()["views_created"] == ["broken", "reader", "readers_reader"]


def test_a_view_that_somebody_replaced_is_created_again(publisher: Publisher, views: Path) -> None:
    write(views, one="SELECT 1 AS x", two="SELECT 2 AS x")
    publisher.run()
    publisher.lab.run("CREATE OR REPLACE VIEW one AS SELECT 100 AS x")
    assert publisher.run()["views_created"] == ["one"]
    assert publisher.lab.query("SELECT x FROM one") == [("1",)]


def test_a_new_column_creates_the_views_over_the_table_again(publisher: Publisher, views: Path) -> None:
    write(views, everything="SELECT * FROM artists", other="SELECT album_id FROM albums")
    publisher.run()
    glue = publisher.lab.client("glue")
    table = glue.get_table(DatabaseName=DATABASE, Name="artists")["Table"]
    kept: dict[str, Any] = {
        key: table[key] for key in ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    }
    kept["StorageDescriptor"]["Columns"].append({"Name": "extra", "Type": "double"})
    glue.update_table(DatabaseName=DATABASE, TableInput=kept)
    assert publisher.run()["views_created"] == ["everything"]
    assert publisher.lab.query("SELECT count(extra) FROM everything") == [("0",)]


def test_a_cycle_is_named(views: Path) -> None:
    write(views, a="SELECT * FROM b", b="SELECT * FROM a")
    with pytest.raises(ViewError, match=r"cycle: a → b → a|cycle: b → a → b"):
        published_views.load("UTC", views)


@pytest.mark.parametrize("sql", ["SELECT '${zone}' AS x", "SELECT '^a$' AS x"])
def test_other_placeholders_are_errors(views: Path, sql: str) -> None:
    write(views, a=sql)
    with pytest.raises(ViewError, match=r"a\.sql has a placeholder other than \$\{timezone\}"):
        published_views.load("UTC", views)


def test_an_archive_without_views_is_an_error(views: Path) -> None:
    with pytest.raises(ViewError, match="There are no views"):
        published_views.load("UTC", views)


def test_a_statement_that_athena_cancels_is_a_failure_with_its_reason(
    publisher: Publisher, views: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(views, one="SELECT 1 AS x")
    states = iter(["QUEUED", "RUNNING", "CANCELLED"])
    waits: list[float] = []
    monkeypatch.setattr("handlers.publish.athena.time.sleep", waits.append)

    def state(**_: str) -> dict[str, Any]:
        return {"QueryExecution": {"Status": {"State": next(states), "StateChangeReason": "Cancelled by admin"}}}

    monkeypatch.setattr(publisher.lab.client("athena"), "get_query_execution", state)
    with pytest.raises(PublishError, match="view one: Cancelled by admin"):
        publisher.run()
    assert waits == [0.1, 0.2]


@pytest.mark.parametrize(
    ("service", "call", "operation"),
    [("athena", "start_query_execution", "StartQueryExecution"), ("glue", "update_table", "UpdateTable")],
)
def test_an_aws_error_for_one_view_stops_no_other(
    publisher: Publisher, views: Path, monkeypatch: pytest.MonkeyPatch, service: str, call: str, operation: str
) -> None:
    write(views, one="SELECT 1 AS x", reader="SELECT x FROM one", sound="SELECT 2 AS x")
    client = publisher.lab.client(service)
    allowed = getattr(client, call)

    def refuse(**arguments: Any) -> Any:
        if 'VIEW "one"' in arguments.get("QueryString", "") or arguments.get("TableInput", {}).get("Name") == "one":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, operation)
        return allowed(**arguments)

    monkeypatch.setattr(client, call, refuse)
    with pytest.raises(PublishError, match=rf"2 not published: view one: .*{operation} operation: Rate exceeded"):
        publisher.run()
    assert publisher.lab.query("SELECT x FROM sound") == [("2",)]


@pytest.mark.slow
def test_every_view_of_the_project_is_published(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.publish.handler.TABLES", TABLES)
    files = {path.stem for path in published_views.FOLDER.glob("*.sql")}
    assert files
    assert set(publisher.run()["views_created"]) == files
    for view in files:
        assert publisher.lab.run(f'SELECT * FROM "{view}"')["Status"]["State"] == "SUCCEEDED"
