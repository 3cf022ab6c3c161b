"""How other processes ask a running local cloud for something: lines of JSON over a connection on 127.0.0.1.

The first line is the request, with the key that only the user can read. Then come lines with news, and a last one with
the result or an error. Whoever sends nothing, or another key, holds up nobody and gets no answer.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Self

HOST = "127.0.0.1"
_REQUEST_SECONDS = 5.0
"""How long a connection may take to send its request."""
_LONGEST = 1 << 16

Request = Mapping[str, Any]
"""A request: `command`, and what belongs to it."""
Tell = Callable[[Mapping[str, Any]], bool]
"""Sends news to whoever asked; returns False once they are gone."""
Command = Callable[[Request, Tell], Mapping[str, Any]]
"""Does what a request asks for, and returns the result."""


class ControlError(Exception):
    """The local cloud did not answer, or refused a request."""


class ControlServer:
    """Answers requests, each in a thread of its own; use it as a context manager.

    Args:
        commands: name → what does it.
    """

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.key = secrets.token_hex(32)
        """The key that a request must have."""
        self._server = _Server(commands, self.key)
        self.address = f"{HOST}:{self._server.server_address[1]}"
        """Where it listens."""

    def __enter__(self) -> Self:
        """Start answering."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop answering; commands that are running go on."""
        self._server.shutdown()
        self._server.server_close()


def ask(address: str, key: str, command: str, *, seconds: float | None = 10, **details: Any) -> Iterator[Any]:
    """Send a request to a local cloud, and yield the news that it sends, then the result.

    Args:
        address: where its control server listens.
        key: the key of that server.
        command: name of the command.
        seconds: how long to wait for each line; None waits however long it takes.
        details: what belongs to the command.

    Raises:
        ControlError: it did not answer, or refused.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=seconds) as connection:
            connection.sendall(_line({"key": key, "command": command, **details}))
            with connection.makefile("rb") as lines:
                for line in lines:
                    answer = json.loads(line)
                    if "error" in answer:
                        raise ControlError(answer["error"])
                    if "result" in answer:
                        yield answer["result"]
                        return
                    yield answer["news"]
    except (OSError, ValueError) as error:
        raise ControlError(f"The local cloud did not answer ({error})") from error
    raise ControlError("The local cloud ended before it answered")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, commands: Mapping[str, Command], key: str) -> None:
        super().__init__((HOST, 0), _Handler)
        self.commands = commands
        self.key = key

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that break."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = _REQUEST_SECONDS

    def handle(self) -> None:
        """Answer one request."""
        try:
            request = json.loads(self.rfile.readline(_LONGEST))
            given = str(request["key"]).encode()
        except (OSError, ValueError, KeyError, TypeError):
            return
        if not hmac.compare_digest(given, self.server.key.encode()):
            return
        self.connection.settimeout(None)
        command = self.server.commands.get(request.get("command"))
        if command is None:
            self._send({"error": "The local cloud does not know this request: another version started it"})
            return
        try:
            result = command(request, lambda news: self._send({"news": news}))
        except ControlError as error:
            self._send({"error": str(error)})
        else:
            self._send({"result": result})

    def _send(self, answer: Mapping[str, Any]) -> bool:
        with suppress(OSError):
            self.wfile.write(_line(answer))
            return True
        return False


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"
