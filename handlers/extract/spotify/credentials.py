"""The secret that `spotify-etl login` fills: read once a run, written back when Spotify rotates the token."""

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
"""What fills the secret."""

_APP = ("client_id", "client_secret")
_CONSENT = "refresh_token"


class NotLoggedInError(Exception):
    """Nobody has logged in yet: the secret is empty, as the stack makes it."""


class MalformedSecretError(Exception):
    """The secret holds something else than a login."""


class ScopeError(AppForbiddenError):
    """The consent lacks what a stream needs, so that nothing was asked."""

    def __init__(self, stream: Stream, missing: Sequence[str]) -> None:
        super().__init__(
            f"The consent lacks what {stream.name} needs ({' '.join(missing)}): run `spotify-etl login` again."
        )


@dataclass(frozen=True)
class Credentials:
    """An app and the consent of its user; nothing of it ever shows in a `repr`."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    """Empty where there is no user (`authMode: app`)."""
    scopes: frozenset[str] | None = field(default=None, repr=False)
    """What the user consented to; None where the secret does not say."""
    authorized_at: datetime | None = field(default=None, repr=False)
    """When; None where the secret does not say."""

    @property
    def fingerprint(self) -> str:
        """Tells one login from another without giving the token away."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:16]

    def is_same_login(self, other: Credentials) -> bool:
        """Whether both come from one consent to one app, whichever refresh token it has led to."""
        return (self.client_id, self.client_secret, self.scopes, self.authorized_at) == (
            other.client_id,
            other.client_secret,
            other.scopes,
            other.authorized_at,
        )


def missing_scopes(credentials: Credentials, stream: Stream) -> tuple[str, ...]:
    """What of the stream's scopes the consent lacks; nothing where the consent is not known."""
    granted = credentials.scopes
    return () if granted is None else tuple(scope for scope in stream.scopes if scope not in granted)


class Secret:
    """The secret in Secrets Manager."""

    def __init__(self, client: SecretsManagerClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def read(self, auth_mode: AuthMode = "user") -> Credentials:
        """The present login.

        Args:
            auth_mode: `app` takes the app alone: a consent that lies in the secret does not count.

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
            # spotipy would fail on it with an error that quotes it.
            if not value.isascii():
                raise _malformed(f"{name} has characters that Spotify's do not have", auth_mode)
        client_id, client_secret = (content[name] for name in _APP)
        if auth_mode == "app":
            return Credentials(client_id, client_secret, "")
        return Credentials(
            client_id, client_secret, content[_CONSENT], _scopes(content.get("scope")), _authorized_at(content)
        )

    def reload(self, auth_mode: AuthMode = "user") -> Credentials | None:
        """The login as it is kept now; None where it cannot be read, which is logged."""
        try:
            return self.read(auth_mode)
        except (BotoCoreError, ClientError, NotLoggedInError, MalformedSecretError) as error:
            LOG.warning("The secret could not be read again.", extra={"cause": type(error).__name__})
            return None

    def replace_token(self, old: str, new: str) -> None:
        """Keep a rotated refresh token, unless another login has replaced the old one meanwhile.

        A secret that cannot be written is logged and ends nothing: the tokens at hand are good for this invocation.
        """
        try:
            content = self._content("user")
            if content.get("refresh_token") != old:
                LOG.warning("Another login has replaced the refresh token meanwhile; the rotated one is dropped.")
                return
            content["refresh_token"] = new
            self._client.put_secret_value(SecretId=self._arn, SecretString=json.dumps(content))
        except (BotoCoreError, ClientError, NotLoggedInError, MalformedSecretError) as error:
            LOG.error(
                "The rotated refresh token could not be kept: if later runs fail with invalid_grant, "
                "run `spotify-etl login` again.",
                extra={"cause": type(error).__name__},
            )
            return
        LOG.info("Spotify rotated the refresh token; the secret holds the new one.")

    def _content(self, auth_mode: AuthMode) -> dict[str, Any]:
        try:
            text = self._client.get_secret_value(SecretId=self._arn).get("SecretString", "")
        except self._client.exceptions.ResourceNotFoundException as error:
            # The same error code says that there is no secret at all; only the text tells them apart.
            if "staging label" in error.response["Error"].get("Message", ""):
                raise NotLoggedInError from error
            raise
        if not text.strip():
            raise NotLoggedInError
        try:
            content = json.loads(text)
        except ValueError:
            # The error would quote the secret.
            raise _malformed("it is no JSON", auth_mode) from None
        if not isinstance(content, dict):
            raise _malformed("it is no JSON object", auth_mode)
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
            "The secret's authorized_at is no time, so nothing will warn before the login expires: "
            "run `spotify-etl login` again."
        )
    return moment


def _malformed(what: str, auth_mode: AuthMode) -> MalformedSecretError:
    command = LOGIN_COMMANDS[auth_mode]
    return MalformedSecretError(f"The Spotify secret is not what `{command}` writes ({what}): run `{command}` again.")
