"""boto3's waiters and paginators, in a version that the project does not use."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Clients

pytestmark = pytest.mark.clients

CLIENTS = """
import boto3

def client(service):
    return boto3.client(service)

def pages(service, operation, key, size, **arguments):
    paginator = client(service).get_paginator(operation)
    return [page[key] for page in paginator.paginate(PaginationConfig={"PageSize": size}, **arguments)]
"""


def test_waiters_end(clients: Clients) -> None:
    waited = clients.python(
        CLIENTS
        + """
s3, functions = client("s3"), client("lambda")
bucket = outputs["athena_results_bucket_name"]
s3.put_object(Bucket=bucket, Key="waited", Body=b"x")
s3.get_waiter("bucket_exists").wait(Bucket=bucket)
s3.get_waiter("object_exists").wait(Bucket=bucket, Key="waited")
s3.delete_object(Bucket=bucket, Key="waited")
s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key="waited")
for waiter in ("function_active_v2", "function_exists", "function_updated_v2"):
    functions.get_waiter(waiter).wait(FunctionName=outputs["publish_function_name"])
client("iam").get_waiter("policy_exists").wait(PolicyArn=outputs["analyst_policy_arn"])
client("cloudwatch").get_waiter("alarm_exists").wait()
result = True
"""
    )
    assert waited is True


def test_paginators_return_each_thing_once_in_pages_of_the_size_asked_for(clients: Clients) -> None:
    found = clients.python(
        CLIENTS
        + """
database, group = outputs["glue_database_name"], outputs["athena_workgroup_name"]
tables = {"DatabaseName": database}
plays = {**tables, "TableName": "plays"}
metadata = {"CatalogName": "AwsDataCatalog", "DatabaseName": database}
listed = {
    "alarms": pages("cloudwatch", "describe_alarms", "MetricAlarms", 5),
    "functions": pages("lambda", "list_functions", "Functions", 2),
    "log groups": pages("logs", "describe_log_groups", "logGroups", 2),
    "metadata": pages("athena", "list_table_metadata", "TableMetadataList", 10, **metadata),
    "named queries": pages("athena", "list_named_queries", "NamedQueryIds", 10, WorkGroup=group),
    "objects": pages("s3", "list_objects_v2", "Contents", 7, Bucket=outputs["raw_bucket_name"]),
    "partitions": pages("glue", "get_partitions", "Partitions", 1, **plays),
    "schedules": pages("scheduler", "list_schedules", "Schedules", 2),
    "tables": pages("glue", "get_tables", "TableList", 10, **tables),
}

def name(one):
    if isinstance(one, str):
        return one
    keys = ("AlarmName", "FunctionName", "logGroupName", "Key", "Name")
    return next((one[key] for key in keys if key in one), str(one.get("Values")))

result = {kind: [[name(one) for one in page] for page in pages] for kind, pages in listed.items()}
"""
    )
    sizes = {
        "alarms": 5,
        "functions": 2,
        "log groups": 2,
        "metadata": 10,
        "named queries": 10,
        "objects": 7,
        "partitions": 1,
        "schedules": 2,
        "tables": 10,
    }
    assert found.keys() == sizes.keys()
    for kind, pages in found.items():
        names = [name for page in pages for name in page]
        assert len(names) == len(set(names)), kind
        assert max(len(page) for page in pages) <= sizes[kind], kind
    assert len(found["functions"]) == 2
    assert {"plays", "current_saved_tracks"} <= {name for page in found["tables"] for name in page}
    assert len(found["tables"]) > 2
    assert set(clients.outputs["named_queries"].values()) == {name for page in found["named queries"] for name in page}
