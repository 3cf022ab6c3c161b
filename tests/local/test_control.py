"""The control socket: who gets an answer, and who does not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.control import ControlError, ControlServer, Request, Tell, ask


def count(request: Request, tell: Tell) -> Mapping[str, Any]:
    for number in range(request["to"]):
        tell({"number": number})
    return {"done": True}


def refuse(_request: Request, _tell: Tell) -> Mapping[str, Any]:
    raise ControlError("No: ask something else.")


@pytest.fixture(scope="module")
def server() -> Iterator[ControlServer]:
    with ControlServer({"count": count, "refuse": refuse}) as running:
        yield running


def connection_to(server: ControlServer) -> socket.socket:
    host, _, port = server.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_news_come_before_the_result(server: ControlServer) -> None:
    answers = list(ask(server.address, server.key, "count", to=3))
    assert answers == [{"number": 0}, {"number": 1}, {"number": 2}, {"done": True}]


def test_a_refusal_is_raised(server: ControlServer) -> None:
    with pytest.raises(ControlError, match=r"^No: ask something else\.$"):
        list(ask(server.address, server.key, "refuse"))


def test_an_unknown_command_is_refused(server: ControlServer) -> None:
    with pytest.raises(ControlError, match="does not know this request"):
        list(ask(server.address, server.key, "dance"))


def test_a_wrong_key_gets_no_answer(server: ControlServer) -> None:
    with pytest.raises(ControlError, match="ended before it answered"):
        list(ask(server.address, "0" * 64, "count", to=3))


@pytest.mark.parametrize(
    "line",
    [
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"[]\n",
        b'{"command": "count"}\n',
        b"\xff\n",
        b"x" * (1 << 17),
        '{"key": "ü", "command": "count", "to": 1}\n'.encode(),
    ],
)
def test_whatever_else_arrives_gets_no_answer(server: ControlServer, line: bytes) -> None:
    with connection_to(server) as connection:
        try:
            connection.sendall(line)
            assert connection.recv(100) == b""
        except ConnectionError:  # Closed before everything was read.
            return


def test_a_silent_connection_holds_up_nobody(server: ControlServer) -> None:
    with connection_to(server), connection_to(server):
        assert list(ask(server.address, server.key, "count", to=0)) == [{"done": True}]


def test_a_command_learns_that_nobody_listens_any_more() -> None:
    gone, asked = threading.Event(), threading.Event()

    def talk(_request: Request, tell: Tell) -> Mapping[str, Any]:
        asked.set()
        while tell({"text": "x" * 100_000}):
            pass
        gone.set()
        return {}

    with ControlServer({"talk": talk}) as server:
        with connection_to(server) as connection:
            connection.sendall(json.dumps({"key": server.key, "command": "talk"}).encode() + b"\n")
            assert asked.wait(10)
        assert gone.wait(10)


def test_nobody_answers_once_it_has_ended() -> None:
    with ControlServer({}) as server:
        address = server.address
    with pytest.raises(ControlError, match="did not answer"):
        list(ask(address, "key", "count"))
