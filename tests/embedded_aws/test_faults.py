"""Requests that fail on demand."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws import RequestFault
from tests.embedded_aws.stage import REGION, Stage
from tests.thoroughness import sampled


def outcome(call: Any, **arguments: Any) -> tuple[str, int] | None:
    """Return code and status of the error that a call raises; None if it succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


@pytest.mark.parametrize(
    ("service", "signing", "operation", "method", "arguments"),
    sampled(
        [
            ("s3", "s3", "ListBuckets", "list_buckets", {}),
            ("sqs", "sqs", "ListQueues", "list_queues", {}),
            ("lambda", "lambda", "ListFunctions", "list_functions", {}),
            ("iam", "iam", "ListRoles", "list_roles", {}),
            ("cloudwatch", "monitoring", "DescribeAlarms", "describe_alarms", {}),
            ("glue", "glue", "GetDatabases", "get_databases", {}),
        ]
    ),
)
def test_every_protocol_has_the_error(
    stage: Stage, service: str, signing: str, operation: str, method: str, arguments: dict[str, Any]
) -> None:
    fault = RequestFault(service=signing, operation=operation, code="MadeUpException", status=418, message="On demand.")
    stage.inject(fault)
    call = getattr(stage.client(service), method)
    with pytest.raises(ClientError, match=r"\(MadeUpException\).*: On demand\.") as raised:
        call(**arguments)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418
    assert outcome(call, **arguments) is None
    assert stage.server.faults.remaining == 0


def test_so_many_requests_fail_after_so_many_that_succeed(stage: Stage) -> None:
    lists = stage.client("s3").list_buckets
    stage.inject(RequestFault(service="s3", operation="ListBuckets", code="Gone", status=410, skip=1, times=2))
    assert [outcome(lists) for _ in range(4)] == [None, ("Gone", 410), ("Gone", 410), None]


def test_faults_come_in_the_order_in_which_they_were_injected(stage: Stage) -> None:
    for code in ("First", "Second"):
        stage.inject(RequestFault(service="s3", operation="ListBuckets", code=code, status=410))
    stage.inject(RequestFault(service="s3", operation="CreateBucket", status=410))
    lists = stage.client("s3").list_buckets
    assert [outcome(lists) for _ in range(3)] == [("First", 410), ("Second", 410), None]
    assert stage.server.faults.remaining == 1
    stage.server.faults.clear()
    assert stage.server.faults.remaining == 0


@pytest.mark.parametrize("is_done", [False, True])
def test_the_operation_is_carried_out_only_if_its_response_is_lost(stage: Stage, *, is_done: bool) -> None:
    s3 = stage.client("s3")
    stage.inject(RequestFault(service="s3", operation="CreateBucket", code="Lost", status=400, is_done=is_done))
    settings = {"LocationConstraint": REGION}
    assert outcome(s3.create_bucket, Bucket="made", CreateBucketConfiguration=settings) == ("Lost", 400)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == (["made"] if is_done else [])


def test_clients_retry_what_aws_means_to_be_retried(stage: Stage) -> None:
    stage.inject(RequestFault(service="s3", operation="ListBuckets", code="SlowDown", status=503))
    assert outcome(stage.client("s3").list_buckets) is None
    assert stage.server.faults.remaining == 0


def test_what_is_not_allowed_is_denied_and_meets_no_fault(stage: Stage) -> None:
    role = stage.role("nobody", "lambda.amazonaws.com")
    credentials = stage.server.assume(role, "lambda.amazonaws.com", "session")
    stage.inject(RequestFault(service="s3", operation="ListBuckets", code="Gone", status=410))
    assert outcome(stage.server.client("s3", credentials).list_buckets) == ("AccessDenied", 403)
    assert stage.server.faults.remaining == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"operation": "PutObjects"}, "knows no operation PutObjects of a service s3"),
        ({"service": "ec2"}, "knows no operation PutObject of a service ec2"),
        ({"status": 200}, "status from 400 to 599"),
        ({"times": 0}, "at least once"),
        ({"skip": -1}, "skip of 0 or more"),
    ],
)
def test_a_fault_that_could_never_happen_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RequestFault(**({"service": "s3", "operation": "PutObject"} | settings))
