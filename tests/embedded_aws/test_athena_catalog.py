"""What Athena sees: tables, partitions and views in the Glue catalog, objects in S3."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.embedded_aws.athena_lab import DATABASE, LAKE, Lab, QueryFailedError


@pytest.fixture
def lab(one_lab: Lab) -> Lab:
    one_lab.empty()
    one_lab.table("plays", {"item": "string", "ms": "bigint"})
    return one_lab


def test_an_object_outside_the_registered_partitions_is_invisible(lab: Lab) -> None:
    lab.put("tables/plays/dt=2026-01-01/a.parquet", {"item": ["a"]})
    lab.put("tables/plays/dt=2026-01-02/b.parquet", {"item": ["b"]})
    assert lab.query("SELECT count(*) FROM plays") == [("0",)]
    lab.partition("plays", "2026-01-02")
    assert lab.query("SELECT item, dt FROM plays") == [("b", "2026-01-02")]


def test_a_partition_excludes_others_whose_names_start_with_its_own(lab: Lab) -> None:
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"]})
    lab.put("tables/plays/dt=10/b.parquet", {"item": ["b"]})
    lab.partition("plays", "1")
    assert lab.query("SELECT item FROM plays") == [("a",)]


def test_new_changed_and_deleted_objects_are_noticed(lab: Lab) -> None:
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"], "ms": [1]})
    assert lab.query("SELECT item, ms FROM plays") == [("a", "1")]
    lab.put("tables/plays/dt=1/b.parquet", {"item": ["b"], "ms": [2]})
    assert lab.query("SELECT sum(ms) FROM plays") == [("3",)]
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"], "ms": [10]})
    assert lab.query("SELECT sum(ms) FROM plays") == [("12",)]
    lab.client("s3").delete_object(Bucket=LAKE, Key="tables/plays/dt=1/b.parquet")
    assert lab.query("SELECT item FROM plays") == [("a",)]


def test_a_deleted_object_of_a_versioned_bucket_is_gone(lab: Lab) -> None:
    lab.client("s3").put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"]})
    lab.client("s3").delete_object(Bucket=LAKE, Key="tables/plays/dt=1/a.parquet")
    assert lab.query("SELECT item FROM plays") == []


def test_columns_are_read_by_name_and_a_missing_one_is_null(lab: Lab) -> None:
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"other": [True], "ms": [1], "Item": ["a"]})
    lab.put("tables/plays/dt=1/b.parquet", {"ms": [2]})
    assert lab.query("SELECT * FROM plays ORDER BY ms") == [("a", "1", "1"), (None, "2", "1")]


def test_a_column_added_to_the_catalog_appears(lab: Lab) -> None:
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"], "platform": ["web"]})
    with pytest.raises(QueryFailedError, match="COLUMN_NOT_FOUND"):
        lab.query("SELECT platform FROM plays")
    lab.columns("plays", {"item": "string", "ms": "bigint", "platform": "string"})
    assert lab.query("SELECT platform FROM plays") == [("web",)]


def test_narrower_numbers_are_widened(lab: Lab) -> None:
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"ms": pa.array([7], pa.int32())})
    assert lab.query("SELECT ms FROM plays") == [("7",)]


def test_a_column_of_another_type_fails_only_the_queries_that_read_it(lab: Lab) -> None:
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"], "ms": ["text"]})
    assert lab.query("SELECT item FROM plays") == [("a",)]
    with pytest.raises(QueryFailedError, match=r"HIVE_BAD_DATA: Field ms's type string .* bigint .*dt=1/a.parquet"):
        lab.query("SELECT ms FROM plays")


def test_an_object_that_is_not_parquet_fails_the_query(lab: Lab) -> None:
    lab.partition("plays", "1")
    lab.client("s3").put_object(Bucket=LAKE, Key="tables/plays/dt=1/a.parquet", Body=b"not parquet")
    with pytest.raises(QueryFailedError, match="HIVE_BAD_DATA: Not valid Parquet file"):
        lab.query("SELECT count(*) FROM plays")
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a"]})
    assert lab.query("SELECT item FROM plays") == [("a",)]


def test_hidden_and_empty_objects_are_ignored(lab: Lab) -> None:
    lab.partition("plays", "1")
    for key in ("_SUCCESS", ".part", "empty"):
        body = b"" if key == "empty" else b"x"
        lab.client("s3").put_object(Bucket=LAKE, Key=f"tables/plays/dt=1/{key}", Body=body)
    assert lab.query("SELECT count(*) FROM plays") == [("0",)]


def test_partition_values_are_strings_whatever_they_look_like(lab: Lab) -> None:
    lab.partition("plays", "2026-01-01")
    lab.put("tables/plays/dt=2026-01-01/a.parquet", {"item": ["a"]})
    columns = lab.run("SELECT dt FROM plays")
    info = lab.client("athena").get_query_results(QueryExecutionId=columns["QueryExecutionId"])
    assert info["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Type"] == "varchar"


def test_timestamps_have_milliseconds(lab: Lab) -> None:
    lab.table("moments", {"at": "timestamp"})
    lab.partition("moments", "1")
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901)  # noqa: DTZ001 - as Parquet holds it
    lab.put("tables/moments/dt=1/a.parquet", {"at": pa.array([moment], pa.timestamp("us"))})
    assert lab.query("SELECT at FROM moments") == [("2026-01-02 03:04:05.679",)]


# Views


def definition(lab: Lab, view: str) -> dict[str, Any]:
    table = lab.client("glue").get_table(DatabaseName=DATABASE, Name=view)["Table"]
    text = table["ViewOriginalText"]
    assert text.startswith("/* Presto View: ")
    assert text.endswith(" */")
    decoded: dict[str, Any] = json.loads(base64.b64decode(text[len("/* Presto View: ") : -len(" */")]))
    return decoded


def test_a_view_is_stored_in_athenas_form(lab: Lab) -> None:
    query = "SELECT item, sum(ms) AS total, max(ms) / 2e0 AS half, array_agg(ms) AS all_ms FROM plays GROUP BY item"
    execution = lab.run(f"CREATE OR REPLACE VIEW totals AS\n-- a comment\n{query}")
    assert execution["Status"]["State"] == "SUCCEEDED", execution
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_VIEW")
    table = lab.client("glue").get_table(DatabaseName=DATABASE, Name="totals")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW"
    assert table["Parameters"] == {"presto_view": "true", "comment": "Presto View"}
    assert table["ViewExpandedText"] == "/* Presto View */"
    assert table["Owner"]  # Trino rejects a view without one
    assert [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]] == [
        ("item", "string"),
        ("total", "bigint"),
        ("half", "double"),
        ("all_ms", "array<bigint>"),
    ]
    assert definition(lab, "totals") == {
        "originalSql": f"-- a comment\n{query}",
        "catalog": "awsdatacatalog",
        "schema": DATABASE,
        "columns": [
            {"name": "item", "type": "varchar"},
            {"name": "total", "type": "bigint"},
            {"name": "half", "type": "double"},
            {"name": "all_ms", "type": "array(bigint)"},
        ],
    }


def test_a_view_of_a_view_sees_new_data(lab: Lab) -> None:
    lab.run("CREATE VIEW totals AS SELECT item, sum(ms) AS total FROM plays GROUP BY item")
    lab.run('CREATE VIEW "best" AS SELECT item FROM totals WHERE total > 10')
    lab.partition("plays", "1")
    lab.put("tables/plays/dt=1/a.parquet", {"item": ["a", "b"], "ms": [6, 1]})
    assert lab.query("SELECT * FROM best") == []
    lab.put("tables/plays/dt=1/b.parquet", {"item": ["a"], "ms": [5]})
    assert lab.query("SELECT * FROM best") == [("a",)]


def test_a_replaced_view_takes_effect_through_another(lab: Lab) -> None:
    lab.run("CREATE VIEW one AS SELECT 1 AS x")
    lab.run("CREATE VIEW two AS SELECT x + 1 AS y FROM one")
    assert lab.query("SELECT y FROM two") == [("2",)]
    lab.run("CREATE OR REPLACE VIEW one AS SELECT 10 AS x")
    assert lab.query("SELECT y FROM two") == [("11",)]


def test_a_replaced_view_may_read_another_table(lab: Lab) -> None:
    lab.table("other", {"item": "string"}, keys=())
    lab.put("tables/other/a.parquet", {"item": ["from other"]})
    lab.run("CREATE VIEW one AS SELECT item FROM plays")
    lab.run("CREATE VIEW two AS SELECT item FROM one")
    assert lab.query("SELECT item FROM two") == []
    lab.run("CREATE OR REPLACE VIEW one AS SELECT item FROM other")
    assert lab.query("SELECT item FROM two") == [("from other",)]


def test_a_view_over_a_changed_one_is_stale(lab: Lab) -> None:
    lab.run("CREATE VIEW one AS SELECT 1 AS x")
    lab.run("CREATE VIEW two AS SELECT x FROM one")
    lab.run("CREATE OR REPLACE VIEW one AS SELECT 'text' AS x")
    with pytest.raises(QueryFailedError, match=r"VIEW_IS_STALE: View 'music.two'"):
        lab.query("SELECT * FROM two")


def test_a_view_is_stale_once_a_column_below_it_has_another_type(lab: Lab) -> None:
    lab.run("CREATE VIEW one AS SELECT ms AS x FROM plays")
    assert lab.query("SELECT CAST(x AS bigint) FROM one") == []
    lab.columns("plays", {"item": "string", "ms": "double"})
    with pytest.raises(QueryFailedError, match=r"VIEW_IS_STALE: View 'music.one'.* column \[x\] of type double"):
        lab.query("SELECT CAST(x AS bigint) FROM one")


def test_a_view_over_a_star_is_stale_once_there_is_a_new_column(lab: Lab) -> None:
    lab.run("CREATE VIEW everything AS SELECT * FROM plays")
    assert lab.query("SELECT count(*) FROM everything") == [("0",)]
    lab.columns("plays", {"item": "string", "ms": "bigint", "platform": "string"})
    with pytest.raises(QueryFailedError, match="VIEW_IS_STALE"):
        lab.query("SELECT count(*) FROM everything")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE VIEW v AS SELECT 1", "MISSING_COLUMN_NAME: .* position 1"),
        ("CREATE VIEW v AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME"),
        ("CREATE VIEW v AS SELECT current_timestamp AS at", "NOT_SUPPORTED: Unsupported Hive type"),
        ("CREATE VIEW v AS SELECT nosuch FROM plays", "COLUMN_NOT_FOUND"),
        ("CREATE VIEW v AS SELECT id FROM nosuch", "TABLE_NOT_FOUND"),
        ("CREATE VIEW plays AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS"),
        ("CREATE OR REPLACE VIEW plays AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS"),
        ("DROP VIEW plays", "TABLE_NOT_FOUND"),
        ("DROP VIEW v", "TABLE_NOT_FOUND"),
    ],
)
def test_a_view_that_cannot_be_created_or_dropped(lab: Lab, sql: str, reason: str) -> None:
    with pytest.raises(QueryFailedError, match=reason):
        lab.pages(lab.run(sql))
    names = [table["Name"] for table in lab.client("glue").get_tables(DatabaseName=DATABASE)["TableList"]]
    assert names == ["plays"]


def test_a_view_cannot_read_itself(lab: Lab) -> None:
    lab.run("CREATE VIEW one AS SELECT 1 AS x")
    lab.run("CREATE VIEW two AS SELECT x FROM one")
    with pytest.raises(QueryFailedError, match="VIEW_IS_RECURSIVE"):
        lab.pages(lab.run("CREATE OR REPLACE VIEW one AS SELECT x FROM two"))
    assert lab.query("SELECT x FROM two") == [("1",)]


def test_tables_and_views_are_listed_described_and_dropped(lab: Lab) -> None:
    lab.run("CREATE VIEW totals AS SELECT count(*) AS n FROM plays;")
    assert lab.pages(lab.run("SHOW TABLES")) == [("plays",), ("totals",)]
    assert lab.pages(lab.run(f"SHOW TABLES IN {DATABASE} 'p*'")) == [("plays",)]
    assert lab.pages(lab.run("SHOW VIEWS")) == [("totals",)]
    lines = [line.split() for (line,) in lab.pages(lab.run("DESCRIBE plays")) if line]
    assert lines[:3] == [["item", "string"], ["ms", "bigint"], ["dt", "string"]]
    assert lab.run("DROP VIEW totals")["Status"]["State"] == "SUCCEEDED"
    assert lab.run("DROP VIEW IF EXISTS totals")["Status"]["State"] == "SUCCEEDED"
    assert lab.pages(lab.run("SHOW TABLES")) == [("plays",)]
