from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend

from cli.zip_archives import Archives
from tests.cli.import_stage import BUCKET, ImportStage
from tests.cli.operated_stack import OperatedStack
from tests.memory_aws import memory_aws
from tests.moto_s3 import addresses_loaded_once, services_limited_to

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


@pytest.fixture(name="pulumi")
def fixture_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a command first on the path that prints what a test gives by the words it is called with."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(stacks: list[str], outputs: dict[str, dict[str, Any]]) -> None:
        answers: dict[str, Any] = {"stack ls --json": [{"name": name} for name in stacks]}
        answers |= {f"stack output --json --stack {name}": found for name, found in outputs.items()}
        cases = [
            f'"{words} --cwd "*" --non-interactive") printf %s \'{json.dumps(answer)}\';;'
            for words, answer in answers.items()
        ]
        command = folder / "pulumi"
        command.write_text(
            f'#!/bin/sh\ncase "$*" in\n{chr(10).join(cases)}\n'
            '*) echo "error: no stack named such found" >&2; exit 255;;\nesac\n'
        )
        command.chmod(0o755)

    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return install


@pytest.fixture(scope="module")
def operated_services() -> Iterator[dict[str, Any]]:
    """Provide clients of the services in moto that a stack's data are in."""
    services = ("s3", "sqs", "glue", "secretsmanager")
    with pytest.MonkeyPatch.context() as patch, addresses_loaded_once(), services_limited_to(*services), mock_aws():
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            patch.setenv(name, value)
        patch.setattr("cli.queue_messages.WAIT_SECONDS", 0)
        create: Any = boto3.client
        yield {name: create(name) for name in services}


@pytest.fixture
def operated_stack(operated_services: dict[str, Any]) -> OperatedStack:
    """Provide an empty stack in moto."""
    moto_api_backend.reset()
    return OperatedStack(dict(operated_services))
