"""The simulator of Spotify's accounts service and Web API, as an HTTP server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from werkzeug.serving import WSGIRequestHandler

from loopback.server import HOST, LoopbackServer, Refusal
from spotify_simulator.model.library import Library
from spotify_simulator.web.app import App, LoggedRequest
from spotify_simulator.web.behaviour import Behaviour
from spotify_simulator.web.oauth import Accounts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Shape = Literal["development", "extended"]
"""Whose answers are served: those of an app in Development Mode, or in extended quota mode."""


class Simulator(Behaviour):
    """Serves a library over HTTP on 127.0.0.1; a context manager, or `start` and `stop`.

    How it behaves can be set at any time: see `Behaviour` for these attributes.

    Args:
        library: what is served; every request first lets it evolve to the clock's moment.
        clock: returns the simulated moment, aware.
        shape: "development" as apps in Development Mode are answered since February 2026, "extended" as before.
        port: of 127.0.0.1; 0 takes a free one at each start.

    Attributes:
        library: the model, by which answers can be checked.
        client_id: of the app that may ask for tokens.
        client_secret: of that app.
    """

    def __init__(
        self,
        library: Library,
        clock: Callable[[], datetime],
        *,
        shape: Shape = "development",
        port: int = 0,
    ) -> None:
        super().__init__()
        self.library = library
        self._clock = clock
        self._port = port
        self._accounts = Accounts(self)
        self._app = App(library, clock, self._accounts, self, extended=shape == "extended")
        self.client_id = self._accounts.client_id
        self.client_secret = self._accounts.client_secret
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Begin to answer.

        Raises:
            RuntimeError: the simulator runs already.
            OSError: the port is taken, or may not be used.
        """
        if self._server is not None:
            raise RuntimeError("The Spotify simulator is running: stop() it before it is started again.")
        self._server = LoopbackServer(self._port, self._app, _SilentHandler, refuse=_foreign)
        self._server.begin()

    def stop(self) -> None:
        """Close the port; a simulator that does not run stays so."""
        if self._server is None:
            return
        self._server.end()
        self._server = None

    @property
    def api_url(self) -> str:
        """Base address of the Web API."""
        return f"{self.accounts_url}v1/"

    @property
    def accounts_url(self) -> str:
        """Base address of the accounts service."""
        if self._server is None:
            raise RuntimeError("The Spotify simulator is not running: call start() first.")
        return f"http://{HOST}:{self._server.server_port}/"

    def authorize(self, scopes: Iterable[str]) -> str:
        """Let the user consent to the app's scopes now, and return the refresh token: good for six months."""
        return self._accounts.authorize(scopes, self._clock())

    def revoke(self, refresh_token: str) -> None:
        """Let the user take back a consent, by any refresh token that it had.

        Raises:
            KeyError: there is no such consent.
        """
        self._accounts.revoke(refresh_token)

    def expire_access_tokens(self) -> None:
        """Let every access token be too old from now on, however young it is."""
        self._accounts.expire_access_tokens(self._clock())

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far."""
        return self._app.requests

    @property
    def unmodelled(self) -> list[str]:
        """Requests for what the simulator does not model; a test that was honest ends with none."""
        return self._app.unmodelled


def _foreign(_environ: WSGIEnvironment, reason: str) -> Refusal:
    return "403 Forbidden", {"Content-Type": "text/plain; charset=utf-8"}, reason.encode()


class _SilentHandler(WSGIRequestHandler):
    # An answer goes out at once; waiting to join head and body costs 40 ms.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: `Simulator.requests` tells what was asked."""
