"""The embedded AWS: one account, keep-alive connections, and nothing left behind."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_aws.server.server import AwsServer, PortInUseError, ServerBusyError
from loopback.server import HOST

IN_REGION = {"LocationConstraint": "eu-central-1"}


def test_the_owner_may_do_everything_in_the_given_account_and_region(server: AwsServer) -> None:
    created = server.client("sqs").create_queue(QueueName="plays")
    assert created["QueueUrl"] == f"{server.url}/123456789012/plays"
    attributes = server.client("sqs").get_queue_attributes(QueueUrl=created["QueueUrl"], AttributeNames=["QueueArn"])
    assert attributes["Attributes"]["QueueArn"] == "arn:aws:sqs:eu-central-1:123456789012:plays"
    assert server.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_another_account_and_region() -> None:
    server = AwsServer(region="us-west-2", account_id="210987654321")
    server.start()
    try:
        topic = server.client("sns").create_topic(Name="alerts")
        assert topic["TopicArn"] == "arn:aws:sns:us-west-2:210987654321:alerts"
    finally:
        server.stop()


def test_any_client_with_the_owners_credentials_is_the_owner(server: AwsServer) -> None:
    client: Any = boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name=server.region,
        aws_access_key_id=server.owner.access_key_id,
        aws_secret_access_key=server.owner.secret_access_key,
    )
    client.create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=IN_REGION)
    assert [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]] == ["raw-bucket"]
    client.close()


def test_clients_are_made_once_even_by_many_threads(server: AwsServer) -> None:
    with ThreadPoolExecutor(8) as threads:
        clients = set(map(id, threads.map(lambda _: server.client("glue"), range(32))))
    assert len(clients) == 1


def test_large_bodies_and_many_threads_keep_their_bytes(server: AwsServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=IN_REGION)

    def there_and_back(number: int) -> bool:
        body = bytes([number]) * 1_500_000
        s3.put_object(Bucket="raw-bucket", Key=f"ü/{number}", Body=body)
        return bool(s3.get_object(Bucket="raw-bucket", Key=f"ü/{number}")["Body"].read() == body)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(there_and_back, range(12)))


def test_a_connection_serves_several_requests(server: AwsServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.connect()
    used = connection.sock
    for _ in range(3):
        address = server.client("s3").generate_presigned_url("list_objects_v2", Params={"Bucket": "missing-bucket"})
        connection.request("GET", address.removeprefix(server.url))
        answer = connection.getresponse()
        assert answer.status == 404
        assert b"NoSuchBucket" in answer.read()
        assert connection.sock is used
    connection.close()


def test_a_queue_keeps_its_policies(server: AwsServer) -> None:
    sqs = server.client("sqs")
    dead_letters, queue = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead-letters", "plays"))

    def attributes(url: str, *names: str) -> dict[str, str]:
        found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})
        return found

    arn = attributes(dead_letters, "QueueArn")["QueueArn"]
    allow = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:eu-central-1:1:plays"]})
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}]}
    assert attributes(dead_letters, "Policy", "RedriveAllowPolicy") == {}
    sqs.set_queue_attributes(QueueUrl=dead_letters, Attributes={"Policy": json.dumps(policy)})
    sqs.set_queue_attributes(QueueUrl=dead_letters, Attributes={"RedriveAllowPolicy": allow})
    assert attributes(dead_letters, "RedriveAllowPolicy") == {"RedriveAllowPolicy": allow}
    assert json.loads(attributes(dead_letters, "All")["Policy"]) == policy
    for name in ("Policy", "RedriveAllowPolicy"):
        sqs.set_queue_attributes(QueueUrl=dead_letters, Attributes={name: ""})
        assert name not in attributes(dead_letters, "All")

    redrive = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":5}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": redrive})
    assert attributes(queue, "RedrivePolicy") == {"RedrivePolicy": redrive}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "said"),
    [
        (
            "glue",
            "create_classifier",
            {"CsvClassifier": {"Name": "csv"}},
            "UnsupportedOperationException",
            "CreateClassifier",
        ),
        (
            "iam",
            "get_context_keys_for_custom_policy",
            {"PolicyInputList": ["{}"]},
            "UnsupportedOperation",
            "GetContextKeysForCustomPolicy",
        ),
        (
            "lambda",
            "list_provisioned_concurrency_configs",
            {"FunctionName": "any"},
            "UnsupportedOperationException",
            "GET /2019-09-30/functions/any/provisioned-concurrency of awslambda",
        ),
    ],
)
def test_what_moto_lacks_is_an_error_that_nobody_retries(
    server: AwsServer, service: str, operation: str, arguments: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(server.client(service), operation)(**arguments)
    response = refused.value.response
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"] == f"The embedded AWS does not implement {said}."
    assert 400 <= response["ResponseMetadata"]["HTTPStatusCode"] < 500
    assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_one_cloud_after_another_starts_empty() -> None:
    for _ in range(2):
        server = AwsServer()
        server.start()
        try:
            assert server.client("s3").list_buckets()["Buckets"] == []
            server.client("s3").create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=IN_REGION)
            assert AwsServer.is_running()
        finally:
            server.stop()
        assert not AwsServer.is_running()


def test_two_at_once_are_refused(server: AwsServer) -> None:
    with pytest.raises(ServerBusyError, match="is running in this process: stop it first"):
        AwsServer().start()
    assert server.client("s3").list_buckets()["Buckets"] == []


def test_a_taken_port_is_an_error_that_can_be_caught() -> None:
    with socket.create_server((HOST, 0)) as taken, pytest.raises(PortInUseError, match="Address already in use"):
        AwsServer(port=taken.getsockname()[1]).start()
    server = AwsServer()
    server.start()
    server.stop()


def test_a_server_that_does_not_run_has_no_address() -> None:
    server = AwsServer()
    server.stop()
    with pytest.raises(RuntimeError, match="call start"):
        _ = server.url


def test_backends_are_those_that_the_server_serves(server: AwsServer) -> None:
    server.client("s3").create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=IN_REGION)
    server.client("sqs").create_queue(QueueName="plays")
    assert list(server.backend("s3").buckets) == ["raw-bucket"]
    assert list(server.backend("sqs").queues) == ["plays"]
    assert server.backend("lambda").region_name == "eu-central-1"
