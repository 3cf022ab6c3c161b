from __future__ import annotations

import os
from collections.abc import Iterator

import boto3
import moto.s3.urls
import pytest
from moto import mock_aws
from moto.s3.models import S3Backend

from tests.handlers.raw.stored import BUCKET, Stored


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    """An empty raw bucket."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    # Else moto compiles a module of its own for every request to S3.
    monkeypatch.setattr(S3Backend, "_url_module", moto.s3.urls)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        yield Stored(s3)
