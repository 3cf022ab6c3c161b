"""The login: stores a user's consent, or just the app, in the stack's secret."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.errors import CommandError
from cli.login_calendar import LoginPeriod, calendar_name, calendar_text
from cli.presentation import print_line, read_line
from cli.program_name import lasting_command
from cli.redirect import ADDRESS, AuthorizationResponse, DeadlineError, parse_response, wait_for_response
from cli.spotify_accounts import Consent, SpotifyApp, TokenRefusedError, check_app
from cli.targets import Target, find_target
from cli.text import quoted
from handlers.streams import READABLE_STREAMS, default_streams, scopes

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_ACCOUNTS_URL = "https://accounts.spotify.com/"
"""Base URL of Spotify's accounts service."""
_WAIT_MINUTES = 10
"""As long as an authorization code is valid; signing in to Spotify first, with a second factor, takes a while."""


@dataclass(frozen=True, kw_only=True)
class LoginRequest:
    """The options of a login."""

    client_id: str | None = None
    """None for that in the secret, or what the user types."""
    client_secret: str | None = None
    """Likewise."""
    streams: str = ""
    """Comma-separated; '' for those of the stack."""
    only_app: bool = False
    """Whether to log in without a user whatever the stack does."""
    secret: str = ""
    """Name of a secret; '' for the stack's."""
    accounts_url: str = ""
    """Base URL of the accounts service; '' for that of the target."""
    redirect_uri: str
    """The loopback address that Spotify redirects to."""
    open_browser: bool = True
    """Whether to open a browser; if not, the user pastes the address of the redirect."""
    calendar: Path | None = None
    """The calendar file to write; None for the usual one, named after the stack, in the current folder."""
    without_calendar: bool = False
    """Whether to write none."""


@dataclass(frozen=True, kw_only=True)
class LoginPlace:
    """Where a login goes, and what it is for."""

    secrets: SecretsManagerClient
    secret_name: str
    streams: tuple[str, ...]
    """The streams to ask consent for."""
    only_app: bool
    """Whether there is no user."""
    accounts_url: str
    title: str
    """What is logged in, as a noun phrase."""
    command: str
    """The command that logs in again, from any folder."""
    calendar: Path | None
    """The calendar file to write, if any."""


def run_login(request: LoginRequest, *, stack: str, local: bool, console: Console) -> None:
    """Log in to Spotify and store the login in a stack's secret.

    Args:
        request: the options.
        stack: value of `--stack`.
        local: value of `--local`.
        console: where to print and prompt.

    Raises:
        CommandError: there is not exactly one stack, or the login failed.
    """
    streams = parse_streams(request.streams) if request.streams else ()
    place = _find_place(request, streams, stack=stack, local=local, console=console)
    if not place.only_app:
        _check_redirect_uri(request.redirect_uri)
    app = _app(request, place, console)
    if place.only_app:
        log_in_app(place, app, console=console)
    else:
        log_in(place, app, open_browser=request.open_browser, redirect_uri=request.redirect_uri, console=console)


def _find_place(
    request: LoginRequest, streams: tuple[str, ...], *, stack: str, local: bool, console: Console
) -> LoginPlace:
    if request.secret and not (stack or local):
        # Nothing but the secret is needed, so it may be anywhere.
        return LoginPlace(
            secrets=_client(),
            secret_name=request.secret,
            streams=streams or default_streams(),
            only_app=request.only_app,
            accounts_url=request.accounts_url or _ACCOUNTS_URL,
            title=f"the secret {request.secret}",
            command=lasting_command(f"login --secret {shlex.quote(request.secret)}"),
            calendar=_calendar(request, request.secret),
        )
    target = find_target(stack, local=local)
    target.announce(console)
    return LoginPlace(
        secrets=target.client("secretsmanager"),
        secret_name=request.secret or target.output("spotify_secret_name"),
        streams=streams or tuple(target.output("streams")),
        only_app=request.only_app or target.output("auth_mode") == "app",
        accounts_url=request.accounts_url or _accounts_url(target),
        title=target.description,
        command=lasting_command(f"login {'--local' if target.local else f'--stack {shlex.quote(target.stack)}'}"),
        calendar=_calendar(request, target.stack),
    )


def _accounts_url(target: Target) -> str:
    """Return the accounts service of the Spotify that the pipeline reads, which only there knows the login."""
    if target.local:
        return target.local.accounts_url
    # A stack of an earlier version has no such output.
    return str(target.outputs.get("spotify_accounts_url", _ACCOUNTS_URL)).rstrip("/") + "/"


def _calendar(request: LoginRequest, name: str) -> Path | None:
    return None if request.without_calendar else request.calendar or Path(calendar_name(name))


