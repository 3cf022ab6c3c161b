"""Statements that write: CREATE TABLE AS, INSERT INTO, UNLOAD, and those that change partitions.

Types, folders, errors and the text of files are those of Trino 476 for the same statements.
"""

from __future__ import annotations

import gzip
import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.services.athena import writing
from embedded_aws.services.athena.written_files import files_of
from tests.embedded_aws.athena_lab import DATABASE, LAKE, RESULTS, WORKGROUP, Lab, QueryFailedError
from tests.thoroughness import sampled

TEXT = r"""'a"b\c/é' || chr(10) || 'd'"""
ROWS = [
    ("1", "7", "Ärzte", "2026-01-31 23:30:00.000", "2.5", "true"),
    ("2", "-7", "b", "2026-07-01 10:00:00.500", "-2.5", "false"),
    ("3", None, None, None, None, None),
]
SOURCE = (
    "SELECT * FROM (VALUES"
    " (BIGINT '1', 7, CAST('Ärzte' AS varchar), TIMESTAMP '2026-01-31 23:30:00.000', 2.5e0, true),"
    " (BIGINT '2', -7, CAST('b' AS varchar), TIMESTAMP '2026-07-01 10:00:00.500', -2.5e0, false),"
    " (BIGINT '3', NULL, NULL, NULL, NULL, NULL)) AS s (id, small, name, at, ratio, flag)"
)


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("writes")) as running:
        yield running


@pytest.fixture
def lab(open_lab: Lab) -> Lab:
    """Return an empty lab whose workgroup lets statements say where they write."""
    open_lab.empty()
    open_lab.client("athena").update_work_group(
        WorkGroup=WORKGROUP, ConfigurationUpdates={"EnforceWorkGroupConfiguration": False}
    )
    return open_lab


def succeeded(lab: Lab, sql: str, **options: Any) -> dict[str, Any]:
    execution = lab.run(sql, **options)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    return execution


def created(lab: Lab, select: str, properties: str = "", *, name: str = "w", ending: str = "") -> dict[str, Any]:
    """Run CREATE TABLE AS at s3://<lake>/<name>/."""
    where = f"external_location = 's3://{LAKE}/{name}/'{', ' if properties else ''}{properties}"
    return succeeded(lab, f"CREATE TABLE {name} WITH ({where}) AS {select}{ending}")


def failed(lab: Lab, sql: str, **options: Any) -> str:
    status = lab.run(sql, **options)["Status"]
    assert status["State"] == "FAILED"
    reason: str = status["StateChangeReason"]
    return reason


def table(lab: Lab, name: str = "w") -> dict[str, Any]:
    found: dict[str, Any] = lab.client("glue").get_table(DatabaseName=DATABASE, Name=name)["Table"]
    return found


def names(lab: Lab) -> list[str]:
    return sorted(one["Name"] for one in lab.client("glue").get_tables(DatabaseName=DATABASE)["TableList"])


def types(lab: Lab, name: str = "w") -> dict[str, str]:
    return {one["Name"]: one["Type"] for one in table(lab, name)["StorageDescriptor"]["Columns"]}


def partitions(lab: Lab, name: str = "w") -> dict[tuple[str, ...], str]:
    found = lab.client("glue").get_partitions(DatabaseName=DATABASE, TableName=name)["Partitions"]
    return {tuple(one["Values"]): one["StorageDescriptor"]["Location"] for one in found}


def objects(lab: Lab, bucket: str, prefix: str = "") -> dict[str, bytes]:
    s3 = lab.client("s3")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}


# CREATE TABLE AS


