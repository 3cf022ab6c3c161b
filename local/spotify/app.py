"""The simulator as a web application: faults first, then the accounts service and the Web API."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.spotify.endpoints import ENDPOINTS, Call, Endpoint
from local.spotify.errors import ApiError, OAuthError, UnmodelledError
from local.spotify.faults import Fault
from local.spotify.library import Library
from local.spotify.oauth import Accounts
from local.spotify.user_shapes import UserShapes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True)
class LoggedRequest:
    """A request that was answered, or broken off by a fault."""

    at: datetime
    """Simulated moment."""
    method: str
    path: str
    params: dict[str, str]
    """Of the query."""
    status: int
    """0 where the connection was broken."""
    size: int
    """Bytes of the answer's body."""


class App:
    """A WSGI application; requests may come from several threads.

    Attributes:
        faults: rules that make requests go wrong; the first that strikes counts.
        requests: all requests in the order in which their answers were ready.
        unmodelled: of these the ones that ask for what is not modelled, as "GET /v1/…".
    """

    def __init__(self, library: Library, clock: Callable[[], datetime], accounts: Accounts, *, extended: bool) -> None:
        self._library = library
        self._clock = clock
        self._accounts = accounts
        self._extended = extended
        self._lock = threading.Lock()
        self._rules = Map(
            [
                Rule(f"/v1/{one.path}", endpoint=one, methods=["GET"], strict_slashes=False)
                for one in ENDPOINTS
                if extended or not one.extended_only
            ]
        )
        self.faults: list[Fault] = []
        self.requests: list[LoggedRequest] = []
        self.unmodelled: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        # A body left unread would break the connection before the client has the answer.
        request.get_data(parse_form_data=True)
        with self._lock:
            now = self._clock()
            # Every rule counts, whether or not an earlier one has struck.
            striking = [fault for fault in self.faults if fault.strikes(request.path)]
            response = _broken(striking[0]) if striking else self._answer(request, now)
            reset = bool(striking) and striking[0].action == "reset"
            size = len(response.get_data())
            self.requests.append(
                LoggedRequest(
                    now,
                    request.method,
                    request.path,
                    request.args.to_dict(),
                    0 if reset else response.status_code,
                    size,
                )
            )
        if reset:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return response(environ, start_response)

    def _answer(self, request: Request, now: datetime) -> Response:
        try:
            if (request.method, request.path) == ("POST", "/api/token"):
                authorization = request.headers.get("Authorization", "")
                return _json(self._accounts.exchange(authorization, request.form, now))
            return _json(self._api(request, now))
        except UnmodelledError as error:
            self.unmodelled.append(f"{request.method} {request.full_path.rstrip('?')}")
            return _json(error.body, error.status)
        except ApiError as error:
            return _json(error.body, error.status)
        except OAuthError as error:
            return _json(error.body, 400)

    def _api(self, request: Request, now: datetime) -> Any:
        endpoint, ids = self._endpoint(request)
        scopes = self._accounts.scopes(request.headers.get("Authorization", ""), now)
        if endpoint.scope is not None and endpoint.scope not in scopes:
            raise ApiError(403, "Insufficient client scope")
        unknown = sorted(set(request.args) - endpoint.parameters)
        if unknown:
            raise UnmodelledError(f"the parameter {unknown[0]!r} of {request.path}", 400)
        self._library.evolve_to(now)
        shapes = UserShapes(
            f"{request.host_url}v1/", extended=self._extended, resume_points="user-read-playback-position" in scopes
        )
        return endpoint.answer(Call(self._library, shapes, scopes, ids, request.args.to_dict()))

    def _endpoint(self, request: Request) -> tuple[Endpoint, dict[str, str]]:
        try:
            endpoint, ids = self._rules.bind(request.host).match(request.path, request.method)
        except (NotFound, MethodNotAllowed):
            raise UnmodelledError(f"{request.method} {request.path}") from None
        assert isinstance(endpoint, Endpoint)  # noqa: S101 - what the rules above were made with
        return endpoint, dict(ids)


def _broken(fault: Fault) -> Response:
    response = Response(fault.body, fault.status, headers=list(fault.headers.items()))
    if "Content-Type" not in fault.headers:
        response.content_type = "application/json" if fault.body.startswith("{") else "text/plain"
    return response


def _json(body: Any, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")