def _app(request: LoginRequest, place: LoginPlace, console: Console) -> SpotifyApp:
    """Return the app: what is given, else what the secret holds from the last login, else what the user types."""
    identifier, secret = request.client_id, request.client_secret
    if secret is None and (stored := _stored_app(place)) and identifier in {None, stored[0]}:
        print_line(console, f"Using the app {stored[0]} of the last login; --client-id takes another one.")
        return SpotifyApp(*stored)
    try:
        if identifier is None:
            identifier = read_line(console, "Client id of your Spotify app: ")
        if secret is None:
            secret = read_line(console, "Client secret of your Spotify app: ", echo=False)
    except EOFError as error:
        raise CommandError(
            "The login needs your Spotify app: run the command in a terminal, or pass --client-id and --client-secret."
        ) from error
    return SpotifyApp(identifier.strip(), secret.strip())


def _stored_app(place: LoginPlace) -> tuple[str, str] | None:
    """Return client id and secret of the app that the secret holds; None if it holds none, or cannot be read."""
    try:
        stored = json.loads(place.secrets.get_secret_value(SecretId=place.secret_name)["SecretString"])
        return str(stored["client_id"]), str(stored["client_secret"])
    except (BotoCoreError, ClientError, ValueError, KeyError, TypeError):
        return None


def parse_streams(names: str) -> tuple[str, ...]:
    """Parse a comma-separated list of streams.

    Raises:
        CommandError: there is no such stream, or the list is empty.
    """
    named = tuple(name for each in names.split(",") if (name := each.strip()))
    if not named:
        raise CommandError(f"--streams is empty: it needs one or more of {', '.join(READABLE_STREAMS)}.")
    for name in named:
        if name not in READABLE_STREAMS:
            raise CommandError(f"--streams has {name!r}, which is not one of {', '.join(READABLE_STREAMS)}.")
    return named


def log_in(place: LoginPlace, app: SpotifyApp, *, open_browser: bool, redirect_uri: str, console: Console) -> None:
    """Ask for consent in a browser and store the refresh token in the secret, where the extract function reads it.

    Args:
        place: where the login goes; consent is requested for its streams only.
        app: the app that asks for consent.
        open_browser: whether to open a browser; if not, the user pastes the address of the redirect.
        redirect_uri: loopback address that Spotify redirects to.
        console: where to print and prompt.

    Raises:
        CommandError: consent was denied, Spotify or AWS did not respond, there is no such secret, or the redirect URI
            is not a loopback address.
    """
    requested = scopes(place.streams)
    stored: dict[str, str] = {}

    def secret() -> dict[str, str]:
        token = _consented_token(app, requested, open_browser, place.accounts_url, redirect_uri, console)
        stored.update(_secret(app, token))
        return stored

    arn = _fill(place, secret)
    login = LoginPeriod(
        secret_arn=arn,
        title=place.title,
        command=place.command,
        authorized_at=datetime.fromisoformat(stored["authorized_at"]),
    )
    print_line(
        console,
        f"Logged in. The next scheduled run will use the token in {place.secret_name}, valid until {login.ends_on}.",
    )
    if missing := set(requested) - set(stored["scope"].split()):
        print_line(
            console,
            f"Spotify did not grant every scope; missing: {', '.join(sorted(missing))}. Log in again to grant them.",
        )
    if place.calendar is not None:
        print_line(console, _calendar_written(place.calendar, login))


def _calendar_written(path: Path, login: LoginPeriod) -> str:
    """Write the calendar file, and return a sentence about it; the login does not fail if it cannot be written."""
    try:
        path.write_bytes(calendar_text(login))
    except OSError as error:
        return (
            f"The calendar file {path} cannot be written ({os.strerror(error.errno or 0)}): log in again with another "
            "--calendar, or note the day yourself."
        )
    return (
        f"Import {path} into your calendar to be reminded a month and a week before; the file of the next login "
        "replaces these reminders."
    )


def log_in_app(place: LoginPlace, app: SpotifyApp, *, console: Console) -> None:
    """Check the app's credentials with Spotify and store them in the secret, without a user.

    Raises:
        CommandError: Spotify rejected the app, Spotify or AWS did not respond, or there is no such secret.
    """

    def secret() -> dict[str, str]:
        _check_app(app, place.accounts_url)
        return {"client_id": app.client_id, "client_secret": app.client_secret}

    _fill(place, secret)
    print_line(
        console, f"Spotify accepted the app. The next scheduled run will use the credentials in {place.secret_name}."
    )


