"""What the Spotify secret holds: `spotify-etl login` writes it, the extract function and the commands read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from handlers.layout import parse_time
from handlers.login_lifetime import LIFETIME_DAYS
from handlers.streams import AuthMode

_APP = ("client_id", "client_secret")
_CONSENT = "refresh_token"


class NotLoggedInError(Exception):
    """Nobody has logged in yet: the secret is empty, as the stack creates it."""


class MalformedSecretError(Exception):
    """The secret does not hold a login; the message says why and quotes nothing."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An app and the consent of its user; the `repr` shows nothing of it."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False, default="")
    """Empty if there is no user (`authMode: app`)."""
    scopes: frozenset[str] | None = field(default=None, repr=False)
    """Scopes that the user granted; None if the secret does not say."""
    authorized_at: datetime | None = field(default=None, repr=False)
    """Time of the consent; None if the secret does not say."""

    @property
    def fingerprint(self) -> str:
        """A hash that tells logins apart without revealing the token."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:16]

    @property
    def ends_on(self) -> date | None:
        """The date on which the consent ends; None without a user, or if nobody knows."""
        if self.authorized_at is None or not self.refresh_token:
            return None
        return (self.authorized_at + timedelta(days=LIFETIME_DAYS)).date()

    def is_same_login(self, other: Credentials) -> bool:
        """Return whether both are the same consent to the same app, whatever its refresh token is by now."""
        return (self.client_id, self.client_secret, self.scopes, self.authorized_at) == (
            other.client_id,
            other.client_secret,
            other.scopes,
            other.authorized_at,
        )


def read_content(text: str) -> dict[str, Any]:
    """Return what the secret's text holds, with all that others have added to it.

    Raises:
        NotLoggedInError: nothing.
        MalformedSecretError: anything but a JSON object.
    """
    if not text.strip():
        raise NotLoggedInError
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        # The error would quote the secret.
        raise MalformedSecretError("it is not valid JSON") from None
    if not isinstance(content, dict):
        raise MalformedSecretError("it is not a JSON object")
    if not content:
        raise NotLoggedInError
    return content


def read_credentials(content: Mapping[str, Any], auth_mode: AuthMode) -> Credentials:
    """Return the login that the secret holds.

    Args:
        content: what the secret holds.
        auth_mode: with `app` only the app is read; a consent in the secret is ignored.

    Raises:
        MalformedSecretError: it is not what `spotify-etl login` writes.
    """
    for name in _APP if auth_mode == "app" else (*_APP, _CONSENT):
        value = content.get(name)
        if not isinstance(value, str) or not value.strip():
            raise MalformedSecretError(f"{name} is missing")
        # spotipy would fail with an error that quotes it.
        if not value.isascii():
            raise MalformedSecretError(f"{name} has non-ASCII characters")
    app = {name: content[name] for name in _APP}
    if auth_mode == "app":
        return Credentials(**app)
    scope = content.get("scope")
    return Credentials(
        **app,
        refresh_token=content[_CONSENT],
        scopes=frozenset(scope.split()) if isinstance(scope, str) else None,
        authorized_at=parse_time(content.get("authorized_at")),
    )


def with_token(content: Mapping[str, Any], old: str, new: str) -> str | None:
    """Return the secret's text with a token that Spotify has replaced; None if it holds another than the old one."""
    return json.dumps({**content, _CONSENT: new}) if content.get(_CONSENT) == old else None
