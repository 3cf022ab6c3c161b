from __future__ import annotations

import os
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

# Powertools reads these when the handler is imported.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "extract")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "SpotifyEtl/test")

from handlers.extract import handler as function
from tests.handlers.extract.fake_spotify import FakeSpotify
from tests.handlers.extract.stage import LOGIN, Stage, environment
from tests.handlers.raw.stored import BUCKET
from tests.memory_aws import memory_aws


@pytest.fixture
def spotify() -> Iterator[FakeSpotify]:
    fake = FakeSpotify()
    fake.start()
    yield fake
    fake.stop()
    assert fake.unknown == [], "the function requested something that the fake does not know"


@pytest.fixture
def empty_stage(spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Provide the stack as deployed, before any login."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    with memory_aws():
        s3, secrets = function._s3(), function._secrets()
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        arn = secrets.create_secret(Name="spotify")["ARN"]
        for name, value in environment(spotify, arn).items():
            monkeypatch.setenv(name, value)
        stage = Stage(s3, spotify, secrets, arn, monkeypatch.setenv)
        monkeypatch.setattr("handlers.extract.spotify.client.sleep", stage.waits.append)
        monkeypatch.setattr("handlers.extract.spotify.pacing.sleep", stage.pauses.append)
        # Not `time.sleep` itself: moto and the fake's threads use it too.
        its_time = SimpleNamespace(sleep=stage.backoffs.append, time=time.time)
        monkeypatch.setattr("urllib3.util.retry.time", its_time)
        yield stage


@pytest.fixture
def stage(empty_stage: Stage) -> Stage:
    """Provide the stack after `spotify-etl login`."""
    assert LOGIN["refresh_token"] == empty_stage.spotify.refresh_token
    empty_stage.log_in()
    return empty_stage
