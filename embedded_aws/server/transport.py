"""How a boto3 client in this process reaches the server: by a call instead of over a connection.

A connection costs more CPU than most requests: sockets, two threads that take turns, HTTP written and parsed twice.
The server sees the same request, and signature and permissions are checked as usual.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from urllib3 import HTTPHeaderDict, HTTPResponse

from embedded_aws.server.wsgi import respond
from loopback.server import HOST


def send(app: Callable[..., Any], request: AWSPreparedRequest, port: int) -> AWSResponse:
    """Return an application's response to a request.

    Args:
        app: the application as the server calls it.
        request: as botocore prepared it.
        port: the server's.
    """
    response = respond(app, environment(request, port))
    headers = HTTPHeaderDict(response.headers)
    raw = HTTPResponse(
        io.BytesIO(response.body),
        headers=headers,
        status=response.code,
        reason=response.reason,
        preload_content=False,
        decode_content=False,
        enforce_content_length=False,
        request_method=request.method,
    )
    return AWSResponse(request.url, response.code, headers, raw)  # type: ignore[arg-type] # botocore passes these too


def environment(request: AWSPreparedRequest, port: int) -> dict[str, Any]:
    """Return a request's WSGI environment, as moto's request handler makes it of what urllib3 sends."""
    address = urlsplit(request.url)
    body = _body(request.body)
    path = address.path or "/"
    target = f"{path}?{address.query}" if address.query else path
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("utf-8", "replace").encode().decode("latin-1"),
        "QUERY_STRING": address.query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "REMOTE_ADDR": HOST,
        "SERVER_NAME": HOST,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": address.netloc,
        "HTTP_ACCEPT_ENCODING": "identity",
    }
    names: dict[str, str] = {}
    # A name with underscores never stands in for one with dashes.
    headers: list[tuple[str, str | bytes]] = sorted(request.headers.items(), key=lambda header: "_" in header[0])
    for name, given in headers:
        key = environ_key_for_header(name)
        if "_" in name:
            if key in environ or not should_preserve_original_header_name(name):
                continue
            names[key] = name
        environ[key] = given.decode("latin-1") if isinstance(given, bytes) else given
    if not body and request.method in {"PATCH", "POST", "PUT"}:
        environ.setdefault("CONTENT_LENGTH", "0")
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
    return environ


def _body(content: Any) -> bytes:
    if content is None:
        return b""
    if hasattr(content, "read"):
        content = content.read()
    return content.encode() if isinstance(content, str) else bytes(content)
