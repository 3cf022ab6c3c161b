"""Glue crawlers: tables and partitions from Parquet, the crawler's role, states and events."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedded_aws.services.athena.types import UnknownTypeError, from_arrow
from embedded_aws.services.glue.classification import HEAD_BYTES, other_format
from embedded_aws.services.glue.crawl_folders import (
    StoredObject,
    is_excluded,
    table_name,
    tables_at_level,
    tables_by_schema,
)
from embedded_aws.services.glue.parquet_types import hive_types
from tests.embedded_aws.stage import ACCOUNT, REGION, Stage
from tests.thoroughness import sampled

BUCKET = "lake"
CONFIGURATION = {
    "Version": 1.0,
    "Grouping": {"TableLevelConfiguration": 3, "TableGroupingPolicy": "CombineCompatibleSchemas"},
    "CrawlerOutput": {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
    },
}
GLUE = [
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:BatchGetPartition",
    "glue:BatchCreatePartition",
    "glue:UpdatePartition",
]
ALLOWED = (
    {"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]},
    {"Action": GLUE, "Resource": "*"},
)


@pytest.fixture
def lake(stage: Stage) -> Stage:
    """A bucket, a database, and the crawler `crawl` over `tables/`."""
    stage.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    stage.client("glue").create_database(DatabaseInput={"Name": "lake"})
    make_crawler(stage, "crawl")
    return stage


def make_crawler(stage: Stage, name: str, configuration: Any = CONFIGURATION, **settings: Any) -> None:
    target = {"Path": f"s3://{BUCKET}/tables/", "SampleSize": 1, **settings.pop("Target", {})}
    stage.client("glue").create_crawler(
        Name=name,
        Role=stage.role(f"{name}-role", "glue.amazonaws.com", *ALLOWED),
        DatabaseName="lake",
        Targets={"S3Targets": [target]},
        Configuration=json.dumps(configuration),
        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        **settings,
    )


def put(stage: Stage, key: str, **columns: Any) -> None:
    content = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), content)
    stage.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content.getvalue().to_pybytes())


def crawl(stage: Stage, name: str = "crawl") -> None:
    stage.client("glue").start_crawler(Name=name)
    stage.run_for(minutes=5)


def table(stage: Stage, name: str) -> Any:
    return stage.client("glue").get_table(DatabaseName="lake", Name=name)["Table"]


def columns(found: Any) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in found["StorageDescriptor"]["Columns"]]


def partitions(stage: Stage, name: str) -> dict[tuple[str, ...], Any]:
    found = stage.client("glue").get_partitions(DatabaseName="lake", TableName=name)["Partitions"]
    return {tuple(one["Values"]): one for one in found}


def test_folders_become_tables_as_a_crawler_creates_them(lake: Stage) -> None:
    put(lake, "tables/plays/dt=2026-11-23/a.parquet", Track=["x"], played_at=pa.array([0], pa.timestamp("ms", "UTC")))
    put(lake, "tables/plays/dt=2026-11-24/b.parquet", Track=["y"], played_at=pa.array([0], pa.timestamp("ms", "UTC")))
    put(lake, "tables/My-Other/a.parquet", n=[1, 2])
    put(lake, "elsewhere/third/a.parquet", n=[1])
    crawl(lake)
    found = table(lake, "plays")
    assert columns(found) == [("track", "string"), ("played_at", "timestamp")]
    assert found["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert found["TableType"] == "EXTERNAL_TABLE"
    descriptor = found["StorageDescriptor"]
    assert descriptor["Location"] == "s3://lake/tables/plays/"
    assert descriptor["InputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    assert descriptor["OutputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    serde = {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    }
    assert descriptor["SerdeInfo"] == serde
    parameters = found["Parameters"]
    assert {name: parameters[name] for name in ("classification", "compressionType", "typeOfData")} == {
        "classification": "parquet",
        "compressionType": "none",
        "typeOfData": "file",
    }
    assert parameters["CrawlerSchemaSerializerVersion"] == parameters["CrawlerSchemaDeserializerVersion"] == "1.0"
    assert parameters["UPDATED_BY_CRAWLER"] == "crawl"
    assert (parameters["objectCount"], parameters["recordCount"]) == ("2", "2")
    made = partitions(lake, "plays")
    assert set(made) == {("2026-11-23",), ("2026-11-24",)}
    assert made["2026-11-24",]["StorageDescriptor"]["Location"] == "s3://lake/tables/plays/dt=2026-11-24/"
    assert columns(made["2026-11-24",]) == columns(found)
    assert table(lake, "my_other")["PartitionKeys"] == []
    assert {one["Name"] for one in lake.client("glue").get_tables(DatabaseName="lake")["TableList"]} == {
        "plays",
        "my_other",
    }
    (step,) = lake.steps("crawl")
    assert (step.name, step.ok) == ("crawl", True)
    assert step.detail == "2 tables created, 0 updated; 2 partitions created, 0 updated"


def test_new_columns_are_merged_and_partitions_inherit_them(lake: Stage) -> None:
    put(lake, "tables/t/dt=1/a.parquet", a=[1], b=["x"])
    crawl(lake)
    put(lake, "tables/t/dt=2/a.parquet", b=["y"], c=[1.5])
    crawl(lake)
    expected = [("a", "bigint"), ("b", "string"), ("c", "double")]
    assert columns(table(lake, "t")) == expected
    assert {values: columns(one) for values, one in partitions(lake, "t").items()} == {
        ("1",): expected,
        ("2",): expected,
    }
    assert lake.steps("crawl")[-1].detail == "0 tables created, 1 updated; 1 partitions created, 1 updated"
    lake.client("s3").delete_object(Bucket=BUCKET, Key="tables/t/dt=2/a.parquet")
    crawl(lake)
    assert columns(table(lake, "t")) == expected
    assert set(partitions(lake, "t")) == {("1",), ("2",)}, "deletions are only logged"


@pytest.mark.slow
def test_without_inheritance_a_partition_has_its_own_columns(lake: Stage) -> None:
    configuration = {**CONFIGURATION, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}
    make_crawler(lake, "plain", configuration)
    put(lake, "tables/t/dt=1/a.parquet", a=[1])
    put(lake, "tables/t/dt=2/a.parquet", b=["y"])
    crawl(lake, "plain")
    assert {values: columns(one) for values, one in partitions(lake, "t").items()} == {
        ("1",): [("a", "bigint")],
        ("2",): [("b", "string")],
    }


def test_an_existing_table_of_the_same_form_is_adopted(lake: Stage) -> None:
    make_table(lake, "t", {"classification": "parquet", "compressionType": "none"})
    put(lake, "tables/t/dt=1/a.parquet", a=[1], new=[True])
    crawl(lake)
    found = table(lake, "t")
    assert columns(found) == [("a", "bigint"), ("kept", "string"), ("new", "boolean")]
    assert found["StorageDescriptor"]["Columns"][0]["Comment"] == "described"
    assert found["Description"] == "made by hand"
    assert found["Parameters"]["UPDATED_BY_CRAWLER"] == "crawl"
    assert set(partitions(lake, "t")) == {("1",)}


@pytest.mark.parametrize(
    ("parameters", "changes"),
    sampled(
        [
            ({"classification": "parquet"}, {}),
            ({"classification": "json", "compressionType": "none"}, {}),
            ({"classification": "parquet", "compressionType": "none"}, {"Location": "s3://lake/other/"}),
            ({"classification": "parquet", "compressionType": "none"}, {"SerdeInfo": {"SerializationLibrary": "x"}}),
            ({"classification": "parquet", "compressionType": "none"}, {"InputFormat": "x"}),
        ]
    ),
)
def test_an_existing_table_of_another_form_is_only_deprecated(lake: Stage, parameters: Any, changes: Any) -> None:
    make_table(lake, "t", parameters, **changes)
    put(lake, "tables/t/dt=1/a.parquet", a=[1], new=[True])
    crawl(lake)
    found = table(lake, "t")
    assert found["Parameters"]["DEPRECATED_BY_CRAWLER"].isdigit()
    assert columns(found) == [("a", "bigint"), ("kept", "string")]
    assert partitions(lake, "t") == {}


def make_table(stage: Stage, name: str, parameters: dict[str, str], **changes: Any) -> None:
    descriptor = {
        "Columns": [{"Name": "a", "Type": "bigint", "Comment": "described"}, {"Name": "kept", "Type": "string"}],
        "Location": f"s3://lake/tables/{name}",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
        **changes,
    }
    stage.client("glue").create_table(
        DatabaseName="lake",
        TableInput={
            "Name": name,
            "Description": "made by hand",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
            "StorageDescriptor": descriptor,
        },
    )


def test_anyones_parquet_becomes_tables(lake: Stage) -> None:
    put(lake, "tables/orders/2026/01/a.parquet", id=[1])
    put(lake, "tables/orders/2026/02/a.parquet", id=[2])
    put(lake, "tables/orders/2026/02/_SUCCESS", id=[2])
    lake.client("s3").put_object(Bucket=BUCKET, Key="tables/notes/readme.txt", Body=b"no table")
    lake.client("s3").put_object(Bucket=BUCKET, Key="tables/empty/", Body=b"")
    put(lake, "tables/above.parquet", id=[2])
    lake.client("logs").create_log_group(logGroupName="/aws-glue/crawlers")
    lake.allow("crawl-role", *ALLOWED, {"Action": "logs:*", "Resource": "*"})
    crawl(lake)
    assert [key["Name"] for key in table(lake, "orders")["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert set(partitions(lake, "orders")) == {("2026", "01"), ("2026", "02")}
    assert [one["Name"] for one in lake.client("glue").get_tables(DatabaseName="lake")["TableList"]] == ["orders"]
    log = "\n".join(lake.logged("/aws-glue/crawlers"))
    assert "readme.txt is not readable as Parquet" in log
    assert "tables/above.parquet is above the table level 3" in log


def test_without_a_level_tables_follow_the_schemas(lake: Stage) -> None:
    make_crawler(lake, "free", {"Version": 1.0}, TablePrefix="x_")
    put(lake, "tables/people/dt=1/a.parquet", name=["a"], age=[1])
    put(lake, "tables/people/dt=2/a.parquet", name=["b"], age=[2])
    put(lake, "tables/things/a.parquet", price=[1.5])
    crawl(lake, "free")
    assert {one["Name"] for one in lake.client("glue").get_tables(DatabaseName="lake")["TableList"]} == {
        "x_people",
        "x_things",
    }
    assert set(partitions(lake, "x_people")) == {("1",), ("2",)}


CSV = b"id,name\n1,ana\n2,ben\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"a": 1}\n{"a": 2}\n', "JSON"),
        (b'[\n  {"a": 1},\n  {"a": "' + b"x" * (HEAD_BYTES + 1) + b'"}\n]', "JSON"),
        (gzip.compress(b'{"a": 1}\n'), "JSON"),
        (CSV, "CSV"),
        (gzip.compress(CSV), "CSV"),
        (b"1\tana\n2\tben\n", "CSV"),
        (b'id|name\n1|"a|b"\n', "CSV"),
        (b"<rows><row/></rows>", "XML"),
        (b"Obj\x01\x00", "Avro"),
        (b"ORC\x01", "ORC"),
        (b"a line of text\nand another\n", None),
        (b"{ no JSON }\n", None),
        (b"one,line", None),
        (b"PAR1 and no footer", None),
        (bytes(range(256)), None),
        (gzip.compress(b"a line of text\n"), None),
    ],
)
def test_formats_that_glue_recognizes(content: bytes, name: str | None) -> None:
    assert other_format(content[:HEAD_BYTES]) == name


@pytest.mark.parametrize("configuration", [CONFIGURATION, {"Version": 1.0}])
def test_a_folder_of_another_format_fails_the_crawl(lake: Stage, configuration: Any) -> None:
    make_crawler(lake, "another", configuration)
    put(lake, "tables/good/a.parquet", a=[1])
    lake.client("s3").put_object(Bucket=BUCKET, Key="tables/people/a.csv", Body=CSV)
    crawl(lake, "another")
    last = lake.client("glue").get_crawler(Name="another")["Crawler"]["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert "crawls Parquet, and s3://lake/tables/people/a.csv is CSV" in last["ErrorMessage"]
    assert not lake.steps("crawl")[-1].ok


def test_objects_that_glue_does_not_recognize_are_only_logged(lake: Stage) -> None:
    put(lake, "tables/good/a.parquet", a=[1])
    lake.client("s3").put_object(Bucket=BUCKET, Key="tables/notes/README", Body=b"a line of text\n")
    crawl(lake)
    assert lake.steps("crawl")[-1].ok
    assert [one["Name"] for one in lake.client("glue").get_tables(DatabaseName="lake")["TableList"]] == ["good"]


def test_exclusions_keep_objects_out(lake: Stage) -> None:
    make_crawler(lake, "choosy", Target={"Exclusions": ["**.tmp", "b/**"]})
    put(lake, "tables/a/one.parquet", n=[1])
    put(lake, "tables/b/one.parquet", n=[1])
    put(lake, "tables/c/one.tmp", n=[1])
    crawl(lake, "choosy")
    assert [one["Name"] for one in lake.client("glue").get_tables(DatabaseName="lake")["TableList"]] == ["a"]


def test_a_running_crawler_refuses_and_shows_its_state(lake: Stage) -> None:
    glue = lake.client("glue")
    assert glue.get_crawler(Name="crawl")["Crawler"]["State"] == "READY"
    glue.start_crawler(Name="crawl")
    running = glue.get_crawler(Name="crawl")["Crawler"]
    assert running["State"] == "RUNNING"
    assert "LastCrawl" not in running
    assert glue.list_crawls(CrawlerName="crawl")["Crawls"][0]["State"] == "RUNNING"
    with pytest.raises(glue.exceptions.CrawlerRunningException):
        glue.start_crawler(Name="crawl")
    lake.run_for(minutes=1)
    assert glue.get_crawler(Name="crawl")["Crawler"]["State"] == "RUNNING"
    lake.run_for(minutes=2)
    ended = glue.get_crawler(Name="crawl")["Crawler"]
    assert (ended["State"], ended["LastCrawl"]["Status"]) == ("READY", "SUCCEEDED")
    glue.start_crawler(Name="crawl")
    glue.stop_crawler(Name="crawl")
    lake.run_for(minutes=5)
    assert glue.get_crawler(Name="crawl")["Crawler"]["LastCrawl"]["Status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("statements", "action"),
    sampled(
        [
            ((ALLOWED[1],), "s3:ListBucket"),
            (({"Action": "s3:ListBucket", "Resource": "*"}, ALLOWED[1]), "s3:GetObject"),
            (
                (ALLOWED[0], {"Action": [one for one in GLUE if one != "glue:CreateTable"], "Resource": "*"}),
                "glue:CreateTable",
            ),
            (
                (ALLOWED[0], {"Action": [one for one in GLUE if one != "glue:BatchCreatePartition"], "Resource": "*"}),
                "glue:BatchCreatePartition",
            ),
        ],
        2,
    ),
)
def test_a_missing_permission_fails_the_crawl(lake: Stage, statements: Any, action: str) -> None:
    put(lake, "tables/t/dt=1/a.parquet", a=[1])
    lake.allow("crawl-role", *statements)
    crawl(lake)
    (step,) = lake.steps("crawl")
    assert not step.ok
    assert f"is not authorized to perform: {action}" in step.detail
    last = lake.client("glue").get_crawler(Name="crawl")["Crawler"]["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert action in last["ErrorMessage"]


@pytest.mark.slow
def test_cached_footers_still_need_permission(lake: Stage) -> None:
    put(lake, "tables/t/dt=1/a.parquet", a=[1])
    crawl(lake)
    lake.allow("crawl-role", {"Action": "s3:ListBucket", "Resource": "*"}, ALLOWED[1])
    crawl(lake)
    assert "s3:GetObject" in lake.steps("crawl")[-1].detail


def test_the_end_of_a_crawl_is_an_event_that_rules_see(lake: Stage) -> None:
    lake.client("logs").create_log_group(logGroupName="/aws/lambda/told")
    arn = lake.function("told", "import json\ndef handler(event, context): print(json.dumps(event))\n")
    pattern = {
        "source": ["aws.glue"],
        "detail-type": ["Glue Crawler State Change"],
        "detail": {"crawlerName": ["crawl"], "state": ["Succeeded"]},
    }
    rule = lake.client("events").put_rule(Name="crawled", EventPattern=json.dumps(pattern))["RuleArn"]
    lake.client("events").put_targets(Rule="crawled", Targets=[{"Id": "1", "Arn": arn}])
    lake.client("lambda").add_permission(
        FunctionName="told",
        StatementId="1",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    put(lake, "tables/t/dt=1/a.parquet", a=[1])
    crawl(lake)
    (event,) = [json.loads(line) for line in lake.logged("/aws/lambda/told") if line.startswith("{")]
    assert event["source"] == "aws.glue"
    assert event["account"] == ACCOUNT
    assert event["detail"]["state"] == "Succeeded"
    assert event["detail"]["tablesCreated"] == "1"
    lake.allow("crawl-role", ALLOWED[1])
    crawl(lake)
    assert len([line for line in lake.logged("/aws/lambda/told") if line.startswith("{")]) == 1


@pytest.mark.slow
def test_a_schedule_retries_a_running_crawler(lake: Stage) -> None:
    put(lake, "tables/t/dt=1/a.parquet", a=[1])
    crawler = f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/crawl"
    role = lake.role("starter", "scheduler.amazonaws.com", {"Action": "glue:StartCrawler", "Resource": crawler})
    lake.client("scheduler").create_schedule(
        Name="crawl-daily",
        ScheduleExpression="at(2026-11-23T07:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:scheduler:::aws-sdk:glue:startCrawler", "RoleArn": role, "Input": '{"Name": "crawl"}'},
    )
    lake.run_for(minutes=59)
    lake.client("glue").start_crawler(Name="crawl")
    lake.run_for(hours=1)
    steps = lake.steps("schedule")
    assert [step.ok for step in steps] == [False, False, True]
    assert "CrawlerRunningException" in steps[0].detail
    assert [step.ok for step in lake.steps("crawl")] == [True, True]


@pytest.mark.slow
def test_a_crawler_may_have_its_own_schedule_and_a_role_by_name(lake: Stage) -> None:
    put(lake, "tables/t/dt=1/a.parquet", a=[1])
    lake.client("glue").create_crawler(
        Name="daily",
        Role="crawl-role",
        DatabaseName="lake",
        Targets={"S3Targets": [{"Path": f"s3://{BUCKET}/tables/"}]},
        Configuration=json.dumps(CONFIGURATION),
        Schedule="cron(0 8 * * ? *)",
    )
    lake.run_for(days=1)
    assert [(step.name, step.ok) for step in lake.steps("crawl")] == [("daily", True)]
    assert set(partitions(lake, "t")) == {("1",)}


@pytest.mark.parametrize(
    ("settings", "said"),
    sampled(
        [
            ({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}}, "CRAWL_EVENT_MODE is not modelled"),
            (
                {"SchemaChangePolicy": {"DeleteBehavior": "DELETE_FROM_DATABASE"}},
                "DELETE_FROM_DATABASE is not modelled",
            ),
            (
                {"Targets": {"CatalogTargets": [{"DatabaseName": "lake", "Tables": ["t"]}]}},
                "CatalogTargets are not modelled",
            ),
        ]
    ),
)
def test_what_is_not_modelled_fails_with_a_message(lake: Stage, settings: Any, said: str) -> None:
    lake.client("glue").create_crawler(
        **{
            "Name": "special",
            "Role": "crawl-role",
            "DatabaseName": "lake",
            "Targets": {"S3Targets": [{"Path": "s3://lake"}]},
            **settings,
        }
    )
    crawl(lake, "special")
    assert said in lake.steps("crawl")[-1].detail


@pytest.mark.parametrize(
    ("arrow", "hive"),
    [
        (pa.bool_(), "boolean"),
        (pa.int8(), "tinyint"),
        (pa.uint32(), "bigint"),
        (pa.large_string(), "string"),
        (pa.date32(), "date"),
        (pa.timestamp("us"), "timestamp"),
        (pa.decimal128(10, 2), "decimal(10,2)"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
        (
            pa.list_(pa.struct([("Id", pa.int64()), ("names", pa.list_(pa.string()))])),
            "array<struct<id:bigint,names:array<string>>>",
        ),
        (pa.map_(pa.string(), pa.float64()), "map<string,double>"),
        (pa.time32("ms"), "int"),
        (pa.binary(16), "binary"),
    ],
)
def test_hive_types(arrow: pa.DataType, hive: str) -> None:
    assert from_arrow(arrow).hive == hive


@pytest.mark.parametrize(
    ("arrow", "options", "hive"),
    [
        (pa.timestamp("ms"), {}, "timestamp"),
        (pa.timestamp("us", "UTC"), {}, "timestamp"),
        (pa.timestamp("ns"), {"use_deprecated_int96_timestamps": True}, "timestamp"),
        (pa.timestamp("ns"), {"coerce_timestamps": "ms"}, "timestamp"),
        (pa.timestamp("ns"), {}, "bigint"),
        (pa.timestamp("ns", "UTC"), {}, "bigint"),
        (pa.duration("ms"), {}, "bigint"),
        (
            pa.struct([("at", pa.list_(pa.timestamp("ns"))), ("on", pa.timestamp("ms"))]),
            {},
            "struct<at:array<bigint>,on:timestamp>",
        ),
        (pa.map_(pa.string(), pa.timestamp("ns")), {}, "map<string,bigint>"),
        (pa.string_view(), {}, "string"),
        (pa.large_list(pa.string_view()), {}, "array<string>"),
        (pa.list_(pa.duration("ms"), 2), {}, "array<bigint>"),
    ],
)
def test_the_footer_of_a_foreign_file_decides(arrow: pa.DataType, options: dict[str, Any], hive: str) -> None:
    content = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": pa.array([None], arrow)}), content, **options)
    with pq.ParquetFile(pa.BufferReader(content.getvalue())) as file:
        assert hive_types(file) == {"x": hive}


def test_a_column_without_a_type_of_parquets_first_version_is_crawled_as_the_integer_it_is(lake: Stage) -> None:
    put(lake, "tables/foreign/a.parquet", at=pa.array([1_000_000_123], pa.timestamp("ns")))
    crawl(lake)
    assert columns(table(lake, "foreign")) == [("at", "bigint")]


def test_a_type_missing_from_hive_is_refused() -> None:
    with pytest.raises(UnknownTypeError, match="month_day_nano"):
        from_arrow(pa.month_day_nano_interval())


@pytest.mark.parametrize(
    ("pattern", "key", "out"),
    [
        ("*.csv", "a/b.csv", False),
        ("**.csv", "a/b.csv", True),
        ("a/*", "a/b.csv", True),
        ("a/*", "a/b/c.csv", False),
        ("**/[!x]?.{csv,json}", "a/ab.json", True),
        ("**/[!x]?.{csv,json}", "a/xb.json", False),
        ("a\\*", "a*", True),
    ],
)
def test_exclusion_patterns(pattern: str, key: str, out: bool) -> None:
    assert is_excluded(f"data/{key}", "data/", [pattern]) is out


def stored(*keys: str) -> list[StoredObject]:
    return [StoredObject(key, 1, key) for key in keys]


def test_partitions_are_those_of_most_objects() -> None:
    (found,), warnings = tables_at_level(stored("t/a=1/b=x/1", "t/a=1/b=y/1", "t/a=2/1"), 2)
    assert found.keys == ("a", "b")
    assert set(found.partitions) == {("1", "x"), ("1", "y")}
    assert warnings == ["t/a=2/1 is not partitioned by a, b like the others of t/."]


def test_compatible_schemas_are_one_table_only_where_they_may_be_combined() -> None:
    schemas = {"d/a=1/x": {"n": "int", "m": "int"}, "d/a=2/x": {"n": "int", "o": "int", "p": "int"}}
    objects = stored(*schemas)
    combined, _ = tables_by_schema(objects, "d/", lambda one: schemas[one.key], combine=True)
    apart, _ = tables_by_schema(objects, "d/", lambda one: schemas[one.key], combine=False)
    assert [found.folder for found in combined] == ["d/"]
    assert [found.folder for found in apart] == ["d/a=1/", "d/a=2/"]


def test_table_names_use_characters_that_hive_allows() -> None:
    assert table_name("x/My Table-1/", "bucket", "p_") == "p_my_table_1"
    assert table_name("", "the-bucket", "") == "the_bucket"