def test_a_table_is_created_as_athena_does(lab: Lab) -> None:
    execution = succeeded(lab, f"-- a comment\nCREATE TABLE w AS {SOURCE};")
    identifier = execution["QueryExecutionId"]
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    location = f"s3://{RESULTS}/answers/tables/{identifier}"
    assert execution["ResultConfiguration"]["OutputLocation"] == location
    assert execution["Statistics"]["DataManifestLocation"] == f"{location}-manifest.csv"
    found = table(lab)
    descriptor = found["StorageDescriptor"]
    assert found["TableType"] == "EXTERNAL_TABLE"
    assert descriptor["Location"] == location
    assert descriptor["SerdeInfo"]["SerializationLibrary"].endswith("parquet.serde.ParquetHiveSerDe")
    assert descriptor["InputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    assert types(lab) == {
        "id": "bigint", "small": "int", "name": "string", "at": "timestamp", "ratio": "double", "flag": "boolean"
    }  # fmt: skip
    written = objects(lab, RESULTS, f"answers/tables/{identifier}/")
    (key,) = written
    assert objects(lab, RESULTS, f"answers/tables/{identifier}-")[f"answers/tables/{identifier}-manifest.csv"] == (
        f"s3://{RESULTS}/{key}\n".encode()
    )
    assert pq.ParquetFile(io.BytesIO(written[key])).metadata.row_group(0).column(0).compression == "GZIP"
    assert lab.query("SELECT * FROM w ORDER BY id") == ROWS
    answer = lab.client("athena").get_query_results(QueryExecutionId=identifier)
    assert answer["UpdateCount"] == 3
    assert answer["ResultSet"]["Rows"] == []
    assert [one["Name"] for one in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == ["rows"]


def test_comments_may_stand_anywhere_in_a_statement_that_writes(lab: Lab) -> None:
    succeeded(
        lab,
        f"CREATE TABLE w -- first\n WITH (external_location = 's3://{LAKE}/w/' /* second */)"
        " AS SELECT 1 AS id, CAST('--' AS varchar) AS name -- WITH NO DATA",
    )
    execution = succeeded(lab, "INSERT INTO w -- third\n/* fourth */ SELECT 2, '/* kept */' -- fifth")
    assert execution["SubstatementType"] == "INSERT"
    assert lab.query("SELECT * FROM w ORDER BY id") == [("1", "--"), ("2", "/* kept */")]


TYPES = [
    ("'ab'", "varchar(2)"),
    ("''", "varchar(1)"),
    ("CASE WHEN true THEN 'x' ELSE 'yyy' END", "varchar(3)"),
    ("if(true, 'a')", "varchar(1)"),
    ("upper('abc')", "varchar(3)"),
    ("trim('ab ')", "varchar(3)"),
    ("max('abc') OVER ()", "varchar(3)"),
    ("nullif('abc', 'x')", "varchar(3)"),
    ("'a' || 'b'", "string"),
    ("lpad('a', 3, 'b')", "string"),
    ("CAST('a' AS varchar(5))", "varchar(5)"),
    ("CAST('a' AS varchar)", "string"),
    ("coalesce(CAST(NULL AS varchar), 'zz')", "string"),
    ("(SELECT max(x) FROM (VALUES 'a', 'bb') AS v (x))", None),
    ("replace('abc', 'b', 'c')", None),
    ("ARRAY['a', 'bcd']", None),
    ("split('a,b', ',')", None),
    ("ARRAY[CAST('a' AS varchar)]", "array<string>"),
    ("split(CAST('a,b' AS varchar), ',')", "array<string>"),
    ("(SELECT array_agg(DISTINCT CAST(v AS varchar) ORDER BY 1) FROM (VALUES 'a') AS s (v))", None),
    ("array_agg(CAST('a' AS varchar) ORDER BY 1)", "array<string>"),
    ("MAP(ARRAY[CAST('a' AS varchar)], ARRAY[1])", "map<string,int>"),
    ("1", "int"),
    ("1.5", "decimal(2,1)"),
    ("CAST(1.5 AS real)", "float"),
    ("ARRAY[1]", "array<int>"),
]


@pytest.mark.parametrize(
    ("expression", "hive"),
    sampled(TYPES, TYPES[::5]),
)
def test_columns_have_trinos_types(lab: Lab, expression: str, hive: str | None) -> None:
    if hive is None:
        sql = f"CREATE TABLE w AS SELECT {expression} AS x"
        assert failed(lab, sql).startswith(
            "NOT_SUPPORTED: The length of the text in column x; cast the text to varchar"
        )
    else:
        created(lab, f"SELECT {expression} AS x")
        assert types(lab) == {"x": hive}


def test_the_length_of_text_is_followed_through_subqueries_unions_and_tables(lab: Lab) -> None:
    created(lab, "WITH s AS (SELECT 'abc' AS x UNION ALL SELECT 'a') SELECT lower(x) AS y FROM s")
    assert types(lab) == {"y": "varchar(3)"}
    created(lab, "SELECT y, y || 'b' AS z FROM w", name="v")
    assert types(lab, "v") == {"y": "varchar(3)", "z": "string"}


def test_partitions_are_folders_and_registered(lab: Lab) -> None:
    select = "SELECT * FROM (VALUES (1, 'a/b c=%', DATE '2026-01-31'), (2, '', NULL)) AS s (id, p, q)"
    created(lab, select, "partitioned_by = ARRAY['p', 'q'], write_compression = 'SNAPPY'")
    first, second = f"s3://{LAKE}/w/p=a%2Fb c%3D%25/q=2026-01-31", "__HIVE_DEFAULT_PARTITION__"
    assert partitions(lab) == {
        ("a/b c=%", "2026-01-31"): first,
        (second, second): f"s3://{LAKE}/w/p={second}/q={second}",
    }
    assert [key.rpartition("/")[0] for key in objects(lab, LAKE, "w/")] == [
        "w/p=__HIVE_DEFAULT_PARTITION__/q=__HIVE_DEFAULT_PARTITION__", "w/p=a%2Fb c%3D%25/q=2026-01-31"
    ]  # fmt: skip
    assert table(lab)["PartitionKeys"] == [{"Name": "p", "Type": "varchar(7)"}, {"Name": "q", "Type": "date"}]
    assert table(lab)["Parameters"]["parquet.compression"] == "SNAPPY"
    assert lab.query("SELECT id, p, q FROM w ORDER BY id") == [("1", "a/b c=%", "2026-01-31"), ("2", None, None)]


def test_with_no_data_only_the_table_is_created(lab: Lab) -> None:
    created(lab, SOURCE, ending=" WITH NO DATA")
    assert objects(lab, LAKE) == {}
    assert lab.query("SELECT * FROM w") == []
    created(lab, f"({SOURCE})", name="v", ending=" WITH DATA")
    assert lab.query("SELECT count(*) FROM v") == [("3",)]


def test_an_existing_table_is_kept(lab: Lab) -> None:
    created(lab, "SELECT 1 AS a")
    again = f"WITH (external_location = 's3://{LAKE}/v/') AS SELECT 2 AS a"
    assert failed(lab, f"CREATE TABLE w {again}") == (
        "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.music.w' already exists"
    )
    succeeded(lab, f"CREATE TABLE IF NOT EXISTS w {again}")
    assert lab.query("SELECT a FROM w") == [("1",)]


UNCREATED = [
    ("format = 'XX'", "SELECT 1 AS a", "INVALID_TABLE_PROPERTY: Unable to set table property 'format' to"),
    ("nosuch = 1", "SELECT 1 AS a", "INVALID_TABLE_PROPERTY: line 1:1: Catalog 'awsdatacatalog' table property"),
    ("format = 'ORC'", "SELECT 1 AS a", "NOT_SUPPORTED: Writing ORC; use PARQUET"),
    ("format = 'JSON'", "SELECT 1 AS a", "NOT_SUPPORTED: A table in the format JSON; use PARQUET"),
    ("table_type = 'ICEBERG'", "SELECT 1 AS a", "NOT_SUPPORTED: An Iceberg table; use table_type = 'HIVE'"),
    ("write_compression = 'LZ4'", "SELECT 1 AS a", "NOT_SUPPORTED: The compression LZ4 of PARQUET"),
    ("bucketed_by = ARRAY['a'], bucket_count = 3", "SELECT 1 AS a", "NOT_SUPPORTED: A table in buckets"),
    ("partitioned_by = ARRAY['a']", "SELECT 1 AS a, 2 AS b", "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must"),
    ("partitioned_by = ARRAY['z']", "SELECT 1 AS a", "INVALID_TABLE_PROPERTY: Partition columns [z] not present"),
    ("partitioned_by = ARRAY['a']", "SELECT 1 AS a", "INVALID_TABLE_PROPERTY: Table contains only partition"),
    ("partitioned_by = ARRAY['b']", "SELECT 1 AS a, 'é' AS b", "HIVE_INVALID_PARTITION_VALUE: Hive partition keys"),
    ("partitioned_by = ARRAY['b']", "SELECT 1 AS a, 1e0 AS b", "NOT_SUPPORTED: The partition key b of type double"),
    (
        "partitioned_by = ARRAY['b']",
        "SELECT 1 AS a, n AS b FROM UNNEST(sequence(1, 101)) AS s (n)",
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets",
    ),
    ("", "SELECT 1 + 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
    ("", "SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'A' specified more than once"),
    ("", "SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: a"),
    ("", "SELECT now() AS a", "NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone"),
    ("", "SELECT TIMESTAMP '2026-01-01 00:00:00' AS a", "NOT_SUPPORTED: Incorrect timestamp precision"),
    ("", "SELECT 1 / 0 AS a", "DIVISION_BY_ZERO: "),
]


@pytest.mark.parametrize(
    ("properties", "select", "reason"),
    sampled(UNCREATED, UNCREATED[::5]),
)
def test_a_table_that_cannot_be_created_leaves_nothing(lab: Lab, properties: str, select: str, reason: str) -> None:
    where = f"external_location = 's3://{LAKE}/w/'{', ' if properties else ''}{properties}"
    assert failed(lab, f"CREATE TABLE w WITH ({where}) AS {select}").startswith(reason)
    assert names(lab) == []
    assert objects(lab, LAKE) == {}


def test_a_location_must_be_empty(lab: Lab) -> None:
    lab.put("w/a.parquet", {"a": pa.array([1])})
    assert failed(lab, f"CREATE TABLE w WITH (external_location = 's3://{LAKE}/w') AS SELECT 1 AS a") == (
        f"HIVE_PATH_ALREADY_EXISTS: Target directory for table 'music.w' already exists: s3://{LAKE}/w"
    )
    assert failed(lab, "CREATE TABLE w WITH (external_location = '/tmp/w') AS SELECT 1 AS a") == (
        "INVALID_TABLE_PROPERTY: External location is not a valid file system URI: /tmp/w"
    )
    assert names(lab) == []


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE TABLE w WITH (external_location = 's3://{LAKE}/w/') AS SELECT 1 AS a",
        f"UNLOAD (SELECT 1 AS a) TO 's3://{LAKE}/w/' WITH (format = 'JSON')",
    ],
)
def test_of_two_statements_at_one_location_the_slower_one_fails(
    lab: Lab, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*arguments: Any) -> Any:
        lab.put("w/a.parquet", {"a": pa.array([2])})
        return files_of(*arguments)

    monkeypatch.setattr(writing, "files_of", overtaken)
    assert failed(lab, statement).startswith("HIVE_PATH_ALREADY_EXISTS: ")
    assert names(lab) == []
    assert list(objects(lab, LAKE)) == ["w/a.parquet"]


