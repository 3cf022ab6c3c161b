"""Connections to the redirect URI while a login waits: only its own response ends it, and nothing delays that."""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import redirect
from cli.redirect import AuthorizationResponse, DeadlineError, parse_response, wait_for_response
from tests.thoroughness import examples

STATE = "s7ate"
FITTING = f"/callback?code=agreed&state={STATE}"


@dataclass
class Waiting:
    """A login that waits for its response."""

    port: int
    answer: Future[AuthorizationResponse]

    def request(
        self, target: str, method: str = "GET", host: str | None = None, body: bytes | None = None
    ) -> http.client.HTTPResponse:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, target, body, {"Host": host} if host else {})
            response = connection.getresponse()
            response.read()
            return response

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(sent)
        return connection


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listening: queue.Queue[None] = queue.Queue()
    answer: Future[AuthorizationResponse] = Future()

    def wait() -> None:
        try:
            answer.set_result(
                wait_for_response(
                    f"http://127.0.0.1:{port}/callback",
                    STATE,
                    seconds=120,
                    on_listening=lambda: listening.put(None),
                )
            )
        except BaseException as error:  # noqa: BLE001 - the test shall see it
            answer.set_exception(error)

    thread = threading.Thread(target=wait)
    thread.start()
    listening.get(timeout=60)
    made = Waiting(port, answer)
    yield made
    with contextlib.suppress(OSError, http.client.HTTPException):  # It has ended already, or is about to.
        made.request(FITTING)
    thread.join()


@pytest.mark.parametrize(
    ("target", "method", "host", "status"),
    [
        ("/favicon.ico", "GET", None, 404),
        ("/callback", "GET", None, 400),
        ("/callback?code=agreed", "GET", None, 400),
        ("/callback?code=agreed&state=", "GET", None, 400),
        ("/callback?code=agreed&state=other", "GET", None, 400),
        (f"/callback?state={STATE}", "GET", None, 400),
        (f"/callback?code=agreed&state={STATE}&state=other", "GET", None, 400),
        (f"/callback?code=agreed&code=other&state={STATE}", "GET", None, 400),
        (f"/callback?code=agreed&error=other&state={STATE}", "GET", None, 400),
        ("/callback?" + "&".join(f"x{n}=1" for n in range(40)) + f"&code=agreed&state={STATE}", "GET", None, 400),
        (f"/elsewhere?code=agreed&state={STATE}", "GET", None, 404),
        (f"//127.0.0.1/callback?code=agreed&state={STATE}", "GET", None, 404),
        (f"http://127.0.0.1/callback?code=agreed&state={STATE}", "GET", None, 400),
        (FITTING, "POST", None, 405),
        (FITTING, "HEAD", None, 405),
        (FITTING, "OPTIONS", None, 405),
        (FITTING, "GET", "evil.example", 421),
        (FITTING, "GET", "127.0.0.1:1", 421),
        (FITTING, "GET", "127.0.0.1", 421),
        (FITTING, "GET", "localhost", 421),
        (f"/{'a' * 70_000}", "GET", None, 431),
    ],
)
def test_a_request_that_does_not_fit_is_refused_and_ends_nothing(
    waiting: Waiting, target: str, method: str, host: str | None, status: int
) -> None:
    assert waiting.request(target, method, host, b"x" * 100_000 if method == "POST" else None).status == status
    assert not waiting.answer.done()

    assert waiting.request(FITTING).status == 200
    assert waiting.answer.result(30) == AuthorizationResponse(code="agreed")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /callback?code=ag",
        b"GET /\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 5000,
    ],
)
def test_a_connection_that_sends_no_whole_request_delays_nothing(waiting: Waiting, sent: bytes) -> None:
    with waiting.connect(sent) as held, waiting.connect(sent):
        waiting.connect(sent).close()
        assert waiting.request(FITTING).status == 200
        assert waiting.answer.result(30) == AuthorizationResponse(code="agreed")
        with contextlib.suppress(ConnectionResetError):
            assert held.recv(1) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"rubbish\r\n\r\n",
        b"GET\x1b[2J / HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: {host}\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ],
)
def test_junk_gets_a_refusal_and_ends_nothing(waiting: Waiting, sent: bytes) -> None:
    with waiting.connect(sent.replace(b"{host}", b"127.0.0.1:%d" % waiting.port)) as connection:
        assert connection.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"
    assert not waiting.answer.done()


