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
"""The kind of app that responses are for: in Development Mode or in extended quota mode."""


class Simulator(Behaviour):
    """A server of a library over HTTP on 127.0.0.1; use it as a context manager, or call `start` and `stop`.

    The attributes of `Behaviour` can be changed at any time.

    Args:
        library: the library; every request first evolves it to the current simulated time.
        clock: returns the simulated time, aware.
        shape: "development": responses as for apps in Development Mode since February 2026; "extended": as before.
        port: port on 127.0.0.1; 0: any free one at each start.
        client: id and secret of the app; random by default.
    """

    def __init__(
        self,
        library: Library,
        clock: Callable[[], datetime],
        *,
        shape: Shape = "development",
        port: int = 0,
        client: tuple[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.library = library
        """The model, to check responses against."""
        self._clock = clock
        self._port = port
        self._accounts = Accounts(self, client)
        self._app = App(library, clock, self._accounts, self, extended=shape == "extended")
        self.client_id = self._accounts.client_id
        """Id of the app that may request tokens."""
        self.client_secret = self._accounts.client_secret
        """Secret of that app."""
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start serving.

        Raises:
            RuntimeError: the simulator is running already.
            OSError: the port is in use or not permitted.
        """
        if self._server is not None:
            raise RuntimeError("The Spotify simulator is running: stop() it before it is started again.")
        self._server = LoopbackServer(self._port, self._app, _SilentHandler, refuse=_foreign)
        self._server.begin()

    def stop(self) -> None:
        """Close the port; has no effect if the simulator is not running."""
        if self._server is None:
            return
        self._server.end()
        self._server = None

    @property
    def api_url(self) -> str:
        """Base URL of the Web API."""
        return f"{self.accounts_url}v1/"

    @property
    def accounts_url(self) -> str:
        """Base URL of the accounts service."""
        if self._server is None:
            raise RuntimeError("The Spotify simulator is not running: call start() first.")
        return f"http://{HOST}:{self._server.server_port}/"

    def authorize(self, scopes: Iterable[str]) -> str:
        """Let the user consent to scopes now, and return the refresh token, which is valid for six months."""
        return self._accounts.authorize(scopes, self._clock())

    def restore_consent(self, refresh_token: str, scopes: Iterable[str], consented_at: datetime) -> None:
        """Accept a refresh token again that an earlier simulator of the same app issued."""
        self._accounts.restore_consent(refresh_token, scopes, consented_at)

    def revoke(self, refresh_token: str) -> None:
        """Let the user revoke a consent, identified by any of its refresh tokens.

        Raises:
            KeyError: there is no such consent.
        """
        self._accounts.revoke(refresh_token)

    def expire_access_tokens(self) -> None:
        """Expire every access token issued so far."""
        self._accounts.expire_access_tokens(self._clock())

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far."""
        return self._app.requests

    @property
    def unmodelled(self) -> list[str]:
        """Requests for something that is not modelled; an honest test ends with none."""
        return self._app.unmodelled


def _foreign(_environ: WSGIEnvironment, reason: str) -> Refusal:
    return "403 Forbidden", {"Content-Type": "text/plain; charset=utf-8"}, reason.encode()


class _SilentHandler(WSGIRequestHandler):
    # Send responses at once: waiting to join head and body takes 40 ms.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing: `Simulator.requests` has every request."""
