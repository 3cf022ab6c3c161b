"""The HTTP server under AWS and Spotify alike."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"

LOG = logging.getLogger(__name__)


class LoopbackServer(ThreadedWSGIServer):
    """Serves an application on 127.0.0.1, a thread for each connection.

    Args:
        port: 0 takes a free one.
        app: the application.
        handler: of connections.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, app: WSGIApplication, handler: type[WSGIRequestHandler]) -> None:
        super().__init__(HOST, port, app, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's arguments
        """Keep quiet about a client that went away, as every function does that is stopped at work."""
        LOG.debug("A connection from %s broke.", client_address, exc_info=sys.exc_info())
