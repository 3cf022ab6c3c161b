"""The worst that a web page in the user's browser could send to the embedded AWS, and how it would show."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME
from spotify_simulator import Library, LibraryPlan
from spotify_simulator.simulator import Simulator
from tests.embedded_aws.stage import zipped

HIDDEN = "HIDDEN"
"""In everything that a page could read."""

START = datetime(2026, 11, 2, tzinfo=UTC)
KEY = "AKIALOCALLOCALLOCAL2"
"""A page can only guess one."""


@dataclass(frozen=True)
class Attack:
    """One request; whatever headers a page may set are set."""

    name: str
    method: str
    target: str
    headers: dict[str, str]
    body: str


def _authorization(service: str) -> dict[str, str]:
    scope = f"{KEY}/20261101/eu-central-1/{service}/aws4_request"
    signature = "0" * 64
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}"}


def _query(service: str) -> str:
    scope = quote(f"{KEY}/20261101/eu-central-1/{service}/aws4_request", safe="")
    return (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Date=20261101T000000Z&X-Amz-Expires=600"
        f"&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
    )


_TEXT = {"Content-Type": "text/plain;charset=UTF-8"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/x-amz-json-1.1"}
_ROLE = f"Action=CreateRole&Version=2010-05-08&RoleName=evil&AssumeRolePolicyDocument={quote('{}')}"
_FUNCTION = json.dumps(
    {
        "FunctionName": "evil",
        "Runtime": OWN_RUNTIME,
        "Role": "arn:aws:iam::123456789012:role/known",
        "Handler": "main.handler",
        "Code": {"ZipFile": base64.b64encode(zipped({"main.py": ""})).decode()},
    }
)

ON_AWS = (
    Attack("read an object", "GET", "/private-bucket/a.txt", {}, ""),
    Attack("read an object by a made-up address", "GET", f"/private-bucket/a.txt?{_query('s3')}", {}, ""),
    Attack("write an object", "PUT", "/private-bucket/evil", _TEXT | _authorization("s3"), "x"),
    Attack("delete the object", "DELETE", "/private-bucket/a.txt", _authorization("s3"), ""),
    Attack("list the buckets", "GET", "/", _authorization("s3"), ""),
    Attack("make a role", "POST", "/", _FORM | _authorization("iam"), _ROLE),
    Attack("make a role by a made-up address", "POST", f"/?{_query('iam')}", _FORM, _ROLE),
    Attack("make a function", "POST", "/2015-03-31/functions", _TEXT | _authorization("lambda"), _FUNCTION),
    Attack(
        "make a function by a made-up address", "POST", f"/2015-03-31/functions?{_query('lambda')}", _TEXT, _FUNCTION
    ),
    Attack(
        "read the secret",
        "POST",
        "/",
        _JSON | {"X-Amz-Target": "secretsmanager.GetSecretValue"} | _authorization("secretsmanager"),
        '{"SecretId": "private"}',
    ),
    Attack("empty the cloud", "POST", "/moto-api/reset", _TEXT, ""),
    Attack("read all of moto's data", "GET", "/moto-api/data.json", {}, ""),
)
ON_SPOTIFY = (
    Attack("read the user's profile", "GET", "/v1/me", {"Authorization": "Bearer x"}, ""),
    Attack("ask for a code", "GET", "/authorize?response_type=code&client_id=x&redirect_uri=http://127.0.0.1/", {}, ""),
    Attack("ask for a token", "POST", "/api/token", _FORM, "grant_type=client_credentials"),
)


class Target:
    """The embedded AWS, with something to hide, and the simulator."""

    def __init__(self, aws: AwsServer, spotify: Simulator) -> None:
        self.aws = aws
        self.spotify = spotify
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="private-bucket", CreateBucketConfiguration={"LocationConstraint": aws.region})
        s3.put_object(Bucket="private-bucket", Key="a.txt", Body=HIDDEN.encode())
        aws.client("secretsmanager").create_secret(Name="private", SecretString=HIDDEN)
        aws.client("iam").create_role(RoleName="known", AssumeRolePolicyDocument="{}")

    def state(self) -> dict[str, Any]:
        """Everything that the requests would change."""
        client = self.aws.client
        return {
            "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
            "objects": [one["Key"] for one in client("s3").list_objects_v2(Bucket="private-bucket")["Contents"]],
            "secret": client("secretsmanager").get_secret_value(SecretId="private")["SecretString"],
            "roles": [role["RoleName"] for role in client("iam").list_roles()["Roles"]],
            "functions": client("lambda").list_functions()["Functions"],
            "asked of Spotify": len(self.spotify.requests),
        }


@contextmanager
def target() -> Iterator[Target]:
    """Run both servers."""
    plan = LibraryPlan(saved_tracks=1, playlists=1, saved_albums=1, plays_per_day=1)
    aws = AwsServer()
    aws.start()
    try:
        with Simulator(Library.planned(7, plan, start=START), lambda: START) as spotify:
            yield Target(aws, spotify)
    finally:
        aws.stop()
