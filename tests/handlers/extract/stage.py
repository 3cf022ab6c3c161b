"""The extract function with AWS in memory, the fake Web API, and a clock that tests set."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import time_machine

from handlers.extract.handler import handler
from handlers.extract.spotify.budget import Budget
from handlers.extract.spotify.client import SpotifyClient
from handlers.extract.spotify.credentials import Secret
from handlers.raw.bucket import RawBucket
from handlers.raw.state import StateFile
from handlers.streams import STREAMS, default_streams, scopes
from tests.handlers.extract.fake_spotify import FakeSpotify
from tests.handlers.raw.stored import BUCKET, Json, Stored

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LOGIN = {
    "client_id": "client-id",
    "client_secret": "client-secret-of-the-app",
    "refresh_token": "refresh-token-of-ana",
    "scope": " ".join(scopes(tuple(STREAMS))),
    "authorized_at": "2026-11-01T00:00:00Z",
}
START = datetime(2026, 11, 23, 6, tzinfo=UTC)


@dataclass
class Context:
    """The context that Lambda passes to a handler."""

    function_name: str = "extract"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:extract"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    milliseconds: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class Stage(Stored):
    """Runs of the function and what they stored."""

    spotify: FakeSpotify
    secrets: SecretsManagerClient
    secret_arn: str
    set_variable: Callable[[str, str], None]
    """Changes the function's environment until the test ends."""
    waits: list[float] = field(default_factory=list)
    """Seconds slept because Spotify demanded it."""
    pauses: list[float] = field(default_factory=list)
    """Seconds slept for the pace of requests."""
    backoffs: list[float] = field(default_factory=list)
    """Seconds that urllib3 slept."""

    def enable(self, *streams: str) -> None:
        """Enable these streams instead of the default ones."""
        self.set_variable("STREAMS", ",".join(streams))

    def log_in(self, content: str | None = None) -> None:
        self.secrets.put_secret_value(
            SecretId=self.secret_arn, SecretString=json.dumps(LOGIN) if content is None else content
        )

    def log_in_as_new_account(self) -> None:
        """Log in with an unknown account and the same library."""
        token = uuid.uuid4().hex
        self.spotify.profile = {"id": token}
        self.spotify.refresh_token = token
        self.log_in(json.dumps({**LOGIN, "refresh_token": token}))

    def client(self, remaining: float = 900.0, budget: Budget | None = None) -> SpotifyClient:
        """Return a new client, logged in with the secret."""
        secret = Secret(self.secrets, self.secret_arn)
        return SpotifyClient(
            secret.read(),
            secret.replace_token,
            f"{self.spotify.url}v1/",
            self.spotify.url,
            lambda: remaining,
            budget=budget,
            reload=secret.reload,
        )

    def state(self, key: str) -> StateFile:
        """Return a state object as the next run finds it."""
        return StateFile(RawBucket(self.s3, BUCKET), key)

    def login(self) -> Json:
        content: Json = json.loads(self.secrets.get_secret_value(SecretId=self.secret_arn)["SecretString"])
        return content

    def run(self, trigger: str = "daily", at: datetime = START, context: Context | None = None, **event: Any) -> Json:
        """Invoke the function at a moment and return the manifest."""
        asked = {"trigger": trigger, "scheduled_time": f"{at:%Y-%m-%dT%H:%M:%SZ}", **event}
        with time_machine.travel(at, tick=True):
            summary = handler(asked, context or Context())  # type: ignore[arg-type] # a stand-in for Lambda's
        return self.json(summary["manifest"])

    def read(self, stream: str, at: datetime = START, **event: Any) -> Json:
        """Run one stream manually and return its unit."""
        return unit(self.run("manual", at, streams=[stream], **event), stream)

    def written(self, stream: str) -> list[Any]:
        """Return every record of a stream in the bucket, in the order of keys."""
        return self.records(self.keys(f"raw/{stream}/"))


def unit(manifest: Json, stream: str, name: str = "") -> Json:
    found = [one for one in manifest["units"] if one["stream"] == stream and one["unit"] == name]
    assert len(found) == 1, manifest["units"]
    row: Json = found[0]
    return row


def environment(spotify: FakeSpotify, secret_arn: str) -> dict[str, str]:
    return {
        "RAW_BUCKET": BUCKET,
        "SPOTIFY_SECRET_ARN": secret_arn,
        "STREAMS": ",".join(default_streams()),
        "AUTH_MODE": "user",
        "CATALOGUE_URIS": "",
        "SPOTIFY_API_URL": f"{spotify.url}v1/",
        "SPOTIFY_ACCOUNTS_URL": spotify.url,
        "TRANSFORMED_RETENTION_DAYS": "30",
    }
