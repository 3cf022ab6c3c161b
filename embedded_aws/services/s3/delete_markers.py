"""Delete markers of keys that a versioned bucket does not have.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend


@contextmanager
def markers_of_missing_keys() -> Iterator[None]:
    """Let a delete of a missing key make a marker, as of any other; moto makes none."""
    mark = S3Backend._set_delete_marker  # noqa: SLF001 - moto has no public one

    def marked(backend: S3Backend, bucket_name: str, key_name: str) -> FakeDeleteMarker:
        bucket: Any = backend.get_bucket(bucket_name)
        if key_name in bucket.keys:
            return mark(backend, bucket_name, key_name)
        nothing = FakeKey(key_name, b"", account_id=backend.account_id, region_name=backend.region_name)
        marker = bucket.keys[key_name] = FakeDeleteMarker(nothing)
        return marker

    with patch.object(S3Backend, "_set_delete_marker", marked):
        yield
