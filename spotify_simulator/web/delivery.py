"""The delivery of responses, complete or with a fault on the wire."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from spotify_simulator.web.faults import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_DROPS = 20
# Do not linger: closing then sends a reset and drops unsent data.
_NO_LINGER = struct.pack("ii", 1, 0)


def arriving(fault: Fault | None, size: int) -> int | None:
    """Return how many bytes of a body reach the client; None if the response is complete."""
    if fault is None or fault.action in {"answer", "alter", "drip"}:
        return None
    return size // 2 if fault.action in {"cut", "break"} else 0


def deliver(
    response: Response, fault: Fault | None, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Send a response.

    Args:
        response: the response; faults that send none ignore it.
        fault: what goes wrong.
        environ: WSGI environment of the request, from werkzeug's server.
        start_response: of the request.

    Raises:
        ConnectionError: the connection is broken; werkzeug's server assumes that the client did it.
    """
    action = "answer" if fault is None else fault.action
    connection: socket.socket = environ["werkzeug.socket"]
    if fault is not None and action == "hang":
        # A connection that the client has closed becomes readable.
        select.select([connection], [], [], fault.seconds)
        with suppress(OSError):  # The client was faster.
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError
    if action == "reset":
        _reset(connection)
    if fault is None or action in {"answer", "alter"}:
        return response(environ, start_response)
    # The length is that of the whole body, no matter how much is sent.
    start_response(response.status, response.get_wsgi_headers(environ).to_wsgi_list())
    body = response.get_data()
    if action == "drip":
        return _drops(body, fault.seconds)
    return _half(body, connection if action == "break" else None)


def _half(body: bytes, broken: socket.socket | None) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    if broken is not None:
        _reset(broken)


def _drops(body: bytes, seconds: float) -> Iterator[bytes]:
    size = max(1, -(-len(body) // _DROPS))
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]
        time.sleep(seconds / _DROPS)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    # The server finds no further request and releases its file, which closes the connection before the server would end
    # it properly.
    connection.shutdown(socket.SHUT_RD)
    connection.close()
    raise ConnectionResetError
