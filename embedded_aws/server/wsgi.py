"""The HTTP side of the server: persistent connections, and authorization in front of moto."""

from __future__ import annotations

import http
import io
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import formatdate
from importlib.metadata import version
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import HTTPException

from embedded_aws.iam.authorization import AccessDeniedError, Authorization
from embedded_aws.iam.principals import UnknownAccessKeyError
from embedded_aws.persistence.errors import DataError
from embedded_aws.persistence.gate import Gate
from embedded_aws.server.error_responses import (
    ErrorResponse,
    access_denied,
    injected,
    rejected,
    unavailable,
    unknown_access_key,
)
from embedded_aws.server.errors import RejectedRequestError
from embedded_aws.server.faults import Faults, InjectedError, RequestFault
from embedded_aws.server.parsing import parse
from embedded_aws.server.reading import is_reading
from embedded_aws.server.requests import SENDER, AwsRequest

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

# Headers that AWS's services read. moto would also take a region from the User-Agent, and any parameter from a header
# of its name.
_HEADERS = frozenset(
    {
        "HTTP_ACCEPT",
        "HTTP_CACHE_CONTROL",
        "HTTP_CONTENT_DISPOSITION",
        "HTTP_CONTENT_ENCODING",
        "HTTP_CONTENT_LANGUAGE",
        "HTTP_CONTENT_MD5",
        "HTTP_DATE",
        "HTTP_EXPIRES",
        "HTTP_HOST",
        "HTTP_RANGE",
        "HTTP_SMITHY_PROTOCOL",
    }
)
_HEADER_PREFIXES = ("HTTP_IF_", "HTTP_X_AMZ_")

_SERVER = f"Werkzeug/{version('werkzeug')} Python/{sys.version.split()[0]}"
"""The `Server` header."""


