"""The notification configuration of a bucket, with EventBridge, which moto leaves out of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree as ET

from moto.s3.responses import S3Response


@contextmanager
def described_event_bridge() -> Iterator[None]:
    """Let GetBucketNotificationConfiguration say whether events go to EventBridge."""
    describe = S3Response.get_bucket_notification

    def described(response: S3Response) -> Any:
        answer: Any = describe(response)
        configuration: Any = response.backend.get_bucket_notification_configuration(response.bucket_name)
        if configuration is None or configuration.event_bridge is None:
            return answer
        status, headers, body = answer
        root = ET.fromstring(body)  # noqa: S314 - moto's own answer
        namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        ET.SubElement(root, f"{namespace}EventBridgeConfiguration")
        return status, headers, ET.tostring(root, encoding="unicode")

    with patch.object(S3Response, "get_bucket_notification", described):
        yield
