"""The few S3 and Secrets Manager calls of the functions and commands, answered in memory.

A call takes a fiftieth of moto's time. `test_memory_aws.py` compares the answers with moto's.
"""

# ruff: noqa: N803 - the parameters have AWS's names
from __future__ import annotations

import base64
import hashlib
import io
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

Answer = dict[str, Any]


@dataclass(frozen=True)
class _Object:
    body: bytes
    content_type: str
    metadata: dict[str, str]
    checksum: str | None
    modified: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'

    def head(self, checksum_mode: str | None) -> Answer:
        checksum = {"ChecksumSHA256": self.checksum} if checksum_mode and self.checksum else {}
        return {
            "ContentLength": len(self.body),
            "ContentType": self.content_type,
            "ETag": self.etag,
            "LastModified": self.modified,
            "Metadata": self.metadata,
            **checksum,
        }


class _RefusedError(Exception):
    """What the client raises as its own exception."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class MemoryAws:
    """Buckets and secrets. A call or parameter that is not here is an error, never ignored."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, dict[str, _Object]] = {}
        self._secrets: dict[str, tuple[str, str | None]] = {}

    def call(self, client: BaseClient, operation: str, arguments: dict[str, Any]) -> Answer:
        """Answer as botocore does: parameters validated, errors as the client's exceptions."""
        model = client.meta.service_model.operation_model(operation)
        _validate(client, model, arguments)
        answers: dict[str, Callable[..., Answer]] = {
            "CreateBucket": self._create_bucket,
            "DeleteBucket": self._delete_bucket,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
            "PutObject": self._put_object,
            "DeleteObject": self._delete_object,
            "ListObjectsV2": self._list_objects,
            "CreateSecret": self._create_secret,
            "GetSecretValue": self._get_secret_value,
            "PutSecretValue": self._put_secret_value,
            "DeleteSecret": self._delete_secret,
        }
        try:
            with self._lock:
                answer = answers[operation](**arguments)
        except _RefusedError as error:
            response: Any = {
                "Error": {"Code": error.code, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": error.status},
            }
            error_class: Any = client.exceptions.from_code(error.code)
            raise error_class(response, operation) from None
        return {**answer, "ResponseMetadata": {"HTTPStatusCode": model.http.get("responseCode", 200)}}

    def _create_bucket(self, Bucket: str, CreateBucketConfiguration: Answer | None = None) -> Answer:
        del CreateBucketConfiguration
        self._buckets[Bucket] = {}
        return {"Location": f"http://{Bucket}.s3.amazonaws.com/"}

    def _delete_bucket(self, Bucket: str) -> Answer:
        if self._bucket(Bucket):
            raise _RefusedError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
        del self._buckets[Bucket]
        return {}

    def _get_object(self, Bucket: str, Key: str) -> Answer:
        found = self._bucket(Bucket).get(Key)
        if found is None:
            _no_such_key()
        body: Any = io.BytesIO(found.body)
        return {**found.head(None), "Body": StreamingBody(body, len(found.body))}

    def _head_object(self, Bucket: str, Key: str, ChecksumMode: str | None = None) -> Answer:
        found = self._bucket(Bucket).get(Key)
        if found is None:
            raise _RefusedError(404, "404", "Not Found")
        return found.head(ChecksumMode)

    def _put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: Any = b"",
        ContentType: str = "binary/octet-stream",
        Metadata: dict[str, str] | None = None,
        ChecksumAlgorithm: str | None = None,
        ChecksumSHA256: str | None = None,
        IfNoneMatch: str | None = None,
        IfMatch: str | None = None,
    ) -> Answer:
        bucket = self._bucket(Bucket)
        found = bucket.get(Key)
        if IfMatch is not None and found is None:
            _no_such_key()
        taken = IfNoneMatch == "*" and found is not None
        if taken or (IfMatch is not None and found is not None and found.etag != IfMatch):
            _precondition_failed()
        body = Body.encode() if isinstance(Body, str) else bytes(Body if isinstance(Body, bytes) else Body.read())
        checksum = None
        if ChecksumAlgorithm or ChecksumSHA256:
            checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        metadata = {name.lower(): value for name, value in (Metadata or {}).items()}
        bucket[Key] = stored = _Object(body, ContentType, metadata, checksum)
        return {"ETag": stored.etag, **({"ChecksumSHA256": checksum} if checksum else {})}

    def _delete_object(self, Bucket: str, Key: str, IfMatch: str | None = None) -> Answer:
        bucket = self._bucket(Bucket)
        if IfMatch is not None and Key not in bucket:
            _no_such_key()
        if IfMatch is not None and bucket[Key].etag != IfMatch:
            _precondition_failed()
        bucket.pop(Key, None)
        return {}

    def _list_objects(
        self,
        Bucket: str,
        Prefix: str = "",
        MaxKeys: int = 1000,
        ContinuationToken: str = "",
        StartAfter: str = "",
    ) -> Answer:
        bucket = self._bucket(Bucket)
        after = ContinuationToken or StartAfter
        keys = sorted(key for key in bucket if key.startswith(Prefix) and key > after)
        page = keys[:MaxKeys]
        found = [
            {"Key": key, "Size": len(bucket[key].body), "ETag": bucket[key].etag, "LastModified": bucket[key].modified}
            for key in page
        ]
        more = len(keys) > len(page)
        return {
            "Name": Bucket,
            "KeyCount": len(page),
            "IsTruncated": more,
            **({"Contents": found} if found else {}),
            **({"NextContinuationToken": page[-1]} if more else {}),
        }

    def _create_secret(self, Name: str, SecretString: str | None = None) -> Answer:
        arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{Name}-{uuid.uuid4().hex[:6]}"
        self._secrets[arn] = (Name, SecretString)
        return {"ARN": arn, "Name": Name}

    def _get_secret_value(self, SecretId: str) -> Answer:
        arn = self._secret(SecretId)
        name, text = self._secrets[arn]
        if text is None:
            message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
            raise _RefusedError(404, "ResourceNotFoundException", message)
        return {"ARN": arn, "Name": name, "SecretString": text}

    def _put_secret_value(self, SecretId: str, SecretString: str) -> Answer:
        arn = self._secret(SecretId)
        name, _ = self._secrets[arn]
        self._secrets[arn] = (name, SecretString)
        return {"ARN": arn, "Name": name}

    def _delete_secret(self, SecretId: str, ForceDeleteWithoutRecovery: bool = False) -> Answer:
        if not ForceDeleteWithoutRecovery:
            raise NotImplementedError
        arn = self._secret(SecretId)
        name, _ = self._secrets.pop(arn)
        return {"ARN": arn, "Name": name}

    def _bucket(self, name: str) -> dict[str, _Object]:
        if name not in self._buckets:
            raise _RefusedError(404, "NoSuchBucket", "The specified bucket does not exist")
        return self._buckets[name]

    def _secret(self, name_or_arn: str) -> str:
        for arn, (name, _) in self._secrets.items():
            if name_or_arn in {arn, name}:
                return arn
        raise _RefusedError(404, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


@contextmanager
def memory_aws() -> Iterator[MemoryAws]:
    """Answer the calls of every client meanwhile."""
    memory = MemoryAws()
    with pytest.MonkeyPatch.context() as patch:

        def call(client: BaseClient, operation: str, arguments: Answer) -> Answer:
            return memory.call(client, operation, arguments)

        patch.setattr(BaseClient, "_make_api_call", call)
        yield memory


def _validate(client: Any, model: Any, arguments: dict[str, Any]) -> None:
    # Hooks that check the names of buckets, among other things.
    context = {"client_config": client.meta.config}
    client._emit_api_params(api_params=dict(arguments), operation_model=model, context=context)
    report = ParamValidator().validate(arguments, model.input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


def _no_such_key() -> NoReturn:
    raise _RefusedError(404, "NoSuchKey", "The specified key does not exist.")


def _precondition_failed() -> NoReturn:
    raise _RefusedError(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