def test_a_failure_between_the_files_and_the_catalog_leaves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = lab.server.backend("s3")
    put, calls = s3.put_object, []

    def failing(bucket: str, key: str, content: bytes, *more: Any, **options: Any) -> Any:
        calls.append(key)
        if len(calls) == 2:
            raise OSError("the disk is full")
        return put(bucket, key, content, *more, **options)

    monkeypatch.setattr(s3, "put_object", failing)
    properties = f"external_location = 's3://{LAKE}/w/', partitioned_by = ARRAY['b']"
    select = "SELECT * FROM (VALUES (1, 1), (1, 2), (1, 3)) AS s (a, b)"
    assert "the disk is full" in failed(lab, f"CREATE TABLE w WITH ({properties}) AS {select}")
    monkeypatch.undo()
    assert len(calls) == 2
    assert names(lab) == []
    assert objects(lab, LAKE) == {}


def test_an_enforcing_workgroup_decides_where_tables_are(lab: Lab) -> None:
    athena = lab.client("athena")
    athena.update_work_group(WorkGroup=WORKGROUP, ConfigurationUpdates={"EnforceWorkGroupConfiguration": True})
    with pytest.raises(QueryFailedError, match="submitted with an 'external_location' property to an Athena Workgroup"):
        lab.run(f"CREATE TABLE w WITH (external_location = 's3://{LAKE}/w/') AS SELECT 1 AS a")
    succeeded(lab, "CREATE TABLE w AS SELECT 1 AS a")
    assert lab.query("SELECT a FROM w") == [("1",)]