def _client() -> SecretsManagerClient:
    try:
        return boto3.client("secretsmanager")
    except (BotoCoreError, ValueError) as error:  # An invalid region name is a ValueError.
        raise CommandError(
            f"Cannot create an AWS client ({quoted(error)}): check your credentials and region."
        ) from error


def _fill(place: LoginPlace, content: Callable[[], dict[str, str]]) -> str:
    """Store the login, and return the ARN of the secret."""
    client = place.secrets
    try:
        # Checked first, so that a wrong name is reported before the user gives consent.
        arn = client.describe_secret(SecretId=place.secret_name)["ARN"]
        client.put_secret_value(SecretId=place.secret_name, SecretString=json.dumps(content()))
    except client.exceptions.ResourceNotFoundException as error:
        raise CommandError(
            f"There is no secret {place.secret_name!r} in this account and region: "
            "`pulumi stack output spotify_secret_name` prints the name of the stack's secret."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS did not store the login ({quoted(error)}): check your credentials and region."
        ) from error
    return arn


def _check_redirect_uri(redirect_uri: str) -> None:
    # Spotify rejects `localhost` on its own page, and this command would wait in vain.
    try:
        parts = urlsplit(redirect_uri)
        fits = parts.scheme == "http" and parts.hostname == ADDRESS and parts.port and not parts.username
    except ValueError:
        fits = False
    if not fits:
        raise CommandError(
            f"--redirect-uri is {redirect_uri!r}, but must be http://127.0.0.1:<port>/<path>, exactly as the app lists "
            "it on Spotify's dashboard."
        )


def _consented_token(
    app: SpotifyApp,
    requested: tuple[str, ...],
    open_browser: bool,
    accounts_url: str,
    redirect_uri: str,
    console: Console,
) -> dict[str, str]:
    consent = Consent(app, requested, redirect_uri)
    url = consent.url(accounts_url)
    response = (
        _response_from_browser(url, redirect_uri, consent.state, console)
        if open_browser
        else _pasted_response(url, consent.state, console)
    )
    if response.error == "access_denied":
        raise CommandError(
            "Spotify issued no token because consent was denied in the browser: run the command again and agree, or "
            "request fewer streams with --streams."
        )
    if response.error:
        raise _no_token(quoted(response.error), redirect_uri)
    try:
        return consent.request_token(accounts_url, response.code)
    except TokenRefusedError as error:
        raise _no_token(str(error), redirect_uri) from error


def _no_token(why: str, redirect_uri: str) -> CommandError:
    return CommandError(
        f"Spotify issued no token ({why}): check the app's client id and secret, and that it lists the redirect URI "
        f"{redirect_uri}."
    )


def _response_from_browser(url: str, redirect_uri: str, state: str, console: Console) -> AuthorizationResponse:
    def ask_for_consent() -> None:
        print_line(console, f"Spotify asks for your consent in the browser. If it does not open, go to: {url}")
        # In a thread: a text-mode browser blocks until the user quits it, which is after the response arrives.
        threading.Thread(target=_open, args=(url,), daemon=True).start()

    try:
        return wait_for_response(redirect_uri, state, seconds=_WAIT_MINUTES * 60, on_listening=ask_for_consent)
    except DeadlineError as error:
        raise CommandError(
            f"No response from Spotify arrived at {redirect_uri} within {_WAIT_MINUTES} minutes: run the command again "
            "and agree in the browser, or pass --no-browser if your browser is on another machine."
        ) from error
    except OSError as error:
        raise CommandError(
            f"Cannot listen on the port of {redirect_uri} ({error.strerror}): stop the program that uses it, or pass "
            "another --redirect-uri that the app lists on Spotify's dashboard."
        ) from error


def _open(url: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)


def _pasted_response(url: str, state: str, console: Console) -> AuthorizationResponse:
    print_line(console, f"Open this address in a browser and agree: {url}")
    pasted = read_line(console, "Then paste the address that you end up at: ")
    try:
        response = parse_response(urlsplit(pasted.strip()).query, state)
    except ValueError:
        response = None
    if response is None:
        raise CommandError(
            "Spotify issued no token: the pasted address does not belong to this login; run the command again and "
            "paste the whole address that you end up at."
        )
    return response


def _check_app(app: SpotifyApp, accounts_url: str) -> None:
    try:
        check_app(app, accounts_url)
    except TokenRefusedError as error:
        raise CommandError(
            f"Spotify rejected the app ({error}): check its client id and secret on the dashboard."
        ) from error


def _secret(app: SpotifyApp, token: dict[str, str]) -> dict[str, str]:
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": token["refresh_token"],
        "scope": token["scope"],
        "authorized_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
