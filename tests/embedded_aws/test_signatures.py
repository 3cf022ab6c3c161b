"""A request has to be signed, by a key of this cloud, for what it is and lately."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import botocore.auth
import pytest
from botocore.exceptions import ClientError
from pyarrow import fs

from embedded_aws.clock import SimulatedClock
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.parsing import parse
from embedded_aws.server.payloads import WrongChunkError, check_chunks
from embedded_aws.server.requests import AwsRequest, Signature
from embedded_aws.server.server import AwsServer
from embedded_aws.server.signatures import _signing_key, signature_of, verify
from tests.embedded_aws.wire import REGION, Answer, send, signed

BUCKET = "lake-bucket"
JSON = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSGlue.GetDatabases"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LIST_ROLES = b"Action=ListRoles&Version=2010-05-08"
CALLS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "s3": ("GET", f"/{BUCKET}/a.txt", {}, b""),
    "glue": ("POST", "/", JSON, b"{}"),
    "iam": ("POST", "/", FORM, LIST_ROLES),
    "lambda": ("GET", "/2015-03-31/functions", {}, b""),
}
"""Service → a call that the owner may make: method, target, headers, body."""


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    server = AwsServer()
    server.start()
    server.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    server.client("s3").put_object(Bucket=BUCKET, Key="a.txt", Body=b"hello")
    yield server
    server.stop()


def call(
    aws: AwsServer,
    service: str,
    credentials: AwsCredentials | None = None,
    change: Callable[[dict[str, str]], object] = lambda _headers: None,
) -> Answer:
    """Make a service's call, with its headers changed after they were signed."""
    method, target, given, body = CALLS[service]
    headers = signed(aws.url, credentials or aws.owner, method, target, service=service, headers=given, body=body)
    change(headers)
    return send(aws.url, method, target, headers=headers, body=body)


def code(answer: Answer) -> str:
    """Return the error's code in whatever form the service answers; "" if there is none."""
    found = re.search(rb"<Code>(\w+)</Code>", answer.body) or re.search(rb'"__type": ?"(\w+)"', answer.body)
    return found[1].decode() if found else ""


def test_keys_are_made_for_each_server_and_stay_out_of_reprs(aws: AwsServer) -> None:
    other = AwsServer().owner
    assert {other.access_key_id, other.secret_access_key}.isdisjoint({aws.owner.access_key_id, "local"})
    assert other.secret_access_key != aws.owner.secret_access_key
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", other.access_key_id)
    assert len(other.secret_access_key) == 40
    assert other.secret_access_key not in repr(other)


@pytest.mark.parametrize("service", CALLS)
def test_a_signed_request_is_answered(aws: AwsServer, service: str) -> None:
    answer = call(aws, service)
    assert (answer.status, code(answer)) == (200, "")


WRONG: list[tuple[str, Callable[[dict[str, str]], object], str, str, str, str]] = [
    (
        "another secret",
        lambda _headers: None,
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ),
    (
        "no signature",
        lambda headers: headers.pop("Authorization"),
        "AccessDenied",
        "MissingAuthenticationTokenException",
        "MissingAuthenticationToken",
        # Nothing says that it is for Lambda.
        "NoSuchBucket",
    ),
    (
        "a made-up signature",
        lambda headers: headers.update(Authorization=headers["Authorization"][:-64] + "0" * 64),
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ),
    (
        "a signature that is no digest",
        lambda headers: headers.update(Authorization=headers["Authorization"][:-64] + "0"),
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ),
    (
        "an unknown key",
        lambda headers: headers.update(Authorization=re.sub("AKIA", "AKIB", headers["Authorization"])),
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    ),
    (
        "a token of nobody's",
        lambda headers: headers.update({"X-Amz-Security-Token": "x"}),
        "InvalidToken",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    ),
    (
        "a header that is not signed",
        lambda headers: headers.update({"X-Amz-Acl": "public-read"}),
        "AccessDenied",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ),
    (
        "the old way of signing",
        lambda headers: headers.update(Authorization="AWS local:c2lnbmF0dXJl"),
        "InvalidRequest",
        "IncompleteSignatureException",
        "IncompleteSignature",
        "InvalidRequest",
    ),
    (
        "a bearer token",
        lambda headers: headers.update(Authorization="Bearer x"),
        "InvalidRequest",
        "IncompleteSignatureException",
        "IncompleteSignature",
        "InvalidRequest",
    ),
]
"""What is wrong, the change that makes it so, and the code of S3, a JSON service, a query service and Lambda."""


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(("what", "change", "s3", "json_", "query", "rest_json"), WRONG, ids=[one[0] for one in WRONG])
def test_a_request_that_is_not_what_was_signed_is_refused_as_its_service_does(
    aws: AwsServer,
    service: str,
    what: str,
    change: Callable[[dict[str, str]], object],
    s3: str,
    json_: str,
    query: str,
    rest_json: str,
) -> None:
    secret = "wrong" if what == "another secret" else aws.owner.secret_access_key
    answer = call(aws, service, AwsCredentials(aws.owner.access_key_id, secret, None), change)
    expected = {"s3": s3, "glue": json_, "iam": query, "lambda": rest_json}[service]
    assert code(answer) == expected
    assert answer.status in {400, 403, 404}


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_request_dated_a_quarter_of_an_hour_away_is_refused(aws: AwsServer, service: str, minutes: int) -> None:
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) + timedelta(minutes=minutes)):
        answer = call(aws, service)
    expected = {"s3": "RequestTimeTooSkewed", "iam": "SignatureDoesNotMatch"}.get(service, "InvalidSignatureException")
    assert code(answer) == expected


