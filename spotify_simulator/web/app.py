"""The simulator as a web application: faults, the accounts service and the Web API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from spotify_simulator.model.library import Library
from spotify_simulator.web.behaviour import Behaviour
from spotify_simulator.web.delivery import arriving, deliver
from spotify_simulator.web.endpoints import ENDPOINTS, RESUME_POINTS_SCOPE, Call, Endpoint
from spotify_simulator.web.errors import (
    NOT_REGISTERED,
    PREMIUM_REQUIRED,
    ApiError,
    ConsentPageError,
    OAuthError,
    PlainTextError,
    TooManyRequestsError,
    UnmodelledError,
)
from spotify_simulator.web.faults import Fault
from spotify_simulator.web.oauth import Accounts, Bearer
from spotify_simulator.web.quotas import note_refused, take
from spotify_simulator.web.user_shapes import UserShapes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_API = "/v1/"


@dataclass(frozen=True)
class LoggedRequest:
    """A request that got a response, or that a fault broke off."""

    at: datetime
    """Simulated time."""
    method: str
    path: str
    params: dict[str, str]
    """Of the query."""
    status: int
    """0 if the response was not sent completely."""
    size: int
    """Number of bytes sent of the response's body."""
    quota: str | None = None
    """Name of the quota that refused it."""


class App:
    """The WSGI application; requests may come from several threads."""

    def __init__(
        self,
        library: Library,
        clock: Callable[[], datetime],
        accounts: Accounts,
        behaviour: Behaviour,
        *,
        extended: bool,
    ) -> None:
        self._library = library
        self._clock = clock
        self._accounts = accounts
        self._behaviour = behaviour
        self._extended = extended
        self._lock = threading.Lock()
        self._rules = _rules(extended=extended)
        self.requests: list[LoggedRequest] = []
        """All requests, in the order in which their responses were ready."""
        self.unmodelled: list[str] = []
        """Those for something that is not modelled, as `GET /v1/…`."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        request = Request(environ)
        # An unread body would break the connection before the client has the response.
        request.get_data(parse_form_data=True)
        with self._lock:
            now = self._clock()
            note_refused(self._behaviour.quotas, request.path.removeprefix(_API), now)
            # Every rule counts requests, whether or not an earlier one has struck.
            applying = [fault for fault in self._behaviour.faults if fault.applies_to(request.path)]
            fault = applying[0] if applying else None
            response, quota = self._response(request, fault, now)
            size = len(response.get_data())
            sent = arriving(fault, size)
            status, size = (response.status_code, size) if sent is None else (0, sent)
            self.requests.append(
                LoggedRequest(now, request.method, request.path, request.args.to_dict(), status, size, quota)
            )
        return deliver(response, fault, environ, start_response)

    def _response(self, request: Request, fault: Fault | None, now: datetime) -> tuple[Response, str | None]:
        """Return the response, and the name of the quota that refused the request."""
        if fault is not None and fault.action == "answer":
            return _of_fault(fault), None
        if fault is not None and fault.action in {"reset", "hang"}:
            return Response(b""), None
        try:
            response = self._answer(request, now)
        except ApiError as error:
            if isinstance(error, UnmodelledError):
                self.unmodelled.append(f"{request.method} {request.full_path.rstrip('?')}")
            response = _of_error(error)
            return response, error.group if isinstance(error, TooManyRequestsError) else None
        except OAuthError as error:
            response = _json(error.body, 400)
        except ConsentPageError as error:
            response = Response(str(error), 400, content_type="text/plain; charset=utf-8")
        if fault is not None and fault.alteration is not None and response.status_code == 200:
            response = _json(fault.alteration(json.loads(response.get_data()), request.url))
        return response, None

    def _answer(self, request: Request, now: datetime) -> Response:
        authorization = request.headers.get("Authorization", "")
        if (request.method, request.path) == ("GET", "/authorize"):
            return Response(status=302, headers={"Location": self._accounts.ask_consent(request.args, now)})
        if (request.method, request.path) == ("POST", "/api/token"):
            return _json(self._accounts.exchange(authorization, request.form, now))
        endpoint, ids = self._endpoint(request)
        bearer = self._accounts.bearer(authorization, now)
        self._admit(bearer, endpoint, request.path.removeprefix(_API), now)
        unknown = sorted(set(request.args) - endpoint.parameters)
        if unknown:
            raise UnmodelledError(f"the parameter {unknown[0]!r} of {request.path}", 400)
        self._library.evolve_to(now)
        shapes = UserShapes(
            f"{request.host_url}v1/",
            extended=self._extended,
            resume_points=RESUME_POINTS_SCOPE in bearer.scopes,
        )
        return _json(endpoint.answer(Call(self._library, shapes, bearer.scopes, ids, request.args.to_dict())))

    def _admit(self, bearer: Bearer, endpoint: Endpoint, path: str, now: datetime) -> None:
        """Check that Spotify would accept a request.

        Raises:
            ApiError: the app, its user or its consent does not permit it, or a quota is used up.
        """
        if not self._behaviour.premium:
            raise PlainTextError(403, PREMIUM_REQUIRED)
        if bearer.has_user and not self._behaviour.allow_listed:
            raise PlainTextError(403, NOT_REGISTERED)
        take(self._behaviour.quotas, path, now)
        # An app without a user also has no scopes, which is what it is told:
        # https://github.com/spotify/web-api-examples/issues/44.
        if endpoint.scope is not None and endpoint.scope not in bearer.scopes:
            raise ApiError(403, "Insufficient client scope")
        if endpoint.needs_user and not bearer.has_user:
            raise ApiError(401, "Valid user authentication required")

    def _endpoint(self, request: Request) -> tuple[Endpoint, dict[str, str]]:
        try:
            endpoint, ids = self._rules.bind(request.host).match(request.path, request.method)
        except (NotFound, MethodNotAllowed):
            raise UnmodelledError(f"{request.method} {request.path}") from None
        assert isinstance(endpoint, Endpoint)  # noqa: S101 - what the rules were made with
        return endpoint, dict(ids)


@cache
def _rules(*, extended: bool) -> Map:
    """Return the routes, which werkzeug compiles at length: once for all simulators of a process."""
    return Map(
        [
            Rule(f"{_API}{one.path}", endpoint=one, methods=["GET"], strict_slashes=False)
            for one in ENDPOINTS
            if extended or not one.extended_only
        ]
    )


def _of_fault(fault: Fault) -> Response:
    response = Response(fault.body, fault.status, headers=list(fault.headers.items()))
    if "Content-Type" not in fault.headers:
        json_object = fault.body[:1] in {"{", b"{"}
        response.content_type = "application/json" if json_object else "text/plain"
    return response


def _of_error(error: ApiError) -> Response:
    if isinstance(error.body, str):
        response = Response(error.body, error.status, content_type="text/plain; charset=utf-8")
    else:
        response = _json(error.body, error.status)
    response.headers.extend(error.headers)
    return response


def _json(body: Any, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")
