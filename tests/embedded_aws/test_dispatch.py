"""The dispatcher: moto's responses without Flask are those with it."""

from __future__ import annotations

import io
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from werkzeug.test import run_wsgi_app

from embedded_aws.server import dispatch
from embedded_aws.server.dispatch import Dispatcher
from embedded_aws.server.server import AwsServer

# New in each response.
_OWN = {"x-amz-request-id", "x-amzn-requestid", "x-amz-id-2", "last-modified"}


def test_a_response_is_the_one_that_flask_makes(server: AwsServer) -> None:
    handle, compared = Dispatcher.__call__, []

    def answer(application: Any, environ: dict[str, Any], body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        parts, status, headers = run_wsgi_app(application, {**environ, "wsgi.input": io.BytesIO(body)}, buffered=True)
        sent = sorted((name.lower(), value) for name, value in headers if name.lower() not in _OWN)
        return status, sent, b"".join(parts)

    def both(dispatcher: Dispatcher, environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].getvalue()
        with_flask = answer(dispatcher.get_application(environ), environ, body)
        without = answer(lambda own, start: handle(dispatcher, own, start), environ, body)
        assert without[:2] == with_flask[:2]
        assert len(without[2]) == len(with_flask[2])
        compared.append(without[0])
        return handle(dispatcher, environ, start_response)

    s3, configuration = server.client("s3"), {"LocationConstraint": server.region}
    s3.create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=configuration)
    with patch.object(Dispatcher, "__call__", both):
        s3.put_object(Bucket="raw-bucket", Key="a//b/ü", Body=b"plays", ContentType="text/plain")
        s3.get_object(Bucket="raw-bucket", Key="a//b/ü")
        s3.head_object(Bucket="raw-bucket", Key="a//b/ü")
        s3.list_objects_v2(Bucket="raw-bucket")
        for service, operation, arguments in (
            ("s3", "head_object", {"Bucket": "raw-bucket", "Key": "missing"}),
            ("s3", "get_object", {"Bucket": "raw-bucket", "Key": "missing"}),
            ("glue", "get_table", {"DatabaseName": "missing", "Name": "missing"}),
            ("iam", "get_role", {"RoleName": "missing"}),
            ("lambda", "get_function", {"FunctionName": "missing"}),
            ("sns", "get_topic_attributes", {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:missing"}),
            ("sqs", "get_queue_url", {"QueueName": "missing"}),
            ("scheduler", "get_schedule", {"Name": "missing"}),
        ):
            with pytest.raises(ClientError):
                getattr(server.client(service), operation)(**arguments)
    assert len(compared) == 12
    assert compared[:4] == ["200 OK"] * 4
    assert not any(status.startswith("5") for status in compared)


def test_flask_handles_what_needs_it(server: AwsServer) -> None:
    responses = {"PATH_INFO": "/moto-api/data.json", "REQUEST_METHOD": "GET", "HTTP_HOST": "127.0.0.1"}
    environ = {**responses, "wsgi.url_scheme": "http", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80"}
    with patch.object(dispatch, "_response", side_effect=AssertionError("without Flask")):
        _, status, _ = run_wsgi_app(Dispatcher(), {**environ, "wsgi.input": io.BytesIO()}, buffered=True)
    assert status == "200 OK"
    assert server.client("sts").get_caller_identity()["Account"] == server.account_id