def test_a_request_is_fresh_on_the_simulated_clock_or_on_the_real_one(aws: AwsServer) -> None:
    real = datetime.now(UTC)
    clock = SimulatedClock(datetime(2031, 1, 1, tzinfo=UTC))
    clock.start()
    try:
        for now, status in ((clock.now, 200), (real, 200), (clock.now + timedelta(days=1), 403)):
            with patch.object(botocore.auth, "get_current_datetime", lambda now=now: now):
                headers = signed(aws.url, aws.owner, "GET", "/")
            assert send(aws.url, "GET", "/", headers=headers).status == status
    finally:
        clock.stop()


def test_the_body_is_part_of_what_is_signed(aws: AwsServer) -> None:
    headers = signed(aws.url, aws.owner, "PUT", f"/{BUCKET}/b.txt", body=b"right")
    answer = send(aws.url, "PUT", f"/{BUCKET}/b.txt", headers=headers, body=b"wrong")
    assert (answer.status, code(answer)) == (400, "XAmzContentSHA256Mismatch")
    headers = signed(aws.url, aws.owner, "POST", "/", service="iam", headers=FORM, body=LIST_ROLES)
    answer = send(aws.url, "POST", "/", headers=headers, body=LIST_ROLES.replace(b"Roles", b"Users"))
    assert (answer.status, code(answer)) == (403, "SignatureDoesNotMatch")
    for word in ("UNSIGNED-PAYLOAD", hashlib.sha256(LIST_ROLES).hexdigest()):
        given = {**FORM, "X-Amz-Content-SHA256": word}
        headers = signed(aws.url, aws.owner, "POST", "/", service="iam", headers=given, body=LIST_ROLES)
        answer = send(aws.url, "POST", "/", headers=headers, body=LIST_ROLES)
        assert code(answer) == ("SignatureDoesNotMatch" if word == "UNSIGNED-PAYLOAD" else "")


def test_s3_takes_a_body_that_its_sender_did_not_sign_only_if_that_is_signed(aws: AwsServer) -> None:
    target = f"/{BUCKET}/unsigned.txt"
    headers = signed(aws.url, aws.owner, "PUT", target)
    del headers["X-Amz-Content-SHA256"]
    assert code(send(aws.url, "PUT", target, headers=headers)) == "InvalidRequest"
    headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    assert code(send(aws.url, "PUT", target, headers=headers, body=b"x")) == "SignatureDoesNotMatch"


def test_a_users_inactive_key_and_a_deleted_one_open_nothing(aws: AwsServer) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="anna")
    made = iam.create_access_key(UserName="anna")["AccessKey"]
    anna = AwsCredentials(made["AccessKeyId"], made["SecretAccessKey"], None)
    assert aws.client("sts", anna).get_caller_identity()["Arn"].endswith(":user/anna")
    iam.update_access_key(UserName="anna", AccessKeyId=anna.access_key_id, Status="Inactive")
    assert code(call(aws, "s3", anna)) == "InvalidAccessKeyId"
    iam.delete_access_key(UserName="anna", AccessKeyId=anna.access_key_id)
    assert code(call(aws, "iam", anna)) == "InvalidClientTokenId"


