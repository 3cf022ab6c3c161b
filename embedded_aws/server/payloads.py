"""The part of a signature that vouches for a request's body.

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

_WORDS = frozenset({UNSIGNED, CHUNKS_WITH_TRAILER, SIGNED_CHUNKS, SIGNED_CHUNKS_WITH_TRAILER})
_NOTHING = hashlib.sha256(b"").hexdigest()
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})\r\n")
_TRAILER = re.compile(rb"(?:\r\n)?((?:[a-z0-9-]+:[!-~]*\r?\n)+)x-amz-trailer-signature:([0-9a-f]{64})(?:\r\n)*")


class MissingPayloadHashError(RejectedRequestError):
    """S3 wants to be told what vouches for the body."""

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
    """A body that arrives in signed chunks has one that its sender did not sign, or lacks some."""

    s3 = ("SignatureDoesNotMatch", 403)

    def __init__(self) -> None:
        super().__init__("The signature of a chunk of the body does not match, or chunks are missing.")


def declared_payload(request: AwsRequest, *, presigned: bool) -> str:
    """Return what a request's signature has in the body's place: its SHA-256, or one of S3's words.

    Raises:
        RejectedRequestError: the body has another SHA-256, S3 is told none, or a word stands where S3 alone takes it.
    """
    given = request.headers.get("x-amz-content-sha256")
    if given is None and request.service == "s3":
        if not presigned:
            raise MissingPayloadHashError
        given = request.query.get("X-Amz-Content-Sha256", UNSIGNED)
    if request.service == "s3" and given in _WORDS:
        return given
    computed = hashlib.sha256(request.body).hexdigest() if request.body else _NOTHING
    if given is not None and not hmac.compare_digest(given.encode(), computed.encode()):
        raise WrongPayloadError
    return computed


def check_chunks(request: AwsRequest, payload: str, signature: Signature, key: bytes) -> None:
    """Check a body that is signed chunk by chunk, each signature resting on the one before; other bodies pass.

    Args:
        request: its signature is good.
        payload: what the signature has in the body's place.
        signature: the request's.
        key: the signing key.

    Raises:
        WrongChunkError: a chunk or the trailer is not what was signed, or the body ends too early.
    """
    if payload not in {SIGNED_CHUNKS, SIGNED_CHUNKS_WITH_TRAILER}:
        return
    head = f"{signature.timestamp}\n{signature.scope}"
    before, length = signature.value, 0
    chunks, end = _chunks(request.body)
    for content, given in chunks:
        content_hash = hashlib.sha256(content).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{head}\n{before}\n{_NOTHING}\n{content_hash}"
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
    """Return each chunk with its signature, the empty last one too, and where they end in the body."""
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
