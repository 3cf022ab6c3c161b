"""Verification of Signature Version 4.

botocore computes the expected signature, which differs if the request is not what its sender signed.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders

from embedded_aws.clock import real_now
from embedded_aws.server.errors import RejectedRequestError
from embedded_aws.server.payloads import check_chunks, declared_payload
from embedded_aws.server.requests import ALGORITHM, AwsRequest, Signature

SKEW = timedelta(minutes=15)
"""Tolerance for a request's date. A single sleep of a function passes less simulated time than this, so that a request
which another function sent meanwhile stays valid."""

LONGEST_PRESIGNED = timedelta(days=7)

AUTHENTICATION_PARAMETERS = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    }
)
"""Query parameters of a presigned URL."""

_OLD_PARAMETERS = frozenset({"AWSAccessKeyId", "Signature"})
_NAMES_IN_LOWER_CASE = frozenset(name.lower() for name in AUTHENTICATION_PARAMETERS)
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<credential>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+), *"
    r"Signature=(?P<signature>[^,\s]+)"
)
_CREDENTIAL = re.compile(
    r"(?P<key>\w+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9.-]+)/aws4_request", re.ASCII
)


class MissingSignatureError(RejectedRequestError):
    """An unsigned request to a service other than S3, whose bucket policies may allow one."""

    s3 = ("AccessDenied", 403)
    query = ("MissingAuthenticationToken", 403)
    json = "MissingAuthenticationTokenException"

    def __init__(self) -> None:
        super().__init__("Request is missing Authentication Token")


class MalformedSignatureError(RejectedRequestError):
    """The `Authorization` header is not a valid one of Signature Version 4."""

    s3 = ("AuthorizationHeaderMalformed", 400)
    query = ("IncompleteSignature", 400)
    json = "IncompleteSignatureException"


class MalformedPresignedError(MalformedSignatureError):
    """The query parameters do not form a presigned URL."""

    s3 = ("AuthorizationQueryParametersError", 400)


class SeveralSignaturesError(MalformedSignatureError):
    """A request is signed both by header and by query."""

    s3 = ("InvalidArgument", 400)

    def __init__(self) -> None:
        super().__init__(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified"
        )


class OldSignatureError(MalformedSignatureError):
    """A request is signed by another method, such as Signature Version 2."""

    s3 = ("InvalidRequest", 400)

    def __init__(self) -> None:
        super().__init__("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")


class WrongSignatureError(RejectedRequestError):
    """The signature does not match the request."""

    s3 = ("SignatureDoesNotMatch", 403)
    query = ("SignatureDoesNotMatch", 403)
    json = "InvalidSignatureException"

    def __init__(self) -> None:
        super().__init__(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )


class UnsignedHeaderError(RejectedRequestError):
    """A significant header is not covered by the signature."""

    s3 = ("AccessDenied", 403)
    query = ("SignatureDoesNotMatch", 403)
    json = "InvalidSignatureException"

    def __init__(self, name: str) -> None:
        super().__init__(f"There were headers present in the request which were not signed: {name}")


class SkewedError(RejectedRequestError):
    """The request was signed too long ago or is dated in the future; only S3 has an error of its own for this."""

    s3 = ("RequestTimeTooSkewed", 403)
    query = ("SignatureDoesNotMatch", 403)
    json = "InvalidSignatureException"

    def __init__(self, timestamp: str) -> None:
        super().__init__(
            f"The difference between the request time ({timestamp}) and the current time is too large: signature "
            "expired, or not yet current."
        )


class ExpiredError(RejectedRequestError):
    """A presigned URL has expired."""

    s3 = ("AccessDenied", 403)
    query = ("SignatureDoesNotMatch", 403)
    json = "InvalidSignatureException"

    def __init__(self) -> None:
        super().__init__("Request has expired")


class WrongTokenError(RejectedRequestError):
    """The session token does not belong to the access key."""

    s3 = ("InvalidToken", 400)
    query = ("InvalidClientTokenId", 403)
    json = "UnrecognizedClientException"

    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


def signature_of(headers: Mapping[str, str], query: Sequence[tuple[str, str]]) -> Signature | None:
    """Return the signature of a request; None if it is unsigned.

    Args:
        headers: headers by name in lower case.
        query: decoded names and values.

    Raises:
        MalformedSignatureError: the signature is of another kind or incomplete, or there are several.
    """
    presigned = Counter(name for name, _ in query if name.lower() in _NAMES_IN_LOWER_CASE or name in _OLD_PARAMETERS)
    if presigned and "authorization" in headers:
        raise SeveralSignaturesError
    if "authorization" in headers:
        return _of_header(headers)
    if presigned.keys() & _OLD_PARAMETERS:
        raise OldSignatureError
    if not presigned:
        return None
    if presigned.total() > len(presigned) or presigned.keys() | {"X-Amz-Security-Token"} != AUTHENTICATION_PARAMETERS:
        raise MalformedPresignedError(
            "Query-string authentication version 4 requires each of the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters once."
        )
    return _of_query(headers, dict(query))


def verify(request: AwsRequest, signature: Signature, secret: str, token: str) -> None:
    """Check that the owner of a secret signed this request, and did so recently.

    Args:
        request: the request as it arrived.
        signature: the signature that it states.
        secret: secret access key that belongs to the signature's access key.
        token: session token of the access key; empty for a long-term key.

    Raises:
        RejectedRequestError: the signature is wrong or too old.
    """
    if not hmac.compare_digest(signature.token.encode(), token.encode()):
        raise WrongTokenError
    _check_date(signature)
    if "host" not in signature.headers:
        raise UnsignedHeaderError("host")
    for name in request.headers:
        if name.startswith("x-amz-") and name not in signature.headers:
            raise UnsignedHeaderError(name)
    payload = declared_payload(request, presigned=signature.expires is not None)
    key = _signing_key(secret, signature.date, signature.region, signature.service)
    signer = (_S3Signer if request.service == "s3" else _Signer)(signature, key, payload)
    if not hmac.compare_digest(signer.expected(request).encode(), signature.value.encode()):
        raise WrongSignatureError
    check_chunks(request, payload, signature, key)


def _of_header(headers: Mapping[str, str]) -> Signature:
    authorization = headers["authorization"].strip()
    if not authorization.startswith(f"{ALGORITHM} "):
        raise OldSignatureError
    found = _AUTHORIZATION.fullmatch(authorization)
    if found is None:
        raise MalformedSignatureError(
            "The authorization header is malformed; it requires each of Credential, SignedHeaders and Signature once."
        )
    if "x-amz-date" not in headers:
        raise MalformedSignatureError("AWS authentication requires a valid x-amz-date header.")
    return _signature(
        found["credential"],
        found["headers"],
        found["signature"],
        timestamp=headers["x-amz-date"],
        token=headers.get("x-amz-security-token", ""),
        expires=None,
    )


def _of_query(headers: Mapping[str, str], query: Mapping[str, str]) -> Signature:
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise OldSignatureError
    if "x-amz-security-token" in headers:
        raise MalformedPresignedError("The security token of a presigned URL must not be in a header.")
    expires = query["X-Amz-Expires"]
    if not re.fullmatch(r"\d{1,6}", expires, re.ASCII) or not 0 < int(expires) <= LONGEST_PRESIGNED.total_seconds():
        raise MalformedPresignedError("X-Amz-Expires must be between 1 and 604800 seconds.")
    return _signature(
        query["X-Amz-Credential"],
        query["X-Amz-SignedHeaders"],
        query["X-Amz-Signature"],
        timestamp=query["X-Amz-Date"],
        token=query.get("X-Amz-Security-Token", ""),
        expires=timedelta(seconds=int(expires)),
    )


def _signature(
    credential: str, signed_headers: str, value: str, *, timestamp: str, token: str, expires: timedelta | None
) -> Signature:
    malformed = MalformedSignatureError if expires is None else MalformedPresignedError
    scope = _CREDENTIAL.fullmatch(credential)
    if scope is None:
        raise malformed(
            'The credential is malformed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request", in lower case.'
        )
    if timestamp[:8] != scope["date"] or not re.fullmatch(r"\d{8}T\d{6}Z", timestamp, re.ASCII):
        raise malformed(f"The credential's date {scope['date']} is not that of the request, {timestamp}.")
    return Signature(
        access_key_id=scope["key"],
        date=scope["date"],
        region=scope["region"],
        service=scope["service"],
        timestamp=timestamp,
        headers=tuple(signed_headers.split(";")),
        value=value,
        token=token,
        expires=expires,
    )


def _check_date(signature: Signature) -> None:
    """Check the age of a request by its sender's clock.

    This process and every function have the simulated clock, other programs the real one: either may show the request
    to be recent.
    """
    try:
        signed = datetime.strptime(signature.timestamp, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SkewedError(signature.timestamp) from None
    ages = [now - signed for now in (datetime.now(UTC), real_now())]
    if any(-SKEW <= age <= (SKEW if signature.expires is None else signature.expires) for age in ages):
        return
    if signature.expires is None or all(age < -SKEW for age in ages):
        raise SkewedError(signature.timestamp)
    raise ExpiredError


@functools.lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


class _Received(AWSRequest):
    """A request as botocore's signers read it, without what only sending needs, which is slow to create."""

    def __init__(self, request: AwsRequest, signature: Signature, path: str) -> None:
        self.method = request.method
        self.url = f"http://{request.host}{path}"
        self.headers = HTTPHeaders()
        for name in signature.headers:
            self.headers[name] = request.headers.get(name.replace("_", "-"), "")
        pairs = [pair for pair in request.query_pairs if pair[0] != "X-Amz-Signature"]
        self.params = pairs  # type: ignore[assignment] # botocore takes pairs too, which may repeat a name
        self.context = {"timestamp": signature.timestamp}


class _Signer(SigV4Auth):
    """Computes the signature of a signed request, over the headers that its sender signed."""

    def __init__(self, signature: Signature, key: bytes, payload: str) -> None:
        super().__init__(None, signature.service, signature.region)  # type: ignore[arg-type] # the key is given
        self._signature = signature
        self._key = key
        self._payload = payload

    def expected(self, request: AwsRequest) -> str:
        received = _Received(request, self._signature, self.path(request))
        text = self.string_to_sign(received, self.canonical_request(received))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def path(self, request: AwsRequest) -> str:
        return request.raw_path

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        headers: HTTPHeaders = request.headers
        return headers

    def payload(self, request: AWSRequest) -> str:  # noqa: ARG002 - botocore's argument
        return self._payload


class _S3Signer(_Signer, S3SigV4Auth):
    """Signs the path as S3 does: encoded once, however the sender encoded it."""

    def path(self, request: AwsRequest) -> str:
        return quote(request.path, safe="/~")
