"""Which events an operation sends, where moto sends one too many or none.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.s3 import notifications
from moto.s3.models import FakeDeleteMarker, S3Backend
from moto.s3.notifications import S3NotificationEvent
from moto.s3.responses import S3Response


@contextmanager
def right_event_kinds() -> Iterator[None]:
    """Let uploads in parts send one event, tags theirs only by themselves, and deletes in versioned buckets theirs."""
    here = threading.local()
    send, complete = notifications.send_event, S3Backend.complete_multipart_upload
    tag, delete = S3Response.put_object_tagging, S3Backend.delete_object

    def sent(account_id: str, event_name: S3NotificationEvent, bucket: Any, key: Any) -> None:
        is_part = getattr(here, "completing", False) and event_name == S3NotificationEvent.OBJECT_CREATED_PUT_EVENT
        is_tags = event_name == S3NotificationEvent.OBJECT_TAGGING_PUT_EVENT and not getattr(here, "tagging", False)
        # Those of versions are sent below.
        is_version = event_name == S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT and getattr(here, "deleting", False)
        if not (is_part or is_tags or is_version):
            send(account_id, event_name, bucket, key)

    def completed(backend: S3Backend, *arguments: Any, **options: Any) -> Any:
        here.completing = True
        try:
            return complete(backend, *arguments, **options)
        finally:
            here.completing = False

    def tagged(response: S3Response) -> Any:
        here.tagging = True
        try:
            return tag(response)
        finally:
            here.tagging = False

    def deleted(
        backend: S3Backend,
        bucket_name: str,
        key_name: str,
        version_id: str | None = None,
        bypass: bool = False,
    ) -> Any:
        bucket: Any = backend.get_bucket(bucket_name)
        if not getattr(bucket, "is_versioned", False):
            return delete(backend, bucket_name, key_name, version_id, bypass)
        before = list(bucket.keys.getlist(key_name, []))
        here.deleting = True
        try:
            result = delete(backend, bucket_name, key_name, version_id, bypass)
        finally:
            here.deleting = False
        after = bucket.keys.getlist(key_name, [])
        for marker in (one for one in after if one not in before and isinstance(one, FakeDeleteMarker)):
            created = S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT
            send(backend.account_id, created, bucket, marker)
        for version in (one for one in before if one not in after):
            send(backend.account_id, S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT, bucket, version)
        return result

    with ExitStack() as patches:
        for owner, name, replacement in (
            (notifications, "send_event", sent),
            (S3Backend, "complete_multipart_upload", completed),
            (S3Response, "put_object_tagging", tagged),
            (S3Backend, "delete_object", deleted),
        ):
            patches.enter_context(patch.object(owner, name, replacement))
        yield
