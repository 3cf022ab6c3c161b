"""The Spotify accounts service, as far as the login needs it: the URL of the consent page, and tokens.

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

_CREDENTIAL = re.compile(r"[A-Za-z0-9]+")
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class SpotifyApp:
    """An app of Spotify's developer dashboard.

    Raises:
        CommandError: the id or the secret does not look like one of Spotify's.
    """

    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("id", self.client_id), ("secret", self.client_secret)):
            if not _CREDENTIAL.fullmatch(value):
                raise CommandError(
                    f"The client {name} must consist of letters and digits: copy it again from your app's page on the "
                    "dashboard."
                )


class TokenRefusedError(Exception):
    """Spotify issued no token; the message is Spotify's, as a clause."""


class Consent:
    """A request for the user's consent, with the secrets that tie the response and the token to it.

    It uses PKCE in addition to the app's secret (https://datatracker.ietf.org/doc/html/rfc9700#section-2.1.1): a code
    that is intercepted or injected is useless without the verifier, which stays in this process until then.
    """

    def __init__(self, app: SpotifyApp, scopes: Sequence[str], redirect_uri: str) -> None:
        self.state = secrets.token_urlsafe(32)
        self._app = app
        self._scopes = scopes
        self._redirect_uri = redirect_uri
        self._verifier = secrets.token_urlsafe(64)

    def url(self, accounts_url: str) -> str:
        """Return the URL of the page where the user gives consent."""
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

    def request_token(self, accounts_url: str, code: str) -> dict[str, str]:
        """Exchange a code for a token; return `refresh_token` and the granted `scope`.

        Raises:
            TokenRefusedError: Spotify rejected the code or the app.
            CommandError: Spotify did not respond.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": self._verifier,
        }
        response = _request_token(self._app, accounts_url, form)
        refresh_token = response.get("refresh_token")
        # Without a scope in the response, it is the requested one: https://datatracker.ietf.org/doc/html/rfc6749#section-5.1.
        scope = response.get("scope", " ".join(self._scopes))
        if not (isinstance(refresh_token, str) and refresh_token and isinstance(scope, str)):
            raise TokenRefusedError("its response has no refresh token")
        return {"refresh_token": refresh_token, "scope": scope}


def check_app(app: SpotifyApp, accounts_url: str) -> None:
    """Check an app's credentials by requesting a token without a user.

    Raises:
        TokenRefusedError: Spotify rejected the app.
        CommandError: Spotify did not respond.
    """
    _request_token(app, accounts_url, {"grant_type": "client_credentials"})


def refresh_consent(app: SpotifyApp, refresh_token: str, accounts_url: str) -> str:
    """Check a user's consent by requesting an access token; return the refresh token that is valid from now on.

    Raises:
        TokenRefusedError: Spotify rejected the app, or the consent has ended.
        CommandError: Spotify did not respond.
    """
    response = _request_token(app, accounts_url, {"grant_type": "refresh_token", "refresh_token": refresh_token})
    # Spotify may replace the refresh token: https://datatracker.ietf.org/doc/html/rfc6749#section-6.
    replaced = response.get("refresh_token")
    return replaced if isinstance(replaced, str) and replaced else refresh_token


def _request_token(app: SpotifyApp, accounts_url: str, form: Mapping[str, str]) -> dict[str, Any]:
    try:
        response = requests.post(
            f"{accounts_url}api/token",
            data=form,
            auth=(app.client_id, app.client_secret),
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise CommandError("Spotify's accounts service does not respond: check the network and try again.") from error
    if response.status_code >= 500:
        raise CommandError(f"Spotify's accounts service failed (status {response.status_code}): try again later.")
    try:
        content = response.json()
    except requests.JSONDecodeError:
        content = response.text
    if not isinstance(content, dict):
        raise TokenRefusedError(f"status {response.status_code}: {quoted(content)}")
    if response.status_code != 200 or not content.get("access_token"):
        messages = [quoted(content[name]) for name in ("error", "error_description") if content.get(name)]
        raise TokenRefusedError(": ".join(messages) or f"status {response.status_code}")
    return content
