"""Verification of a request's body, which its signature covers by a hash or by signed chunks.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re

from embedded_aws.server.errors import RejectedRequestError
from embedded_aws.server.requests import AwsRequest, Signature

UNSIGNED = "UNSIGNED-PAYLOAD"
CHUNKS_WITH_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_WITH_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

_CONSTANTS = frozenset({UNSIGNED, CHUNKS_WITH_TRAILER, SIGNED_CHUNKS, SIGNED_CHUNKS_WITH_TRAILER})
_EMPTY = hashlib.sha256(b"").hexdigest()
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})\r\n")
_TRAILER = re.compile(rb"(?:\r\n)?((?:[a-z0-9-]+:[!-~]*\r?\n)+)x-amz-trailer-signature:([0-9a-f]{64})(?:\r\n)*")


class MissingPayloadHashError(RejectedRequestError):
    """S3 requires the hash of the body, or a constant in its place."""

    s3 = ("InvalidRequest", 400)

    def __init__(self) -> None:
        super().__init__("Missing required header for this request: x-amz-content-sha256")


class WrongPayloadError(RejectedRequestError):
    """The body is not the one that was signed."""

    s3 = ("XAmzContentSHA256Mismatch", 400)
    query = ("SignatureDoesNotMatch", 403)
    json = "InvalidSignatureException"

    def __init__(self) -> None:
        super().__init__("The provided 'x-amz-content-sha256' header does not match what was computed.")


class WrongChunkError(RejectedRequestError):
    """A body in signed chunks has a wrong signature or is incomplete."""

    s3 = ("SignatureDoesNotMatch", 403)

    def __init__(self) -> None:
        super().__init__("The signature of a chunk of the body does not match, or chunks are missing.")


def declared_payload(request: AwsRequest, *, presigned: bool) -> str:
    """Return what stands for the body in the signature: its SHA-256, or one of S3's constants.

    Raises:
        RejectedRequestError: the body has another SHA-256, or S3 is given none.
    """
    given = request.headers.get("x-amz-content-sha256")
    if given is None and request.service == "s3":
        if not presigned:
            raise MissingPayloadHashError
        given = request.query.get("X-Amz-Content-Sha256", UNSIGNED)
    if request.service == "s3" and given in _CONSTANTS:
        return given
    computed = hashlib.sha256(request.body).hexdigest() if request.body else _EMPTY
    if given is not None and not hmac.compare_digest(given.encode(), computed.encode()):
        raise WrongPayloadError
    return computed


def check_chunks(request: AwsRequest, payload: str, signature: Signature, key: bytes) -> None:
    """Check a body that is signed chunk by chunk, each signature based on the one before; other bodies pass.

    Args:
        request: a request with a valid signature.
        payload: what stands for the body in the signature.
        signature: signature of the request.
        key: signing key.

    Raises:
        WrongChunkError: the signature of a chunk or trailer is wrong, or the body is incomplete.
    """
    if payload not in {SIGNED_CHUNKS, SIGNED_CHUNKS_WITH_TRAILER}:
        return
    head = f"{signature.timestamp}\n{signature.scope}"
    before, length = signature.value, 0
    chunks, end = _chunks(request.body)
    for content, given in chunks:
        content_hash = hashlib.sha256(content).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{head}\n{before}\n{_EMPTY}\n{content_hash}"
        before = _checked(text, given, key)
        length += len(content)
    if str(length) != request.headers.get("x-amz-decoded-content-length"):
        raise WrongChunkError
    if payload == SIGNED_CHUNKS_WITH_TRAILER:
        found = _TRAILER.fullmatch(request.body, end)
        if found is None:
            raise WrongChunkError
        trailer = hashlib.sha256(found[1].replace(b"\r\n", b"\n")).hexdigest()
        _checked(f"AWS4-HMAC-SHA256-TRAILER\n{head}\n{before}\n{trailer}", found[2].decode(), key)


def _chunks(body: bytes) -> tuple[list[tuple[bytes, str]], int]:
    """Return each chunk with its signature, including the empty last one, and the position after them."""
    chunks = []
    position = 0
    while True:
        found = _CHUNK.match(body, position)
        if found is None:
            raise WrongChunkError
        start, size = found.end(), int(found[1], 16)
        content = body[start : start + size]
        if len(content) < size:
            raise WrongChunkError
        chunks.append((content, found[2].decode()))
        position = start + size
        if size == 0:
            return chunks, position
        if body[position : position + 2] != b"\r\n":
            raise WrongChunkError
        position += 2


def _checked(text: str, given: str, key: bytes) -> str:
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, given):
        raise WrongChunkError
    return expected
