"""An AWS request as it arrived over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from embedded_aws.server.errors import RejectedRequestError

Protocol = Literal["json", "query", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"]
"""A protocol, as botocore names it."""

ALGORITHM = "AWS4-HMAC-SHA256"

SENDER: ContextVar[str] = ContextVar("SENDER")
"""The access key ID that signed the request in this context; empty for an anonymous one, unset outside a request."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature as the request states it, unverified."""

    access_key_id: str
    date: str
    """Date of the credential scope, `YYYYMMDD`."""
    region: str
    service: str
    """Signing name of the service, such as "monitoring"."""
    timestamp: str
    """Time of signing, `YYYYMMDDTHHMMSSZ`."""
    headers: tuple[str, ...]
    """Names of the signed headers, in lower case."""
    value: str
    token: str
    """Session token; empty for long-term credentials."""
    expires: timedelta | None
    """Validity of a presigned URL; None for a signature in the `Authorization` header."""

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def authorization(self) -> str:
        """The equivalent `Authorization` header."""
        return (
            f"{ALGORITHM} Credential={self.access_key_id}/{self.scope}, "
            f"SignedHeaders={';'.join(self.headers)}, Signature={self.value}"
        )


@dataclass(frozen=True, kw_only=True)
class AwsRequest:
    """One request."""

    signature: Signature | None
    """None for an anonymous request."""
    problem: RejectedRequestError | None
    """Why the request cannot be parsed; None if it can."""
    service: str
    """Signing name of the service, such as "s3" or "monitoring"; empty for an anonymous request."""
    region: str
    """Region of the credential scope."""
    access_key_id: str | None
    """None for an anonymous request."""
    protocol: Protocol
    """The protocol of the request, and of an error response."""
    operation: str | None
    """Name of the operation if the protocol carries it; in REST protocols the method and path imply it."""
    method: str
    host: str
    raw_path: str
    """Path as it arrived."""
    path: str
    """Decoded path."""
    query_string: str
    query_pairs: Sequence[tuple[str, str]]
    """Decoded query parameters in order; the value of a parameter without one is empty."""
    query: Mapping[str, str]
    """Query parameters by name."""
    headers: Mapping[str, str]
    """Headers by name in lower case."""
    parameters: Mapping[str, Any]
    """JSON or CBOR body, or form of the query protocol."""
    body: bytes

    @property
    def args(self) -> Mapping[str, str]:
        """Query parameters under the name that moto's router reads."""
        return self.query
