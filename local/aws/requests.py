"""An AWS request as it arrives over HTTP, taken apart as far as authorization needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

Protocol = Literal["json", "query", "rest-json", "rest-xml", "cbor"]

REST_JSON_SERVICES = frozenset({"lambda", "scheduler"})
CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
CBOR_PATH = re.compile(r"/service/(?P<service>[^/]+)/operation/(?P<operation>\w+)")


@dataclass(frozen=True)
class AwsRequest:
    """One request.

    Attributes:
        service: the service's signing name ("s3", "monitoring"); empty for a request that is not signed.
        region: the region it is signed for.
        access_key_id: None for an anonymous request.
        protocol: decides how to answer.
        operation: the operation's name where the protocol carries it; REST services tell it by method and path.
        path: decoded.
        query: query parameters; one without a value is "".
        headers: names in lower case.
        parameters: the JSON body, or the form of the query protocol.
    """

    service: str
    region: str
    access_key_id: str | None
    protocol: Protocol
    operation: str | None
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    parameters: Mapping[str, Any]
    body: bytes


def parse(environ: Mapping[str, Any], body: bytes) -> AwsRequest:
    """Read a WSGI environment and the request's body."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
    }
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    key, region, service = _signer(headers, query)
    protocol, operation, parameters = _content(service, headers, query, environ, body)
    return AwsRequest(
        service=service,
        region=region,
        access_key_id=key,
        protocol=protocol,
        operation=operation,
        method=environ["REQUEST_METHOD"],
        host=headers.get("host", ""),
        # RAW_URI still tells "%2F" of a key from a slash, and its text is UTF-8.
        path=unquote(environ["RAW_URI"].partition("?")[0]),
        query=query,
        headers=headers,
        parameters=parameters,
        body=body,
    )


def access_key_id(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """Return who signed a request, by header or presigned address; None for an anonymous one."""
    return _signer(headers, query)[0]


def _signer(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str | None, str, str]:
    presigned = "Credential=" + query["X-Amz-Credential"] if "X-Amz-Credential" in query else ""
    found = CREDENTIAL.search(headers.get("authorization", "") or presigned)
    if found:
        return found["key"], found["region"], found["service"].lower()
    # The old signature names no service; S3 alone still takes it.
    old = re.match(r"AWS ([^:]+):", headers.get("authorization", ""))
    key = old[1] if old else query.get("AWSAccessKeyId")
    return key, "us-east-1", "s3" if key else ""


def _content(
    service: str, headers: Mapping[str, str], query: Mapping[str, str], environ: Mapping[str, Any], body: bytes
) -> tuple[Protocol, str | None, Mapping[str, Any]]:
    if "x-amz-target" in headers:
        return "json", headers["x-amz-target"].rpartition(".")[2], _json(body)
    if cbor := CBOR_PATH.fullmatch(environ["PATH_INFO"]):
        return "cbor", cbor["operation"], {}
    if service in REST_JSON_SERVICES:
        return "rest-json", None, _json(body)
    if service in {"s3", ""}:
        return "rest-xml", None, {}
    form = {**query, **dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    return "query", form.get("Action"), form


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
