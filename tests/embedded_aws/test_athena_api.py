"""Athena's API with unmodified boto3: states, results, limits and permissions."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.services.athena.results import java_double
from tests.embedded_aws.athena_lab import DATABASE, LAKE, RESULTS, WORKGROUP, Lab

REGION, ACCOUNT = "eu-central-1", "123456789012"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}:"


@pytest.fixture
def lab(one_lab: Lab) -> Lab:
    one_lab.empty()
    one_lab.table("plays", {"item": "string", "ms": "bigint"})
    one_lab.partition("plays", "1")
    one_lab.put("tables/plays/dt=1/a.parquet", {"item": ['say "hi"', "a,b", None, ""], "ms": [1, 2, 3, None]})
    return one_lab


def result_object(lab: Lab, execution: dict[str, Any]) -> str:
    location = execution["ResultConfiguration"]["OutputLocation"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    text: str = lab.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return text


def test_the_result_object_is_csv_with_everything_quoted_but_null(lab: Lab) -> None:
    execution = lab.run('SELECT item, ms AS "Milli" FROM plays ORDER BY ms NULLS LAST')
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{RESULTS}/answers/{execution['QueryExecutionId']}.csv"
    assert result_object(lab, execution) == '"item","Milli"\n"say ""hi""","1"\n"a,b","2"\n,"3"\n"",\n'


def test_get_query_results_pages_with_the_header_first(lab: Lab) -> None:
    execution = lab.run("SELECT ms FROM plays ORDER BY ms NULLS LAST")
    assert lab.pages(execution, size=2) == [("ms",), ("1",), ("2",), ("3",), (None,)]


def test_columns_have_athenas_types(lab: Lab) -> None:
    execution = lab.run(
        "SELECT 1 AS i, ms, item, 1e0 AS d, true AS b, DATE '2026-01-01' AS day, localtimestamp AS at, now() AS now,"
        " CAST(1 AS decimal(10,2)) AS p, ARRAY[1] AS a, count(*) OVER (), NULL AS nothing"
        " FROM plays"
    )
    answer = lab.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"], MaxResults=1)
    columns = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(one["Name"], one["Type"]) for one in columns] == [
        ("i", "integer"),
        ("ms", "bigint"),
        ("item", "varchar"),
        ("d", "double"),
        ("b", "boolean"),
        ("day", "date"),
        ("at", "timestamp"),
        ("now", "timestamp with time zone"),
        ("p", "decimal"),
        ("a", "array"),
        ("_col10", "bigint"),
        ("nothing", "unknown"),
    ]
    assert (columns[8]["Precision"], columns[8]["Scale"]) == (10, 2)


