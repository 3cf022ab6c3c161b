"""`pulumi up -s local`, for an empty local cloud: what the AWS provider gets to know of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.stacks import new_stack

pytestmark = pytest.mark.engine

SERVICES = (
    "athena",
    "budgets",
    "cloudwatch",
    "glue",
    "iam",
    "lambda",
    "s3",
    "scheduler",
    "secretsmanager",
    "sqs",
    "sts",
)


def test_the_provider_is_sent_to_the_local_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_stack("local", tmp_path, tmp_path / "cloud.json", monkeypatch) as stack:
        outputs = stack.up().outputs
    assert outputs["athena_workgroup_name"].value == "spotify-etl-local"
    told = json.loads((tmp_path / "cloud.configuration").read_text())
    given = {name.removeprefix("aws:config:"): value for name, value in told.items()}
    [endpoints] = json.loads(given["endpoints"])
    assert {endpoints[service] for service in SERVICES} == {"http://127.0.0.1:4599"}
    assert given["region"] == "eu-central-1"
    assert given["s3UsePathStyle"] == given["skipCredentialsValidation"] == given["skipMetadataApiCheck"] == "true"
