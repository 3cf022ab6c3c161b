"""Spotify's accounts service as the login needs it: the address of the consent page, and tokens.

Sources: https://developer.spotify.com/documentation/web-api/tutorials/code-flow,
https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow and
https://developer.spotify.com/documentation/web-api/tutorials/client-credentials-flow.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

from cli.errors import CommandError
from cli.text import quoted

_OF_AN_APP = re.compile(r"[A-Za-z0-9]+")
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class SpotifyApp:
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


class TokenRefusedError(Exception):
    """Spotify gave no token; the message is what it said, fit for a clause."""


class Consent:
    """One question for the user's consent, with the secrets that tie the answer and the token to it.

    PKCE stands beside the app's secret (https://datatracker.ietf.org/doc/html/rfc9700#section-2.1.1): a code that
    somebody else catches or slips in is worth nothing without the verifier, which never leaves this process before.
    """

    def __init__(self, app: SpotifyApp, scopes: Sequence[str], redirect_uri: str) -> None:
        self.state = secrets.token_urlsafe(32)
        self._app = app
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._verifier = secrets.token_urlsafe(64)

    def url(self, accounts_url: str) -> str:
        """The address of the page where the user consents."""
        challenge = urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": self._app.client_id,
            "response_type": "code",
            "redirect_uri": self._redirect_uri,
            **({"scope": " ".join(self._scopes)} if self._scopes else {}),
            "state": self.state,
            "code_challenge_method": "S256",
            "code_challenge": challenge,
        }
        return f"{accounts_url}authorize?{urlencode(query)}"

    def token(self, accounts_url: str, code: str) -> dict[str, str]:
        """Exchange the code of the answer; returns `refresh_token` and the granted `scope`.

        Raises:
            TokenRefusedError: Spotify does not take the code or the app.
            CommandError: Spotify does not answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": self._verifier,
        }
        answer = _token(self._app, accounts_url, form)
        refresh_token = answer.get("refresh_token")
        # Where nothing is said, it is what was asked for: https://datatracker.ietf.org/doc/html/rfc6749#section-5.1.
        scope = answer.get("scope", " ".join(self._scopes))
        if not (isinstance(refresh_token, str) and refresh_token and isinstance(scope, str)):
            raise TokenRefusedError("its answer holds no refresh token")
        return {"refresh_token": refresh_token, "scope": scope}


def check_app(app: SpotifyApp, accounts_url: str) -> None:
    """Ask for a token without a user, and forget it.

    Raises:
        TokenRefusedError: Spotify does not take the app.
        CommandError: Spotify does not answer.
    """
    _token(app, accounts_url, {"grant_type": "client_credentials"})


def _token(app: SpotifyApp, accounts_url: str, form: Mapping[str, str]) -> dict[str, Any]:
    try:
        answer = requests.post(
            f"{accounts_url}api/token",
            data=form,
            auth=(app.client_id, app.client_secret),
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise CommandError("Spotify's login does not answer: check the network and try again.") from error
    if answer.status_code >= 500:
        raise CommandError(f"Spotify's login has a fault of its own (status {answer.status_code}): try again later.")
    try:
        content = answer.json()
    except requests.JSONDecodeError:
        content = answer.text
    if not isinstance(content, dict):
        raise TokenRefusedError(f"status {answer.status_code}: {quoted(content)}")
    if answer.status_code != 200 or not content.get("access_token"):
        said = [quoted(content[name]) for name in ("error", "error_description") if content.get(name)]
        raise TokenRefusedError(": ".join(said) or f"status {answer.status_code}")
    return content
