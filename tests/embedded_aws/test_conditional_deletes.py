"""An object is deleted only if it is as the request says, and stays deleted or kept over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.stage import REGION, Stage


@pytest.fixture(name="folders")
def fixture_folders(tmp_path: Path) -> tuple[Path, Path]:
    """The work and the data folder of an account."""
    return tmp_path / "work", tmp_path / "data"


@pytest.fixture(name="aws")
def fixture_aws(folders: tuple[Path, Path]) -> Iterator[Stage]:
    """An account with a plain and a versioned bucket, each with the object `key`."""
    with Stage(folders[0], data=folders[1]) as aws:
        s3 = aws.client("s3")
        for bucket in ("plain", "versioned"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        for bucket in ("plain", "versioned"):
            for body in (b"old", b"new"):
                s3.put_object(Bucket=bucket, Key="key", Body=body)
        yield aws


def refusal(aws: Stage, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        aws.client("s3").delete_object(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def listed(aws: Stage, bucket: str) -> list[str]:
    return [one["Key"] for one in aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.parametrize("bucket", ["plain", "versioned"])
def test_only_the_current_version_is_deleted(aws: Stage, bucket: str) -> None:
    s3 = aws.client("s3")
    current = s3.head_object(Bucket=bucket, Key="key")["ETag"]
    former = '"149603e6c03516362a8da23f624db945"'
    assert refusal(aws, Bucket=bucket, Key="key", IfMatch=former) == (412, "PreconditionFailed")
    assert listed(aws, bucket) == ["key"]
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=current)
    assert listed(aws, bucket) == []
    assert refusal(aws, Bucket=bucket, Key="key", IfMatch=current) == (404, "NoSuchKey")


def test_what_was_deleted_and_what_was_not_are_kept(aws: Stage, folders: tuple[Path, Path]) -> None:
    s3 = aws.client("s3")
    current = s3.head_object(Bucket="plain", Key="key")["ETag"]
    s3.put_object(Bucket="plain", Key="other", Body=b"x")
    s3.delete_object(Bucket="plain", Key="key", IfMatch=current)
    assert refusal(aws, Bucket="plain", Key="other", IfMatch=current) == (412, "PreconditionFailed")
    aws.__exit__(None, None, None)
    with Stage(folders[0], data=folders[1]) as again:
        assert listed(again, "plain") == ["other"]
        assert listed(again, "versioned") == ["key"]


def test_conditions_on_several_objects_at_once_are_refused(aws: Stage) -> None:
    s3 = aws.client("s3")
    with pytest.raises(
        ClientError, match=r"NotImplemented.* does not know ETag in DeleteObjects: delete such objects one by one"
    ):
        s3.delete_objects(Bucket="plain", Delete={"Objects": [{"Key": "key", "ETag": "other"}]})
    assert listed(aws, "plain") == ["key"]
