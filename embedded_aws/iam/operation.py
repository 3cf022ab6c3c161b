"""What a request does, in the terms of authorization."""

from __future__ import annotations

from dataclasses import dataclass

from embedded_aws.iam.policies import AuthorizationRequest


class UnsupportedOperationError(Exception):
    """The action and resources of a request are unknown or ambiguous; the message names the operation."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The operation of a request."""

    name: str
    checks: tuple[AuthorizationRequest, ...]
    """Everything that must be allowed."""
    buckets: tuple[str, ...] = ()
    """S3 buckets that the request names. S3 tells everyone if one does not exist."""
    reads: tuple[tuple[str, str, str | None], ...] = ()
    """S3 objects that the request reads: bucket, key, version. For a missing one the response is 404 if the caller may
    list the bucket, otherwise 403."""
    partial: bool = False
    """Whether each check is decided separately and the response lists the denied ones (DeleteObjects)."""