def test_a_silent_connection_has_a_time_out_of_its_own(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redirect, "_CONNECTION_SECONDS", 0.01)
    with waiting.connect(b"GET / HTTP/1.1\r\n") as slow, contextlib.suppress(ConnectionResetError):
        assert slow.recv(1) == b""
    monkeypatch.undo()
    assert not waiting.answer.done()
    assert waiting.request(FITTING).status == 200


def test_many_open_connections_do_not_keep_the_browser_out(waiting: Waiting) -> None:
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(waiting.connect()) for _ in range(3 * redirect._MAX_CONNECTIONS)]
        # The oldest made way.
        with contextlib.suppress(ConnectionResetError):
            assert connections[0].recv(1) == b""
        assert waiting.request(FITTING).status == 200
    assert waiting.answer.result(30) == AuthorizationResponse(code="agreed")


@pytest.mark.parametrize(
    ("target", "status"),
    [(FITTING, 200), (f"/callback?error=%3Cscript%3Ealert(1)%3C%2Fscript%3E&state={STATE}", 200), ("/<script>", 404)],
)
def test_pages_hold_nothing_of_the_request_and_may_do_nothing(waiting: Waiting, target: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", waiting.port, timeout=60)
    connection.request("GET", target)
    response = connection.getresponse()
    page = response.read().decode()
    connection.close()
    assert response.status == status
    assert "script" not in page
    assert "agreed" not in page
    assert STATE not in page
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_refusal_of_the_user_is_an_answer(waiting: Waiting) -> None:
    assert waiting.request(f"/callback?error=access_denied&state={STATE}").status == 200
    assert waiting.answer.result(30) == AuthorizationResponse(error="access_denied")


def test_waiting_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeadlineError):
        wait_for_response(f"http://127.0.0.1:{port}/", STATE, seconds=0, on_listening=lambda: None)


@pytest.mark.parametrize(
    ("redirect_uri", "target", "host"),
    [
        ("http://127.0.0.1:80/callback", "/callback", "127.0.0.1"),
        ("http://127.0.0.1:80/callback", "/callback", "127.0.0.1:80"),
        ("http://127.0.0.1:8888", "/", "127.0.0.1:8888"),
        ("http://127.0.0.1:8888/zurück", "/zur%C3%BCck", "127.0.0.1:8888"),
    ],
)
def test_the_address_may_be_written_as_a_browser_writes_it(redirect_uri: str, target: str, host: str) -> None:
    head = f"GET {target}?state={STATE}&code=agreed HTTP/1.1\r\nhost: {host}\r\n\r\n"
    assert redirect._RedirectListener(redirect_uri, STATE)._reply(head.encode()).response == AuthorizationResponse(
        code="agreed"
    )


@given(st.text(), st.text())
@settings(max_examples=examples(100, 20))
def test_no_query_without_the_state_is_an_answer(query: str, state: str) -> None:
    assert parse_response(query, STATE) is None
    assert parse_response(f"code=agreed&state={state}&{query}", STATE) is None


HEAD_PARTS: list[Callable[[str], str]] = [
    lambda text: f"GET /callback?code=agreed&state={text} HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n",
    lambda text: f"GET {text} HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n",
    lambda text: f"{text} {FITTING} HTTP/1.1\r\nHost: {text}\r\n\r\n",
    lambda text: text,
]


@given(st.sampled_from(HEAD_PARTS), st.text())
@settings(max_examples=examples(100, 20))
def test_any_head_is_answered_with_a_page(head: Callable[[str], str], text: str) -> None:
    reply = redirect._RedirectListener("http://127.0.0.1:8888/callback", STATE)._reply(
        head(text).encode("utf-8", "surrogatepass")
    )
    assert bytes(reply).startswith(b"HTTP/1.1 ")
    assert reply.response is None