@pytest.mark.parametrize(
    "sql",
    ["CREATE TABLE w AS SELECT FROM", "INSERT INTO w SELECT (1", "CREATE TABLE w WITH (format =) AS SELECT 1 AS a"],
)
def test_wrong_syntax_is_refused_at_the_start(lab: Lab, sql: str) -> None:
    with pytest.raises(QueryFailedError, match=r"^SYNTAX_ERROR: \S"):
        lab.run(sql)


def test_parameters_fill_the_query(lab: Lab) -> None:
    succeeded(lab, "CREATE TABLE w AS SELECT ? + 1 AS a", parameters=["1"])
    succeeded(lab, "INSERT INTO w VALUES (?)", parameters=["7"])
    assert lab.query("SELECT a FROM w ORDER BY a") == [("2",), ("7",)]


# INSERT INTO


def test_rows_are_added_to_a_table(lab: Lab) -> None:
    created(lab, SOURCE)
    execution = succeeded(lab, "INSERT INTO w (name, id) VALUES ('new', 4), (NULL, 5)")
    identifier = execution["QueryExecutionId"]
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "INSERT")
    assert execution["ResultConfiguration"]["OutputLocation"] == f"s3://{RESULTS}/answers/{identifier}"
    manifest = f"s3://{RESULTS}/answers/{identifier}-manifest.csv"
    assert execution["Statistics"]["DataManifestLocation"] == manifest
    listed = objects(lab, RESULTS, f"answers/{identifier}")[f"answers/{identifier}-manifest.csv"].decode()
    assert listed.strip().removeprefix(f"s3://{LAKE}/") in objects(lab, LAKE, "w/")
    answer = lab.client("athena").get_query_results(QueryExecutionId=identifier)
    assert answer["UpdateCount"] == 2
    added = [("4", None, "new", None, None, None), ("5", None, None, None, None, None)]
    assert lab.query("SELECT * FROM w ORDER BY id") == [*ROWS, *added]


