"""A stack in moto, as far as commands look at it: buckets, queues, a database and the functions' configuration."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from cli.pipeline_functions import FUNCTIONS
from cli.targets import Target
from handlers import layout

OUTPUTS = {
    "raw_bucket_name": "raw-1",
    "transformed_bucket_name": "transformed-1",
    "athena_results_bucket_name": "results-1",
    "glue_database_name": "spotify_dev",
    "glue_crawler_name": "crawler-1",
    "athena_workgroup_name": "spotify-etl-dev",
    "spotify_secret_name": "secret-1",
    "alerts_topic_arn": "arn:aws:sns:eu-central-1:123456789012:alerts-1",
    "region": "eu-central-1",
    "log_group_names": {step: f"/{step}" for step in FUNCTIONS},
    **{f"{step}_function_name": f"{step}-1" for step in FUNCTIONS},
}
OLD, NEW = "20261101T050000Z-daily", "20261102T050000Z-daily"


class Functions:
    """Lambda with the configuration of every function, and the events that it was invoked with."""

    def __init__(self) -> None:
        self.environment = {
            "AUTH_MODE": "user",
            "STREAMS": "profile,recently_played,saved_tracks",
            "TIMEZONE": "Europe/Berlin",
            "SPOTIFY_ACCOUNTS_URL": "https://accounts.spotify.test/",
            "POWERTOOLS_METRICS_NAMESPACE": "SpotifyEtl/dev",
        }
        self.invoked: list[dict[str, Any]] = []
        self.compact: Callable[[dict[str, Any]], dict[str, Any]] = _fail
        """What the compact function does: returns its result for an event."""

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {
            "FunctionArn": f"arn:aws:lambda:eu-central-1:123456789012:function:{FunctionName}",
            "Role": f"arn:aws:iam::123456789012:role/{FunctionName}",
            "Timeout": 900,
            "MemorySize": 512,
            "Architectures": ["arm64"],
            "Environment": {"Variables": self.environment},
            "ResponseMetadata": {"HTTPHeaders": {"date": "Mon, 02 Nov 2026 06:30:00 GMT"}},
        }

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        event = json.loads(Payload)
        self.invoked.append(event)
        if FunctionName == "compact-1":
            assert InvocationType == "RequestResponse"
            return self._answer(event)
        assert (FunctionName, InvocationType) == ("extract-1", "Event")
        return {}

    def _answer(self, event: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"Payload": io.BytesIO(json.dumps(self.compact(event)).encode())}
        except ValueError as error:
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failure).encode())}


def _fail(event: dict[str, Any]) -> dict[str, Any]:
    raise ValueError(f"{event} is not expected")


def compaction_result(**changed: Any) -> dict[str, Any]:
    """Return the result of a compaction in which nothing was to be done, with some changes."""
    numbers = ("partitions", "objects_read", "objects_deleted", "waiting", "expired", "remaining")
    return {**dict.fromkeys(numbers, 0), "left_alone": [], **changed}


@dataclass
class OperatedStack:
    """The stack, empty at first."""

    clients: dict[str, Any]
    """By service; of S3, SQS, Glue and Secrets Manager in moto."""
    functions: Functions = field(default_factory=Functions)
    outputs: dict[str, Any] = field(default_factory=dict)
    log_lines: list[dict[str, Any]] = field(default_factory=list)
    """The events of every log group."""

    def __post_init__(self) -> None:
        self.clients["lambda"] = self.functions
        pages = SimpleNamespace(paginate=lambda **_: [{"events": self.log_lines}])
        self.clients["logs"] = SimpleNamespace(get_paginator=lambda _: pages)
        sqs = self.clients["sqs"]
        queues = ("transform", *(f"dead-{step}" for step in (*FUNCTIONS, "crawl")))
        urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in queues}
        dead = {name.removeprefix("dead-"): url for name, url in urls.items() if name.startswith("dead-")}
        self.outputs = {**OUTPUTS, "transform_queue_url": urls["transform"], "dead_letter_queue_urls": dead}
        for kind in ("raw", "transformed", "athena_results"):
            name = self.outputs[f"{kind}_bucket_name"]
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            if kind != "athena_results":
                self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    @property
    def now(self) -> datetime:
        """The time on AWS's clock."""
        return datetime(2026, 11, 2, 6, 30, tzinfo=UTC)

    @property
    def s3(self) -> Any:
        return self.clients["s3"]

    @property
    def target(self) -> Target:
        return Target("the stack dev in eu-central-1", self.outputs, self.clients.__getitem__)

    def put(self, output: str, key: str, body: object = "") -> None:
        """Store an object in the bucket that an output names."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.s3.put_object(Bucket=self.outputs[output], Key=key, Body=text.encode())

    def add_run(self, run: str, stream: str = "saved_tracks") -> None:
        """Store what a run of one stream leaves in both buckets."""
        raw_key = layout.RawKey(stream, run, 0)
        manifest = layout.ManifestKey(run, 0)
        self.put("raw_bucket_name", str(raw_key), "x" * 100)
        self.put("raw_bucket_name", str(manifest), {"units": []})
        for key in (str(raw_key), str(manifest)):
            self.put("transformed_bucket_name", layout.outputs_key(key), {"rows": {}})
        month = f"{layout.run_date(run):%Y-%m}"
        self.put("transformed_bucket_name", layout.table_key(stream, "month", month, stream, raw_key.stem), "y" * 50)

    def versions(self, output: str) -> list[str]:
        """Return the key of every version and delete marker in a bucket."""
        found = self.s3.list_object_versions(Bucket=self.outputs[output])
        return sorted(one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, []))

    def send(self, step: str, body: str) -> None:
        """Put a dead letter into a step's queue."""
        self.clients["sqs"].send_message(QueueUrl=self.outputs["dead_letter_queue_urls"][step], MessageBody=body)

    def messages(self, url: str) -> list[str]:
        """Return and remove the messages of a queue."""
        found = []
        while messages := self.clients["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.clients["sqs"].delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found
