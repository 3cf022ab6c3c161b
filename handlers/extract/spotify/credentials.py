"""The secret that `spotify-etl login` fills: read once per run, updated when Spotify rotates the refresh token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.extract.logs import LOG
from handlers.extract.spotify.errors import AppForbiddenError
from handlers.login_secret import (
    Credentials,
    MalformedSecretError,
    NotLoggedInError,
    read_content,
    read_credentials,
    with_token,
)
from handlers.streams import AuthMode, Stream

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

LOGIN_COMMANDS: Mapping[AuthMode, str] = {"user": "spotify-etl login", "app": "spotify-etl login --app"}
"""The commands that fill the secret."""


class ScopeError(AppForbiddenError):
    """The consent does not include a scope that a stream needs, so nothing was requested."""

    def __init__(self, stream: Stream, missing: Sequence[str]) -> None:
        super().__init__(
            f"The consent lacks scopes for {stream.name} ({' '.join(missing)}): run `spotify-etl login` again."
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
        try:
            credentials = read_credentials(content, auth_mode)
        except MalformedSecretError as error:
            raise _malformed(error, auth_mode) from None
        if auth_mode == "user" and credentials.authorized_at is None and content.get("authorized_at") is not None:
            LOG.warning(
                "The secret's authorized_at is not a time, so there will be no warning before the login expires: "
                "run `spotify-etl login` again."
            )
        return credentials

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
            text = with_token(self._content("user"), old, new)
            if text is None:
                LOG.warning("Another login has replaced the refresh token: the rotated one was dropped.")
                return
            self._client.put_secret_value(SecretId=self._arn, SecretString=text)
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
        try:
            return read_content(text)
        except MalformedSecretError as error:
            raise _malformed(error, auth_mode) from None


def _malformed(what: MalformedSecretError, auth_mode: AuthMode) -> MalformedSecretError:
    command = LOGIN_COMMANDS[auth_mode]
    return MalformedSecretError(f"The Spotify secret is not what `{command}` writes ({what}): run `{command}` again.")
