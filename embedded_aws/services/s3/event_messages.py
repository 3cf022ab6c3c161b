"""What an event message of S3 says, where moto's says less or otherwise."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any
from urllib.parse import quote_plus

from moto.core.utils import iso_8601_datetime_with_milliseconds

SOURCE_ADDRESS = "127.0.0.1"
"""Of whoever makes a request."""
_VERSION = "2.1"
_events = itertools.count()


def event_message(
    event_name: str, bucket: Any, key: Any, notification_id: str, *, principal_id: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the message about one object.

    The key is URL-encoded except for its slashes, a space as a plus sign.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Args:
        event_name: such as "s3:ObjectCreated:Put".
        bucket: moto's bucket.
        key: moto's object.
        notification_id: of the part of the notification configuration that matched.
        principal_id: unique ID of the caller, with "AWS:" before it.
    """
    request_id, extended_id = request_ids()
    content = {} if event_name.startswith("s3:ObjectRemoved") else {"size": key.size, "eTag": key.etag.strip('"')}
    version = {"versionId": key.version_id} if bucket.is_versioned else {}
    return {
        "Records": [
            {
                "eventVersion": _VERSION,
                "eventSource": "aws:s3",
                "awsRegion": bucket.region_name,
                "eventTime": iso_8601_datetime_with_milliseconds(),
                "eventName": event_name.removeprefix("s3:"),
                "userIdentity": {"principalId": principal_id},
                "requestParameters": {"sourceIPAddress": SOURCE_ADDRESS},
                "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": extended_id},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": notification_id,
                    "bucket": {
                        "name": bucket.name,
                        "ownerIdentity": {"principalId": bucket.account_id},
                        "arn": bucket.arn,
                    },
                    "object": {
                        "key": quote_plus(key.name, safe="/"),
                        **content,
                        **version,
                        "sequencer": next_sequencer(),
                    },
                },
            }
        ]
    }


def request_ids() -> tuple[str, str]:
    """Return a new request id, and the longer one that S3 has beside it."""
    identifier = uuid.uuid4().hex.upper()
    return identifier[:16], identifier


def next_sequencer() -> str:
    """Return a hexadecimal number that is larger for a later event."""
    return f"{int(time.time()):010X}{next(_events):08X}"