def test_rows_go_to_their_partitions(lab: Lab) -> None:
    created(lab, "SELECT 1 AS id, 'a' AS p", "partitioned_by = ARRAY['p']")
    lab.partition("w", "elsewhere", keys=["p"])
    succeeded(lab, "INSERT INTO w VALUES (2, 'a'), (3, 'b')")
    assert partitions(lab) == {
        ("a",): f"s3://{LAKE}/w/p=a",
        ("b",): f"s3://{LAKE}/w/p=b",
        ("elsewhere",): f"s3://{LAKE}/tables/w/p=elsewhere/",
    }
    assert lab.query("SELECT id, p FROM w ORDER BY id") == [("1", "a"), ("2", "a"), ("3", "b")]
    assert failed(lab, "INSERT INTO w SELECT id, 'elsewhere' FROM w").startswith(
        "INVALID_CAST_ARGUMENT: Cannot truncate"
    )


ASSIGNED = [
    ("small", "BIGINT '5'", "5"),
    ("id", "1.5", "2"),
    ("price", "1.555", "1.56"),
    ("ratio", "1", "1.0"),
    ("at", "DATE '2026-01-01'", "2026-01-01 00:00:00.000"),
    ("day", "TIMESTAMP '2026-01-01 10:00:00.000'", "2026-01-01"),
    ("short", "'a  '", "a"),
    ("tags", "ARRAY['a']", "[a]"),
]


@pytest.mark.parametrize(("column", "value", "stored"), sampled(ASSIGNED, ASSIGNED[::3]))
def test_values_are_cast_to_their_columns(lab: Lab, column: str, value: str, stored: str) -> None:
    lab.table("w", {name: kind for name, kind in COLUMNS.items() if name == column}, keys=())
    succeeded(lab, f"INSERT INTO w SELECT {value}")
    assert lab.query("SELECT * FROM w") == [(stored,)]


COLUMNS = {
    "id": "bigint", "small": "int", "price": "decimal(10,2)", "ratio": "double", "at": "timestamp", "day": "date",
    "name": "string", "short": "varchar(1)", "tags": "array<string>", "flag": "boolean",
}  # fmt: skip


