"""Conditions that moto would ignore are refused; it knows If-Match of PutObject and DeleteObject itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend


class ConditionNotImplementedError(S3ClientError):
    """One of the objects that DeleteObjects names is to be deleted only under a condition."""

    def __init__(self, element: str) -> None:
        super().__init__(
            "NotImplemented",
            f"The embedded AWS does not know {element} in DeleteObjects: delete such objects one by one, with If-Match",
        )


@contextmanager
def no_ignored_conditions() -> Iterator[None]:
    """Refuse DeleteObjects with conditions within the context."""
    delete_objects = S3Backend.delete_objects

    def delete_unconditionally(backend: Any, bucket: str, objects: list[dict[str, Any]], *arguments: Any) -> Any:
        for fields in objects:
            if conditions := sorted(fields.keys() - {"Key", "VersionId"}):
                raise ConditionNotImplementedError(conditions[0])
        return delete_objects(backend, bucket, objects, *arguments)

    with patch.object(S3Backend, "delete_objects", delete_unconditionally):
        yield
