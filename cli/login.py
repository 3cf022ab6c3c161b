"""The login: consent in a browser, or the app alone, into the stack's secret."""

from __future__ import annotations

import contextlib
import json
import threading
import webbrowser
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.errors import CommandError
from cli.presentation import print_line, read_line
from cli.redirect import ADDRESS, ConsentAnswer, DeadlineError, parse_answer, wait_for_answer
from cli.spotify_accounts import Consent, SpotifyApp, TokenRefusedError, check_app
from cli.text import quoted
from handlers.streams import READABLE_STREAMS, scopes

_WAIT_MINUTES = 10
"""As long as a code of Spotify's is good: who signs in first, with a second factor, needs some of them."""


def named_streams(names: str) -> tuple[str, ...]:
    """The streams of a comma separated list.

    Raises:
        CommandError: a name is none of a stream that Spotify serves.
    """
    named = tuple(name for each in names.split(",") if (name := each.strip()))
    if not named:
        raise CommandError(f"--streams names no stream: it takes one or more of {', '.join(READABLE_STREAMS)}.")
    for name in named:
        if name not in READABLE_STREAMS:
            raise CommandError(f"--streams names {name!r}, which is none of {', '.join(READABLE_STREAMS)}.")
    return named


def log_in(
    secret_name: str,
    app: SpotifyApp,
    streams: tuple[str, ...],
    *,
    open_browser: bool,
    accounts_url: str,
    redirect_uri: str,
    console: Console,
) -> None:
    """Ask for consent in a browser and keep the refresh token in the secret, where the extract Lambda reads it.

    Args:
        secret_name: of the stack's secret.
        app: the app that asks.
        streams: what the stack reads, which the consent shall cover and nothing else.
        open_browser: whether to open one; without, the user pastes the address of the answer.
        accounts_url: base address of Spotify's logins.
        redirect_uri: loopback address where the answer arrives.
        console: where to speak to the user.

    Raises:
        CommandError: consent was refused, Spotify or AWS did not answer, there is no such secret, or the redirect URI
            is none where an answer can arrive.
    """
    _check_redirect_uri(redirect_uri)
    asked = scopes(streams)
    token: dict[str, str] = {}

    def secret() -> dict[str, str]:
        token.update(_consented_token(app, asked, open_browser, accounts_url, redirect_uri, console))
        return _secret(app, token)

    _fill(secret_name, secret)
    print_line(console, f"Logged in. The next scheduled run uses the token in {secret_name}; it lasts six months.")
    if missing := set(asked) - set(token["scope"].split()):
        print_line(
            console, f"Spotify granted less than asked: {', '.join(sorted(missing))} is missing; log in again for it."
        )


def log_in_app(secret_name: str, app: SpotifyApp, *, accounts_url: str, console: Console) -> None:
    """Check the app at Spotify and keep it in the secret; there is no user and no consent.

    Raises:
        CommandError: Spotify does not take the app, Spotify or AWS did not answer, or there is no such secret.
    """

    def secret() -> dict[str, str]:
        _checked_app(app, accounts_url)
        return {"client_id": app.client_id, "client_secret": app.client_secret}

    _fill(secret_name, secret)
    print_line(console, f"Spotify takes the app. The next scheduled run uses what is in {secret_name}.")


def _fill(secret_name: str, content: Callable[[], dict[str, str]]) -> None:
    try:
        client = boto3.client("secretsmanager")
    except (BotoCoreError, ValueError) as error:  # A region that makes no address is a ValueError.
        raise CommandError(f"AWS cannot be asked ({quoted(error)}): check credentials and region.") from error
    try:
        # Asked first: nobody should consent in a browser only to learn that the stack's name was wrong.
        client.describe_secret(SecretId=secret_name)
        client.put_secret_value(SecretId=secret_name, SecretString=json.dumps(content()))
    except client.exceptions.ResourceNotFoundException as error:
        raise CommandError(
            f"There is no secret {secret_name!r} in this account and region: "
            "`pulumi stack output spotify_secret_name` prints the name of the stack's."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS did not take the login ({quoted(error)}): check credentials and region.") from error


def _check_redirect_uri(redirect_uri: str) -> None:
    # Of `localhost` Spotify's page only says that it is refused, and no answer would arrive.
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
    asked: tuple[str, ...],
    open_browser: bool,
    accounts_url: str,
    redirect_uri: str,
    console: Console,
) -> dict[str, str]:
    consent = Consent(app, asked, redirect_uri)
    url = consent.url(accounts_url)
    answer = (
        _answer_to_browser(url, redirect_uri, consent.state, console)
        if open_browser
        else _pasted_answer(url, consent.state, console)
    )
    if answer.error == "access_denied":
        raise CommandError(
            "Spotify did not give a token, as the consent was refused in the browser: run the command again and "
            "agree, or name fewer streams with --streams."
        )
    if answer.error:
        raise _no_token(quoted(answer.error), redirect_uri)
    try:
        return consent.token(accounts_url, answer.code)
    except TokenRefusedError as error:
        raise _no_token(str(error), redirect_uri) from error


def _no_token(why: str, redirect_uri: str) -> CommandError:
    return CommandError(
        f"Spotify did not give a token ({why}): check the app's client id, its secret and that it lists the redirect "
        f"URI {redirect_uri}."
    )


def _answer_to_browser(url: str, redirect_uri: str, state: str, console: Console) -> ConsentAnswer:
    def ask() -> None:
        print_line(console, f"Spotify asks for your consent in the browser. If none opens: {url}")
        # A browser of the terminal runs until it is left; the answer arrives before.
        threading.Thread(target=_open, args=(url,), daemon=True).start()

    try:
        return wait_for_answer(redirect_uri, state, seconds=_WAIT_MINUTES * 60, on_listening=ask)
    except DeadlineError as error:
        raise CommandError(
            f"No answer of Spotify arrived at {redirect_uri} within {_WAIT_MINUTES} minutes: run the command again and "
            "agree in the browser, or, where that runs on another machine, pass --no-browser."
        ) from error
    except OSError as error:
        raise CommandError(
            f"The port of {redirect_uri} cannot be listened on ({error.strerror}): end what uses it, or pass another "
            "--redirect-uri that the app lists on Spotify's dashboard."
        ) from error


def _open(url: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)


def _pasted_answer(url: str, state: str, console: Console) -> ConsentAnswer:
    print_line(console, f"Open this address in a browser and agree: {url}")
    pasted = read_line(console, "Then paste the address that you end up at: ")
    try:
        answer = parse_answer(urlsplit(pasted.strip()).query, state)
    except ValueError:
        answer = None
    if answer is None:
        raise CommandError(
            "Spotify did not give a token: what was pasted does not answer this login; run the command again and "
            "paste the whole address that you end up at."
        )
    return answer


def _checked_app(app: SpotifyApp, accounts_url: str) -> None:
    try:
        check_app(app, accounts_url)
    except TokenRefusedError as error:
        raise CommandError(
            f"Spotify does not take the app ({error}): check its client id and its secret on the dashboard."
        ) from error


def _secret(app: SpotifyApp, token: dict[str, str]) -> dict[str, str]:
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": token["refresh_token"],
        "scope": token["scope"],
        "authorized_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
