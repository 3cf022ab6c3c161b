"""Errors of requests that are rejected before their sender's permissions matter."""

from __future__ import annotations

from typing import ClassVar

Code = tuple[str, int]
"""Error code and HTTP status."""


class RejectedRequestError(Exception):
    """A request that is malformed or wrongly signed; the message is AWS's where AWS has one."""

    s3: ClassVar[Code]
    """Error of S3."""
    query: ClassVar[Code] = ("ValidationError", 400)
    """Error of services with the query protocol (IAM, STS, SNS)."""
    json: ClassVar[str] = "ValidationException"
    """Error code of all other services; the protocol determines the status."""


class InvalidTargetError(RejectedRequestError):
    """The path or the query is malformed or ambiguous."""

    s3 = ("InvalidURI", 400)
    query = ("MalformedQueryString", 404)
    json = "SerializationException"

    def __init__(self, message: str = "Couldn't parse the specified URI.") -> None:
        super().__init__(message)


class MissingOperationError(RejectedRequestError):
    """An operation that moto does not implement: an error that no client retries.

    Args:
        name: what was asked for.
    """

    s3 = ("NotImplemented", 400)
    query = ("UnsupportedOperation", 400)
    json = "UnsupportedOperationException"

    def __init__(self, name: str) -> None:
        super().__init__(f"The embedded AWS does not implement {name}.")


class InvalidArgumentError(RejectedRequestError):
    """A header or the body is malformed or ambiguous."""

    s3 = ("InvalidArgument", 400)
