from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.handlers.raw.stored import BUCKET, Stored
from tests.memory_aws import memory_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    """Provide an empty raw bucket."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with memory_aws():
        s3 = _client()
        s3.create_bucket(Bucket=BUCKET)
        yield Stored(s3)


@cache
def _client() -> S3Client:
    return boto3.client("s3", region_name="us-east-1")
