"""No way round IAM: properly signed requests that one reader could take for something else than another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME
from tests.embedded_aws.stage import zipped
from tests.embedded_aws.wire import REGION, Answer, send, send_raw, signed
from tests.thoroughness import sampled

ACCOUNT = "123456789012"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GET_SECRET = {**JSON, "X-Amz-Target": "secretsmanager.GetSecretValue"}
SECRET = json.dumps({"SecretId": "hidden"}).encode()
UNSIGNED = (
    "AWS4-HMAC-SHA256 Credential={key}/20261101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
)


@dataclass(frozen=True)
class Cloud:
    """A server with things to hide, and callers who may see a part of them.

    Attributes:
        raw_only: may read and write the objects under raw/ of one bucket.
        all_but_state: may do everything with S3, except with the objects under state/.
        queue_user: may do everything with SQS, and read what functions and one secret are.
    """

    aws: AwsServer
    raw_only: AwsCredentials
    all_but_state: AwsCredentials
    queue_user: AwsCredentials

    def send(
        self,
        caller: AwsCredentials,
        method: str,
        target: str,
        *,
        service: str = "s3",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        sign: bool = True,
    ) -> Answer:
        """Send a request, signed by its caller for what it is, or with a made-up signature."""
        if sign:
            given = signed(self.aws.url, caller, method, target, service=service, headers=headers, body=body)
        else:
            given = {"Authorization": UNSIGNED.format(key=caller.access_key_id, service=service), **(headers or {})}
        return send(self.aws.url, method, target, headers=given, body=body)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    aws = AwsServer()
    aws.start()
    s3 = aws.client("s3")
    for bucket in ("bucket-a", "bucket-b", "secretsmanager-b", "latest", "v20180820"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="bucket-a", Key="raw/ok", Body=b"fine")
    s3.put_object(Bucket="bucket-a", Key="raw/../state/locks.json", Body=b"fine")
    s3.put_object(Bucket="bucket-a", Key="state/locks.json", Body=b"HIDDEN")
    s3.put_object(Bucket="bucket-b", Key="raw/x", Body=b"HIDDEN")
    aws.client("secretsmanager").create_secret(Name="hidden", SecretString="HIDDEN")
    aws.client("secretsmanager").create_secret(Name="known", SecretString="fine")
    aws.client("sqs").create_queue(QueueName="hidden")
    arn = aws.client("sqs").create_queue(QueueName="known")["QueueUrl"]
    assert arn.endswith("/known")
    role = _role(aws, "function")
    for name in ("known", "invocations"):
        aws.client("lambda").create_function(
            FunctionName=name,
            Runtime=OWN_RUNTIME,
            Role=role,
            Handler="main.handler",
            Code={"ZipFile": zipped({"main.py": "def handler(event, context): return 1\n"})},
        )
    objects = "arn:aws:s3:::bucket-a/raw/*"
    yield Cloud(
        aws,
        raw_only=_session(aws, "raw-only", _allow(["s3:GetObject", "s3:PutObject"], objects)),
        all_but_state=_session(
            aws,
            "all-but-state",
            _allow("s3:*", "*"),
            {**_allow("s3:*", "arn:aws:s3:::bucket-a/state/*"), "Effect": "Deny"},
            {**_allow("s3:*", "arn:aws:s3:::bucket-b/*"), "Effect": "Deny"},
        ),
        queue_user=_session(
            aws,
            "queue-user",
            _allow("sqs:*", f"arn:aws:sqs:{REGION}:{ACCOUNT}:known"),
            _allow(
                ["lambda:GetFunction", "lambda:InvokeFunction"], f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:known"
            ),
            _allow("secretsmanager:*", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:known-*"),
            _allow("s3:*", "*"),
        ),
    )
    aws.stop()


def _allow(actions: str | list[str], resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _role(aws: AwsServer, name: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn: str = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    return arn


def _session(aws: AwsServer, name: str, *statements: dict[str, Any]) -> AwsCredentials:
    arn = _role(aws, name)
    aws.client("iam").put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=_policy(*statements))
    return aws.assume(arn, "lambda.amazonaws.com", "session")


PATHS = [
    "/bucket-a/state/locks.json",
    "/bucket-a/raw/../state/locks.json",
    "/bucket-a/raw/%2e%2e/state/locks.json",
    "/bucket-a/raw/..%2fstate%2flocks.json",
    "/bucket-a//state/locks.json",
    "//bucket-a/state/locks.json",
    "/bucket-a/raw/ok/../../state/locks.json",
    "/./bucket-a/state/locks.json",
    "/%2e/bucket-a/state/locks.json",
    "/bucket-a/./state/locks.json",
    "/bucket-a/raw/ok?key=state/locks.json",
    "/bucket-a/raw/ok/..;/x",
    "/bucket-a%2fstate%2flocks.json",
    "/bucket-a/%73tate/locks.json",
    "/bucket-a/raw/../../bucket-b/raw/x",
    "/bucket-b/raw/x",
    "http://127.0.0.1/bucket-a/state/locks.json",
    "http://127.0.0.1:{port}/bucket-a/state/locks.json",
    "http://bucket-a.s3.amazonaws.com/state/locks.json",
    "HTTP://127.0.0.1:{port}/bucket-a/state/locks.json",
    "/bucket-a/raw/ok#/../../state/locks.json",
    "/bucket-a/raw/ok?versionId=null&versionId=x",
    "/moto-api/data.json",
    "//moto-api/data.json",
    "/%6doto-api/data.json",
    "/latest/meta-data/iam/security-credentials/",
    "/latest/api/token",
    "/v20180820/configuration/publicAccessBlock",
    "/secretsmanager_eu-central-1/",
]


@pytest.mark.parametrize(
    ("path", "caller", "sign"),
    sampled(
        (
            pytest.param(path, caller, sign, id=f"{path}-{caller}-{'signed' if sign else 'forged'}")
            for path in PATHS
            for caller in ("raw_only", "all_but_state")
            for sign in (True, False)
        ),
        # Every path, by a caller who may read more than the path's own bucket.
        (pytest.param(path, "all_but_state", True, id=f"{path}-all_but_state-signed") for path in PATHS),
    ),
)
def test_no_form_of_a_path_reads_what_is_hidden(cloud: Cloud, path: str, caller: str, *, sign: bool) -> None:
    target = path.format(port=urlsplit(cloud.aws.url).port)
    answer = cloud.send(getattr(cloud, caller), "GET", target, sign=sign)
    assert b"HIDDEN" not in answer.body
    # A key with dots is a key like any other.
    assert answer.status >= 400 or (path.startswith("/bucket-a/raw/") and answer.body == b"fine")
    assert sign or answer.status >= 400


def test_an_absolute_address_cannot_change_the_host(cloud: Cloud) -> None:
    headers = signed(cloud.aws.url, cloud.raw_only, "GET", "/bucket-a/raw/ok")
    assert send(cloud.aws.url, "GET", "/bucket-a/raw/ok", headers=headers).body == b"fine"
    for target in (f"{cloud.aws.url}/bucket-a/raw/ok", "http://evil.example/bucket-a/raw/ok", "*", "evil.example:80"):
        answer = send(cloud.aws.url, "GET", target, headers=headers)
        assert (answer.status, b"target is not a path" in answer.body) == (403, True)


@pytest.mark.parametrize("sign", sampled([pytest.param(True, id="signed"), pytest.param(False, id="forged")]))
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "bucket-b.s3.amazonaws.com"},
        {"Host": "bucket-b.localhost:{port}"},
        {"Host": "bucket-b.127.0.0.1:{port}"},
        {"Host": f"{ACCOUNT}.localhost:{{port}}"},
        {"Host": "127.0.0.1"},
        {"X-Forwarded-Host": "bucket-b.s3.amazonaws.com"},
        {"Forwarded": "host=bucket-b.s3.amazonaws.com"},
        {"X-Original-URL": "/bucket-b/raw/x"},
        {"X-Rewrite-URL": "/bucket-b/raw/x"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Moto-Account-Id": "999999999999"},
    ],
    ids=str,
)
def test_no_header_leads_to_another_bucket(cloud: Cloud, headers: dict[str, str], *, sign: bool) -> None:
    port = urlsplit(cloud.aws.url).port
    given = {name: value.format(port=port) for name, value in headers.items()}
    for target in ("/raw/x", "/bucket-a/raw/x"):
        assert b"HIDDEN" not in cloud.send(cloud.raw_only, "GET", target, headers=given, sign=sign).body
    if "Host" not in headers:
        assert (cloud.send(cloud.raw_only, "GET", "/bucket-a/raw/ok", headers=given, sign=sign).body == b"fine") == sign
    assert cloud.aws.client("s3").head_object(Bucket="bucket-a", Key="raw/ok")["ContentLength"] == 4


def test_two_hosts_are_none(cloud: Cloud) -> None:
    host = urlsplit(cloud.aws.url).netloc
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert b"does not name this server" in send_raw(cloud.aws.url, request.encode())


@pytest.mark.parametrize(
    "source",
    [
        "bucket-b/raw/x",
        "/bucket-b/raw/x",
        "//bucket-b/raw/x",
        "bucket-b%2Fraw%2Fx",
        "%2Fbucket-b/raw/x",
        "bucket-a/state/locks.json",
        "bucket-a/state/locks.json;x",
        "bucket-a/state/locks.json#x",
        "bucket-a/%73tate/locks.json",
        "bucket-b/raw/x?versionId=null",
        "arn:aws:s3:::bucket-b/raw/x",
        "http://any/bucket-b/raw/x",
        " bucket-b/raw/x",
    ],
)
@pytest.mark.parametrize("caller", sampled(["all_but_state", "raw_only"]))
def test_no_copy_brings_what_is_hidden(cloud: Cloud, source: str, caller: str) -> None:
    who: AwsCredentials = getattr(cloud, caller)
    upload = cloud.aws.client("s3").create_multipart_upload(Bucket="bucket-a", Key="raw/copied")["UploadId"]
    headers = {"X-Amz-Copy-Source": source}
    for target in ("/bucket-a/raw/copied", f"/bucket-a/raw/copied?partNumber=1&uploadId={upload}"):
        answer = cloud.send(who, "PUT", target, headers=headers)
        assert (answer.status, b"ETag" in answer.body) in {(403, False), (400, False)}
    keys = cloud.aws.client("s3").list_objects_v2(Bucket="bucket-a")["Contents"]
    assert "raw/copied" not in [one["Key"] for one in keys]
    copied = cloud.send(who, "PUT", "/bucket-a/raw/own", headers={"X-Amz-Copy-Source": "bucket-a/raw/ok"})
    assert copied.status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete><Object><Key>state/locks.json</Key></Object></Delete>",
        b"<Delete><Object><Key>raw/none</Key><Key>state/locks.json</Key></Object></Delete>",
        b"<Delete><Object><Key>raw/none<x/>state/locks.json</Key></Object></Delete>",
        b"<Delete><x><Object><Key>state/locks.json</Key></Object></x></Delete>",
        b"<Delete xmlns:s='urn:x'><s:Object><Key>state/locks.json</Key></s:Object></Delete>",
        b"<Delete><Object><Key><![CDATA[state/]]>locks.json</Key></Object></Delete>",
        b"<Delete/>",
        b"<Delete",
    ],
)
def test_no_list_of_keys_deletes_what_may_not_be(cloud: Cloud, body: bytes) -> None:
    answer = cloud.send(cloud.all_but_state, "POST", "/bucket-a?delete", body=body)
    assert b"AccessDenied" in answer.body or b"MalformedXML" in answer.body
    assert cloud.aws.client("s3").head_object(Bucket="bucket-a", Key="state/locks.json")["ContentLength"] == 6


@pytest.mark.parametrize("service", ["sqs", "s3", "SecretsManager", "secretsmanager ", "events", "lambda", "iam"])
def test_a_request_is_dispatched_to_the_service_that_it_is_signed_for(cloud: Cloud, service: str) -> None:
    answer = cloud.send(cloud.queue_user, "POST", "/", service=service, headers=GET_SECRET, body=SECRET)
    assert b"HIDDEN" not in answer.body
    assert answer.status >= 400


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 x/20261101/eu-central-1/secretsmanager/aws4_request {good}",
        "AWS4-HMAC-SHA256 x/20261101/eu-central-1/secretsmanager/aws4_request, {good}",
        "AWS4-HMAC-SHA256 Credential={key}/20261101/eu-central-1/secretsmanager/aws4_request {good}",
        "AWS4-HMAC-SHA256 Credential={owner}/20261101/eu-central-1/secretsmanager/aws4_request, {good}",
        "AWS4-HMAC-SHA256 {good}, Credential={owner}/20261101/eu-central-1/secretsmanager/aws4_request",
        "AWS4-HMAC-SHA256 {good} Credential={owner}/20261101/eu-central-1/secretsmanager/aws4_request",
        "AWS {owner}:sig",
        "AWS {key}:sig",
        "AWS4-HMAC-SHA256 Credential=ASIAUNKNOWN/20261101/eu-central-1/secretsmanager/aws4_request",
        "aws4-hmac-sha256 {good}",
        "Bearer x",
        "x",
        " ",
    ],
)
def test_a_header_names_one_key_and_one_service(cloud: Cloud, authorization: str) -> None:
    headers = signed(cloud.aws.url, cloud.queue_user, "POST", "/", headers=GET_SECRET, body=SECRET)
    headers["Authorization"] = authorization.format(
        good=headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 "),
        key=cloud.queue_user.access_key_id,
        owner=cloud.aws.owner.access_key_id,
    )
    answer = send(cloud.aws.url, "POST", "/", headers=headers, body=SECRET)
    assert b"HIDDEN" not in answer.body
    assert answer.status in {400, 403}


def test_two_signatures_are_none(cloud: Cloud) -> None:
    address = cloud.aws.client("s3", cloud.raw_only).generate_presigned_url(
        "get_object", {"Bucket": "bucket-a", "Key": "raw/ok"}
    )
    target = address.removeprefix(cloud.aws.url)
    assert send(cloud.aws.url, "GET", target).body == b"fine"
    for authorization in (signed(cloud.aws.url, cloud.raw_only, "GET", target)["Authorization"], " "):
        answer = send(cloud.aws.url, "GET", target, headers={"Authorization": authorization})
        assert (answer.status, b"Only one auth mechanism allowed" in answer.body) == (400, True)
    query = f"/?X-Amz-Credential={cloud.aws.owner.access_key_id}/20261101/eu-central-1/secretsmanager/aws4_request"
    assert b"HIDDEN" not in cloud.send(cloud.queue_user, "POST", query, headers=GET_SECRET, body=SECRET).body


AMBIGUOUS: list[tuple[str, str, str, dict[str, str], bytes]] = [
    ("lambda", "GET", "/2015-03-31/functions/known?Action=DeleteFunction", {}, b""),
    ("lambda", "GET", "/2015-03-31/functions/known", {"X-Amz-Target": "AWSLambda.DeleteFunction"}, b""),
    ("lambda", "GET", "/2014-11-13/functions/known", {}, b""),
    ("lambda", "POST", "/2015-03-31/functions/known/invocations/", {}, b"{}"),
    ("lambda", "POST", "/2015-03-31/functions/known/invocations?qualifier=other", {}, b"{}"),
    ("lambda", "GET", "/2015-03-31/functions/known", FORM, b"Action=DeleteFunction"),
    ("lambda", "GET", "/2015-03-31/functions/%2e%2e", {}, b""),
    ("lambda", "GET", "/2015-03-31/functions/..%2fknown", {}, b""),
    ("lambda", "GET", "/2015-03-31/functions/kno%2577n", {}, b""),
    ("lambda", "GET", "/2015-03-31//functions/known", {}, b""),
    ("lambda", "GET", "/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:known", {}, b""),
    ("sqs", "POST", "/?Action=DeleteQueue", {**JSON, "X-Amz-Target": "AmazonSQS.SendMessage"}, b"{}"),
    (
        "sqs",
        "POST",
        "/",
        {**JSON, "X-Amz-Target": "AmazonSQS.SendMessage"},
        b'{"QueueName": "known", "QueueUrl": "http://x/123456789012/hidden", "MessageBody": "x"}',
    ),
    ("sqs", "POST", f"/{ACCOUNT}/hidden", {**JSON, "X-Amz-Target": "AmazonSQS.PurgeQueue"}, b'{"QueueUrl": "known"}'),
    ("sqs", "POST", f"/{ACCOUNT}/hidden", FORM, b"Action=PurgeQueue&QueueUrl=known&QueueUrl=hidden"),
    ("sqs", "POST", "/?QueueUrl=hidden", FORM, b"Action=PurgeQueue&QueueUrl=known"),
    ("sqs", "POST", "/", {**FORM, "X-Amz-Target": "AmazonSQS.PurgeQueue"}, b"QueueUrl=known"),
    ("secretsmanager", "POST", "/", {**GET_SECRET, "Content-Type": FORM["Content-Type"]}, SECRET),
    ("secretsmanager", "POST", "/known", GET_SECRET, b'{"SecretId": "known"}'),
    ("secretsmanager", "POST", "/", GET_SECRET, b'{"SecretId": ["known"]}'),
    ("s3", "GET", "/bucket-a?list-type=2&prefix=raw/&prefix=state/", {}, b""),
    ("s3", "GET", "/bucket-a?list-type=2&prefix=raw+", {}, b""),
    ("s3", "GET", "/bucket-a?acl&versions", {}, b""),
    ("s3", "GET", "/bucket-a?versioning&unknown", {}, b""),
    ("s3", "PUT", "/bucket-a/raw/part?uploadId=x", {}, b""),
    ("s3", "GET", "/bucket-a/raw/ok?attributes", {}, b""),
    ("s3", "PUT", "/bucket-a/raw/form", FORM, b"acl="),
    ("dynamodb", "POST", "/", {**JSON, "X-Amz-Target": "DynamoDB_20120810.ListTables"}, b"{}"),
]


@pytest.mark.parametrize(("service", "method", "target", "headers", "body"), AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(
    cloud: Cloud, service: str, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    answer = cloud.send(cloud.queue_user, method, target, service=service, headers=headers, body=body)
    assert answer.status in {400, 403}
    assert re.search(rb"AccessDenied|InvalidURI", answer.body)
    assert {one["FunctionName"] for one in cloud.aws.client("lambda").list_functions()["Functions"]} == {
        "known",
        "invocations",
    }
    assert len(cloud.aws.client("sqs").list_queues()["QueueUrls"]) == 2


def test_a_header_is_no_parameter(cloud: Cloud) -> None:
    headers = {"Action": "DeleteFunction", "User-Agent": "x region/us-east-1"}
    answer = cloud.send(cloud.queue_user, "GET", "/2015-03-31/functions/known", service="lambda", headers=headers)
    assert json.loads(answer.body)["Configuration"]["FunctionName"] == "known"


def test_a_text_is_no_parameter(cloud: Cloud) -> None:
    """Neither for a role nor for the owner."""
    text = "&Action=DeleteSecret&SecretId=hidden&"
    for caller in (cloud.queue_user, cloud.aws.owner):
        client = cloud.aws.client("secretsmanager", caller)
        client.put_secret_value(SecretId="known", SecretString=text)
        assert client.get_secret_value(SecretId="known")["SecretString"] == text
    assert cloud.aws.client("secretsmanager").get_secret_value(SecretId="hidden")["SecretString"] == "HIDDEN"


@pytest.mark.parametrize("name", ["../../evil", "..", "a/b", "a.b", "", "x" * 65])
def test_names_of_functions_and_layers_are_those_that_aws_takes(cloud: Cloud, name: str) -> None:
    client = cloud.aws.client("lambda")
    code = {"ZipFile": zipped({"main.py": ""})}
    body = json.dumps({"FunctionName": name, "Runtime": OWN_RUNTIME, "Role": "r", "Handler": "m.h", "Code": {}})
    answer = cloud.send(cloud.aws.owner, "POST", "/2015-03-31/functions", service="lambda", body=body.encode())
    assert (answer.status, b"ValidationException" in answer.body) == (400, True)
    if name not in {"", "x" * 65}:
        with pytest.raises(ClientError, match=r"ValidationException|404"):
            client.publish_layer_version(LayerName=name, Content=code)
    assert client.list_layers()["Layers"] == []


@pytest.mark.parametrize("name", ["a..b", "192.168.0.1", "-ab", "a_b", "Abc", "ab."])
def test_names_of_buckets_are_those_that_aws_takes(cloud: Cloud, name: str) -> None:
    body = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
    answer = cloud.send(cloud.aws.owner, "PUT", f"/{name}", body=body.encode())
    assert (answer.status, b"<Code>InvalidBucketName</Code>" in answer.body) == (400, True)