def test_a_role_session_needs_its_token(aws: AwsServer) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = aws.client("iam").create_role(
        RoleName="token", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    session = aws.assume(arn, "lambda.amazonaws.com", "session")
    assert aws.client("sts", session).get_caller_identity()["Arn"].endswith("assumed-role/token/session")
    for token in (None, "other"):
        without = AwsCredentials(session.access_key_id, session.secret_access_key, token)
        assert code(call(aws, "s3", without)) == "InvalidToken"
        assert code(call(aws, "glue", without)) == "UnrecognizedClientException"


def presigned(aws: AwsServer, seconds: int = 600, key: str = "a.txt", service: str = "s3") -> str:
    client = aws.client(service)
    if service == "s3":
        address = client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key}, ExpiresIn=seconds)
    else:
        address = client.generate_presigned_url("get_caller_identity", ExpiresIn=seconds, HttpMethod="GET")
    return str(address).removeprefix(aws.url)


def test_a_presigned_address_is_good_until_it_expires_and_for_nothing_else(aws: AwsServer) -> None:
    assert send(aws.url, "GET", presigned(aws)).body == b"hello"
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=11)):
        old = presigned(aws)
    assert b"Request has expired" in send(aws.url, "GET", old).body
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=60)):
        long = presigned(aws, seconds=7200)
    assert send(aws.url, "GET", long).body == b"hello"
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) + timedelta(minutes=60)):
        early = presigned(aws)
    assert code(send(aws.url, "GET", early)) == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        (r"a\.txt", "b.txt", "SignatureDoesNotMatch"),
        (r"\?", "?versionId=1&", "SignatureDoesNotMatch"),
        (r"Expires=600", "Expires=601", "SignatureDoesNotMatch"),
        (r"Expires=600", "Expires=700000", "AuthorizationQueryParametersError"),
        (r"&X-Amz-Expires=600", "", "AuthorizationQueryParametersError"),
        (r"X-Amz-Signature=\w+", "X-Amz-Signature=0", "SignatureDoesNotMatch"),
        (r"&X-Amz-Signature=\w+", "", "AuthorizationQueryParametersError"),
        (r"$", "&X-Amz-Signature=0", "AuthorizationQueryParametersError"),
        (r"X-Amz-Signature", "x-amz-signature", "AuthorizationQueryParametersError"),
        (r"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-HMAC-SHA1", "InvalidRequest"),
        (r"SignedHeaders=host", "SignedHeaders=range", "AccessDenied"),
        (r"%2Fs3%2F", "%2FS3%2F", "AuthorizationQueryParametersError"),
        (r"\?.*", "?AWSAccessKeyId=local&Signature=0&Expires=99999999999", "InvalidRequest"),
    ],
)
def test_a_presigned_address_that_was_changed_is_refused(
    aws: AwsServer, pattern: str, replacement: str, expected: str
) -> None:
    address = re.sub(pattern, replacement, presigned(aws), count=1)
    assert code(send(aws.url, "GET", address)) == expected


def test_a_presigned_address_of_another_service_reaches_that_service(aws: AwsServer) -> None:
    answer = send(aws.url, "GET", presigned(aws, service="sts"))
    assert b"<Account>123456789012</Account>" in answer.body


def test_odd_names_are_signed_as_boto3_signs_them(aws: AwsServer) -> None:
    s3 = aws.client("s3")
    for key in ("dt=2026-01-01/a b+c%2F.parquet", "ü/~x", "a//b", "raw/../x", "'(!)*;:@&$,", "x?y#z"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), Metadata={"own-name": "a  b"})
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
        assert s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"][0]["Key"] == key
        assert send(aws.url, "GET", presigned(aws, key=key)).body == key.encode()


