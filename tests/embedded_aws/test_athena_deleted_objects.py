"""Objects deleted between the moment a query lists them and the moment it opens them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from embedded_aws.services.athena.objects import ObjectSource
from embedded_aws.services.athena.permissions import CallerPermissions
from tests.embedded_aws.athena_lab import LAKE, Lab

REASON = (
    "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://lake-bucket/tables/plays/dt=2026-11-01/b.parquet: "
    "The specified key does not exist. (Error Code: NoSuchKey)"
)
GONE = "tables/plays/dt=2026-11-01/b.parquet"


@pytest.fixture(name="lab")
def fixture_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("athena")) as running:
        running.table("plays", {"item": "string"})
        running.partition("plays", "2026-11-01")
        for name in "ab":
            running.put(f"tables/plays/dt=2026-11-01/{name}.parquet", {"item": [name]})
        yield running


@pytest.mark.parametrize("versioned", [False, True], ids=["gone", "delete marker"])
@pytest.mark.parametrize(
    ("owner", "step"), [(CallerPermissions, "check_object"), (ObjectSource, "content")], ids=["permissions", "content"]
)
def test_a_query_fails_as_in_athena_and_succeeds_when_run_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str, versioned: bool
) -> None:
    s3 = lab.client("s3")
    if versioned:
        s3.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    done = getattr(owner, step)

    def delete_first(*arguments: Any) -> Any:
        if "PutObject" not in arguments:
            s3.delete_object(Bucket=LAKE, Key=GONE)
        return done(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, delete_first)
        status = lab.run("SELECT item FROM plays")["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", REASON)
    assert lab.query("SELECT item FROM plays") == [("a",)]
