"""`spotify-etl login` against moto's Secrets Manager and a fake token endpoint."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import sys
import threading
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
import requests
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.secretsmanager.models import secretsmanager_backends

from cli.main import main
from cli.targets import Target
from tests.moto_s3 import services_limited_to
from tests.spotify_simulator.spotify_session import library, running
from tests.thoroughness import sampled

# What the default streams need.
SCOPES = [
    "playlist-read-collaborative",
    "playlist-read-private",
    "user-follow-read",
    "user-library-read",
    "user-read-recently-played",
    "user-top-read",
]


APP_HEADER = f"Basic {base64.b64encode(b'id:hidden').decode()}"


class TokenEndpoint(BaseHTTPRequestHandler):
    """Issues a token for the code `agreed`, and one without a user for the app `id` with the secret `hidden`.

    `forms` records the forms that it received; `broken` replaces the response, with status `broken_status`; `granted`
    is the scope of a consent.
    """

    forms: list[dict[str, list[str]]]
    granted: str
    broken: bytes | None
    broken_status: int

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.forms.append(form)
        user, app = (form["grant_type"] == [kind] for kind in ("authorization_code", "client_credentials"))
        good = (user and form["code"] == ["agreed"]) or (app and self.headers["Authorization"] == APP_HEADER)
        answer = (
            {"access_token": "a", "expires_in": 3600}
            | ({"refresh_token": "kept", "scope": self.granted} if user else {})
            if good
            else {"error": "invalid_client", "error_description": "Invalid client secret"}
        )
        body = json.dumps(answer).encode() if self.broken is None else self.broken
        self.send_response(self.broken_status if self.broken is not None else 200 if good else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server passes
        """Keep the test's output quiet."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide the current folder, where the calendar file goes."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def accounts_url() -> Iterator[str]:
    TokenEndpoint.forms = []
    TokenEndpoint.granted = " ".join(SCOPES)
    TokenEndpoint.broken = None
    TokenEndpoint.broken_status = 400
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def redirect_uri() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/callback"


@pytest.fixture(scope="module", autouse=True)
def mocked() -> Iterator[None]:
    """Mock AWS once: each start of a mock makes boto3 read its service models again."""
    # moto passes on what is meant for this test's own endpoint.
    with (
        services_limited_to("secretsmanager"),
        mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}),
    ):
        yield


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide an account without secrets."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].reset()