def test_uploads_in_unsigned_chunks_with_a_checksum_behind_them(aws: AwsServer) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        aws.client("s3").get_object(Bucket=BUCKET, Key="chunks")
    target = f"/{BUCKET}/chunks"
    given = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": "5",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    with patch.object(botocore.auth.S3SigV4Auth, "payload", lambda _self, _request: given["X-Amz-Content-SHA256"]):
        headers = signed(aws.url, aws.owner, "PUT", target, headers=given)
    assert send(aws.url, "PUT", target, headers=headers, body=body).status == 200
    assert aws.client("s3").get_object(Bucket=BUCKET, Key="chunks")["Body"].read() == b"hello"


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CHUNKED = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": (
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        (
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ),
        b"\r\n",
    ),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": (
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        (
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ),
        (
            b"x-amz-checksum-crc32c:sOO8/Q==\n"
            b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
        ),
    ),
}
"""The examples of AWS's documentation, 66 560 times "a" in three chunks: seed, signatures of chunks, what follows.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""


def chunked(payload: str, body: bytes) -> tuple[AwsRequest, Signature, bytes]:
    seed = CHUNKED[payload][0]
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders=host, Signature={seed}"
    )
    environ = {
        "RAW_URI": "/b/k",
        "PATH_INFO": "/b/k",
        "REQUEST_METHOD": "PUT",
        "HTTP_AUTHORIZATION": authorization,
        "HTTP_X_AMZ_DATE": "20130524T000000Z",
        "HTTP_X_AMZ_DECODED_CONTENT_LENGTH": "66560",
    }
    request = parse(environ, body)
    assert request.signature is not None
    return request, request.signature, _signing_key(SECRET, "20130524", "us-east-1", "s3")


def chunked_body(payload: str) -> bytes:
    _, signatures, after = CHUNKED[payload]
    contents = (b"a" * 65536, b"a" * 1024, b"")
    parts = [
        b"%x;chunk-signature=%s\r\n%s" % (len(content), signature.encode(), content)
        for content, signature in zip(contents, signatures, strict=True)
    ]
    return b"\r\n".join(parts) + after


@pytest.mark.parametrize("payload", CHUNKED)
def test_signed_chunks_are_those_of_awss_own_example(payload: str) -> None:
    request, signature, key = chunked(payload, chunked_body(payload))
    check_chunks(request, payload, signature, key)


@pytest.mark.parametrize("payload", CHUNKED)
@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"aaaa", b"aaba", 1),
        lambda body: body[body.index(b"400;") :],
        lambda body: body[: body.index(b"\r\n0;")],
        lambda body: body[:1000],
        lambda body: body.replace(b"400;", b"3ff;"),
        lambda body: re.sub(rb"(0;chunk-signature=)\w+", rb"\g<1>" + b"0" * 64, body),
        lambda _body: b"hello",
    ],
    ids=["a byte", "the first chunk", "the last chunk", "the end", "a length", "a signature", "no chunks"],
)
def test_chunks_that_were_changed_are_refused(payload: str, change: Callable[[bytes], bytes]) -> None:
    request, signature, key = chunked(payload, change(chunked_body(payload)))
    with pytest.raises(WrongChunkError):
        check_chunks(request, payload, signature, key)


@pytest.mark.parametrize("after", [b"", b"x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n", None])
def test_a_signed_trailer_is_checked(after: bytes | None) -> None:
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    body = chunked_body(payload)
    trailer = body.index(b"x-amz-checksum")
    body = body.replace(b"sOO8", b"tOO8") if after is None else body[:trailer] + after
    request, signature, key = chunked(payload, body)
    with pytest.raises(WrongChunkError):
        check_chunks(request, payload, signature, key)


def test_a_signature_is_that_of_awss_own_example() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, GET Object."""
    environ = {
        "RAW_URI": "/test.txt",
        "PATH_INFO": "/test.txt",
        "QUERY_STRING": "",
        "REQUEST_METHOD": "GET",
        "HTTP_HOST": "examplebucket.s3.amazonaws.com",
        "HTTP_RANGE": "bytes=0-9",
        "HTTP_X_AMZ_CONTENT_SHA256": hashlib.sha256(b"").hexdigest(),
        "HTTP_X_AMZ_DATE": "20130524T000000Z",
        "HTTP_AUTHORIZATION": (
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        ),
    }
    request = parse(environ, b"")
    assert request.signature is not None
    clock = SimulatedClock(datetime(2013, 5, 24, tzinfo=UTC))
    clock.start()
    try:
        verify(request, request.signature, SECRET, "")
    finally:
        clock.stop()


def test_no_signature_is_read_where_there_is_none() -> None:
    assert signature_of({"host": "127.0.0.1"}, [("prefix", "x")]) is None


def test_other_clients_requests_pass(aws: AwsServer) -> None:
    """Arrow's C++ client encodes paths in its own way, and uploads in parts."""
    arrow = fs.S3FileSystem(
        access_key=aws.owner.access_key_id,
        secret_key=aws.owner.secret_access_key,
        endpoint_override=aws.url.removeprefix("http://"),
        scheme="http",
        region=REGION,
    )
    name = f"{BUCKET}/tables/dt=2026-01-01/a b+ü.txt"
    with arrow.open_output_stream(name) as stream:
        stream.write(b"arrow")
    with arrow.open_input_stream(name) as stream:
        assert stream.read() == b"arrow"
    listed = arrow.get_file_info(fs.FileSelector(f"{BUCKET}/tables", recursive=True))
    assert name in [info.path for info in listed]
    arrow.delete_file(name)
