"""The loopback address that Spotify redirects the browser to, with its response to a login.

Any program on the machine, and any web page in its browser, can connect to the address. Only a matching request ends
the login: a `GET` for the redirect URI's path, with its `Host` and the login's own `state`. Every other request is
rejected, silent or slow connections time out, and none of them delays the matching one.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

ADDRESS = "127.0.0.1"

_MAX_HEAD_BYTES = 16 * 1024
_MAX_FIELDS = 32
_MAX_CONNECTIONS = 64
_CONNECTION_SECONDS = 5.0
_DRAINED_BYTES = 64 * 1024
_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.[01]")
# The pages contain nothing of the request and load nothing, and the address with the code is not leaked as a referrer.
_HEADERS = (
    "Content-Type: text/html; charset=utf-8",
    "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cache-Control: no-store",
    "Connection: close",
)
_PAGE = '<!doctype html><html lang="en"><title>spotify-etl</title><p>{}</p></html>\n'


@dataclass(frozen=True)
class AuthorizationResponse:
    """Spotify's response to a login: a code to exchange for a token, or an error; the other one is ''."""

    code: str = ""
    error: str = ""


class DeadlineError(Exception):
    """No matching response arrived in time."""


def parse_response(query: str, state: str) -> AuthorizationResponse | None:
    """Parse the query of a redirect; None if it does not belong to the login with this `state`."""
    try:
        fields = parse_qs(query, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    match fields.get("state"), fields.get("code"), fields.get("error"):
        case [received], codes, errors if hmac.compare_digest(received.encode(), state.encode()):
            match codes, errors:
                case [code], None:
                    return AuthorizationResponse(code=code)
                case None, [error]:
                    return AuthorizationResponse(error=error)
    return None


def wait_for_response(
    redirect_uri: str, state: str, *, seconds: float, on_listening: Callable[[], object]
) -> AuthorizationResponse:
    """Listen on the redirect URI until the response to a login arrives.

    Args:
        redirect_uri: `http://127.0.0.1:<port>/<path>`.
        state: the random value that the login sent, which the response repeats.
        seconds: how long to listen at most.
        on_listening: called as soon as a response can be received.

    Raises:
        DeadlineError: no response arrived within that time.
        OSError: it is not possible to listen on the port.
    """
    return asyncio.run(_RedirectListener(redirect_uri, state).listen(seconds, on_listening))


@dataclass(frozen=True)
class _Reply:
    status: str
    sentence: str
    response: AuthorizationResponse | None = None

    def __bytes__(self) -> bytes:
        page = _PAGE.format(self.sentence).encode()
        allow = ["Allow: GET"] if self.status.startswith("405") else []
        head = [f"HTTP/1.1 {self.status}", *_HEADERS, *allow, f"Content-Length: {len(page)}", "", ""]
        return "\r\n".join(head).encode() + page


class _RedirectListener:
    def __init__(self, redirect_uri: str, state: str) -> None:
        parts = urlsplit(redirect_uri)
        self._port = parts.port or 80
        # Other host names that resolve to the loopback address are rejected (DNS rebinding).
        self._hosts = {f"{ADDRESS}:{self._port}", *([ADDRESS] if self._port == 80 else [])}
        self._path = unquote(parts.path or "/")
        self._state = state
        # Open connections, oldest first.
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._response: asyncio.Future[AuthorizationResponse]

    async def listen(self, seconds: float, on_listening: Callable[[], object]) -> AuthorizationResponse:
        self._response = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(self._accept, ADDRESS, self._port, limit=_MAX_HEAD_BYTES)
        try:
            on_listening()
            async with asyncio.timeout(seconds):
                return await self._response
        except TimeoutError as error:
            raise DeadlineError from error
        finally:
            server.close()
            while self._open:
                for writer in self._open.values():
                    writer.transport.abort()
                await asyncio.wait(self._open)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= _MAX_CONNECTIONS:
            # Many open connections must not block the browser, whose request takes only milliseconds.
            next(iter(self._open.values())).transport.abort()
        task = asyncio.create_task(self._serve(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_CONNECTION_SECONDS):
                await self._handle(reader, writer)
            writer.close()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = self._reply(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            reply = _Reply("431 Request Header Fields Too Large", "The request is too long.")
        writer.write(bytes(reply))
        await writer.drain()
        if reply.response and not self._response.done():
            self._response.set_result(reply.response)
            return
        # Closing the connection while data are unread could lose the reply.
        writer.write_eof()
        while await reader.read(_DRAINED_BYTES):
            pass

    def _reply(self, head: bytes) -> _Reply:
        first, *fields = head.decode("latin-1").split("\r\n")
        request = _REQUEST_LINE.fullmatch(first)
        hosts = [value.strip() for name, _, value in (field.partition(":") for field in fields) if _is_host(name)]
        if request is None or len(hosts) != 1:
            return _Reply("400 Bad Request", "This is not a valid request.")
        if hosts[0] not in self._hosts:
            return _Reply("421 Misdirected Request", "This address is not served here.")
        method, target = request.groups()
        path, _, query = target.partition("?")
        if unquote(path) != self._path:
            return _Reply("404 Not Found", "There is nothing here.")
        if method != "GET":
            return _Reply("405 Method Not Allowed", "Only GET is allowed here.")
        return _reply_to(parse_response(query, self._state))


def _is_host(name: str) -> bool:
    return name.lower() == "host"


def _reply_to(response: AuthorizationResponse | None) -> _Reply:
    if response is None:
        return _Reply("400 Bad Request", "This request does not belong to the login in progress.")
    if response.error:
        return _Reply("200 OK", "Spotify reports an error. You can close this page; see the terminal.", response)
    return _Reply("200 OK", "Spotify has responded. You can close this page and return to the terminal.", response)
