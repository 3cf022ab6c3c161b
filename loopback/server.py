"""An HTTP server for programs on this machine only.

A web page in the user's browser can send requests to 127.0.0.1 too: across origins, which `Origin` shows, and under a
host name that resolves to 127.0.0.1 (DNS rebinding), which `Host` shows.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"

LOOPBACK_NAMES = frozenset({HOST, "localhost", "[::1]"})
"""Host names that `Host` may contain."""

# Printable ASCII without the "#" of a fragment: no ambiguous paths.
_TARGET = re.compile(r"/[!\"$-~]*")

LOG = logging.getLogger(__name__)

Refusal = tuple[str, dict[str, str], bytes]
"""Status line, headers, body."""


class LoopbackServer(ThreadedWSGIServer):
    """Serves an application on 127.0.0.1, one thread per connection, and rejects requests of foreign origin.

    Args:
        port: 0 takes a free one.
        app: the application.
        handler: class of the handler of a connection.
        refuse: creates the response to a rejected request from its environment and the reason.
        names: host names to allow in addition to `LOOPBACK_NAMES`.

    Raises:
        OSError: the port is in use or not permitted.
    """

    def __init__(
        self,
        port: int,
        app: WSGIApplication,
        handler: type[WSGIRequestHandler],
        *,
        refuse: Callable[[WSGIEnvironment, str], Refusal],
        names: Collection[str] = (),
    ) -> None:
        # werkzeug would exit the process if the port is in use; a socket that is passed to it is duplicated.
        with socket.create_server((HOST, port), backlog=self.request_queue_size) as bound:
            super().__init__(HOST, port, app, handler, fd=bound.fileno())
        self.server_name, self.server_port = HOST, self.port
        hosts = frozenset(f"{name}:{self.server_port}" for name in LOOPBACK_NAMES.union(names))
        self.app = _guarded(app, refuse, hosts)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def begin(self) -> None:
        """Start serving in a thread."""
        self._thread.start()

    def end(self) -> None:
        """Stop serving and close the port."""
        stopping = threading.Thread(target=self.shutdown)
        stopping.start()
        # A connection ends the wait for one, before which the server does not see that it is to stop.
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port)):
            stopping.join()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's arguments
        """Log a broken connection at debug level: a function that is stopped while it runs breaks its connections."""
        LOG.debug("Connection from %s broken.", client_address, exc_info=sys.exc_info())


def _guarded(
    app: WSGIApplication, refuse: Callable[[WSGIEnvironment, str], Refusal], hosts: frozenset[str]
) -> WSGIApplication:
    # Programs other than browsers, and browsers that follow a link, send no Origin.
    origins = frozenset({"", *(f"http://{host}" for host in hosts)})

    def guard(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not _TARGET.fullmatch(environ["RAW_URI"]):
            reason = "The request's target is not a path: name the host in the Host header alone."
        elif environ.get("HTTP_HOST", "").lower() not in hosts:
            reason = f"The Host header does not name this server: use http://{HOST}:{environ['SERVER_PORT']}."
        elif environ.get("HTTP_ORIGIN", "").lower() not in origins or _is_embedded_elsewhere(environ):
            reason = "A page of another origin may not use this server."
        else:
            return app(environ, start_response)
        status, headers, body = refuse(environ, reason)
        start_response(status, list(headers.items()))
        return [body]

    return guard


def _is_embedded_elsewhere(environ: WSGIEnvironment) -> bool:
    """Return whether a page of another site embeds this resource, such as an image, for which there is no Origin.

    Following a link, for instance to the consent page, is not embedding.
    Source: https://www.w3.org/TR/fetch-metadata/
    """
    return (
        environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}
        and environ.get("HTTP_SEC_FETCH_MODE") != "navigate"
    )