class AuthorizedApp:
    """A WSGI application that passes on requests whose senders signed them and may make them."""

    def __init__(self, app: WsgiApp, authorization: Authorization, gate: Gate, account_id: str, faults: Faults) -> None:
        self._app = app
        self._authorization = authorization
        self._gate = gate
        self._account_id = account_id
        self._faults = faults
        self._here = threading.local()

    @property
    def is_handling(self) -> bool:
        """Whether this thread is handling a request."""
        return getattr(self._here, "handling", False)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request; what it changed is saved before the response is sent."""
        self._here.handling = True
        try:
            return self._handle(environ, start_response)
        finally:
            self._here.handling = False

    def _handle(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = parse(environ, environ["wsgi.input"].getvalue())
        gate, reads = self._gate, is_reading(request)
        sender = SENDER.set(request.access_key_id or "")
        try:
            # Nobody may see what is not saved.
            gate.settle()
            with gate.reading():
                self._authorization.enforce(request, self._authorization.authenticate(request))
            fault = self._faults.take(request)
            _fail(fault, is_done=False)
            with gate.working(), gate.reading() if reads else nullcontext():
                response = list(self._app(self._forwarded(environ, request), start_response))
            gate.settle()
            _fail(fault, is_done=True)
        except (AccessDeniedError, DataError, InjectedError, RejectedRequestError, UnknownAccessKeyError) as error:
            return _send(_error_response(request, error), start_response)
        finally:
            SENDER.reset(sender)
            if not reads:
                gate.changed.set()
        return response

    def _forwarded(self, environ: dict[str, Any], request: AwsRequest) -> dict[str, Any]:
        """Return the environment for moto: the headers that AWS reads, and the sender where moto looks for it."""
        forwarded = {
            name: value
            for name, value in environ.items()
            if not name.startswith("HTTP_") or name in _HEADERS or name.startswith(_HEADER_PREFIXES)
        }
        # moto determines service and region from this header, or guesses them if it is missing.
        anonymous = "AWS4-HMAC-SHA256 Credential=/00000000/us-east-1/s3/aws4_request"
        forwarded["HTTP_AUTHORIZATION"] = request.signature.authorization if request.signature else anonymous
        # moto would otherwise guess the account from the access key.
        forwarded["HTTP_X_MOTO_ACCOUNT_ID"] = self._account_id
        return forwarded


def _fail(fault: RequestFault | None, *, is_done: bool) -> None:
    """Fail before or after the operation, as the fault says."""
    if fault is not None and fault.is_done == is_done:
        raise InjectedError(fault)


def _error_response(
    request: AwsRequest,
    error: AccessDeniedError | DataError | InjectedError | RejectedRequestError | UnknownAccessKeyError,
) -> ErrorResponse:
    match error:
        case AccessDeniedError():
            return access_denied(request, str(error))
        case UnknownAccessKeyError():
            return unknown_access_key(request)
        case RejectedRequestError():
            return rejected(request, error)
        case InjectedError():
            return injected(request, error.fault)
        case DataError():
            return unavailable(request, str(error))


def foreign(environ: Mapping[str, Any], reason: str) -> ErrorResponse:
    """Return the response to a request of foreign origin, in the format of its service."""
    return access_denied(parse(environ, b""), reason)


def _send(response: ErrorResponse, start_response: Any) -> Iterable[bytes]:
    status, headers, body = response
    start_response(status, list(headers.items()))
    return [body]


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """A response as it is sent."""

    code: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def respond(app: Any, environ: dict[str, Any]) -> HttpResponse:
    """Return the response of a WSGI application, whatever it raises.

    Args:
        app: the application.
        environ: environment of a request whose body was read.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_exc_info: Any) -> None:
        started.append((status, headers))

    try:
        parts: Any = app(environ, start_response)
        body = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
    except HTTPException as failed:
        started.append((f"{failed.code} {failed.name}", [("Content-Type", "text/plain")]))
        body = (failed.description or "").encode()
    except Exception as failed:  # noqa: BLE001 - whatever moto raises becomes a 500 with its message
        started.append(("500 Internal Server Error", [("Content-Type", "text/plain")]))
        body = f"{type(failed).__name__}: {failed}".encode()
    status, headers = started[-1]
    code, _, reason = status.partition(" ")
    bodyless = environ["REQUEST_METHOD"] == "HEAD" or int(code) in {204, 304}
    return HttpResponse(
        code=int(code),
        reason=reason or http.HTTPStatus(int(code)).phrase,
        headers=_sent_headers(environ["REQUEST_METHOD"], headers, len(body), bodyless=bodyless),
        body=b"" if bodyless else body,
    )


def _sent_headers(
    method: str, headers: list[tuple[str, str]], length: int, *, bodyless: bool
) -> tuple[tuple[str, str], ...]:
    """Return the headers to send: the application's, with the length of the body."""
    sent = [("Server", _SERVER), ("Date", formatdate(usegmt=True))]
    names = set()
    for name, value in headers:
        names.add(name.lower())
        if name.lower() not in {"content-length", "connection"} or (bodyless and name.lower() == "content-length"):
            sent.append((name, value))
    if not bodyless or (method == "HEAD" and "content-length" not in names):
        sent.append(("Content-Length", str(length)))
    return tuple(sent)


class KeepAliveHandler(MotoRequestHandler):
    """Werkzeug's handler with persistent connections: it reads a whole request before handling it."""

    protocol_version = "HTTP/1.1"
    # Headers and body of a response are separate packets; Nagle's algorithm would delay the second by 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Handle one request of the connection."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        self.environ = environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self._body(environ))
        environ["wsgi.input_terminated"] = True
        response = respond(self.server.app, environ)
        self.send_response_only(response.code, response.reason)
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def _body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):
            found: bytes = environ["wsgi.input"].read()  # chunked
            return found
        length = int(environ.get("CONTENT_LENGTH") or 0)
        return self.rfile.read(length) if length else b""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the step log has what happened."""
