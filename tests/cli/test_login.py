"""`spotify-etl login` against moto's Secrets Manager and a token endpoint of this test's own."""

from __future__ import annotations

import json
import socket
import sys
import threading
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import spotipy.oauth2
from moto import mock_aws

from cli.main import main

SCOPES = ["playlist-read-collaborative", "playlist-read-private", "user-library-read", "user-read-recently-played"]


class TokenEndpoint(BaseHTTPRequestHandler):
    """Gives a token for the code `agreed`; the forms it was sent stay in `forms`."""

    forms: list[dict[str, list[str]]]

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.forms.append(form)
        good = form["code"] == ["agreed"]
        answer = (
            {"access_token": "a", "refresh_token": "kept", "scope": "user-library-read", "expires_in": 3600}
            if good
            else {"error": "invalid_client", "error_description": "Invalid client secret"}
        )
        body = json.dumps(answer).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server passes
        """Keep the test's output quiet."""


@pytest.fixture
def accounts_url() -> Iterator[str]:
    TokenEndpoint.forms = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def closed_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what spotipy listens on for the answer, which it leaves to the end of the process."""
    servers: list[HTTPServer] = []
    start = spotipy.oauth2.start_local_http_server

    def noted(*arguments: Any) -> HTTPServer:
        servers.append(start(*arguments))
        return servers[-1]

    monkeypatch.setattr(spotipy.oauth2, "start_local_http_server", noted)
    yield
    for server in servers:
        server.server_close()


@pytest.fixture
def redirect_uri() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/callback"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    # moto passes on what is meant for this test's own endpoint.
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        yield


def answer_in_browser(monkeypatch: pytest.MonkeyPatch, **answer: str) -> list[str]:
    """Make the browser answer Spotify's question at once; returns the addresses that were opened."""
    opened: list[str] = []

    def visit(address: str) -> bool:
        opened.append(address)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        target = f"{query['redirect_uri']}?{urllib.parse.urlencode({'state': query['state'], **answer})}"
        threading.Thread(target=lambda: urllib.request.urlopen(target).close()).start()  # noqa: S310 - loopback
        return True

    monkeypatch.setattr(webbrowser, "open", visit)
    return opened


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "login", *arguments])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


def test_token_of_the_consent_lands_in_the_secret(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, redirect_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")
    opened = answer_in_browser(monkeypatch, code="agreed")

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 0
    kept = json.loads(secrets.get_secret_value(SecretId="stack-secret")["SecretString"])
    assert kept.pop("authorized_at").endswith("Z")
    assert kept == {
        "client_id": "id",
        "client_secret": "hidden",
        "refresh_token": "kept",
        # spotipy keeps what was asked for, whatever was granted.
        "scope": " ".join(SCOPES),
    }
    question = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(opened[0]).query))
    assert question["scope"].split() == SCOPES
    assert TokenEndpoint.forms[0]["redirect_uri"] == [redirect_uri]
    output = capsys.readouterr()
    assert "hidden" not in output.out + output.err
    assert "kept" not in output.out + output.err


@pytest.mark.parametrize(
    ("secret", "answer", "sentence"),
    [
        ("another", {"code": "agreed"}, "There is no secret 'another' in this account and region"),
        ("stack-secret", {"code": "forged"}, "Spotify did not give a token"),
        ("stack-secret", {"error": "access_denied"}, "Spotify did not give a token"),
        ("stack-secret", {"code": "agreed", "state": "of-somebody-else"}, "Spotify did not give a token"),
    ],
)
def test_failure_is_one_sentence_and_leaves_the_secret_empty(
    monkeypatch: pytest.MonkeyPatch,
    accounts_url: str,
    redirect_uri: str,
    capsys: pytest.CaptureFixture[str],
    secret: str,
    answer: dict[str, str],
    sentence: str,
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")
    answer_in_browser(monkeypatch, **answer)

    status = run(
        monkeypatch,
        *("--secret", secret, "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="stack-secret")