def test_an_execution_reports_its_outcome(lab: Lab) -> None:
    good = lab.run("SELECT ms FROM plays")
    assert (good["Status"]["State"], good["StatementType"], good["SubstatementType"]) == ("SUCCEEDED", "DML", "SELECT")
    assert good["WorkGroup"] == WORKGROUP
    assert good["QueryExecutionContext"] == {"Database": DATABASE}
    assert (
        0
        < good["Statistics"]["DataScannedInBytes"]
        < lab.run("SELECT * FROM plays")["Statistics"]["DataScannedInBytes"]
    )
    bad = lab.run("SELECT nosuch FROM plays")
    assert bad["Status"]["State"] == "FAILED"
    reason = bad["Status"]["StateChangeReason"]
    assert reason.startswith("COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved")
    assert bad["Status"]["AthenaError"] == {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": reason}
    with pytest.raises(ClientError, match=r"InvalidRequestException.*Final query state: FAILED"):
        lab.client("athena").get_query_results(QueryExecutionId=bad["QueryExecutionId"])


def test_a_query_that_breaks_the_engine_fails(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("nothing there")

    monkeypatch.setattr("embedded_aws.services.athena.warehouse.translate", broken)
    status = lab.run("SELECT 4711")["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        "FAILED",
        "GENERIC_INTERNAL_ERROR: LookupError: nothing there",
    )


def test_executions_are_listed_newest_first_and_described_together(lab: Lab) -> None:
    ids = [lab.run(f"SELECT {number}")["QueryExecutionId"] for number in range(3)]
    athena = lab.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(
        WorkGroup=WORKGROUP, PaginationConfig={"PageSize": 2}
    )
    assert [one for page in pages for one in page["QueryExecutionIds"]] == ids[::-1]
    answer = athena.batch_get_query_execution(QueryExecutionIds=[*ids, "nosuch"])
    assert [one["Query"] for one in answer["QueryExecutions"]] == ["SELECT 0", "SELECT 1", "SELECT 2"]
    assert [one["QueryExecutionId"] for one in answer["UnprocessedQueryExecutionIds"]] == ["nosuch"]
    with pytest.raises(ClientError, match=r"InvalidRequestException.*nosuch was not found"):
        athena.get_query_execution(QueryExecutionId="nosuch")


def test_named_queries_run_as_they_are_kept(lab: Lab) -> None:
    athena = lab.client("athena")
    made = athena.create_named_query(
        Name="total", Database=DATABASE, QueryString="SELECT sum(ms) FROM plays", WorkGroup=WORKGROUP
    )["NamedQueryId"]
    assert athena.list_named_queries(WorkGroup=WORKGROUP)["NamedQueryIds"] == [made]
    kept = athena.get_named_query(NamedQueryId=made)["NamedQuery"]
    assert lab.query(kept["QueryString"], database=kept["Database"]) == [("6",)]


def test_a_named_query_is_updated_and_deleted(lab: Lab) -> None:
    athena = lab.client("athena")
    made = athena.create_named_query(
        Name="total", Description="old", Database=DATABASE, QueryString="SELECT 1", WorkGroup=WORKGROUP
    )["NamedQueryId"]
    athena.update_named_query(NamedQueryId=made, Name="sum", QueryString="SELECT 2")
    assert athena.get_named_query(NamedQueryId=made)["NamedQuery"] == {
        "Name": "sum",
        "Description": "old",
        "Database": DATABASE,
        "QueryString": "SELECT 2",
        "NamedQueryId": made,
        "WorkGroup": WORKGROUP,
    }
    athena.delete_named_query(NamedQueryId=made)
    assert made not in athena.list_named_queries(WorkGroup=WORKGROUP)["NamedQueryIds"]
    for gone in (athena.get_named_query, athena.delete_named_query):
        with pytest.raises(ClientError, match=f"InvalidRequestException.*{made} was not found"):
            gone(NamedQueryId=made)


def test_several_named_queries_at_once(lab: Lab) -> None:
    athena = lab.client("athena")
    query = {"Name": "one", "Database": DATABASE, "QueryString": "SELECT 1", "WorkGroup": WORKGROUP}
    made = athena.create_named_query(**query)["NamedQueryId"]
    answer = athena.batch_get_named_query(NamedQueryIds=[made, "nosuch"])
    assert answer["NamedQueries"] == [query | {"NamedQueryId": made}]
    (unknown,) = answer["UnprocessedNamedQueryIds"]
    assert (unknown["NamedQueryId"], unknown["ErrorMessage"]) == ("nosuch", "NamedQuery nosuch was not found")


def test_a_workgroup_with_contents_is_deleted_only_with_them(lab: Lab) -> None:
    athena = lab.client("athena")
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"}}
    athena.create_work_group(Name="others", Configuration=results)
    query = {"Name": "one", "Database": DATABASE, "QueryString": "SELECT 1", "WorkGroup": "others"}
    made = athena.create_named_query(**query)["NamedQueryId"]
    athena.create_prepared_statement(StatementName="two", WorkGroup="others", QueryStatement="SELECT 2")
    with pytest.raises(ClientError, match=r"InvalidRequestException.*WorkGroup others is not empty"):
        athena.delete_work_group(WorkGroup="others")
    athena.delete_work_group(WorkGroup="others", RecursiveDeleteOption=True)
    with pytest.raises(ClientError, match=f"{made} was not found"):
        athena.get_named_query(NamedQueryId=made)
    athena.create_work_group(Name="others", Configuration=results)
    assert athena.list_prepared_statements(WorkGroup="others")["PreparedStatements"] == []
    athena.delete_work_group(WorkGroup="others")
    for name, problem in (("others", "WorkGroup others is not found"), ("primary", "Cannot delete the primary")):
        with pytest.raises(ClientError, match=f"InvalidRequestException.*{problem}"):
            athena.delete_work_group(WorkGroup=name)
    with pytest.raises(ClientError, match=r"InvalidRequestException.*WorkGroup others is not found"):
        athena.get_work_group(WorkGroup="others")


def test_a_workgroup_is_updated_setting_by_setting(lab: Lab) -> None:
    athena = lab.client("athena")
    location = f"s3://{RESULTS}/one/"
    athena.create_work_group(
        Name="changing",
        Configuration={
            "ResultConfiguration": {
                "OutputLocation": location,
                "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            },
            "BytesScannedCutoffPerQuery": 20_000_000,
        },
    )
    athena.update_work_group(
        WorkGroup="changing",
        Description="changed",
        State="DISABLED",
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": False,
            "RemoveBytesScannedCutoffPerQuery": True,
            "ResultConfigurationUpdates": {"RemoveEncryptionConfiguration": True},
        },
    )
    group = athena.get_work_group(WorkGroup="changing")["WorkGroup"]
    assert (group["Description"], group["State"]) == ("changed", "DISABLED")
    assert group["Configuration"]["ResultConfiguration"] == {"OutputLocation": location}
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is False
    assert "BytesScannedCutoffPerQuery" not in group["Configuration"]
    with pytest.raises(ClientError, match="WorkGroup absent is not found"):
        athena.update_work_group(WorkGroup="absent")


def test_a_workgroup_without_tags_has_none(lab: Lab) -> None:
    athena, arn = lab.client("athena"), f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/"
    assert athena.list_tags_for_resource(ResourceARN=arn + WORKGROUP)["Tags"] == []
    with pytest.raises(ClientError, match="absent Does Not Exist"):
        athena.list_tags_for_resource(ResourceARN=arn + "absent")


def test_the_workgroups_output_location_is_enforced(lab: Lab) -> None:
    query = lab.client("athena").start_query_execution(
        QueryString="SELECT 1", WorkGroup=WORKGROUP, ResultConfiguration={"OutputLocation": f"s3://{LAKE}/elsewhere/"}
    )["QueryExecutionId"]
    execution = lab.client("athena").get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{RESULTS}/answers/")


def test_without_an_output_location_a_query_does_not_start(lab: Lab) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        lab.client("athena").start_query_execution(QueryString="SELECT 1")


def test_a_query_that_reads_too_much_is_cancelled(lab: Lab) -> None:
    # The smallest that AWS takes is ten million.
    lab.server.backend("athena").work_groups[WORKGROUP].configuration["BytesScannedCutoffPerQuery"] = 10
    execution = lab.run("SELECT item FROM plays")
    assert execution["Status"]["State"] == "CANCELLED"
    assert "Bytes scanned limit was exceeded" in execution["Status"]["StateChangeReason"]
    assert lab.query("SELECT count(*) FROM plays") == [("4",)]


# Permissions

READER: list[dict[str, Any]] = [
    {"Action": ["athena:*"], "Resource": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{WORKGROUP}"},
    {
        "Action": ["glue:GetTable", "glue:GetPartitions", "glue:GetDatabase"],
        "Resource": [
            f"{GLUE}catalog",
            f"{GLUE}database/{DATABASE}",
            f"{GLUE}database/default",
            f"{GLUE}table/{DATABASE}/*",
        ],
    },
    {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{LAKE}"},
    {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{LAKE}/tables/*"},
    {"Action": "s3:GetBucketLocation", "Resource": f"arn:aws:s3:::{RESULTS}"},
    {"Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"arn:aws:s3:::{RESULTS}/answers/*"},
]


def analyst(lab: Lab, *statements: dict[str, Any]) -> AwsCredentials:
    iam = lab.client("iam")
    name = f"analyst-{uuid.uuid4()}"
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return AwsCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)


def test_a_reader_gets_rows(lab: Lab) -> None:
    credentials = analyst(lab, *READER)
    execution = lab.run("SELECT sum(ms) FROM plays", credentials=credentials)
    assert execution["Status"]["State"] == "SUCCEEDED", execution
    rows = lab.client("athena", credentials).get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert rows["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "6"}]


@pytest.mark.parametrize(
    ("without", "action"),
    [
        ("glue:GetTable", "glue:GetTable"),
        ("glue:GetPartitions", "glue:GetPartitions"),
        (f"arn:aws:s3:::{LAKE}", "s3:ListBucket"),
        (f"arn:aws:s3:::{LAKE}/tables/*", "s3:GetObject"),
        (f"arn:aws:s3:::{RESULTS}", "s3:GetBucketLocation"),
        (f"arn:aws:s3:::{RESULTS}/answers/*", "s3:PutObject"),
        (f"{GLUE}catalog", "glue:GetTable"),
    ],
)
def test_a_query_needs_its_callers_permissions(lab: Lab, without: str, action: str) -> None:
    statements = []
    for statement in READER:
        kept = {
            name: [one for one in (values if isinstance(values, list) else [values]) if one != without]
            for name, values in statement.items()
        }
        if kept["Action"] and kept["Resource"]:
            statements.append(kept)
    execution = lab.run("SELECT item FROM plays", credentials=analyst(lab, *statements))
    assert execution["Status"]["State"] == "FAILED"
    assert f"not authorized to perform: {action} on resource" in execution["Status"]["StateChangeReason"]
    assert lab.server.authorization.denials[-1].action == action


def test_a_view_is_created_without_reading_partitions_or_data(lab: Lab) -> None:
    statements = [
        *READER[:1],
        *READER[4:],
        {**READER[1], "Action": ["glue:*Database", "glue:GetTable", "glue:CreateTable"]},
    ]
    execution = lab.run("CREATE VIEW v AS SELECT item FROM plays", credentials=analyst(lab, *statements))
    assert execution["Status"]["State"] == "SUCCEEDED", execution


def test_a_reader_cannot_create_a_view(lab: Lab) -> None:
    execution = lab.run("CREATE VIEW v AS SELECT item FROM plays", credentials=analyst(lab, *READER))
    assert "not authorized to perform: glue:CreateTable" in execution["Status"]["StateChangeReason"]


def test_results_need_permission_to_read_the_result_object(lab: Lab) -> None:
    execution = lab.run("SELECT item FROM plays")
    credentials = analyst(lab, READER[0])
    with pytest.raises(ClientError, match="not authorized to perform: s3:GetObject"):
        lab.client("athena", credentials).get_query_results(QueryExecutionId=execution["QueryExecutionId"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (9999999.0, "9999999.0"),
        (10000000.0, "1.0E7"),
        (123456789.5, "1.234567895E8"),
        (0.001, "0.001"),
        (0.00012, "1.2E-4"),
        (-2.5, "-2.5"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_doubles_are_written_as_java_does(value: float, text: str) -> None:
    assert java_double(value) == text
