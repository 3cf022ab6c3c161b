"""Spotify's accounts service: an app, users' consents, and the access tokens issued for them.

Sources: https://developer.spotify.com/documentation/web-api/tutorials/code-flow,
https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow (here always beside the app's secret),
https://developer.spotify.com/documentation/web-api/tutorials/client-credentials-flow,
https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens and
https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from spotify_simulator.web.behaviour import Behaviour
from spotify_simulator.web.errors import ApiError, ConsentPageError, OAuthError, UnmodelledError

REFRESH_TOKEN_LIFE = timedelta(days=183)
"""From the consent; refreshing does not extend it."""
ACCESS_TOKEN_LIFE = timedelta(hours=1)
_CODE_LIFE = timedelta(minutes=10)
# The parameters of the consent page; others belong to flows that are not modelled.
_PAGE_PARAMETERS = frozenset(
    {
        *("client_id", "response_type", "redirect_uri", "scope", "state", "show_dialog"),
        *("code_challenge", "code_challenge_method"),
    }
)
# The base64url of a SHA-256, and what it may be the hash of: https://datatracker.ietf.org/doc/html/rfc7636#section-4.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass
class _Consent:
    scopes: frozenset[str]
    expires_at: datetime
    refresh_token: str | None
    """The only valid one; None once the user has revoked the consent."""


@dataclass(frozen=True)
class _AccessToken:
    consent: _Consent | None
    """None if the app acts for itself, without a user."""
    expires_at: datetime


@dataclass(frozen=True)
class _Code:
    scopes: frozenset[str]
    redirect_uri: str
    made: datetime
    challenge: str | None
    """For PKCE; None if the login sent none."""


@dataclass(frozen=True)
class Bearer:
    """Who makes a request to the Web API."""

    has_user: bool
    scopes: frozenset[str]


class Accounts:
    """One app and its tokens.

    Args:
        behaviour: how Spotify treats the app.
        client: id and secret of the app; random by default.
    """

    def __init__(self, behaviour: Behaviour, client: tuple[str, str] | None = None) -> None:
        self.client_id, self.client_secret = client or (secrets.token_hex(16), secrets.token_hex(16))
        self._behaviour = behaviour
        # By every refresh token that a consent has ever had.
        self._consents: dict[str, _Consent] = {}
        self._access_tokens: dict[str, _AccessToken] = {}
        self._codes: dict[str, _Code] = {}

    def authorize(self, scopes: Iterable[str], now: datetime) -> str:
        """Let the user consent to scopes, and return the refresh token."""
        consent = _Consent(frozenset(scopes), now + REFRESH_TOKEN_LIFE, None)
        return self._new_refresh_token(consent)

    def restore_consent(self, refresh_token: str, scopes: Iterable[str], consented_at: datetime) -> None:
        """Accept a refresh token that an earlier instance issued for the same app."""
        consent = _Consent(frozenset(scopes), consented_at + REFRESH_TOKEN_LIFE, refresh_token)
        self._consents[refresh_token] = consent

    def revoke(self, refresh_token: str) -> None:
        """Let the user revoke a consent, which invalidates its refresh token and its access tokens."""
        self._consents[refresh_token].refresh_token = None

    def expire_access_tokens(self, now: datetime) -> None:
        """Expire every access token issued so far."""
        for token, known in self._access_tokens.items():
            self._access_tokens[token] = _AccessToken(known.consent, min(known.expires_at, now))

    def ask_consent(self, query: Mapping[str, str], now: datetime) -> str:
        """Handle `GET /authorize` as if the user had clicked, and return the URL to redirect to.

        Raises:
            ConsentPageError: the app or the redirect URI is unknown, or the request is invalid, and there is no
            redirect.
            UnmodelledError: a parameter is not modelled.
        """
        others = sorted(set(query) - _PAGE_PARAMETERS)
        if others:
            raise UnmodelledError(f"the parameter {others[0]!r} of /authorize", 400)
        if query.get("client_id") != self.client_id:
            raise ConsentPageError("INVALID_CLIENT: Invalid client")
        redirect_uri = query.get("redirect_uri", "")
        registered = self._behaviour.redirect_uris
        if not (_may_be_registered(redirect_uri) if registered is None else redirect_uri in registered):
            raise ConsentPageError("INVALID_CLIENT: Invalid redirect URI")
        if query.get("response_type") != "code":
            raise ConsentPageError("response_type must be code")
        challenge = query.get("code_challenge")
        if (challenge is None) != ("code_challenge_method" not in query):
            raise ConsentPageError("code_challenge and code_challenge_method must be sent together")
        if challenge is not None and query["code_challenge_method"] != "S256":
            raise ConsentPageError("code_challenge_method must be S256")
        if challenge is not None and not _CHALLENGE.fullmatch(challenge):
            raise ConsentPageError("code_challenge must be the base64url of a SHA-256")
        answer = {"error": "access_denied"}
        if self._behaviour.consent:
            code = f"AQ{secrets.token_urlsafe(96)}"
            self._codes[code] = _Code(frozenset(query.get("scope", "").split()), redirect_uri, now, challenge)
            answer = {"code": code}
        if "state" in query:
            answer["state"] = query["state"]
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"

    def exchange(self, authorization: str, form: Mapping[str, str], now: datetime) -> dict[str, object]:
        """Handle `POST /api/token`.

        Args:
            authorization: the header, with the app's id and secret.
            form: the form data.
            now: time of the request.

        Raises:
            OAuthError: wrong app, a grant that is not modelled, or an invalid token or code.
        """
        self._check_client(authorization)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self._new_access_token(None, now)
        if grant == "authorization_code":
            consent = self._consented(form, now)
            return {**self._new_access_token(consent, now), "refresh_token": consent.refresh_token}
        if grant == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""), now)
        raise OAuthError("unsupported_grant_type", "grant_type parameter is missing or not supported")

    def bearer(self, authorization: str, now: datetime) -> Bearer:
        """Return who makes a request.

        Args:
            authorization: the header, with an access token.
            now: time of the request.

        Raises:
            ApiError: 401, the token is missing, unknown or expired.
        """
        kind, _, access_token = authorization.partition(" ")
        if kind != "Bearer" or not access_token:
            raise ApiError(401, "No token provided")
        token = self._access_tokens.get(access_token)
        if token is None or (token.consent is not None and token.consent.refresh_token is None):
            raise ApiError(401, "Invalid access token")
        if now >= token.expires_at:
            raise ApiError(401, "The access token expired")
        return Bearer(token.consent is not None, token.consent.scopes if token.consent else frozenset())

    def _consented(self, form: Mapping[str, str], now: datetime) -> _Consent:
        """Return the consent for a code; a code can be used once."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None:
            raise OAuthError("invalid_grant", "Invalid authorization code")
        if now >= code.made + _CODE_LIFE:
            raise OAuthError("invalid_grant", "Authorization code expired")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError("invalid_grant", "Invalid redirect URI")
        _check_verifier(code.challenge, form.get("code_verifier"))
        consent = _Consent(code.scopes, code.made + REFRESH_TOKEN_LIFE, None)
        self._new_refresh_token(consent)
        return consent

    def _refreshed(self, refresh_token: str, now: datetime) -> dict[str, object]:
        consent = self._consents.get(refresh_token)
        if consent is None:
            raise OAuthError("invalid_grant", "Invalid refresh token")
        if consent.refresh_token != refresh_token:
            raise OAuthError("invalid_grant", "Refresh token revoked")
        if now >= consent.expires_at:
            raise OAuthError("invalid_grant", "Refresh token expired")
        answer = self._new_access_token(consent, now)
        if self._behaviour.rotate_refresh_tokens:
            answer["refresh_token"] = self._new_refresh_token(consent)
        return answer

    def _new_refresh_token(self, consent: _Consent) -> str:
        consent.refresh_token = token = f"AQ{secrets.token_urlsafe(48)}"
        self._consents[token] = consent
        return token

    def _new_access_token(self, consent: _Consent | None, now: datetime) -> dict[str, object]:
        token = f"BQ{secrets.token_urlsafe(48)}"
        self._access_tokens[token] = _AccessToken(consent, now + ACCESS_TOKEN_LIFE)
        answer: dict[str, object] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
        }
        if consent is not None:
            answer["scope"] = " ".join(sorted(consent.scopes))
        return answer

    def _check_client(self, authorization: str) -> None:
        kind, _, encoded = authorization.partition(" ")
        try:
            client_id, _, client_secret = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            raise OAuthError("invalid_client", "Invalid client") from None
        if kind != "Basic" or client_id != self.client_id:
            raise OAuthError("invalid_client", "Invalid client")
        if client_secret != self.client_secret:
            raise OAuthError("invalid_client", "Invalid client secret")


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    """Check the code verifier against the challenge of the login.

    Raises:
        OAuthError: the verifier is missing, does not match the challenge, or there was no challenge.
    """
    if challenge is not None and verifier is None:
        raise OAuthError("invalid_request", "code_verifier required")
    hashed = None if verifier is None else urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if hashed != challenge or (verifier is not None and not _VERIFIER.fullmatch(verifier)):
        raise OAuthError("invalid_grant", "code_verifier was incorrect")


def _may_be_registered(redirect_uri: str) -> bool:
    """Return whether Spotify accepts a redirect URI: without TLS only a loopback IP address, and not `localhost`.

    Source: https://developer.spotify.com/documentation/web-api/concepts/redirect_uri
    """
    address = urlsplit(redirect_uri)
    if address.scheme == "https":
        return address.hostname not in (None, "localhost")
    try:
        return address.scheme == "http" and ip_address(address.hostname or "").is_loopback
    except ValueError:
        return False
