"""Spotify's accounts service: an app, the consents users gave it, and the access tokens they are exchanged for.

Sources: https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens and
https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration.
"""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.spotify.errors import ApiError, OAuthError

REFRESH_TOKEN_LIFE = timedelta(days=183)
"""From the consent; refreshing does not extend it."""
ACCESS_TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class _Token:
    scopes: frozenset[str]
    expires_at: datetime


class Accounts:
    """One app and its tokens."""

    def __init__(self) -> None:
        self.client_id = secrets.token_hex(16)
        self.client_secret = secrets.token_hex(16)
        self._refresh_tokens: dict[str, _Token] = {}
        self._access_tokens: dict[str, _Token] = {}

    def authorize(self, scopes: Iterable[str], now: datetime) -> str:
        """Let the user consent to scopes, and return the refresh token."""
        token = f"AQ{secrets.token_urlsafe(48)}"
        self._refresh_tokens[token] = _Token(frozenset(scopes), now + REFRESH_TOKEN_LIFE)
        return token

    def revoke(self, refresh_token: str) -> None:
        """Let the user take back a consent: neither its refresh token nor its access tokens are good any more."""
        del self._refresh_tokens[refresh_token]
        self._access_tokens.clear()

    def exchange(self, authorization: str, form: Mapping[str, str], now: datetime) -> dict[str, object]:
        """Answer `POST /api/token`.

        Args:
            authorization: header of that name, with the app's id and secret.
            form: what was posted.
            now: moment of the request.

        Raises:
            OAuthError: wrong app, another grant than `refresh_token`, or a token that is unknown or too old.
        """
        self._check_client(authorization)
        if form.get("grant_type") != "refresh_token":
            raise OAuthError(
                "unsupported_grant_type", "grant_type must be refresh_token: the simulator models no other"
            )
        consent = self._refresh_tokens.get(form.get("refresh_token", ""))
        if consent is None:
            raise OAuthError("invalid_grant", "Refresh token revoked")
        if now >= consent.expires_at:
            raise OAuthError("invalid_grant", "Refresh token expired")
        token = f"BQ{secrets.token_urlsafe(48)}"
        self._access_tokens[token] = _Token(consent.scopes, now + ACCESS_TOKEN_LIFE)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
            "scope": " ".join(sorted(consent.scopes)),
        }

    def scopes(self, authorization: str, now: datetime) -> frozenset[str]:
        """Return what a request may do.

        Args:
            authorization: header of that name, with an access token.
            now: moment of the request.

        Raises:
            ApiError: 401, the token is missing, unknown or too old.
        """
        kind, _, access_token = authorization.partition(" ")
        if kind != "Bearer" or not access_token:
            raise ApiError(401, "No token provided")
        token = self._access_tokens.get(access_token)
        if token is None:
            raise ApiError(401, "Invalid access token")
        if now >= token.expires_at:
            raise ApiError(401, "The access token expired")
        return token.scopes

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
