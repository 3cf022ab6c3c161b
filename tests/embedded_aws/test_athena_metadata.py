"""The Glue catalog through Athena: its operations, SHOW and information_schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.embedded_aws.athena_lab import DATABASE, LAKE, Lab

CATALOG = "AwsDataCatalog"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("athena")
    with Lab(folder) as running:
        running.table("plays", {"id": "bigint", "price": "decimal(10,2)", "tags": "array<string>"})
        running.partition("plays", "2026-01-01")
        running.partition("plays", "2026-01-02")
        running.table("runs", {"id": "bigint"}, keys=())
        running.run("CREATE VIEW recent AS\nSELECT id FROM plays")
        yield running


@pytest.fixture
def athena(lab: Lab) -> Any:
    return lab.client("athena")


def test_the_account_has_its_own_catalog(athena: Any) -> None:
    summaries = athena.list_data_catalogs()["DataCatalogsSummary"]
    assert summaries == [{"CatalogName": CATALOG, "Type": "GLUE"}]
    found = athena.get_data_catalog(Name=CATALOG)["DataCatalog"]
    assert found == {"Name": CATALOG, "Type": "GLUE", "Parameters": {"catalog-id": "123456789012"}}
    with pytest.raises(athena.exceptions.InvalidRequestException, match="DataCatalog nosuch was not found"):
        athena.get_data_catalog(Name="nosuch")


def test_databases_are_those_of_glue(athena: Any) -> None:
    assert athena.list_databases(CatalogName=CATALOG)["DatabaseList"] == [{"Name": DATABASE}]
    assert athena.get_database(CatalogName=CATALOG, DatabaseName=DATABASE)["Database"] == {"Name": DATABASE}
    with pytest.raises(
        athena.exceptions.MetadataException, match=r"Schema 'nosuch' .*Error Code: EntityNotFoundException;"
    ):
        athena.get_database(CatalogName=CATALOG, DatabaseName="nosuch")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="AwsDataCatalog alone"):
        athena.list_databases(CatalogName="other")


def test_table_is_described_with_its_columns_keys_and_format(athena: Any) -> None:
    table = athena.get_table_metadata(CatalogName=CATALOG, DatabaseName=DATABASE, TableName="PLAYS")["TableMetadata"]
    assert table["Name"] == "plays"
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert abs((datetime.now(UTC) - table["CreateTime"]).total_seconds()) < 3600
    assert table["Columns"] == [
        {"Name": "id", "Type": "bigint"},
        {"Name": "price", "Type": "decimal(10,2)"},
        {"Name": "tags", "Type": "array<string>"},
    ]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert table["Parameters"]["classification"] == "parquet"
    assert table["Parameters"]["location"] == f"s3://{LAKE}/tables/plays/"
    assert table["Parameters"]["serde.serialization.lib"] == PARQUET
    with pytest.raises(athena.exceptions.MetadataException, match=r"Table .*Error Code: EntityNotFoundException;"):
        athena.get_table_metadata(CatalogName=CATALOG, DatabaseName=DATABASE, TableName="nosuch")


def test_tables_come_in_pages_and_by_name(athena: Any) -> None:
    pages = athena.get_paginator("list_table_metadata")

    def names(**given: Any) -> list[list[str]]:
        found = pages.paginate(CatalogName=CATALOG, DatabaseName=DATABASE, **given)
        return [[table["Name"] for table in page["TableMetadataList"]] for page in found]

    assert names() == [["plays", "recent", "runs"]]
    assert names(PaginationConfig={"PageSize": 2}) == [["plays", "recent"], ["runs"]]
    assert names(Expression="r*") == [["recent", "runs"]]
    with pytest.raises(athena.exceptions.InvalidRequestException, match="Invalid expression"):
        names(Expression="(")


@pytest.mark.parametrize(
    ("sql", "column", "lines", "kind"),
    [
        ("SHOW DATABASES", "database_name", [DATABASE], "SHOW_DATABASES"),
        ("SHOW SCHEMAS LIKE 'x*'", "database_name", [], "SHOW_DATABASES"),
        ("SHOW TABLES", "tab_name", ["plays", "recent", "runs"], "SHOW_TABLES"),
        (f"SHOW TABLES IN {DATABASE} 'r*'", "tab_name", ["recent", "runs"], "SHOW_TABLES"),
        ("SHOW VIEWS", "views", ["recent"], "SHOW_VIEWS"),
        ("SHOW COLUMNS IN plays", "field", ["id", "price", "tags", "dt"], "SHOW_COLUMNS"),
        (f"SHOW COLUMNS FROM runs IN {DATABASE}", "field", ["id"], "SHOW_COLUMNS"),
        ("SHOW PARTITIONS plays", "partition", ["dt=2026-01-01", "dt=2026-01-02"], "SHOW_PARTITIONS"),
        ("SHOW TBLPROPERTIES runs", "prpt_name", ["classification\tparquet"], "SHOW_TBLPROPERTIES"),
        (
            "SHOW CREATE VIEW recent",
            "Create View",
            [f"CREATE VIEW {DATABASE}.recent AS", "SELECT id FROM plays"],
            "SHOW_CREATE_VIEW",
        ),
    ],
)
def test_show_has_lines_without_a_header(lab: Lab, sql: str, column: str, lines: list[str], kind: str) -> None:
    execution = lab.run(sql)
    assert [line.rstrip() if line else line for (line,) in lab.pages(execution)] == lines
    assert (execution["StatementType"], execution["SubstatementType"]) == ("UTILITY", kind)
    results = lab.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert [one["Name"] for one in results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == [column]
    assert execution["ResultConfiguration"]["OutputLocation"].endswith(".txt")


def test_show_create_table_is_hives_statement(lab: Lab) -> None:
    written = "\n".join(str(line) for (line,) in lab.pages(lab.run("SHOW CREATE TABLE plays")))
    assert written == (
        "CREATE EXTERNAL TABLE `plays`(\n  `id` bigint, \n  `price` decimal(10,2), \n  `tags` array<string>)\n"
        f"PARTITIONED BY ( \n  `dt` string)\nROW FORMAT SERDE \n  '{PARQUET}' \nSTORED AS INPUTFORMAT \n"
        "  'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat' \nOUTPUTFORMAT \n"
        "  'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'\n"
        f"LOCATION\n  's3://{LAKE}/tables/plays/'\nTBLPROPERTIES (\n  'classification'='parquet')"
    )


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SHOW PARTITIONS runs", "is not a partitioned table"),
        ("SHOW CREATE VIEW runs", "is a table, not a view"),
        ("SHOW CREATE TABLE recent", "is a view, not a table"),
        ("SHOW COLUMNS IN nosuch", "TABLE_NOT_FOUND"),
    ],
)
def test_show_of_something_else_fails(lab: Lab, sql: str, reason: str) -> None:
    status = lab.run(sql)["Status"]
    assert status["State"] == "FAILED"
    assert reason in status["StateChangeReason"]


def test_information_schema_is_the_catalog_as_it_is_now(lab: Lab) -> None:
    tables = (
        f"SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = '{DATABASE}' ORDER BY 1"
    )
    assert lab.query(tables) == [("plays", "BASE TABLE"), ("recent", "VIEW"), ("runs", "BASE TABLE")]
    lab.run("CREATE VIEW other AS SELECT id FROM runs")
    assert ("other", "VIEW") in lab.query(tables)
    lab.run("DROP VIEW other")
    assert ("other", "VIEW") not in lab.query(tables)
    columns = (
        "SELECT column_name, ordinal_position, data_type FROM information_schema.columns WHERE table_name = 'plays'"
    )
    assert lab.query(f"{columns} ORDER BY ordinal_position") == [
        ("id", "1", "bigint"),
        ("price", "2", "decimal(10,2)"),
        ("tags", "3", "array(varchar)"),
        ("dt", "4", "varchar"),
    ]
    views = "SELECT v.view_definition FROM awsdatacatalog.information_schema.views AS v WHERE v.table_name = 'recent'"
    assert lab.query(views) == [("SELECT id FROM plays",)]
    assert lab.run("SELECT count(*) FROM information_schema.tables")["Statistics"]["DataScannedInBytes"] == 0
    assert "TABLE_NOT_FOUND" in lab.run("SELECT 1 FROM information_schema.nosuch")["Status"]["StateChangeReason"]
