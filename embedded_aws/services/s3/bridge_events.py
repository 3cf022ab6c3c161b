"""What an event of S3 on EventBridge's default bus says.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html.
"""

from __future__ import annotations

from typing import Any

from embedded_aws.services.s3.event_messages import SOURCE_ADDRESS, next_sequencer, request_ids

_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl": "Object ACL Updated",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectRestore:Completed": "Object Restore Completed",
}
"""What the name of an event of moto's S3 begins with → its type on EventBridge."""

_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DELETIONS = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}


def bridge_type(event_name: str) -> str:
    """Return the `detail-type` of an event such as "s3:ObjectCreated:Put"."""
    name = event_name.removeprefix("s3:")
    return next(kind for beginning, kind in _TYPES.items() if name.startswith(beginning))


def bridge_detail(event_name: str, bucket: Any, key: Any) -> dict[str, Any]:
    """Return the `detail` of an event about one object; its key is not encoded.

    Args:
        event_name: such as "s3:ObjectCreated:Put".
        bucket: moto's bucket.
        key: moto's object, or a delete marker.
    """
    name = event_name.removeprefix("s3:")
    about: dict[str, Any] = {"key": key.name}
    if name.startswith("ObjectCreated"):
        about["size"] = key.size
    if etag := getattr(key, "etag", None):
        about["etag"] = etag.strip('"')
    if bucket.is_versioned:
        about["version-id"] = key.version_id
    about["sequencer"] = next_sequencer()
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": about,
        "request-id": request_ids()[0],
        "requester": bucket.account_id,
        "source-ip-address": SOURCE_ADDRESS,
    }
    if name in _REASONS:
        detail["reason"] = _REASONS[name]
    if name in _DELETIONS:
        detail["deletion-type"] = _DELETIONS[name]
    return detail