def answer_in_browser(monkeypatch: pytest.MonkeyPatch, **answer: str) -> list[str]:
    """Make the browser give consent at once; return the addresses that were opened."""
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
    written = datetime.strptime(kept.pop("authorized_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=5)
    assert kept == {
        "client_id": "id",
        "client_secret": "hidden",
        "refresh_token": "kept",
        "scope": " ".join(SCOPES),
    }
    question = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(opened[0]).query))
    assert question["scope"].split() == SCOPES
    assert TokenEndpoint.forms[0]["redirect_uri"] == [redirect_uri]
    assert question["code_challenge_method"] == "S256"
    [verifier] = TokenEndpoint.forms[0]["code_verifier"]
    assert base64.urlsafe_b64decode(f"{question['code_challenge']}=") == sha256(verifier.encode()).digest()
    assert verifier not in opened[0]
    output = capsys.readouterr()
    assert "hidden" not in output.out + output.err
    assert "kept" not in output.out + output.err


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ((), ["spotify-login-stack-secret.ics"]),
        (("--calendar", "mine.ics"), ["mine.ics"]),
        (("--no-calendar",), []),
    ],
)
def test_reminders_are_where_the_last_line_says(
    monkeypatch: pytest.MonkeyPatch,
    accounts_url: str,
    redirect_uri: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    written: list[str],
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    answer_in_browser(monkeypatch, code="agreed")

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden", *arguments),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 0
    printed = capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == written
    assert re.findall(r"^Import (\S+) into your calendar", printed, re.MULTILINE) == written
    for name in written:
        content = (folder / name).read_bytes().replace(b"\r\n ", b"").decode()
        [ends_on] = re.findall(r"valid until ([\d-]+)\.$", printed, re.MULTILINE)
        assert content.count(f"The login ends on {ends_on}\\;") == 2
        assert f"Run: {Path(sys.executable).with_name('spotify-etl')} login --secret stack-secret" in content


def test_a_calendar_that_cannot_be_written_does_not_undo_the_login(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, redirect_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")
    answer_in_browser(monkeypatch, code="agreed")

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden", "--calendar", "no/such/x.ics"),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 0
    assert "refresh_token" in secrets.get_secret_value(SecretId="stack-secret")["SecretString"]
    assert capsys.readouterr().out.endswith(
        "The calendar file no/such/x.ics cannot be written (No such file or directory): log in again with another "
        "--calendar, or note the day yourself.\n"
    )


def test_spotify_as_simulated_takes_the_login_with_its_verifier(
    monkeypatch: pytest.MonkeyPatch, redirect_uri: str
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")

    def agree(address: str) -> None:
        # The simulator sends the browser on to the redirect URI.
        urllib.request.urlopen(address, timeout=60).close()  # noqa: S310 - loopback

    monkeypatch.setattr(webbrowser, "open", agree)
    with running(library(saved_tracks=1, playlists=1, saved_albums=1, plays_per_day=1)) as simulator:
        status = run(
            monkeypatch,
            *("--secret", "stack-secret", "--accounts-url", simulator.accounts_url, "--redirect-uri", redirect_uri),
            *("--client-id", simulator.client_id, "--client-secret", simulator.client_secret),
        )
        kept = json.loads(secrets.get_secret_value(SecretId="stack-secret")["SecretString"])
        refreshed = requests.post(
            f"{simulator.accounts_url}api/token",
            data={"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]},
            auth=(simulator.client_id, simulator.client_secret),
            timeout=60,
        )

    assert status == 0
    assert kept["scope"].split() == SCOPES
    assert refreshed.json()["scope"] == kept["scope"]


def test_an_answer_that_never_comes_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, redirect_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    monkeypatch.setattr(webbrowser, "open", lambda _address: True)
    monkeypatch.setattr("cli.login._WAIT_MINUTES", 0)

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 1
    assert capsys.readouterr().err == (
        f"No response from Spotify arrived at {redirect_uri} within 0 minutes: run the command again and agree in the "
        "browser, or pass --no-browser if your browser is on another machine.\n"
    )


def test_a_port_in_use_is_one_sentence_and_opens_no_browser(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    opened = answer_in_browser(monkeypatch, code="agreed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/callback"
        status = run(
            monkeypatch,
            *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
            *("--accounts-url", accounts_url, "--redirect-uri", address),
        )

    assert status == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Cannot listen on the port of {address} (")
    assert error.count("\n") == 1
    assert opened == []


@pytest.mark.parametrize(
    "answer",
    sampled(
        [
            b'{"access_token": "a", "expires_in": 3600}',
            b'{"access_token": "a", "refresh_token": ""}',
            b'{"access_token": "a", "refresh_token": 5}',
            b'{"access_token": "", "refresh_token": "kept"}',
            b'["access_token"]',
            b"",
        ],
        [b'{"access_token": "a", "expires_in": 3600}', b""],
    ),
)
def test_an_answer_without_a_token_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    accounts_url: str,
    redirect_uri: str,
    capsys: pytest.CaptureFixture[str],
    answer: bytes,
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")
    answer_in_browser(monkeypatch, code="agreed")
    TokenEndpoint.broken, TokenEndpoint.broken_status = answer, 200

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 1
    error = capsys.readouterr().err
    assert error.startswith("Spotify issued no token (")
    assert error.count("\n") == 1
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="stack-secret")


@pytest.mark.parametrize(
    ("streams", "asked"),
    [
        ("saved_episodes, profile", "user-library-read user-read-playback-position"),
        ("recently_played,catalogue", "user-read-recently-played"),
        ("profile", None),
    ],
)
def test_consent_is_asked_for_what_the_streams_need_and_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, redirect_uri: str, streams: str, asked: str | None
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    opened = answer_in_browser(monkeypatch, code="agreed")

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden", "--streams", streams),
        *("--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 0
    question = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(opened[0]).query))
    assert question.get("scope") == asked


def test_scope_in_the_secret_is_what_was_granted_and_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, redirect_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")
    answer_in_browser(monkeypatch, code="agreed")
    TokenEndpoint.granted = "user-library-read"

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--streams", "saved_tracks,recently_played", "--accounts-url", accounts_url, "--redirect-uri", redirect_uri),
    )

    assert status == 0
    kept = json.loads(secrets.get_secret_value(SecretId="stack-secret")["SecretString"])
    assert kept["scope"] == "user-library-read"
    said = " ".join(capsys.readouterr().out.split())
    assert "Spotify did not grant every scope; missing: user-read-recently-played. Log in again to grant them." in said


def test_app_alone_is_checked_and_kept_without_a_browser(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")
    opened = answer_in_browser(monkeypatch, code="agreed")

    status = run(
        monkeypatch,
        *("--app", "--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url),
    )

    assert status == 0
    assert json.loads(secrets.get_secret_value(SecretId="stack-secret")["SecretString"]) == {
        "client_id": "id",
        "client_secret": "hidden",
    }
    assert TokenEndpoint.forms == [{"grant_type": ["client_credentials"]}]
    assert opened == []
    output = capsys.readouterr()
    assert "hidden" not in output.out + output.err


WRONG_CALLS: list[tuple[list[str], int, str]] = [
    (["--streams", "profile,songs"], 1, "--streams has 'songs', which is not one of profile, recently_played, "),
    (["--streams", "streaming_history"], 1, "--streams has 'streaming_history', which is not one of profile, "),
    (["--streams", " ,"], 1, "--streams is empty: it needs one or more of profile, recently_played, "),
    (
        ["--app", "--streams", "catalogue"],
        2,
        "--streams cannot be used with --app: without a user",
    ),
    (
        ["--client-id", ""],
        1,
        "The client id must consist of letters and digits: copy it again from your",
    ),
    (["--client-secret", "h\u00efdden"], 1, "The client secret must consist of letters and digits: copy it again"),
    (
        ["--app", "--client-secret", "wrong"],
        1,
        "Spotify rejected the app (invalid_client: Invalid client secret): check its client id and secret",
    ),
    (["--app", "--secret", "another"], 1, "There is no secret 'another' in this account and region"),
    (
        ["--app", "--accounts-url", "http://127.0.0.1:9/"],
        1,
        "Spotify's accounts service does not respond: check",
    ),
    *(
        (
            ["--redirect-uri", address],
            1,
            f"--redirect-uri is {address!r}, but must be http://127.0.0.1:<port>/<path>",
        )
        for address in (
            "",
            "http://localhost:8888/callback",
            "https://127.0.0.1:8888/callback",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:99999/callback",
            "http://[::1]:8888/callback",
        )
    ),
]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    # Every sentence once.
    sampled(WRONG_CALLS, [WRONG_CALLS[at] for at in (0, 2, 3, 4, 6, 7, 8, 10)]),
)
def test_wrong_call_is_one_sentence_and_leaves_the_secret_empty(
    monkeypatch: pytest.MonkeyPatch,
    accounts_url: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    sentence: str,
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")

    ended = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden", "--accounts-url", accounts_url),
        *arguments,
    )

    error = capsys.readouterr().err
    assert ended == status
    assert sentence in error
    assert error.count("\n") == 1
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="stack-secret")


@pytest.mark.parametrize("variables", [{"AWS_DEFAULT_REGION": None}, {"AWS_DEFAULT_REGION": ""}, {"AWS_PROFILE": "x"}])
def test_aws_that_is_not_set_up_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    accounts_url: str,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str | None],
) -> None:
    for name, value in {**variables, "AWS_CONFIG_FILE": "/nowhere"}.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    # A session of an earlier test would know the region.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    status = run(
        monkeypatch,
        *("--app", "--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url),
    )

    error = capsys.readouterr().err
    assert status == 1
    assert error.startswith("Cannot create an AWS client (")
    assert error.endswith("): check your credentials and region.\n")
    assert error.count("\n") == 1


def test_without_a_terminal_the_command_says_that_it_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    status = run(monkeypatch, "--secret", "stack-secret")

    assert status == 1
    assert capsys.readouterr().err == (
        "The login needs your Spotify app: run the command in a terminal, or pass --client-id and --client-secret.\n"
    )


def test_pasted_address_of_the_answer_is_as_good_as_a_browser_here(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="stack-secret")

    def paste() -> str:
        (address,) = re.findall(r"https?://\S+", capsys.readouterr().out)
        [state] = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["state"]
        return f"http://127.0.0.1:8888/callback?code=agreed&state={state}"

    monkeypatch.setattr("builtins.input", paste)

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden", "--no-browser"),
        *("--accounts-url", accounts_url),
    )

    assert status == 0
    assert json.loads(secrets.get_secret_value(SecretId="stack-secret")["SecretString"])["refresh_token"] == "kept"


@pytest.mark.parametrize(
    "pasted",
    sampled(
        [
            "http://127.0.0.1:8888/callback",
            "http://127.0.0.1:8888/callback?code=agreed&state=of-somebody-else",
            "agreed",
            "http://[",
        ],
        ["http://127.0.0.1:8888/callback?code=agreed&state=of-somebody-else", "http://["],
    ),
)
def test_pasted_text_that_is_no_answer_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, capsys: pytest.CaptureFixture[str], pasted: str
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{pasted}\n"))

    status = run(
        monkeypatch,
        *("--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden", "--no-browser"),
        *("--accounts-url", accounts_url),
    )

    assert status == 1
    output = capsys.readouterr()
    assert output.out.count(f"{accounts_url}authorize?") == 1
    assert output.err == (
        "Spotify issued no token: the pasted address does not belong to this login; run the command again and paste "
        "the whole address that you end up at.\n"
    )
    assert TokenEndpoint.forms == []


def test_a_fault_of_spotify_is_not_blamed_on_the_app(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    TokenEndpoint.broken, TokenEndpoint.broken_status = b"<html>", 503

    status = run(
        monkeypatch,
        *("--app", "--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url),
    )

    assert status == 1
    assert capsys.readouterr().err == "Spotify's accounts service failed (status 503): try again later.\n"


def test_page_in_place_of_an_answer_is_one_short_sentence(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager").create_secret(Name="stack-secret")
    TokenEndpoint.broken = b"<html>\n<p>Upstream request failed</p>\n" + b"<!-- padding -->\n" * 500

    status = run(
        monkeypatch,
        *("--app", "--secret", "stack-secret", "--client-id", "id", "--client-secret", "hidden"),
        *("--accounts-url", accounts_url),
    )

    error = capsys.readouterr().err
    assert status == 1
    assert "Upstream request failed" in error
    assert error.count("\n") == 1
    assert len(error) < 700


@pytest.mark.parametrize(
    ("secret", "answer", "sentence"),
    [
        ("another", {"code": "agreed"}, "There is no secret 'another' in this account and region"),
        ("stack-secret", {"code": "forged"}, "Spotify issued no token"),
        ("stack-secret", {"error": "access_denied"}, "consent was denied in the browser: run the command again"),
        (
            "stack-secret",
            {"error": "\x1b[2J<b>\n\u202e"},
            r"Spotify issued no token (␛[2J<b> \u202e): check the app",
        ),
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


def test_app_of_the_last_login_is_used_again(
    monkeypatch: pytest.MonkeyPatch, accounts_url: str, redirect_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = boto3.client("secretsmanager")
    stored = {"client_id": "id", "client_secret": "hidden", "refresh_token": "expired"}
    secrets.create_secret(Name="stack-secret", SecretString=json.dumps(stored))
    answer_in_browser(monkeypatch, code="agreed")

    status = run(
        monkeypatch, "--secret", "stack-secret", "--accounts-url", accounts_url, "--redirect-uri", redirect_uri
    )

    assert status == 0
    kept = json.loads(secrets.get_secret_value(SecretId="stack-secret")["SecretString"])
    assert (kept["client_id"], kept["client_secret"], kept["refresh_token"]) == ("id", "hidden", "kept")
    output = capsys.readouterr().out
    assert "Using the app id of the last login; --client-id takes another one.\n" in output
    assert "hidden" not in output


@pytest.mark.parametrize("auth_mode", ["user", "app"])
def test_secret_streams_and_mode_are_those_of_the_stack(
    monkeypatch: pytest.MonkeyPatch,
    accounts_url: str,
    redirect_uri: str,
    capsys: pytest.CaptureFixture[str],
    auth_mode: str,
) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="spotify-etl-1a2b3c4")
    opened = answer_in_browser(monkeypatch, code="agreed")
    outputs = {
        "spotify_secret_name": "spotify-etl-1a2b3c4",
        "streams": ["saved_tracks"],
        "auth_mode": auth_mode,
        "spotify_accounts_url": accounts_url,
    }
    monkeypatch.setattr(
        "cli.login.find_target", lambda stack, **_: Target(f"the stack {stack}", outputs, lambda _: secrets)
    )

    status = run(
        monkeypatch,
        *("--stack", "dev", "--client-id", "id", "--client-secret", "hidden"),
        *("--redirect-uri", redirect_uri),
    )

    assert status == 0
    assert capsys.readouterr().out.startswith("Using the stack dev.\n")
    kept = json.loads(secrets.get_secret_value(SecretId="spotify-etl-1a2b3c4")["SecretString"])
    assert ("refresh_token" in kept) == (auth_mode == "user")
    assert all(address.startswith(f"{accounts_url}authorize?") for address in opened)
    asked = [dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))["scope"] for address in opened]
    assert asked == (["user-library-read"] if auth_mode == "user" else [])
