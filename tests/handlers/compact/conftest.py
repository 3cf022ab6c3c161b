from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.handlers.compact.lake import RAW, TRANSFORMED, TWIN, Lake
from tests.memory_aws import memory_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Read when the handler is imported.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "SpotifyEtl/test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "compact")

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "TRANSFORMED_BUCKET": TRANSFORMED,
    "TRANSFORMED_RETENTION_DAYS": "400",
    "PLAYS_RETENTION_DAYS": "3650",
}


@pytest.fixture(scope="module", name="s3")
def fixture_s3() -> Iterator[S3Client]:
    with pytest.MonkeyPatch.context() as patch, memory_aws():
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield boto3.client("s3")


@pytest.fixture(name="lake")
def fixture_lake(s3: S3Client) -> Lake:
    for bucket in (RAW, TRANSFORMED, TWIN):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return Lake(s3)
