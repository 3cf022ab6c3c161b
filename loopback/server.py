"""An HTTP server that only this machine's own programs may talk to.

A page in the user's browser can send requests to 127.0.0.1 too: across origins, where the browser adds `Origin`, and
under a host name that is made to resolve to 127.0.0.1 (DNS rebinding), which stands in `Host`.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"

LOOPBACK_NAMES = frozenset({HOST, "localhost", "[::1]"})
"""What a `Host` may name, besides the port."""

# Printable ASCII without the "#" of a fragment: nothing that two readers could take for different paths.
_TARGET = re.compile(r"/[!\"$-~]*")

LOG = logging.getLogger(__name__)

Refusal = tuple[str, dict[str, str], bytes]
"""Status line, headers, body."""


class LoopbackServer(ThreadedWSGIServer):
    """Serves an application on 127.0.0.1, a thread for each connection, and refuses requests of foreign origin.

    Args:
        port: 0 takes a free one.
        app: the application.
        handler: of connections.
        refuse: makes the answer to a request that the application is not to see, from its environment and the reason.
        names: names for `Host` in addition to `LOOPBACK_NAMES`.

    Raises:
        OSError: the port is taken, or may not be used.
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
        # werkzeug would end the whole process where the port is taken; a socket that it is given, it copies.
        with socket.create_server((HOST, port), backlog=self.request_queue_size) as bound:
            super().__init__(HOST, port, app, handler, fd=bound.fileno())
        self.server_name, self.server_port = HOST, self.port
        hosts = frozenset(f"{name}:{self.server_port}" for name in LOOPBACK_NAMES.union(names))
        self.app = _guarded(app, refuse, hosts)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def begin(self) -> None:
        """Answer from now on, in a thread of its own."""
        self._thread.start()

    def end(self) -> None:
        """Answer no more and close the port."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's arguments
        """Keep quiet about a client that went away, as every function does that is stopped at work."""
        LOG.debug("A connection from %s broke.", client_address, exc_info=sys.exc_info())


def _guarded(
    app: WSGIApplication, refuse: Callable[[WSGIEnvironment, str], Refusal], hosts: frozenset[str]
) -> WSGIApplication:
    # Programs that are no browsers, and browsers that follow a link, send no Origin.
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
    """Tell whether a page of another site loads this as a part of itself, such as an image, which has no Origin.

    Following a link to the page that asks for consent is no such part.
    Source: https://www.w3.org/TR/fetch-metadata/
    """
    return (
        environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}
        and environ.get("HTTP_SEC_FETCH_MODE") != "navigate"
    )
