"""HTTP requests parsed as far as authentication and authorization need."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.parsers import BaseCBORParser, ResponseParserError

from embedded_aws.server.errors import InvalidTargetError, RejectedRequestError
from embedded_aws.server.requests import AwsRequest, Protocol, Signature
from embedded_aws.server.service_models import protocols
from embedded_aws.server.signatures import signature_of

_CBOR_PATH = re.compile(r"/service/(?P<service>[^/]+)/operation/(?P<operation>\w+)")


def parse(environ: Mapping[str, Any], body: bytes) -> AwsRequest:
    """Return the request in a WSGI environment."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    # RAW_URI distinguishes "%2F" in a key from a slash.
    raw_path, _, query_string = environ["RAW_URI"].partition("?")
    pairs = parse_qsl(query_string, keep_blank_values=True)
    query = dict(pairs)
    path = unquote(raw_path)
    signature: Signature | None = None
    problem: RejectedRequestError | None = None
    try:
        _check_path(raw_path, environ["PATH_INFO"])
        signature = signature_of(headers, pairs)
    except RejectedRequestError as rejected:
        problem = rejected
    service = signature.service if signature else ""
    protocol, operation, parameters = _content(service, headers, query, path, body)
    return AwsRequest(
        signature=signature,
        problem=problem,
        service=service,
        region=signature.region if signature else "us-east-1",
        access_key_id=signature.access_key_id if signature else None,
        protocol=protocol,
        operation=operation,
        method=environ["REQUEST_METHOD"],
        host=headers.get("host", ""),
        raw_path=raw_path,
        path=path,
        query_string=query_string,
        query_pairs=pairs,
        query=query,
        headers=headers,
        parameters=parameters,
        body=body,
    )


def _check_path(raw_path: str, path_info: str) -> None:
    """Reject a path that authorization and moto, parts of which use the raw path, could read differently.

    Raises:
        InvalidTargetError: it begins with two slashes, has an encoded slash or dot in its first part, or is not UTF-8.
    """
    first = raw_path.removeprefix("/").partition("/")[0].lower()
    if raw_path.startswith("//") or "%2f" in first or "%2e" in first or first in {".", ".."}:
        raise InvalidTargetError
    try:
        decoded = unquote(raw_path, errors="strict")
    except UnicodeDecodeError:
        raise InvalidTargetError from None
    if path_info.encode("latin-1").decode("utf-8", "replace") != decoded:
        raise InvalidTargetError


def _content(
    service: str, headers: Mapping[str, str], query: Mapping[str, str], path: str, body: bytes
) -> tuple[Protocol, str | None, Mapping[str, Any]]:
    if (only := protocols(service)[:1]) and only[0].startswith("rest-"):
        return only[0], None, {}
    body = _decompressed(headers, body)
    if "x-amz-target" in headers:
        return "json", headers["x-amz-target"].rpartition(".")[2], _json(body)
    if cbor := _CBOR_PATH.fullmatch(path):
        return "smithy-rpc-v2-cbor", cbor["operation"], _cbor(body)
    form = {**query, **dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    if not service and "Action" not in form:
        return "rest-xml", None, {}
    return "query", form.get("Action"), form


def _decompressed(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the body decompressed: SDKs compress large metric data."""
    if headers.get("content-encoding") != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b""


def _cbor(body: bytes) -> Mapping[str, Any]:
    parser = BaseCBORParser()
    try:
        found = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body or b"\xa0"))
    except (ResponseParserError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
