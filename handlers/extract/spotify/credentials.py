"""The secret that `spotify-etl login` fills: read once per run, updated when Spotify rotates the refresh token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.extract import times
from handlers.extract.logs import LOG
from handlers.extract.spotify.errors import AppForbiddenError
from handlers.streams import AuthMode, Stream

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LOGIN_COMMANDS: Mapping[AuthMode, str] = {"user": "spotify-etl login", "app": "spotify-etl login --app"}
"""The commands that fill the secret."""

_APP = ("client_id", "client_secret")
_CONSENT = "refresh_token"


class NotLoggedInError(Exception):
    """Nobody has logged in yet: the secret is empty, as the stack creates it."""


class MalformedSecretError(Exception):
    """The secret does not hold a login."""


class ScopeError(AppForbiddenError):
    """The consent does not include a scope that a stream needs, so nothing was requested."""

    def __init__(self, stream: Stream, missing: Sequence[str]) -> None:
        super().__init__(
            f"The consent lacks scopes for {stream.name} ({' '.join(missing)}): run `spotify-etl login` again."
        )


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An app and the consent of its user; the `repr` shows nothing of it."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    """Empty if there is no user (`authMode: app`)."""
    scopes: frozenset[str] | None = field(default=None, repr=False)
    """Scopes that the user granted; None if the secret does not say."""
    authorized_at: datetime | None = field(default=None, repr=False)
    """Time of the consent; None if the secret does not say."""

    @property
    def fingerprint(self) -> str:
        """A hash that tells logins apart without revealing the token."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:16]

    def is_same_login(self, other: Credentials) -> bool:
        """Return whether both are the same consent to the same app, whatever its refresh token is by now."""
        return (self.client_id, self.client_secret, self.scopes, self.authorized_at) == (
            other.client_id,
            other.client_secret,
            other.scopes,
            other.authorized_at,
        )


def missing_scopes(credentials: Credentials, stream: Stream) -> tuple[str, ...]:
    """Return the stream's scopes that were not granted; none if the consent is unknown."""
    granted = credentials.scopes
    return () if granted is None else tuple(scope for scope in stream.scopes if scope not in granted)


class Secret:
    """The secret in Secrets Manager."""

    def __init__(self, client: SecretsManagerClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def read(self, auth_mode: AuthMode = "user") -> Credentials:
        """Read the current login.

        Args:
            auth_mode: with `app` only the app is read; a consent in the secret is ignored.

        Raises:
            NotLoggedInError: the secret is empty.
            MalformedSecretError: it is not what `spotify-etl login` writes.
        """
        content = self._content(auth_mode)
        required = _APP if auth_mode == "app" else (*_APP, _CONSENT)
        for name in required:
            value = content.get(name)
            if not isinstance(value, str) or not value.strip():
                raise _malformed(f"{name} is missing", auth_mode)
            # spotipy would fail with an error that quotes it.
            if not value.isascii():
                raise _malformed(f"{name} has non-ASCII characters", auth_mode)
        client_id, client_secret = (content[name] for name in _APP)
        if auth_mode == "app":
            return Credentials(client_id=client_id, client_secret=client_secret, refresh_token="")
        return Credentials(
            client_id=client_id,
            client_secret=client_secret,
            refresh_token=content[_CONSENT],
            scopes=_scopes(content.get("scope")),
            authorized_at=_authorized_at(content),
        )

    def reload(self, auth_mode: AuthMode = "user") -> Credentials | None:
        """Read the login again; log and return None if that fails."""
        try:
            return self.read(auth_mode)
        except (BotoCoreError, ClientError, NotLoggedInError, MalformedSecretError) as error:
            LOG.warning("The Spotify secret could not be reloaded.", extra={"cause": type(error).__name__})
            return None

    def replace_token(self, old: str, new: str) -> None:
        """Store a rotated refresh token, unless another login has replaced the old one meanwhile.

        A failure is only logged, since the current tokens last for this invocation.
        """
        try:
            content = self._content("user")
            if content.get("refresh_token") != old:
                LOG.warning("Another login has replaced the refresh token: the rotated one was dropped.")
                return
            content["refresh_token"] = new
            self._client.put_secret_value(SecretId=self._arn, SecretString=json.dumps(content))
        except (BotoCoreError, ClientError, NotLoggedInError, MalformedSecretError) as error:
            LOG.error(
                "The rotated refresh token could not be stored: if later runs fail with invalid_grant, "
                "run `spotify-etl login` again.",
                extra={"cause": type(error).__name__},
            )
            return
        LOG.info("Spotify rotated the refresh token: the secret holds the new one.")

    def _content(self, auth_mode: AuthMode) -> dict[str, Any]:
        try:
            text = self._client.get_secret_value(SecretId=self._arn).get("SecretString", "")
        except self._client.exceptions.ResourceNotFoundException as error:
            # A missing secret has the same error code; only the message differs.
            if "staging label" in error.response["Error"].get("Message", ""):
                raise NotLoggedInError from error
            raise
        if not text.strip():
            raise NotLoggedInError
        try:
            content = json.loads(text)
        except ValueError:
            # The error would quote the secret.
            raise _malformed("it is not valid JSON", auth_mode) from None
        if not isinstance(content, dict):
            raise _malformed("it is not a JSON object", auth_mode)
        if not content:
            raise NotLoggedInError
        return content


def _scopes(text: object) -> frozenset[str] | None:
    return frozenset(text.split()) if isinstance(text, str) else None


def _authorized_at(content: dict[str, Any]) -> datetime | None:
    text = content.get("authorized_at")
    moment = times.parse(text)
    if moment is None and text is not None:
        LOG.warning(
            "The secret's authorized_at is not a time, so there will be no warning before the login expires: "
            "run `spotify-etl login` again."
        )
    return moment


def _malformed(what: str, auth_mode: AuthMode) -> MalformedSecretError:
    command = LOGIN_COMMANDS[auth_mode]
    return MalformedSecretError(f"The Spotify secret is not what `{command}` writes ({what}): run `{command}` again.")
