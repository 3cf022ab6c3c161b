"""Clients in the server's process: the same requests and responses as over a connection, without one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.httpsession import URLLib3Session

from embedded_aws.persistence.gate import Gate, Part
from embedded_aws.server import transport
from embedded_aws.server.server import AwsServer
from embedded_aws.server.wsgi import AuthorizedApp

# What only a connection has, or differs between two of them.
_OF_CONNECTION = {"REMOTE_PORT", "SERVER_SOFTWARE", "werkzeug.socket", "wsgi.errors", "wsgi.input"}


class _Recorder:
    """The requests as botocore prepared them, and their environments."""

    def __init__(self) -> None:
        self.prepared: list[AWSPreparedRequest] = []
        self.environments: list[dict[str, Any]] = []


@pytest.fixture
def bucket(server: AwsServer) -> str:
    configuration: Any = {"LocationConstraint": server.region}
    server.client("s3").create_bucket(Bucket="raw-bucket", CreateBucketConfiguration=configuration)
    return "raw-bucket"


@pytest.fixture
def recorder() -> Iterator[_Recorder]:
    recorded, handle, send = _Recorder(), AuthorizedApp.__call__, transport.send

    def recording(app: AuthorizedApp, environ: dict[str, Any], start_response: Any) -> Any:
        recorded.environments.append(dict(environ))
        return handle(app, environ, start_response)

    def sending(app: Any, request: AWSPreparedRequest, port: int) -> Any:
        recorded.prepared.append(request)
        return send(app, request, port)

    with patch.object(AuthorizedApp, "__call__", recording), patch.object(transport, "send", sending):
        yield recorded


def _comparable(environ: dict[str, Any]) -> dict[str, Any]:
    content = environ["wsgi.input"].getvalue()
    return {**{name: value for name, value in environ.items() if name not in _OF_CONNECTION}, "content": content}


def _rewound(request: AWSPreparedRequest) -> AWSPreparedRequest:
    """Return a request that was sent before, with its body at the start."""
    body: Any = request.body
    if hasattr(body, "seek"):
        body.seek(0)
    return request


def test_the_server_sees_the_request_that_it_would_get_over_a_connection(
    server: AwsServer, bucket: str, recorder: _Recorder
) -> None:
    s3, key = server.client("s3"), "ü b/c%2Fd+e/~=&.jsonl"
    s3.put_object(Bucket=bucket, Key=key, Body=b"plays", Metadata={"day": "b"})
    s3.put_object(Bucket=bucket, Key="streamed", Body=io.BytesIO(b"plays"))
    s3.get_object(Bucket=bucket, Key=key, Range="bytes=1-2")
    s3.head_object(Bucket=bucket, Key=key)
    s3.list_objects_v2(Bucket=bucket, Prefix="ü b/")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    server.client("glue").get_databases()
    server.client("sns").list_topics()
    server.client("lambda").list_functions()
    called, recorder.environments = recorder.environments, []
    assert len(called) == len(recorder.prepared) == 9
    session = URLLib3Session(proxies={})
    for request in list(recorder.prepared):
        session.send(_rewound(request))
    session.close()
    for ours, over_a_connection in zip(called, recorder.environments, strict=True):
        assert _comparable(ours) == _comparable(over_a_connection)


def test_the_response_is_the_one_over_a_connection(server: AwsServer, bucket: str, recorder: _Recorder) -> None:
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="plays", Body=b"plays")
    s3.head_object(Bucket=bucket, Key="plays")
    s3.get_object(Bucket=bucket, Key="plays")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="missing")
    s3.delete_object(Bucket=bucket, Key="other")
    # New in each response.
    own = {"date", "x-amz-request-id", "x-amzn-requestid", "last-modified", "x-amz-id-2", "x-amz-version-id"}
    session = URLLib3Session(proxies={})
    for request in list(recorder.prepared):
        there: Any = session.send(_rewound(request))
        running: Any = server._server
        here = transport.send(running.app, _rewound(request), running.server_port)
        assert here.status_code == there.status_code
        assert here.content == there.content or here.status_code == 404
        assert {name.lower() for name in here.headers} == {name.lower() for name in there.headers}
        for name, value in here.headers.items():
            assert name.lower() in own or value == there.headers[name]
    session.close()


def test_no_connection_is_made(server: AwsServer, bucket: str) -> None:
    with patch.object(URLLib3Session, "send", side_effect=AssertionError("a connection")):
        server.client("s3").put_object(Bucket=bucket, Key="plays", Body=b"plays")
        assert server.client("s3").get_object(Bucket=bucket, Key="plays")["Body"].read() == b"plays"


def test_a_request_within_a_request_has_a_thread_of_its_own(server: AwsServer, bucket: str) -> None:
    """It must not lose what authorization decided about the one around it."""
    handle = AuthorizedApp._handle
    within: list[bool] = []

    def nested(app: AuthorizedApp, environ: dict[str, Any], start_response: Any) -> Any:
        if not within:
            within.append(app.is_handling)
            with patch.object(transport, "send", side_effect=AssertionError("in the same thread")):
                server.client("s3").list_buckets()
            within.append(app.is_handling)
        return handle(app, environ, start_response)

    with patch.object(AuthorizedApp, "_handle", nested):
        server.client("s3").head_bucket(Bucket=bucket)
    assert within == [True, True]
    with patch.object(URLLib3Session, "send", side_effect=AssertionError("a connection")):
        server.client("s3").head_bucket(Bucket=bucket)


def test_a_stopped_server_cannot_be_reached() -> None:
    server = AwsServer()
    server.start()
    client = server.client("s3")
    server.stop()
    with pytest.raises(EndpointConnectionError):
        client.list_buckets()


def test_a_request_of_a_thread_that_only_reads_can_change_the_account() -> None:
    gate = Gate()
    saved: list[frozenset[Part]] = []
    gate.save = saved.append
    with gate.reading():
        gate.touch(("part",))
        with gate.waiting(), gate.working():
            gate.touch(("changed",))
        gate.touch(("part",))
    gate.settle()
    assert saved == [frozenset({("changed",)})]
