"""What a request does, as authorization sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_aws.iam.policies import AuthorizationRequest


class UnsupportedOperationError(Exception):
    """It is not known here which action on which resource a request is; the message names the request."""


@dataclass(frozen=True)
class Operation:
    """One request's operation.

    Attributes:
        name: for messages.
        checks: every one of them has to be allowed.
        buckets: S3 buckets spoken of; where one does not exist S3 says so to everyone.
        reads: S3 objects (bucket, key, version or None) that are read. Where one is missing the answer is 404 only for
            callers that may list the bucket, 403 for the others.
        partial: the checks are decided one by one, and the answer names the refused ones (DeleteObjects).
    """

    name: str
    checks: tuple[AuthorizationRequest, ...]
    buckets: tuple[str, ...] = ()
    reads: tuple[tuple[str, str, str | None], ...] = ()
    partial: bool = False
