from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.handlers.transform.stage import RAW, TRANSFORMED, FileStage, Stage
from tests.memory_aws import memory_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Read when the handler is imported.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "SpotifyEtl/test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "transform")

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "RAW_BUCKET": RAW,
    "TRANSFORMED_BUCKET": TRANSFORMED,
}


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Client]:
    with (
        pytest.MonkeyPatch.context() as patch,
        memory_aws(),
    ):
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        for bucket in (RAW, TRANSFORMED):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client


@pytest.fixture
def stage(s3: S3Client) -> Stage:
    for bucket in (RAW, TRANSFORMED):
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
    return Stage(s3)


@pytest.fixture
def file_stage(tmp_path: Path) -> FileStage:
    return FileStage(tmp_path)