MISFITS = [
    ("(small) VALUES (5000000000)", "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 5000000000"),
    ("(id, small) VALUES ('a', 1)", r"TYPE_MISMATCH: .*Table: \[bigint, integer\], Query: \[varchar, integer\]"),
    ("(id, small) VALUES (1)", r"TYPE_MISMATCH: .*Table: \[bigint, integer\], Query: \[integer\]"),
    ("(name) VALUES (1)", "TYPE_MISMATCH: "),
    ("(flag) VALUES (1)", "TYPE_MISMATCH: "),
    ("(tags) VALUES (ARRAY[1])", "TYPE_MISMATCH: "),
    ("(nosuch) VALUES (1)", "COLUMN_NOT_FOUND: .*does not exist in target table: nosuch"),
    ("(id, id) VALUES (1, 2)", "DUPLICATE_COLUMN_NAME: .*specified more than once: id"),
    ("(short) VALUES ('ab')", r"INVALID_CAST_ARGUMENT: Cannot truncate .* to varchar\(1\) on INSERT"),
]


@pytest.mark.parametrize(
    ("insertion", "reason"),
    sampled(MISFITS, MISFITS[::3]),
)
def test_values_that_do_not_fit_are_refused(lab: Lab, insertion: str, reason: str) -> None:
    lab.table("w", COLUMNS, keys=())
    with pytest.raises(QueryFailedError, match=f"^({reason})"):
        lab.query(f"INSERT INTO w {insertion}")
    assert objects(lab, LAKE) == {}


def test_only_tables_that_exist_get_rows(lab: Lab) -> None:
    assert failed(lab, "INSERT INTO w SELECT 1").startswith("TABLE_NOT_FOUND: ")
    succeeded(lab, "CREATE VIEW v AS SELECT 1 AS a")
    assert failed(lab, "INSERT INTO v SELECT 1") == "NOT_SUPPORTED: Inserting into views is not supported"


# UNLOAD

JSON_LINES = (
    '{"id":1,"small":7,"name":"Ärzte","at":"2026-01-31 23:30:00","ratio":2.5,"flag":true,"price":1.50,'
    '"z":"a\\"b\\\\c/é\\nd","big":1.0E7,"tags":["x",null]}\n'
    '{"id":2,"small":-7,"name":"b","at":"2026-07-01 10:00:00.5","ratio":-2.5,"flag":false,"price":1.50,'
    '"z":"a\\"b\\\\c/é\\nd","big":1.0E7,"tags":["x",null]}\n'
    '{"id":3,"small":null,"name":null,"at":null,"ratio":null,"flag":null,"price":1.50,'
    '"z":"a\\"b\\\\c/é\\nd","big":1.0E7,"tags":["x",null]}\n'
)
TEXT_LINES = (
    "1\x017\x01Ärzte\x012026-01-31 23:30:00\x012.5\x01true\n"
    "2\x01-7\x01b\x012026-07-01 10:00:00.5\x01-2.5\x01false\n"
    "3\x01\\N\x01\\N\x01\\N\x01\\N\x01\\N\n"
)


def test_rows_are_unloaded_as_json(lab: Lab) -> None:
    select = f"SELECT s.*, 1.50 AS price, {TEXT} AS z, 1e7 AS big, ARRAY['x', NULL] AS tags FROM ({SOURCE}) AS s"
    execution = succeeded(lab, f"UNLOAD ({select} ORDER BY id) TO 's3://{LAKE}/u/' WITH (format = 'JSON')")
    identifier = execution["QueryExecutionId"]
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "UNLOAD")
    ((key, content),) = objects(lab, LAKE).items()
    assert key.startswith("u/")
    assert key.endswith(".gz")
    assert gzip.decompress(content).decode() == JSON_LINES
    assert [json.loads(line)["id"] for line in gzip.decompress(content).splitlines()] == [1, 2, 3]
    manifest = objects(lab, RESULTS, f"answers/{identifier}")
    assert manifest == {f"answers/{identifier}-manifest.csv": f"s3://{LAKE}/{key}\n".encode()}
    assert names(lab) == []


