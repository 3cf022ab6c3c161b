"""Missing tables and columns are added to the catalog in the crawler's form; a type never changes."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from handlers.publish import handler as publish
from handlers.publish.catalog import GlueDatabase
from handlers.publish.handler import PublishError
from handlers.tables import TABLES
from tests.embedded_aws.athena_lab import DATABASE, LAKE
from tests.handlers.publish.conftest import Publisher


@pytest.fixture(autouse=True)
def _one_view(views: Path) -> None:
    (views / "one.sql").write_text("-- One.\nSELECT 1 AS x\n")


def table(publisher: Publisher, name: str) -> dict[str, Any]:
    found: dict[str, Any] = publisher.lab.client("glue").get_table(DatabaseName=DATABASE, Name=name)["Table"]
    return found


def partitions(publisher: Publisher, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = publisher.lab.client("glue").get_partitions(DatabaseName=DATABASE, TableName=name)[
        "Partitions"
    ]
    return found


def change(publisher: Publisher, name: str, columns: list[dict[str, str]]) -> None:
    kept = {
        key: value
        for key, value in table(publisher, name).items()
        if key in {"Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor"}
    }
    kept["StorageDescriptor"]["Columns"] = columns
    publisher.lab.client("glue").update_table(DatabaseName=DATABASE, TableInput=kept)


def test_every_table_is_created_as_a_crawler_creates_it(publisher: Publisher) -> None:
    assert publisher.run()["tables_created"] == list(TABLES)
    plays = table(publisher, "plays")
    assert plays["TableType"] == "EXTERNAL_TABLE"
    form = {"classification": "parquet", "compressionType": "none", "typeOfData": "file"}
    assert plays["Parameters"] == form
    assert plays["PartitionKeys"] == [{"Name": "month", "Type": "string"}]
    descriptor = plays["StorageDescriptor"]
    assert descriptor["Location"] == f"s3://{LAKE}/tables/plays/"
    assert descriptor["InputFormat"].endswith(".parquet.MapredParquetInputFormat")
    assert descriptor["OutputFormat"].endswith(".parquet.MapredParquetOutputFormat")
    assert descriptor["SerdeInfo"]["SerializationLibrary"].endswith(".parquet.serde.ParquetHiveSerDe")
    assert descriptor["Parameters"] == form
    assert [(one["Name"], one["Type"]) for one in descriptor["Columns"]] == [
        (one.name, one.type) for one in TABLES["plays"].all_columns
    ]


@pytest.mark.usefixtures("few_tables")
def test_a_missing_column_is_appended_and_everything_else_stays(publisher: Publisher) -> None:
    publisher.run()
    columns = table(publisher, "artists")["StorageDescriptor"]["Columns"]
    kept = [one for one in columns if one["Name"] not in {"artist_id", "_line"}]
    change(publisher, "artists", [*kept, {"Name": "extra", "Type": "double"}])
    summary = publisher.run()
    assert summary["columns_added"] == {"artists": ["artist_id", "_line"]}
    assert summary["tables_created"] == []
    changed = table(publisher, "artists")
    assert changed["StorageDescriptor"]["Columns"] == [
        *kept,
        {"Name": "extra", "Type": "double"},
        {"Name": "artist_id", "Type": "string"},
        {"Name": "_line", "Type": "bigint"},
    ]
    assert changed["StorageDescriptor"]["Location"] == f"s3://{LAKE}/tables/artists/"


@pytest.mark.usefixtures("few_tables")
def test_a_different_type_is_reported_and_left_alone(publisher: Publisher) -> None:
    publisher.run()
    columns = table(publisher, "artists")["StorageDescriptor"]["Columns"]
    wrong = [{**one, "Type": "int"} if one["Name"] == "_line" else one for one in columns]
    change(publisher, "artists", wrong)
    with pytest.raises(PublishError, match=r"artists\._line is int in the catalog and bigint in the files"):
        publisher.run()
    assert table(publisher, "artists")["StorageDescriptor"]["Columns"] == wrong


@pytest.mark.usefixtures("few_tables")
def test_different_partition_keys_are_reported(publisher: Publisher) -> None:
    publisher.lab.table("tracks", {}, keys=("year",))
    with pytest.raises(PublishError, match="tracks is not partitioned by month"):
        publisher.run()


@pytest.mark.usefixtures("few_tables")
def test_a_view_in_the_place_of_a_table_is_reported(publisher: Publisher) -> None:
    publisher.lab.run("CREATE VIEW albums AS SELECT 1 AS x")
    with pytest.raises(PublishError, match="albums is a view but should be a table"):
        publisher.run()


@pytest.mark.usefixtures("few_tables")
def test_a_table_that_the_crawler_gave_up_is_reported(publisher: Publisher) -> None:
    publisher.run()
    glue = publisher.lab.client("glue")
    stored = {
        key: value
        for key, value in table(publisher, "tracks").items()
        if key in ("Name", "StorageDescriptor", "TableType")
    }
    glue.update_table(
        DatabaseName=DATABASE, TableInput={**stored, "Parameters": {"DEPRECATED_BY_CRAWLER": "1764000000000"}}
    )
    with pytest.raises(PublishError, match="the crawler has marked tracks as deprecated, so it gets no new partitions"):
        publisher.run()


@pytest.mark.usefixtures("few_tables")
@pytest.mark.parametrize("crawled", [False, True])
def test_a_table_with_the_earlier_partition_key_gets_the_present_one_and_keeps_its_partitions(
    publisher: Publisher, *, crawled: bool
) -> None:
    before = {"artist_id": "string", "_line": "bigint"}
    lab = publisher.lab
    lab.table("artists", before, keys=("dt",))
    for day in ("2026-10-31", "2026-11-23"):
        lab.partition("artists", day, keys=("dt",))
    lab.put("tables/artists/dt=2026-11-23/old.parquet", {"artist_id": ["a1"], "_line": [1]})
    if crawled:
        # A crawl between the deployment of its settings and that of publish met folders of both keys.
        lab.partition("artists", "2026-11", keys=("month",))
        glue = lab.client("glue")
        kept = ("Name", "StorageDescriptor", "TableType", "PartitionKeys")
        stored = {key: value for key, value in table(publisher, "artists").items() if key in kept}
        parameters = {"classification": "parquet", "DEPRECATED_BY_CRAWLER": "1764000000000"}
        glue.update_table(DatabaseName=DATABASE, TableInput={**stored, "Parameters": parameters})

    with time_machine.travel("2027-02-01T00:30:00Z", tick=False):
        summary = publisher.run()

    assert summary["partition_keys_renamed"] == {"artists": "month"}
    found = table(publisher, "artists")
    assert found["PartitionKeys"] == [{"Name": "month", "Type": "string"}]
    assert {one["Name"]: one["Type"] for one in found["StorageDescriptor"]["Columns"]} == {
        one.name: one.type for one in TABLES["artists"].all_columns
    }
    assert {tuple(one["Values"]): one["StorageDescriptor"]["Location"] for one in partitions(publisher, "artists")} == {
        (folder.partition("=")[2],): f"s3://{LAKE}/tables/artists/{folder}/"
        for folder in ("dt=2026-10-31", "dt=2026-11-23", "month=2026-10", "month=2026-11", "month=2027-02")
    }
    assert summary["partitions_registered"]["artists"] == [
        month for month in ("2026-10", "2026-11", "2027-02") if not (crawled and month == "2026-11")
    ]
    lab.put("tables/artists/month=2026-11/new.parquet", {"artist_id": ["a2"], "_line": [1], "dt": ["2026-11-24"]})
    assert sorted(lab.query("SELECT artist_id, dt, month FROM artists")) == [
        ("a1", None, "2026-11-23"),
        ("a2", "2026-11-24", "2026-11"),
    ]
    assert publisher.run()["partition_keys_renamed"] == {}
    assert "UpdateTable" not in publisher.calls


@pytest.mark.parametrize("earlier", ["dt", "month"])
def test_a_table_by_year_may_have_been_one_by_day_or_month(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, earlier: str
) -> None:
    monkeypatch.setattr(publish, "TABLES", {"rejected_records": TABLES["rejected_records"]})
    publisher.lab.table("rejected_records", {"_line": "bigint"}, keys=(earlier,))
    value = "2026-11-23"[: 10 if earlier == "dt" else 7]
    publisher.lab.partition("rejected_records", value, keys=(earlier,))
    publisher.lab.put(f"tables/rejected_records/{earlier}={value}/old.parquet", {"_line": [1]})

    with time_machine.travel("2027-02-01T00:30:00Z", tick=False):
        assert publisher.run()["partition_keys_renamed"] == {"rejected_records": "year"}

    assert table(publisher, "rejected_records")["PartitionKeys"] == [{"Name": "year", "Type": "string"}]
    assert {one["Values"][0] for one in partitions(publisher, "rejected_records")} == {value, "2026", "2027"}
    publisher.lab.put("tables/rejected_records/year=2026/new.parquet", {"_line": [2], "dt": ["2026-11-24"]})
    assert sorted(publisher.lab.query("SELECT CAST(_line AS varchar), dt, year FROM rejected_records")) == [
        ("1", None, value),
        ("2", "2026-11-24", "2026"),
    ]


@pytest.mark.parametrize(
    ("today", "months", "years"),
    [
        ("2026-12-01", ["2026-12"], ["2026"]),
        ("2026-12-24", ["2026-12"], ["2026"]),
        ("2026-12-25", ["2026-12", "2027-01"], ["2026", "2027"]),
        ("2028-02-23", ["2028-02", "2028-03"], ["2028"]),
    ],
)
def test_partitions_are_there_before_their_first_rows(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, today: str, months: list[str], years: list[str]
) -> None:
    monkeypatch.setattr(publish, "TABLES", {name: TABLES[name] for name in ("artists", "runs")})
    with time_machine.travel(f"{today}T23:59:00Z", tick=False):
        summary = publisher.run()

    assert summary["partitions_registered"] == {"artists": months, "runs": years}
    assert [one["StorageDescriptor"]["Location"] for one in partitions(publisher, "artists")] == [
        f"s3://{LAKE}/tables/artists/month={month}/" for month in months
    ]
    publisher.lab.put(f"tables/artists/month={months[-1]}/a.parquet", {"artist_id": ["a1"], "_line": [1]})
    assert publisher.lab.query("SELECT artist_id, month FROM artists") == [("a1", months[-1])]


@pytest.mark.usefixtures("few_tables")
@pytest.mark.parametrize("code", ["EntityNotFoundException", "OperationTimeoutException"])
def test_a_refused_registration_ends_nothing_else(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    glue = publisher.lab.client("glue")
    create = glue.batch_create_partition

    def refuse(**request: Any) -> Any:
        if request["TableName"] == "artists":
            raise ClientError({"Error": {"Code": code, "Message": "Not now"}}, "BatchCreatePartition")
        return create(**request)

    monkeypatch.setattr(glue, "batch_create_partition", refuse)
    reason = rf"^1 not published: artists has no partition 2026-12 yet: .*{code}.*Not now$"
    with time_machine.travel("2026-12-01T06:45:00Z", tick=False), pytest.raises(PublishError, match=reason):
        publisher.run()
    assert [one["Values"] for one in partitions(publisher, "tracks")] == [["2026-12"]]
    assert publisher.lab.query("SELECT x FROM one") == [("1",)]


@pytest.mark.usefixtures("few_tables")
def test_a_table_is_not_renamed_before_its_new_partitions_are_registered(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.lab.table("artists", {"artist_id": "string", "_line": "bigint"}, keys=("dt",))
    publisher.lab.partition("artists", "2026-10-31", keys=("dt",))
    glue = publisher.lab.client("glue")
    calls: list[dict[str, Any]] = []
    create, update = glue.batch_create_partition, glue.update_table

    def recorded(operation: Any, request: dict[str, Any]) -> Any:
        calls.append(request)
        return operation(**request)

    monkeypatch.setattr(glue, "batch_create_partition", lambda **request: recorded(create, request))
    monkeypatch.setattr(glue, "update_table", lambda **request: recorded(update, request))
    publisher.run()
    tables = [request.get("TableName") or request["TableInput"]["Name"] for request in calls]
    first, second, *_ = (request for request, table in zip(calls, tables, strict=True) if table == "artists")
    assert [one["Values"] for one in first["PartitionInputList"]] == [["2026-10"]]
    assert second["TableInput"]["PartitionKeys"] == [{"Name": "month", "Type": "string"}]


@pytest.mark.usefixtures("few_tables")
def test_a_table_keeps_its_earlier_key_until_its_new_partitions_are_registered(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.lab.table("artists", {"artist_id": "string", "_line": "bigint"}, keys=("dt",))
    publisher.lab.partition("artists", "2026-10-31", keys=("dt",))

    def refuse(**_: Any) -> Any:
        raise ClientError(
            {"Error": {"Code": "OperationTimeoutException", "Message": "Not now"}}, "BatchCreatePartition"
        )

    with monkeypatch.context() as patch:
        patch.setattr(publisher.lab.client("glue"), "batch_create_partition", refuse)
        with pytest.raises(PublishError, match=r"artists has no partition 2026-10 yet"):
            publisher.run()
    assert table(publisher, "artists")["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    with time_machine.travel("2026-12-01T06:45:00Z", tick=False):
        assert publisher.run()["partition_keys_renamed"] == {"artists": "month"}
    assert [one["Values"] for one in partitions(publisher, "artists")] == [["2026-10-31"], ["2026-10"], ["2026-12"]]


@pytest.mark.usefixtures("few_tables")
def test_a_partition_that_glue_does_not_accept_is_reported(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    glue = publisher.lab.client("glue")
    create = glue.batch_create_partition

    def refuse(**request: Any) -> Any:
        if request["TableName"] != "tracks":
            return create(**request)
        [values] = [one["Values"] for one in request["PartitionInputList"]]
        detail = {"ErrorCode": "ResourceNumberLimitExceededException", "ErrorMessage": "Too many partitions"}
        return {"Errors": [{"PartitionValues": values, "ErrorDetail": detail}]}

    monkeypatch.setattr(glue, "batch_create_partition", refuse)
    with (
        time_machine.travel("2026-12-01T06:45:00Z", tick=False),
        pytest.raises(
            PublishError, match=r"^1 not published: tracks has no partition 2026-12 yet: Too many partitions$"
        ),
    ):
        publisher.run()
    assert [one["Values"] for one in partitions(publisher, "albums")] == [["2026-12"]]


@pytest.mark.usefixtures("few_tables")
def test_a_table_that_the_crawler_made_beside_another_is_reported(publisher: Publisher) -> None:
    publisher.run()
    publisher.lab.table("tracks_0123456789abcdef0123456789abcdef", {"x": "string"})
    publisher.lab.table("tracks_of_my_own", {"x": "string"})
    with pytest.raises(PublishError, match=r"^1 not published: the crawler has made tracks_0123456789abcdef") as raised:
        publisher.run()
    assert "tracks_of_my_own" not in str(raised.value)


@pytest.mark.usefixtures("few_tables")
def test_a_table_of_somebody_else_is_reported_and_left_alone(publisher: Publisher) -> None:
    publisher.lab.table("tracks", {"x": "string"}, keys=("dt",))
    glue = publisher.lab.client("glue")
    kept = ("Name", "StorageDescriptor", "TableType", "PartitionKeys")
    stored = {key: value for key, value in table(publisher, "tracks").items() if key in kept}
    elsewhere = {**stored["StorageDescriptor"], "Location": "s3://elsewhere/tracks"}
    glue.update_table(DatabaseName=DATABASE, TableInput={**stored, "StorageDescriptor": elsewhere})

    message = (
        rf"^1 not published: tracks is somebody else's table, with files in s3://elsewhere/tracks instead of "
        rf"s3://{LAKE}/tables/tracks/: delete it in Glue"
    )
    with pytest.raises(PublishError, match=message):
        publisher.run()
    assert table(publisher, "tracks")["StorageDescriptor"]["Columns"] == [{"Name": "x", "Type": "string"}]


@pytest.mark.usefixtures("few_tables")
def test_a_table_that_a_crawl_changes_at_the_same_time_keeps_both_changes(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.run()
    columns = table(publisher, "artists")["StorageDescriptor"]["Columns"]
    kept = [one for one in columns if one["Name"] not in {"artist_id", "_line"}]
    change(publisher, "artists", kept)
    glue = publisher.lab.client("glue")
    update = glue.update_table
    waits: list[float] = []

    def crawl_first(**request: Any) -> Any:
        if not waits:
            monkeypatch.setattr(glue, "update_table", update)
            change(publisher, "artists", [*kept, {"Name": "_line", "Type": "bigint"}])
            raise glue.exceptions.ConcurrentModificationException({}, "UpdateTable")
        return update(**request)

    monkeypatch.setattr(glue, "update_table", crawl_first)
    monkeypatch.setattr(time, "sleep", lambda seconds: waits.append(seconds) if seconds >= 1 else None)
    publisher.run()
    assert waits == [1]
    assert table(publisher, "artists")["StorageDescriptor"]["Columns"] == [
        *kept,
        {"Name": "_line", "Type": "bigint"},
        {"Name": "artist_id", "Type": "string"},
    ]


@pytest.mark.usefixtures("few_tables")
def test_a_table_that_a_crawl_creates_at_the_same_time_gets_its_columns(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    glue = publisher.lab.client("glue")
    create = glue.create_table

    def crawl_first(**request: Any) -> Any:
        table = request["TableInput"]
        if table["Name"] == "plays":
            descriptor = {**table["StorageDescriptor"], "Columns": [{"Name": "source", "Type": "string"}]}
            create(DatabaseName=DATABASE, TableInput={**table, "StorageDescriptor": descriptor})
        return create(**request)

    monkeypatch.setattr(glue, "create_table", crawl_first)
    summary = publisher.run()
    assert "plays" not in summary["tables_created"]
    assert "item_uri" in summary["columns_added"]["plays"]


def test_an_update_sends_back_only_what_it_accepts_in_the_form_that_it_was_returned(publisher: Publisher) -> None:
    returned = {"Name": "x", "Retention": 0, "CreatedBy": "crawler", "ViewDefinition": {"IsProtected": True}}
    database = GlueDatabase(publisher.lab.client("glue"), DATABASE)

    assert database._table_input(returned) == {"Name": "x", "Retention": 0}


@pytest.mark.usefixtures("few_tables")
def test_a_second_run_changes_nothing(publisher: Publisher) -> None:
    publisher.run()
    assert publisher.calls.count("CreateTable") == 4
    assert publisher.run() == {
        "tables_created": [],
        "columns_added": {},
        "partition_keys_renamed": {},
        "partitions_registered": {},
        "views_created": [],
        "views_unchanged": 1,
    }
    assert publisher.calls == ["GetTables", *["BatchCreatePartition"] * 4]


def refusing(publisher: Publisher, monkeypatch: pytest.MonkeyPatch, times: int) -> list[float]:
    """Let Glue refuse to list tables for a number of times, and return the waits that follow."""
    glue = publisher.lab.client("glue")
    ask, left = glue.get_paginator, iter(range(times))
    waits: list[float] = []

    def get_paginator(operation: str) -> Any:
        if next(left, None) is not None:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform: glue:GetTables"}},
                "GetTables",
            )
        return ask(operation)

    monkeypatch.setattr(glue, "get_paginator", get_paginator)
    # Athena's answers are waited for too, but never as long.
    monkeypatch.setattr(time, "sleep", lambda seconds: waits.append(seconds) if seconds >= 5 else None)
    return waits


@pytest.mark.usefixtures("few_tables")
def test_a_deployment_waits_for_its_permissions(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = refusing(publisher, monkeypatch, 2)
    assert len(publisher.run(trigger="deployment")["tables_created"]) == 4
    assert waits == [5, 10]


@pytest.mark.usefixtures("few_tables")
@pytest.mark.parametrize(("trigger", "waits"), [("deployment", [5, 10, 20, 40]), ("schedule", [])])
def test_a_permission_that_is_really_missing_is_an_error(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, trigger: str, waits: list[int]
) -> None:
    waited = refusing(publisher, monkeypatch, 5)
    with pytest.raises(ClientError, match="not authorized to perform: glue:GetTables"):
        publisher.run(trigger=trigger)
    assert waited == waits


@pytest.mark.usefixtures("few_tables")
def test_a_deployment_waits_for_nothing_but_permissions(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = refusing(publisher, monkeypatch, 0)
    publisher.lab.run("CREATE VIEW albums AS SELECT 1 AS x")
    with pytest.raises(PublishError, match="albums is a view but should be a table"):
        publisher.run(trigger="deployment")
    assert waits == []


@pytest.mark.usefixtures("few_tables")
def test_a_deployment_sums_up_what_all_its_tries_have_done(
    publisher: Publisher, views: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (views / "one.sql").write_text("SELECT 1 AS x")
    (views / "two.sql").write_text("SELECT 2 AS x")
    waits = refusing(publisher, monkeypatch, 0)
    tries: Counter[str] = Counter()

    def refuse_once(service: str, call: str, word: str) -> None:
        client = publisher.lab.client(service)
        allowed = getattr(client, call)

        def refuse(**arguments: Any) -> Any:
            tries[call] += word in str(arguments)
            if word in str(arguments) and tries[call] == 1:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "Access denied"}}, call)
            return allowed(**arguments)

        monkeypatch.setattr(client, call, refuse)

    # The first try ends after two tables, the second one has a view that failed, and the third has that view to do.
    refuse_once("glue", "create_table", "plays")
    refuse_once("athena", "start_query_execution", 'VIEW "two"')

    with time_machine.travel("2026-12-01T06:45:00Z", tick=False):
        summary = publisher.run(trigger="deployment")
    assert summary == {
        "tables_created": ["albums", "artists", "plays", "tracks"],
        "columns_added": {},
        "partition_keys_renamed": {},
        "partitions_registered": {name: ["2026-12"] for name in ("albums", "artists", "plays", "tracks")},
        "views_created": ["one", "two"],
        "views_unchanged": 0,
    }
    assert waits == [5, 10]
