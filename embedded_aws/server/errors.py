"""Requests that are refused for what they are, before anyone asks what their sender may do."""

from __future__ import annotations

from typing import ClassVar

Code = tuple[str, int]
"""Error code and HTTP status."""


class RejectedRequestError(Exception):
    """A request that AWS answers with an error of its own; the message is AWS's where there is one.

    Attributes:
        s3: as S3 answers.
        query: as services of the query protocol answer (IAM, STS, SNS).
        json: error code of all other services, whose protocol decides the status.
    """

    s3: ClassVar[Code]
    query: ClassVar[Code] = ("ValidationError", 400)
    json: ClassVar[str] = "ValidationException"


class InvalidTargetError(RejectedRequestError):
    """The path or the query cannot be read, or could be read in two ways."""

    s3 = ("InvalidURI", 400)
    query = ("MalformedQueryString", 404)
    json = "SerializationException"

    def __init__(self, message: str = "Couldn't parse the specified URI.") -> None:
        super().__init__(message)


class InvalidArgumentError(RejectedRequestError):
    """A header or a body that cannot be read, or could be read in two ways."""

    s3 = ("InvalidArgument", 400)