def test_rows_are_unloaded_as_text(lab: Lab) -> None:
    select = f"{SOURCE} ORDER BY id"
    succeeded(lab, f"UNLOAD ({select}) TO 's3://{LAKE}/u' WITH (format = 'TEXTFILE', compression = 'NONE')")
    ((key, content),) = objects(lab, LAKE).items()
    assert (key.rpartition("/")[0], content.decode()) == ("u", TEXT_LINES)
    properties = "format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE', partitioned_by = ARRAY['flag']"
    succeeded(lab, f"UNLOAD (SELECT id, small, flag FROM ({SOURCE}) AS s) TO 's3://{LAKE}/v/' WITH ({properties})")
    assert {key.split("/")[1]: content for key, content in objects(lab, LAKE, "v/").items()} == {
        "flag=true": b"1,7\n",
        "flag=false": b"2,-7\n",
        "flag=__HIVE_DEFAULT_PARTITION__": b"3,\\N\n",
    }


def test_rows_are_unloaded_as_parquet(lab: Lab) -> None:
    succeeded(lab, f"UNLOAD (SELECT 1 AS a, 'x' AS b) TO 's3://{LAKE}/u/' WITH (format = 'PARQUET')")
    (content,) = objects(lab, LAKE).values()
    assert pq.read_table(io.BytesIO(content)).to_pylist() == [{"a": 1, "b": "x"}]
    again = f"UNLOAD (SELECT 1 AS a) TO 's3://{LAKE}/u/' WITH (format = 'PARQUET')"
    assert failed(lab, again).startswith("HIVE_PATH_ALREADY_EXISTS: ")


@pytest.mark.parametrize(
    ("select", "properties", "reason"),
    [
        ("SELECT 1 AS a", "", "INVALID_TABLE_PROPERTY: UNLOAD needs the property format"),
        ("SELECT 1 AS a", " WITH (format = 'AVRO')", "NOT_SUPPORTED: Writing AVRO; use PARQUET"),
        ("SELECT 1e0 / 0 AS a", " WITH (format = 'JSON')", "HIVE_UNSERIALIZABLE_JSON_VALUE: Invalid value to Insert"),
        ("SELECT CAST(1 AS real) AS a", " WITH (format = 'JSON')", "NOT_SUPPORTED: Writing the column a of type real"),
        ("SELECT 1 AS a", " WITH (format = 'JSON', compression = 'ZSTD')", "NOT_SUPPORTED: The compression ZSTD"),
        ("SELECT 1 AS a", " WITH (format = 'TEXTFILE', field_delimiter = '::')", "INVALID_TABLE_PROPERTY: field_delim"),
    ],
)
def test_what_cannot_be_unloaded_is_refused(lab: Lab, select: str, properties: str, reason: str) -> None:
    assert failed(lab, f"UNLOAD ({select}) TO 's3://{LAKE}/u/'{properties}").startswith(reason)
    assert objects(lab, LAKE) == {}


# Partitions


def test_partitions_are_added_and_dropped(lab: Lab) -> None:
    lab.table("w", {"a": "int"})
    execution = succeeded(lab, f"ALTER TABLE w ADD PARTITION (dt = 'x') LOCATION 's3://{LAKE}/x/' PARTITION (dt='y')")
    assert execution["StatementType"] == "DDL"
    expected = {("x",): f"s3://{LAKE}/x/", ("y",): f"s3://{LAKE}/tables/w/dt=y"}
    assert partitions(lab) == expected
    assert failed(lab, "ALTER TABLE w ADD PARTITION (dt = 'x')") == (
        "FAILED: AlreadyExistsException Partition already exists."
    )
    succeeded(lab, "ALTER TABLE w ADD IF NOT EXISTS PARTITION (dt = 'x')")
    assert partitions(lab) == expected
    succeeded(lab, "ALTER TABLE w DROP PARTITION (dt = 'x'), PARTITION (dt = 'y')")
    assert partitions(lab) == {}
    assert failed(lab, "ALTER TABLE w DROP PARTITION (dt = 'x')") == (
        "FAILED: SemanticException [Error 10006]: Partition not found dt=x"
    )
    succeeded(lab, "ALTER TABLE w DROP IF EXISTS PARTITION (dt = 'x')")
    assert failed(lab, "ALTER TABLE w ADD PARTITION (nosuch = 'x')").startswith(
        "FAILED: SemanticException Partition spec"
    )


