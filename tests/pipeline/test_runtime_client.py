"""The deployed archives under Amazon's own client of Lambda's runtime interface, in a Python that sees nothing else.

The interface is a stand-in of the tests, and, where Go can build it, Amazon's own emulator, which is a Go module.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import EmbeddedAws
from handlers.layout import COMPACTIONS_PREFIX, TABLES_PREFIX, outputs_key
from local.cloud import deploy_program
from pipeline import packaging
from tests.acceptance.account import SETTINGS
from tests.acceptance.recorded_objects import RawObject, recorded_objects
from tests.benchmarks.isolated_imports import lambdas_python, unpack
from tests.pipeline.emulator.building import build, find_go, obstacle
from tests.pipeline.emulator.emulated import invoke_emulated
from tests.pipeline.program import ROOT
from tests.pipeline.runtime_client import Outcome, invoke

pytestmark = pytest.mark.slow


class Lambda:
    """Lambda for the functions of a stack in the embedded cloud: its archives, their environment and their roles."""

    def __init__(self, aws: EmbeddedAws, outputs: dict[str, Any], folder: Path, python: str) -> None:
        self.aws = aws
        self.outputs = outputs
        self.emulator: Path | None = None
        """Amazon's emulator; without it, the interface is the tests' own."""
        self._folder = folder
        self._python = python
        self._client = folder / "client"
        architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
        packaging._install(ROOT / "requirements-runtime.lock", architecture, self._client)

    def invoke(self, function: str, event: Any) -> Outcome:
        """Run a function once, with the permissions of its role alone."""
        name = self.outputs[f"{function}_function_name"]
        made = self.aws.client("lambda").get_function_configuration(FunctionName=name)
        keys = self.aws.server.assume(
            made["Role"], "lambda.amazonaws.com", name, {"aws:SourceArn": made["FunctionArn"]}
        )
        environment = {
            **made["Environment"]["Variables"],
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": keys.session_token or "",
            "AWS_ENDPOINT_URL": self.aws.server.url,
            "AWS_REGION": self.aws.server.region,
            "AWS_DEFAULT_REGION": self.aws.server.region,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(made["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        }
        paths = [*unpack(function, self._folder / function), self._client]
        if self.emulator:
            return invoke_emulated(
                self.emulator,
                python=self._python,
                handler=made["Handler"],
                event=event,
                seconds=made["Timeout"],
                paths=paths,
                environment=environment,
            )
        return invoke(
            self._python,
            made["Handler"],
            event,
            arn=made["FunctionArn"],
            seconds=made["Timeout"],
            paths=paths,
            environment=environment,
        )


@pytest.fixture(name="stack", scope="module")
def fixture_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambda]:
    with (
        pytest.MonkeyPatch.context() as patch,
        # The functions know no simulated time here.
        EmbeddedAws(tmp_path_factory.mktemp("cloud"), start=datetime.now(UTC), any_python=True) as aws,
    ):
        outputs = deploy_program(aws, ROOT, SETTINGS, None)
        patch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
        yield Lambda(aws, outputs, tmp_path_factory.mktemp("lambda"), lambdas_python(patch))


@pytest.fixture(name="functions", params=["ours", "emulator"], scope="module")
def fixture_functions(
    stack: Lambda, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Lambda:
    stack.emulator = None
    go = find_go()
    # Where the emulator cannot be had, conftest.py says so.
    if request.param == "emulator" and go and not obstacle():
        stack.emulator = tmp_path_factory.mktemp("emulator") / "aws-lambda-rie"
        build(go, stack.emulator)
    return stack


def test_extract_runs(functions: Lambda) -> None:
    outcome = functions.invoke("extract", {"trigger": "daily"})
    assert outcome.succeeded, outcome
    assert (outcome.content["status"], outcome.content["reason"]) == ("skipped", "not_logged_in"), outcome.printed
    manifest = functions.aws.client("s3").get_object(
        Bucket=functions.outputs["raw_bucket_name"], Key=outcome.content["manifest"]
    )
    assert json.load(manifest["Body"])["status"] == "skipped"


def transform(functions: Lambda, one: RawObject) -> None:
    """Put a raw object, and transform it."""
    bucket = functions.outputs["raw_bucket_name"]
    s3 = functions.aws.client("s3")
    s3.put_object(Bucket=bucket, Key=one.key, Body=one.body, Metadata=one.metadata)
    created = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": one.key}}}
    message = {
        "messageId": "1",
        "receiptHandle": "1",
        "body": json.dumps({"Records": [created]}),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    outcome = functions.invoke("transform", {"Records": [message]})
    assert outcome.succeeded, outcome
    assert outcome.content == {"batchItemFailures": []}, outcome.printed
    written = s3.get_object(Bucket=functions.outputs["transformed_bucket_name"], Key=outputs_key(one.key))
    assert written["ContentLength"] > 0


def test_transform_runs(functions: Lambda) -> None:
    transform(functions, next(each for each in recorded_objects() if each.stream == "profile"))


def test_compact_runs(functions: Lambda) -> None:
    s3, bucket = functions.aws.client("s3"), functions.outputs["transformed_bucket_name"]
    # What a run under the other interface has left.
    for prefix in (f"{TABLES_PREFIX}playlist_items/", f"{COMPACTIONS_PREFIX}playlist_items/"):
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
    first, second, *_ = (each for each in recorded_objects() if each.stream == "playlist_items")
    for one in (first, second):
        transform(functions, one)
    outcome = functions.invoke("compact", {"trigger": "schedule", "table": "playlist_items"})
    assert outcome.succeeded, outcome
    assert outcome.content == {
        "partitions": 1,
        "objects_read": 2,
        "objects_deleted": 0,
        "waiting": 1,
        "expired": 0,
        "remaining": 0,
        "left_alone": [],
    }


def test_publish_runs(functions: Lambda) -> None:
    outcome = functions.invoke("publish", {"trigger": "schedule"})
    assert outcome.succeeded, outcome
    views = len(list((ROOT / "queries" / "views").glob("*.sql")))
    assert outcome.content == {
        "tables_created": [],
        "columns_added": {},
        "partition_keys_renamed": {},
        "partitions_registered": {},
        "views_created": [],
        "views_unchanged": views,
    }


def test_error_is_reported_as_lambda_reports_it(functions: Lambda) -> None:
    outcome = functions.invoke("extract", {"trigger": "yearly"})
    assert not outcome.succeeded
    assert outcome.content["errorType"] == "EventError"
