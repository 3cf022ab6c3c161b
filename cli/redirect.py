"""The loopback address that the browser is sent to with Spotify's answer to a login.

Anything on the machine, and any web page in its browser, can connect to the address. So only a request that fits ends
the login: `GET` of the redirect URI's path, with its `Host` and with the login's own `state`. Every other request gets
a refusal, a silent or slow connection a time-out, and none of them delays the one that fits.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

ADDRESS = "127.0.0.1"

_MOST_HEAD_BYTES = 16 * 1024
_MOST_FIELDS = 32
_MOST_CONNECTIONS = 64
_CONNECTION_SECONDS = 5.0
_DRAINED_BYTES = 64 * 1024
_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.[01]")
# The pages hold nothing of the request, load nothing, and the address with the code in it is told to nobody.
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
class ConsentAnswer:
    """What Spotify answered: a code to exchange for a token, or an error; the other one is ''."""

    code: str = ""
    error: str = ""


class DeadlineError(Exception):
    """No answer that fits arrived in time."""


def parse_answer(query: str, state: str) -> ConsentAnswer | None:
    """Return the answer that a redirect's query holds; None where it does not answer the login with this `state`."""
    try:
        fields = parse_qs(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    match fields.get("state"), fields.get("code"), fields.get("error"):
        case [answered], codes, errors if hmac.compare_digest(answered.encode(), state.encode()):
            match codes, errors:
                case [code], None:
                    return ConsentAnswer(code=code)
                case None, [error]:
                    return ConsentAnswer(error=error)
    return None


def wait_for_answer(
    redirect_uri: str, state: str, *, seconds: float, on_listening: Callable[[], object]
) -> ConsentAnswer:
    """Listen at the redirect URI until the answer to a login arrives.

    Args:
        redirect_uri: `http://127.0.0.1:<port>/<path>`.
        state: what the login sent along to tell its answer from any other.
        seconds: how long to listen at the most.
        on_listening: is called as soon as the answer can arrive.

    Raises:
        DeadlineError: none arrived within that time.
        OSError: the port cannot be listened on.
    """
    return asyncio.run(_RedirectListener(redirect_uri, state).answer(seconds, on_listening))


@dataclass(frozen=True)
class _Reply:
    status: str
    sentence: str
    answer: ConsentAnswer | None = None

    def __bytes__(self) -> bytes:
        page = _PAGE.format(self.sentence).encode()
        allow = ["Allow: GET"] if self.status.startswith("405") else []
        head = [f"HTTP/1.1 {self.status}", *_HEADERS, *allow, f"Content-Length: {len(page)}", "", ""]
        return "\r\n".join(head).encode() + page


class _RedirectListener:
    def __init__(self, redirect_uri: str, state: str) -> None:
        parts = urlsplit(redirect_uri)
        self._port = parts.port or 80
        # A host name that somebody else lets resolve to loopback is not this address.
        self._hosts = {f"{ADDRESS}:{self._port}", *([ADDRESS] if self._port == 80 else [])}
        self._path = unquote(parts.path or "/")
        self._state = state
        # The connections that are open, from the oldest to the newest.
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._answer: asyncio.Future[ConsentAnswer]

    async def answer(self, seconds: float, on_listening: Callable[[], object]) -> ConsentAnswer:
        self._answer = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(self._accept, ADDRESS, self._port, limit=_MOST_HEAD_BYTES)
        try:
            on_listening()
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError as error:
            raise DeadlineError from error
        finally:
            server.close()
            while self._open:
                for writer in self._open.values():
                    writer.transport.abort()
                await asyncio.wait(self._open)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= _MOST_CONNECTIONS:
            # Whoever holds many open must not keep the browser out, whose request takes milliseconds.
            next(iter(self._open.values())).transport.abort()
        task = asyncio.create_task(self._serve(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_CONNECTION_SECONDS):
                await self._converse(reader, writer)
            writer.close()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = self._reply(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            reply = _Reply("431 Request Header Fields Too Large", "The request is too long.")
        writer.write(bytes(reply))
        await writer.drain()
        if reply.answer and not self._answer.done():
            self._answer.set_result(reply.answer)
            return
        # To close while something is unread would make the reply vanish on its way.
        writer.write_eof()
        while await reader.read(_DRAINED_BYTES):
            pass

    def _reply(self, head: bytes) -> _Reply:
        first, *fields = head.decode("latin-1").split("\r\n")
        request = _REQUEST_LINE.fullmatch(first)
        hosts = [value.strip() for name, _, value in (field.partition(":") for field in fields) if _is_host(name)]
        if request is None or len(hosts) != 1:
            return _Reply("400 Bad Request", "This is not a request that can be answered here.")
        if hosts[0] not in self._hosts:
            return _Reply("421 Misdirected Request", "This address is not one that is answered here.")
        method, target = request.groups()
        path, _, query = target.partition("?")
        if unquote(path) != self._path:
            return _Reply("404 Not Found", "There is nothing here.")
        if method != "GET":
            return _Reply("405 Method Not Allowed", "Only Spotify's answer is taken here.")
        return _reply_to(parse_answer(query, self._state))


def _is_host(name: str) -> bool:
    return name.lower() == "host"


def _reply_to(answer: ConsentAnswer | None) -> _Reply:
    if answer is None:
        return _Reply("400 Bad Request", "This does not answer the login that is waiting.")
    if answer.error:
        return _Reply("200 OK", "Spotify gave no consent. You can close this page; the terminal says more.", answer)
    return _Reply("200 OK", "Spotify has answered. You can close this page and return to the terminal.", answer)