def test_repair_adds_the_partitions_that_have_objects(lab: Lab) -> None:
    lab.table("w", {"a": "int"}, keys=("year", "kind"))
    for key in ("year=2026/kind=a%2Fb", "year=2027/kind=c", "stray"):
        lab.put(f"tables/w/{key}/a.parquet", {"a": pa.array([1], pa.int32())})
    lab.partition("w", "2027", "c", keys=["year", "kind"])
    execution = succeeded(lab, "MSCK REPAIR TABLE w")
    assert partitions(lab)[("2026", "a/b")] == f"s3://{LAKE}/tables/w/year=2026/kind=a%2Fb"
    assert len(partitions(lab)) == 2
    assert lab.pages(execution) == [
        ("Partitions not in metastore:\tw:year=2026/kind=a%2Fb",),
        ("Repair: Added partition to metastore w:year=2026/kind=a%2Fb",),
    ]
    assert lab.pages(succeeded(lab, "MSCK REPAIR TABLE w")) == []
    assert lab.query("SELECT count(*) FROM w") == [("2",)]


def test_a_dropped_table_keeps_its_objects(lab: Lab) -> None:
    created(lab, "SELECT 1 AS a")
    execution = succeeded(lab, f"DROP TABLE `{DATABASE}`.`w`")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "DROP_TABLE")
    assert names(lab) == []
    assert len(objects(lab, LAKE, "w/")) == 1
    assert failed(lab, "DROP TABLE w") == "FAILED: SemanticException [Error 10001]: Table not found music.w"
    succeeded(lab, "DROP TABLE IF EXISTS w")
    succeeded(lab, "CREATE VIEW v AS SELECT 1 AS a")
    assert failed(lab, "DROP TABLE v").startswith("FAILED: SemanticException Cannot drop a view with DROP TABLE")
    lab.table("plain", {"a": "int"}, keys=())
    assert failed(lab, "MSCK REPAIR TABLE plain").endswith("Table music.plain is not a partitioned table")


# Permissions


def writer(lab: Lab, *denied: str) -> AwsCredentials:
    """Return the credentials of a user who may do everything but some actions."""
    iam, name = lab.client("iam"), f"writer-{uuid.uuid4()}"
    iam.create_user(UserName=name)
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    statements += [
        {"Effect": "Deny", "Action": action.split(" ")[0], "Resource": action.partition(" ")[2] or "*"}
        for action in denied
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return AwsCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)


TARGET = f"arn:aws:s3:::{LAKE}/w/*"
CREATION = (
    f"CREATE TABLE w WITH (external_location = 's3://{LAKE}/w/', partitioned_by = ARRAY['b']) AS SELECT 1 AS a, 2 AS b"
)


GUARDED = [
    (CREATION, "glue:CreateTable", "*"),
    (CREATION, "glue:BatchCreatePartition", "*"),
    (CREATION, "s3:ListBucket", f"arn:aws:s3:::{LAKE}"),
    (CREATION, "s3:PutObject", TARGET),
    ("INSERT INTO p VALUES (1, 'y')", "s3:PutObject", f"arn:aws:s3:::{LAKE}/tables/p/*"),
    ("INSERT INTO p VALUES (1, 'y')", "glue:BatchCreatePartition", "*"),
    (f"UNLOAD (SELECT 1 AS a) TO 's3://{LAKE}/w/' WITH (format = 'PARQUET')", "s3:PutObject", TARGET),
    ("DROP TABLE p", "glue:DeleteTable", "*"),
    ("ALTER TABLE p ADD PARTITION (dt = 'y')", "glue:BatchCreatePartition", "*"),
    ("ALTER TABLE p DROP PARTITION (dt = 'x')", "glue:DeletePartition", "*"),
    ("MSCK REPAIR TABLE p", "s3:ListBucket", f"arn:aws:s3:::{LAKE}"),
]


@pytest.mark.parametrize(
    ("sql", "action", "resource"),
    sampled(GUARDED, GUARDED[::3]),
)
def test_writing_needs_its_callers_permissions(lab: Lab, sql: str, action: str, resource: str) -> None:
    lab.table("p", {"a": "int"})
    lab.partition("p", "x")
    before = (names(lab), partitions(lab, "p"))
    reason = failed(lab, sql, credentials=writer(lab, f"{action} {resource}"))
    assert f"not authorized to perform: {action} on resource" in reason
    assert (names(lab), partitions(lab, "p"), objects(lab, LAKE)) == (*before, {})
    succeeded(lab, sql, credentials=writer(lab))
