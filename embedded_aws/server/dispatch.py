"""From a request to moto's response.

moto has a Flask application for each service. What Flask does around each request (contexts, signals, sessions) no
service uses; it takes as long as the response to a small request.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from flask import Flask, Response
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from embedded_aws.server.errors import MissingOperationError

_OF_FLASK = frozenset({"instance_metadata", "iotdata", "moto_api"})
"""Applications that need Flask: their responses use its request, or its templates."""

_MISSING = re.compile(r"The (?P<name>\w+) action has not been implemented")
"""How moto says that it lacks an operation."""

_service_app = functools.cache(create_backend_app)
"""Returns moto's application for a service. It has no state, and compiling its routes takes longer than a request."""


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher, which calls a service's responses without Flask.

    The names of backends are cached: moto lists its modules on disk for every request.
    """

    def __init__(self) -> None:
        super().__init__(_service_app)
        self._backend_for_host = functools.lru_cache(maxsize=256)(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the name of the backend that serves a host."""
        return self._backend_for_host(host)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request."""
        app = self.get_application(environ)
        if app.service in _OF_FLASK:  # type: ignore[attr-defined] # moto sets it
            return app(environ, start_response)
        response: Iterable[bytes] = _response(app, environ)(environ, start_response)
        return response


def _response(app: Flask, environ: dict[str, Any]) -> Any:
    """Return the response to a request, as `convert_to_flask_response` makes it within Flask."""
    request = BackendRequest(environ)
    try:
        endpoint, _ = app.url_map.bind_to_environ(environ).match()
    except (MethodNotAllowed, NotFound):
        raise MissingOperationError(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} of {app.service}") from None  # type: ignore[attr-defined] # moto sets it
    except HTTPException as error:
        return error
    view: Any = app.view_functions[endpoint]
    try:
        result = _result(view, request)
    except NotImplementedError as error:
        missing = _MISSING.search(str(error))
        raise MissingOperationError(_camel(missing["name"]) if missing else f"this: {error}") from error
    except HTTPException as error:
        return error
    status, headers, content = result if len(result) == 3 else (200, {}, result)
    response = Response(content, status=status, headers=headers)
    if request.method == "HEAD" and "content-length" in headers:
        response.headers["Content-Length"] = headers["content-length"]
    return response


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _result(view: convert_to_flask_response, request: BackendRequest) -> Any:
    try:
        return view.callback(request, request.raw_url, dict(request.headers))
    except ClientError as error:
        return 400, {}, error.response["Error"]["Message"]
