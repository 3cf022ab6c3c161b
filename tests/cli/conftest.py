from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

from cli.zip_archives import Archives
from tests.cli.import_stage import BUCKET, ImportStage
from tests.memory_aws import memory_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Client]:
    with pytest.MonkeyPatch.context() as patch, memory_aws():
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client


@pytest.fixture
def stage(s3: S3Client) -> ImportStage:
    """Provide the raw bucket of a stack that has been logged in to."""
    made = ImportStage(s3)
    for key in made.keys(""):
        s3.delete_object(Bucket=BUCKET, Key=key)
    made.log_in()
    return made


@pytest.fixture
def archives() -> Iterator[Archives]:
    """Open zips, and close them after the test."""
    with Archives() as opened:
        yield opened
