"""Consent: a browser, a loopback redirect, and the refresh token into the stack's secret."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyOAuth, SpotifyOauthError

from cli.errors import CommandError
from handlers.streams import default_streams, scopes


@dataclass(frozen=True)
class App:
    """An app of Spotify's developer dashboard."""

    client_id: str
    client_secret: str


def log_in(
    secret_name: str, app: App, *, open_browser: bool, accounts_url: str, redirect_uri: str, console: Console
) -> None:
    """Ask for consent in a browser and keep the refresh token in the secret, where the extract Lambda reads it.

    Raises:
        CommandError: consent was refused, Spotify or AWS did not answer, or there is no such secret.
    """
    client = boto3.client("secretsmanager")
    try:
        # Asked first: nobody should consent in a browser only to learn that the stack's name was wrong.
        client.describe_secret(SecretId=secret_name)
        token = _consented_token(app, open_browser, accounts_url, redirect_uri, console)
        client.put_secret_value(SecretId=secret_name, SecretString=json.dumps(_secret(app, token)))
    except client.exceptions.ResourceNotFoundException as error:
        raise CommandError(
            f"There is no secret {secret_name!r} in this account and region: "
            "`pulumi stack output spotify_secret_name` prints the name of the stack's."
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"AWS did not take the token ({error}): check credentials and region.") from error
    console.print(f"Logged in. The next scheduled run uses the token in {secret_name}; it lasts six months.")


def _consented_token(
    app: App, open_browser: bool, accounts_url: str, redirect_uri: str, console: Console
) -> dict[str, str]:
    # `state` is what ties the answer to this question: without one spotipy takes any request to the port for it.
    cache = MemoryCacheHandler()
    auth = SpotifyOAuth(
        client_id=app.client_id,
        client_secret=app.client_secret,
        redirect_uri=redirect_uri,
        scope=list(scopes(default_streams())),
        state=secrets.token_urlsafe(16),
        open_browser=open_browser,
        cache_handler=cache,
        requests_timeout=20,
    )
    auth.OAUTH_AUTHORIZE_URL = f"{accounts_url}authorize"
    auth.OAUTH_TOKEN_URL = f"{accounts_url}api/token"
    console.print(
        f"Spotify asks for your consent in the browser. If none opens: {auth.get_authorize_url()}", soft_wrap=True
    )
    try:
        auth.get_access_token(auth.get_auth_response(), as_dict=False, check_cache=False)
    except (SpotifyOauthError, SpotifyException) as error:
        raise CommandError(
            f"Spotify did not give a token ({error}): check the app's client id, its secret and that it lists the "
            f"redirect URI {redirect_uri}."
        ) from error
    except requests.RequestException as error:
        raise CommandError("Spotify's login does not answer: check the network and try again.") from error
    except OSError as error:
        raise CommandError(
            f"The port of {redirect_uri} is taken ({error.strerror}): end what uses it, or pass another --redirect-uri."
        ) from error
    token: dict[str, str] = cache.get_cached_token()
    return token


def _secret(app: App, token: dict[str, str]) -> dict[str, str]:
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": token["refresh_token"],
        "scope": token["scope"],
        "authorized_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
