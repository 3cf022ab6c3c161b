"""A local cloud is killed twenty times at random moments: nothing that it answered is lost."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.cli.local_cloud.process import LocalCommands

LIVES = 20


def body_of(name: str) -> bytes:
    """Return the content of an object; every ninth is large."""
    return name.encode() * (5000 if int(name.partition("-")[2]) % 9 == 0 else 1)


class Work:
    """Puts, sends and stores until the cloud is gone; remembers what was answered.

    Args:
        local: the cloud.
        life: distinguishes what is done in one life from what is done in another.
    """

    def __init__(self, local: LocalCommands, life: int) -> None:
        self.objects: set[str] = set()
        self.messages: set[str] = set()
        self.secret: str | None = None
        """The last secret that was stored."""
        self.unanswered: str | None = None
        """The secret that was being stored when the cloud was killed."""
        self._clients: dict[str, Any] = {name: local.client(name) for name in ("s3", "sqs", "secretsmanager")}
        self._life = life

    def until_killed(self) -> None:
        """Work until a request is not answered."""
        with suppress(BotoCoreError, ClientError):
            queue = self._clients["sqs"].get_queue_url(QueueName="queue")["QueueUrl"]
            for number in range(100_000):
                name = f"{self._life}-{number}"
                self._clients["s3"].put_object(Bucket="bucket", Key=name, Body=body_of(name))
                self.objects.add(name)
                self._clients["sqs"].send_message(QueueUrl=queue, MessageBody=name)
                self.messages.add(name)
                self.unanswered = name
                self._clients["secretsmanager"].put_secret_value(SecretId="secret", SecretString=name)
                self.secret, self.unanswered = name, None


@pytest.mark.slow
def test_nothing_answered_is_lost(working: Path) -> None:
    local = LocalCommands(working)
    moments = random.Random(13)  # noqa: S311 - moments of a test
    objects, messages, secrets = set[str](), set[str](), set[str | None]()
    for life in range(LIVES):
        process = local.start("--port", str(local.port), "--empty")
        if life == 0:
            region = {"LocationConstraint": "eu-central-1"}
            local.client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration=region)
            local.client("sqs").create_queue(QueueName="queue")
            local.client("secretsmanager").create_secret(Name="secret", SecretString="none")
        else:
            check(local, objects, messages, secrets)
        work = Work(local, life)
        killer = threading.Timer(moments.uniform(0.1, 1.5), process.kill)
        killer.start()
        work.until_killed()
        process.communicate()
        objects |= work.objects
        messages |= work.messages
        # The last one that was answered, or one that was stored but not answered any more.
        secrets = {work.secret, work.unanswered} if work.secret else secrets | {work.unanswered}
    assert len(objects) > LIVES
    process = local.start()
    check(local, objects, messages, secrets)
    local.done("down")
    process.communicate()


def check(local: LocalCommands, objects: set[str], messages: set[str], secrets: set[str | None]) -> None:
    s3, sqs = local.client("s3"), local.client("sqs")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket")
    assert objects <= {entry["Key"] for page in pages for entry in page.get("Contents", [])}
    for key in sorted(objects)[-3:]:
        assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == body_of(key)
    queue = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert int(attributes["ApproximateNumberOfMessages"]) >= len(messages)
    stored = local.client("secretsmanager").get_secret_value(SecretId="secret")["SecretString"]
    assert not secrets or stored in secrets | {"none"}
