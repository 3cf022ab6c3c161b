from __future__ import annotations

import os
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.handlers.transform.stage import RAW, TRANSFORMED, Stage

# Read when the handler is imported.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "SpotifyEtl/test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "transform")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("RAW_BUCKET", RAW)
    monkeypatch.setenv("TRANSFORMED_BUCKET", TRANSFORMED)
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-central-1")
        for bucket in (RAW, TRANSFORMED):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield Stage(s3)
