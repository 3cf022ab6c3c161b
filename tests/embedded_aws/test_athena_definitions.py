"""Statements that define databases and tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from embedded_aws.iam.credentials import AwsCredentials
from tests.embedded_aws.athena_lab import DATABASE, LAKE, RESULTS, Lab

TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
SEMANTIC = "FAILED: SemanticException"
PARQUET = f"CREATE EXTERNAL TABLE c (a bigint) STORED AS PARQUET LOCATION 's3://{LAKE}/c/'"


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("definitions")) as running:
        yield running


@pytest.fixture
def lab(open_lab: Lab) -> Lab:
    open_lab.empty()
    return open_lab


def succeeded(lab: Lab, sql: str, **options: Any) -> dict[str, Any]:
    execution = lab.run(sql, **options)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    return execution


def failed(lab: Lab, sql: str, **options: Any) -> str:
    status = lab.run(sql, **options)["Status"]
    assert status["State"] == "FAILED"
    reason: str = status["StateChangeReason"]
    return reason


def databases(lab: Lab) -> list[str]:
    return [one["Name"] for one in lab.client("glue").get_databases()["DatabaseList"]]


def table(lab: Lab, name: str = "c", database: str = DATABASE) -> dict[str, Any]:
    found: dict[str, Any] = lab.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    return found


def test_databases_come_and_go(lab: Lab) -> None:
    execution = succeeded(lab, "CREATE DATABASE `other`")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_DATABASE")
    assert sorted(databases(lab)) == [DATABASE, "other"]
    assert failed(lab, "CREATE SCHEMA other") == f"{TASK} Database other already exists"
    succeeded(lab, "CREATE SCHEMA IF NOT EXISTS other")
    succeeded(lab, PARQUET.replace(" c ", " other.c "))
    assert failed(lab, "DROP DATABASE other") == (
        f"{TASK} InvalidOperationException(message:Database other is not empty. One or more tables exist.)"
    )
    lab.client("s3").put_object(Bucket=LAKE, Key="c/1", Body=b"x")
    succeeded(lab, "DROP DATABASE other CASCADE")
    assert databases(lab) == [DATABASE]
    assert lab.client("s3").list_objects_v2(Bucket=LAKE)["KeyCount"] == 1
    assert failed(lab, "DROP SCHEMA other") == (
        "FAILED: SemanticException [Error 10072]: Database does not exist: other"
    )
    succeeded(lab, "DROP SCHEMA IF EXISTS other CASCADE")


def test_a_table_of_objects_is_created_and_read(lab: Lab) -> None:
    execution = succeeded(
        lab,
        f"""CREATE EXTERNAL TABLE IF NOT EXISTS `c` (
            `Id` bigint COMMENT 'what it\\'s called', name string, price decimal(10, 2), code varchar(3),
            parts array<struct<x:int,y:map<string,double>>>
        ) COMMENT 'of tests' PARTITIONED BY (dt string) STORED AS PARQUET
        LOCATION 's3://{LAKE}/c/' TBLPROPERTIES ('classification' = 'parquet')""",
    )
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_TABLE")
    found = table(lab)
    assert found["TableType"] == "EXTERNAL_TABLE"
    assert found["Parameters"] == {"EXTERNAL": "TRUE", "comment": "of tests", "classification": "parquet"}
    assert found["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert found["StorageDescriptor"]["Columns"] == [
        {"Name": "id", "Type": "bigint", "Comment": "what it's called"},
        {"Name": "name", "Type": "string"},
        {"Name": "price", "Type": "decimal(10,2)"},
        {"Name": "code", "Type": "varchar(3)"},
        {"Name": "parts", "Type": "array<struct<x:int,y:map<string,double>>>"},
    ]
    lab.put("c/dt=1/a.parquet", {"id": pa.array([7]), "name": ["x"]})
    succeeded(lab, "MSCK REPAIR TABLE c")
    assert lab.query("SELECT id, name, price, dt FROM c") == [("7", "x", None, "1")]


def test_the_classes_of_each_format(lab: Lab) -> None:
    def classes(clauses: str) -> tuple[str, ...]:
        lab.empty()
        succeeded(lab, f"CREATE EXTERNAL TABLE c (a string) {clauses} LOCATION 's3://{LAKE}/c/'")
        descriptor = table(lab)["StorageDescriptor"]
        given = (descriptor["InputFormat"], descriptor["OutputFormat"], descriptor["SerdeInfo"]["SerializationLibrary"])
        return tuple(name.rpartition(".")[2] for name in given)

    text = ("TextInputFormat", "HiveIgnoreKeyTextOutputFormat")
    assert classes("") == classes("STORED AS TEXTFILE") == (*text, "LazySimpleSerDe")
    assert classes("ROW FORMAT SERDE 'org.x.OpenCSVSerde' STORED AS TEXTFILE") == (*text, "OpenCSVSerde")
    assert classes("STORED AS parquet") == ("MapredParquetInputFormat", "MapredParquetOutputFormat", "ParquetHiveSerDe")
    assert classes("ROW FORMAT SERDE 'a.S' STORED AS INPUTFORMAT 'a.In' OUTPUTFORMAT 'a.Out'") == ("In", "Out", "S")
    serde = "ROW FORMAT SERDE 'a.S' WITH SERDEPROPERTIES ('k'='v')"
    succeeded(lab, f"CREATE EXTERNAL TABLE d (a string) {serde} LOCATION 's3://{LAKE}/'")
    assert table(lab, "d")["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {"serialization.format": "1", "k": "v"}


def test_an_existing_table_is_kept(lab: Lab) -> None:
    succeeded(lab, PARQUET)
    again = PARQUET.replace("bigint", "string")
    assert failed(lab, again) == f"{TASK} AlreadyExistsException(message:Table c already exists.)"
    succeeded(lab, again.replace("TABLE", "TABLE IF NOT EXISTS"))
    assert table(lab)["StorageDescriptor"]["Columns"] == [{"Name": "a", "Type": "bigint"}]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (PARQUET.replace(" c ", " nosuch.c "), f"{SEMANTIC} [Error 10072]: Database does not exist: nosuch"),
        (PARQUET.replace("a bigint", "a bigint, A int"), f"{TASK} Duplicate column name: a"),
        (PARQUET.replace("s3:", "hdfs:"), f"{SEMANTIC} table location must be an s3:// URI"),
        ("CREATE EXTERNAL TABLE c (a bigint) STORED AS PARQUET", f"{SEMANTIC} table location must be an s3:// URI"),
        (PARQUET.replace("(a bigint)", "(a bigint"), "FAILED: ParseException line 1:0 cannot recognize input near"),
        (PARQUET.replace("PARQUET", "ORC"), "NOT_SUPPORTED: CREATE EXTERNAL TABLE with STORED AS ORC"),
        (PARQUET.replace("STORED", "CLUSTERED BY (a) INTO 2 BUCKETS STORED"), "NOT_SUPPORTED: CREATE EXTERNAL"),
        (PARQUET + " TBLPROPERTIES ('table_type'='ICEBERG')", "NOT_SUPPORTED: An Iceberg table; leave table_type"),
        ("CREATE EXTERNAL TABLE c LIKE d", "NOT_SUPPORTED: CREATE EXTERNAL TABLE without columns"),
        ("ALTER TABLE nosuch ADD COLUMNS (b int)", f"{SEMANTIC} [Error 10001]: Table not found music.nosuch"),
        (PARQUET + " TBLPROPERTIES ('a'='b''c')", "FAILED: ParseException line 1:0 cannot recognize input near ''a''"),
        ("ALTER TABLE c RENAME TO d", "NOT_SUPPORTED: This form of ALTER TABLE"),
        ("ALTER TABLE c DROP COLUMN b", "NOT_SUPPORTED: This form of ALTER TABLE"),
        ("CREATE TABLE c (a int)", "NOT_SUPPORTED: This form of CREATE TABLE"),
        ("TRUNCATE TABLE c", "NOT_SUPPORTED: The statement TRUNCATE TABLE"),
        ("UPDATE c SET a = 1", "NOT_SUPPORTED: The statement UPDATE (the"),
        ("CREATE DATABASE x LOCATION 'hdfs://x'", f"{SEMANTIC} database location must be an s3:// URI"),
        ("CREATE DATABASE x WITH DBPROPERTIES (a)", "FAILED: ParseException line 1:0 cannot recognize input near 'a'"),
        ("ALTER TABLE c SET LOCATION 's3://'", f"{SEMANTIC} table location must be an s3:// URI"),
        ("ALTER TABLE c SET LOCATION 'hdfs://c'", f"{SEMANTIC} table location must be an s3:// URI"),
        ("ALTER DATABASE nosuch SET DBPROPERTIES ('a'='b')", f"{SEMANTIC} [Error 10072]: Database does not exist"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_modelled_changes_nothing(lab: Lab, statement: str, reason: str) -> None:
    assert failed(lab, statement).startswith(reason)
    assert lab.client("glue").get_tables(DatabaseName=DATABASE)["TableList"] == []


def test_only_the_query_fails_of_what_the_parser_does_not_know(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    assert failed(lab, PARQUET.replace("STORED", "SKEWED BY (a) ON (1) STORED")).startswith("FAILED: ParseException")
    assert caplog.records == []


def test_databases_have_comments_locations_and_properties(lab: Lab) -> None:
    succeeded(
        lab,
        f"CREATE DATABASE other COMMENT 'of others' LOCATION 's3://{LAKE}/other/' WITH DBPROPERTIES ('a'='b', 'c'='d')",
    )
    succeeded(lab, "ALTER DATABASE other SET DBPROPERTIES ('c'='e')")
    found = lab.client("glue").get_database(Name="other")["Database"]
    assert (found["Description"], found["LocationUri"]) == ("of others", f"s3://{LAKE}/other/")
    assert found["Parameters"] == {"a": "b", "c": "e"}
    succeeded(lab, "CREATE SCHEMA third COMMENT 'more'")
    assert lab.client("glue").get_database(Name="third")["Database"]["Description"] == "more"


def test_a_table_moves_to_another_location(lab: Lab) -> None:
    succeeded(lab, PARQUET)
    lab.put("elsewhere/a.parquet", {"a": pa.array([7])})
    succeeded(lab, f"ALTER TABLE c SET LOCATION 's3://{LAKE}/elsewhere/'")
    assert lab.query("SELECT a FROM c") == [("7",)]


def test_columns_and_properties_are_changed(lab: Lab) -> None:
    succeeded(lab, PARQUET.replace("STORED", "PARTITIONED BY (dt string) STORED"))
    lab.put("c/dt=1/a.parquet", {"a": pa.array([1]), "b": ["x"], "d": [2.5]})
    succeeded(lab, "MSCK REPAIR TABLE c")
    execution = succeeded(lab, "ALTER TABLE `music`.`c` ADD COLUMNS (b string COMMENT 'new')")
    assert execution["SubstatementType"] == "ALTER_TABLE_ADD_COLUMNS"
    assert lab.query("SELECT * FROM c") == [("1", "x", "1")]
    assert table(lab)["StorageDescriptor"]["Columns"][1] == {"Name": "b", "Type": "string", "Comment": "new"}
    for name in ("B", "dt"):
        assert failed(lab, f"ALTER TABLE c ADD COLUMNS ({name} int)") == f"{TASK} Duplicate column name: {name.lower()}"
    execution = succeeded(lab, "ALTER TABLE c REPLACE COLUMNS (d double)")
    assert execution["SubstatementType"] == "ALTER_TABLE_REPLACE_COLUMNS"
    assert lab.query("SELECT * FROM c") == [("2.5", "1")]
    execution = succeeded(lab, "ALTER TABLE c SET TBLPROPERTIES ('classification' = 'parquet', 'k' = 'it\\'s')")
    assert execution["SubstatementType"] == "ALTER_TABLE_SET_TBLPROPERTIES"
    assert table(lab)["Parameters"] == {"EXTERNAL": "TRUE", "classification": "parquet", "k": "it's"}
    succeeded(lab, "CREATE VIEW v AS SELECT 1 AS a")
    assert failed(lab, "ALTER TABLE v ADD COLUMNS (b int)").startswith("FAILED: SemanticException Cannot alter a view")


def test_they_run_with_the_rights_of_the_caller(lab: Lab) -> None:
    iam = lab.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": ["athena:*", "s3:*", "glue:Get*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = AwsCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)
    succeeded(lab, PARQUET.replace(" c ", " d "))
    for sql, action in {
        "CREATE DATABASE other": "CreateDatabase",
        f"ALTER DATABASE {DATABASE} SET DBPROPERTIES ('a'='b')": "UpdateDatabase",
        f"DROP DATABASE {DATABASE} CASCADE": "DeleteDatabase",
        PARQUET: "CreateTable",
        "ALTER TABLE d SET TBLPROPERTIES ('a' = 'b')": "UpdateTable",
        "ALTER TABLE d ADD COLUMNS (b int)": "UpdateTable",
    }.items():
        reason = failed(lab, sql, credentials=reader)
        assert reason.startswith("PERMISSION_DENIED: ")
        assert f"glue:{action}" in reason
    # Dropping a database drops its tables.
    statement["Action"] = ["athena:*", "s3:*", "glue:Get*", "glue:DeleteDatabase"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    assert "glue:DeleteTable" in failed(lab, f"DROP DATABASE {DATABASE} CASCADE", credentials=reader)
    assert table(lab, "d")["StorageDescriptor"]["Columns"] == [{"Name": "a", "Type": "bigint"}]


def test_the_result_is_an_empty_text(lab: Lab) -> None:
    identifier = succeeded(lab, PARQUET)["QueryExecutionId"]
    found = lab.client("s3").get_object(Bucket=RESULTS, Key=f"answers/{identifier}.txt")
    assert found["Body"].read() == b""
