"""The embedded cloud as a whole: a Pulumi program is deployed, its schedule fires, its function runs."""

from __future__ import annotations

import json
import socket
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from embedded_aws.pulumi_mocks import DeploymentError
from local.cloud import EmbeddedCloud, Step
from spotify_simulator import Library
from tests.embedded_aws.stage import START, zipped

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
if config.get("broken"):
    raise ValueError("broken must not be set")

def role(name, service, statements):
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    made = aws.iam.Role(name, assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    document = pulumi.Output.json_dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    )
    aws.iam.RolePolicy(name, role=made.id, policy=document)
    return made

bucket = aws.s3.Bucket("things")
function = aws.lambda_.Function(
    "asking",
    code=pulumi.FileArchive("code.zip"),
    handler="main.handler",
    runtime="python3.13",
    timeout=20,
    memory_size=256,
    role=role(
        "asking",
        "lambda.amazonaws.com",
        [{"Action": "s3:PutObject", "Resource": bucket.arn.apply(lambda arn: arn + "/*")}],
    ).arn,
    environment={"variables": {"SPOTIFY": config.require("spotifyApiUrl"), "BUCKET": bucket.bucket}},
)
aws.scheduler.Schedule(
    "daily",
    schedule_expression="cron(0 8 * * ? *)",
    flexible_time_window={"mode": "OFF"},
    target={
        "arn": function.arn,
        "role_arn": role(
            "daily", "scheduler.amazonaws.com", [{"Action": "lambda:InvokeFunction", "Resource": function.arn}]
        ).arn,
        "input": json.dumps({"at": "<aws.scheduler.scheduled-time>"}),
    },
)
pulumi.export("bucket_name", bucket.bucket)
"""

# Standard library only, so that the function needs no layer: it signs for itself.
CODE = """
import datetime, hashlib, hmac, json, os, urllib.error, urllib.parse, urllib.request

def handler(event, context):
    try:
        urllib.request.urlopen(os.environ["SPOTIFY"] + "me")
    except urllib.error.HTTPError as error:
        refused = error.code
        error.close()
    put(f"/{os.environ['BUCKET']}/answer.json", json.dumps({"at": event["at"], "spotify": refused}).encode())

def put(path, body):
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"]
    now = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
    digest = hashlib.sha256(body).hexdigest()
    headers = {
        "host": urllib.parse.urlsplit(endpoint).netloc,
        "x-amz-content-sha256": digest,
        "x-amz-date": now,
        "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
    }
    names, lines = ";".join(headers), "".join(f"{name}:{value}\\n" for name, value in headers.items())
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    canonical = hashlib.sha256(f"PUT\\n{path}\\n\\n{lines}\\n{names}\\n{digest}".encode()).hexdigest()
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\\n{now}\\n{scope}\\n{canonical}"):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"
    headers["Content-Type"] = "application/json"
    urllib.request.urlopen(urllib.request.Request(endpoint + path, body, headers, method="PUT")).close()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (folder / "code.zip").write_bytes(zipped({"main.py": textwrap.dedent(CODE)}))
    return folder


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud(tmp_path / "cloud", start=START, library=small_library()) as running:
        yield running


def small_library() -> Library:
    return Library.seeded(1, start=START, saved_tracks=3, playlists=1, saved_albums=1, plays_per_day=1)


@pytest.mark.slow
def test_a_program_is_deployed_and_runs_from_its_own_schedule(cloud: EmbeddedCloud, project: Path) -> None:
    outputs = cloud.deploy(project)
    heard: list[Step] = []
    cloud.run_until(START + timedelta(hours=3), heard.append)
    assert cloud.now >= START + timedelta(hours=3)
    stored = cloud.client("s3").get_object(Bucket=outputs["bucket_name"], Key="answer.json")
    assert json.loads(stored["Body"].read()) == {"at": "2026-11-23T08:00:00Z", "spotify": 401}
    assert abs(stored["LastModified"] - (START + timedelta(hours=2))) < timedelta(minutes=1), "S3 sees the clock"
    assert [(step.kind, step.ok) for step in cloud.log if step.kind in {"schedule", "invoke"}] == [
        ("schedule", True),
        ("invoke", True),
    ]
    assert heard == cloud.log
    (request,) = cloud.spotify.requests
    assert request.path.endswith("/me")
    assert request.status == 401

    # The same program with a permission less: the function fails here too, and an asynchronous event is tried thrice.
    iam = cloud.client("iam")
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"].startswith("asking"):
            (policy,) = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=policy)
    before = len(cloud.log)
    cloud.run_until(START + timedelta(hours=27))
    invokes = [step for step in cloud.log[before:] if step.kind == "invoke"]
    assert [step.ok for step in invokes] == [False] * 3
    assert "HTTP Error 403" in invokes[0].detail
    denied = [step for step in cloud.log[before:] if step.kind == "denied"]
    assert any("is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::" in one.detail for one in denied)


def test_a_query_is_a_step(cloud: EmbeddedCloud) -> None:
    s3, athena = cloud.client("s3"), cloud.client("athena")
    s3.create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for query in ("SELECT 1 AS one", "SELECT nothing"):
        athena.start_query_execution(QueryString=query, ResultConfiguration={"OutputLocation": "s3://results/"})
    cloud.drain()
    right, wrong = [step for step in cloud.log if step.kind == "query"]
    assert (right.name, right.detail, right.ok) == ("primary", "SELECT 1 AS one", True)
    assert not wrong.ok
    assert "nothing" in wrong.detail


@pytest.mark.slow
def test_a_program_that_ends_with_an_error_says_so(cloud: EmbeddedCloud, project: Path) -> None:
    with pytest.raises(DeploymentError, match="broken must not be set"):
        cloud.deploy(project, config={"broken": "yes"})


def test_nothing_listens_afterwards(tmp_path: Path) -> None:
    with EmbeddedCloud(tmp_path, start=START, library=small_library()) as cloud:
        ports = [urlsplit(url).port for url in (cloud.server.url, cloud.spotify.api_url)]
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port or 0), timeout=1)


def test_the_next_cloud_starts_empty(tmp_path: Path) -> None:
    for number in range(2):
        with EmbeddedCloud(tmp_path / str(number), start=START, library=small_library()) as cloud:
            assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []
            assert cloud.log == []
            cloud.client("sqs").create_queue(QueueName="left")
