"""The HTTP server under AWS and Spotify alike."""

from __future__ import annotations

import logging
import sys
import threading
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
