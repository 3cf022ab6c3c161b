"""The login: consent in a browser, or the app alone, into the stack's secret."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyException, SpotifyOauthError, SpotifyStateError
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth

from cli.errors import CommandError
from handlers.streams import READABLE_STREAMS, scopes

_OF_AN_APP = re.compile(r"[A-Za-z0-9]+")
_TIMEOUT_SECONDS = 20
_LONGEST_SAID = 200


@dataclass(frozen=True)
class App:
    """An app of Spotify's developer dashboard.

    Raises:
        CommandError: the id or the secret cannot be one of Spotify's.
    """

    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("id", self.client_id), ("secret", self.client_secret)):
            if not _OF_AN_APP.fullmatch(value):
                raise CommandError(
                    f"The client {name} is not letters and digits alone: copy it again from your app's page on the "
                    "dashboard."
                )


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
    app: App,
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
    console.print(f"Logged in. The next scheduled run uses the token in {secret_name}; it lasts six months.")
    if missing := set(asked) - set(token["scope"].split()):
        console.print(f"Spotify granted less than asked: {', '.join(sorted(missing))} is missing; log in again for it.")


def log_in_app(secret_name: str, app: App, *, accounts_url: str, console: Console) -> None:
    """Check the app at Spotify and keep it in the secret; there is no user and no consent.

    Raises:
        CommandError: Spotify does not take the app, Spotify or AWS did not answer, or there is no such secret.
    """

    def secret() -> dict[str, str]:
        _check_app(app, accounts_url)
        return {"client_id": app.client_id, "client_secret": app.client_secret}

    _fill(secret_name, secret)
    console.print(f"Spotify takes the app. The next scheduled run uses what is in {secret_name}.")


def _fill(secret_name: str, content: Callable[[], dict[str, str]]) -> None:
    try:
        client = boto3.client("secretsmanager")
    except (BotoCoreError, ValueError) as error:  # A region that makes no address is a ValueError.
        raise CommandError(f"AWS cannot be asked ({error}): check credentials and region.") from error
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
        raise CommandError(f"AWS did not take the login ({error}): check credentials and region.") from error


def _check_redirect_uri(redirect_uri: str) -> None:
    # Of `localhost` Spotify's page only says that it is refused, and the command would wait for ever.
    try:
        parts = urlsplit(redirect_uri)
        fits = parts.scheme == "http" and parts.hostname == "127.0.0.1" and parts.port and not parts.username
    except ValueError:
        fits = False
    if not fits:
        raise CommandError(
            f"--redirect-uri is {redirect_uri!r}, but must be http://127.0.0.1:<port>/<path>, exactly as the app lists "
            "it on Spotify's dashboard."
        )


class _Consent(SpotifyOAuth):  # type: ignore[misc] # spotipy ships no types
    """Spotipy's own notes what was asked for as the token's scope; this one notes what was granted."""

    def get_auth_response(self, open_browser: bool | None = None) -> str:
        try:
            code: str = super().get_auth_response(open_browser)
        except TypeError as error:
            # Of an answer without any state spotipy fails to make its error.
            raise SpotifyStateError(self.state, "nothing") from error
        return code

    def _add_custom_values_to_token_info(self, token_info: dict[str, Any]) -> dict[str, Any]:
        # Where nothing is said, it is what was asked for: https://datatracker.ietf.org/doc/html/rfc6749#section-5.1.
        granted = token_info.get("scope", self.scope)
        return {**super()._add_custom_values_to_token_info(token_info), "scope": granted}


def _consented_token(
    app: App,
    asked: tuple[str, ...],
    open_browser: bool,
    accounts_url: str,
    redirect_uri: str,
    console: Console,
) -> dict[str, str]:
    # `state` is what ties the answer to this question: without one spotipy takes any request to the port for it.
    cache = MemoryCacheHandler()
    auth = _Consent(
        client_id=app.client_id,
        client_secret=app.client_secret,
        redirect_uri=redirect_uri,
        scope=list(asked),
        state=secrets.token_urlsafe(16),
        open_browser=open_browser,
        cache_handler=cache,
        requests_timeout=_TIMEOUT_SECONDS,
    )
    auth.OAUTH_AUTHORIZE_URL = f"{accounts_url}authorize"
    auth.OAUTH_TOKEN_URL = f"{accounts_url}api/token"
    if open_browser:  # Without, spotipy says the address where it asks for that of the answer.
        console.print(
            f"Spotify asks for your consent in the browser. If none opens: {auth.get_authorize_url()}", soft_wrap=True
        )
    try:
        auth.get_access_token(auth.get_auth_response(), as_dict=False, check_cache=False)
    except SpotifyStateError as error:
        raise CommandError(
            "Spotify did not give a token: what came back is no answer to this login; run the command again, and where "
            "it asks for the address you end up at, paste the whole of it."
        ) from error
    except (SpotifyOauthError, SpotifyException) as error:
        if getattr(error, "error", None) == "access_denied":
            raise CommandError(
                "Spotify did not give a token, as the consent was refused in the browser: run the command again and "
                "agree, or name fewer streams with --streams."
            ) from error
        raise CommandError(
            f"Spotify did not give a token ({_said(error)}): check the app's client id, its secret and that it lists "
            f"the redirect URI {redirect_uri}."
        ) from error
    except requests.RequestException as error:
        raise _no_answer() from error
    except OSError as error:
        raise CommandError(
            f"The port of {redirect_uri} is taken ({error.strerror}): end what uses it, or pass another --redirect-uri."
        ) from error
    token: dict[str, str] = cache.get_cached_token()
    return token


def _check_app(app: App, accounts_url: str) -> None:
    auth = SpotifyClientCredentials(
        client_id=app.client_id,
        client_secret=app.client_secret,
        cache_handler=MemoryCacheHandler(),
        requests_timeout=_TIMEOUT_SECONDS,
    )
    auth.OAUTH_TOKEN_URL = f"{accounts_url}api/token"
    try:
        auth.get_access_token(as_dict=False, check_cache=False)
    except SpotifyOauthError as error:
        raise CommandError(
            f"Spotify does not take the app ({_said(error)}): check its client id and its secret on the dashboard."
        ) from error
    except requests.RequestException as error:
        raise _no_answer() from error


def _said(error: Exception) -> str:
    # Where an answer is no JSON, spotipy quotes the whole page.
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}…"


def _no_answer() -> CommandError:
    return CommandError("Spotify's login does not answer: check the network and try again.")


def _secret(app: App, token: dict[str, str]) -> dict[str, str]:
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": token["refresh_token"],
        "scope": token["scope"],
        "authorized_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
