"""An SQS message → the objects that S3 reports as created."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class UnknownMessageError(ValueError):
    """The message is not an S3 notification; it goes to the dead-letter queue after its last try."""


@dataclass(frozen=True)
class ObjectCreated:
    """An object that was written."""

    bucket: str
    key: str


def objects_in(body: str) -> list[ObjectCreated]:
    """Return the objects that a message names, keys decoded; none for S3's test event and for deletions.

    Event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Raises:
        UnknownMessageError: it is not an S3 notification.
    """
    try:
        message: Any = json.loads(body)
        if message.get("Event") == "s3:TestEvent":
            return []
        return [
            ObjectCreated(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"], errors="strict"))
            for record in message["Records"]
            if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:")
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnknownMessageError(f"The message is not an S3 notification: {body[:200]!r}.") from error
