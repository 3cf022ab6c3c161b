"""Validation of the names of functions, layers and buckets, which become folders and URLs; moto takes any name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.awslambda.exceptions import ValidationException
from moto.awslambda.models import LambdaBackend
from moto.s3.exceptions import InvalidBucketName
from moto.s3.models import S3Backend

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and API_PublishLayerVersion.html
_ARN = r"(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:%s:)?"
_FUNCTION = re.compile(_ARN % "function" + r"[A-Za-z0-9_-]{1,64}")
_LAYER = re.compile(_ARN % "layer" + r"[A-Za-z0-9_-]{1,140}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@contextmanager
def validated_names() -> Iterator[None]:
    """Reject names that AWS rejects while the context lasts."""
    create_function, publish = LambdaBackend.create_function, LambdaBackend.publish_layer_version
    create_bucket = S3Backend.create_bucket

    def create_function_checked(backend: Any, spec: dict[str, Any]) -> Any:
        _check(_FUNCTION, spec.get("FunctionName"), "functionName")
        return create_function(backend, spec)

    def publish_checked(backend: Any, spec: dict[str, Any]) -> Any:
        _check(_LAYER, spec.get("LayerName"), "layerName")
        return publish(backend, spec)

    def create_bucket_checked(backend: Any, bucket_name: str, *arguments: Any, **options: Any) -> Any:
        if not _BUCKET.fullmatch(bucket_name):
            raise InvalidBucketName
        return create_bucket(backend, bucket_name, *arguments, **options)

    with (
        patch.object(LambdaBackend, "create_function", create_function_checked),
        patch.object(LambdaBackend, "publish_layer_version", publish_checked),
        patch.object(S3Backend, "create_bucket", create_bucket_checked),
    ):
        yield


def _check(pattern: re.Pattern[str], name: object, field: str) -> None:
    if not isinstance(name, str) or not pattern.fullmatch(name):
        constraint = f"Member must satisfy regular expression pattern: {pattern.pattern}"
        raise ValidationException(str(name), field, constraint)
