"""The secret that `spotify-etl login` fills: read once a run, written back when Spotify rotates the token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from spotipy.cache_handler import CacheHandler

from handlers.extract.logs import logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_REQUIRED = ("client_id", "client_secret", "refresh_token")


class NotLoggedInError(Exception):
    """Nobody has logged in yet: the secret is empty, as the stack makes it."""


class MalformedSecretError(Exception):
    """The secret holds something else than a login."""


@dataclass(frozen=True)
class Credentials:
    """An app and the consent of its user; nothing of it ever shows in a `repr`."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells one login from another without giving the token away."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:16]


class Secret:
    """The secret in Secrets Manager."""

    def __init__(self, client: SecretsManagerClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def read(self) -> Credentials:
        """The present login.

        Raises:
            NotLoggedInError: the secret is empty.
            MalformedSecretError: it is not what `spotify-etl login` writes.
        """
        content = self._content()
        wrong = [name for name in _REQUIRED if not isinstance(content.get(name), str) or not content[name].strip()]
        if wrong:
            raise _malformed(f"{wrong[0]} is missing")
        return Credentials(*(content[name] for name in _REQUIRED))

    def replace_token(self, old: str, new: str) -> None:
        """Keep a rotated refresh token, unless another login has replaced the old one meanwhile.

        A secret that cannot be written is logged and ends nothing: the tokens at hand are good for this invocation.
        """
        try:
            content = self._content()
            if content.get("refresh_token") != old:
                logger.warning("Another login has replaced the refresh token meanwhile; the rotated one is dropped.")
                return
            content["refresh_token"] = new
            self._client.put_secret_value(SecretId=self._arn, SecretString=json.dumps(content))
        except (BotoCoreError, ClientError, NotLoggedInError, MalformedSecretError) as error:
            logger.error(
                "The rotated refresh token could not be kept: if later runs fail with invalid_grant, "
                "run `spotify-etl login` again.",
                extra={"cause": type(error).__name__},
            )
            return
        logger.info("Spotify rotated the refresh token; the secret holds the new one.")

    def _content(self) -> dict[str, Any]:
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
            raise _malformed("it is no JSON") from None
        if not isinstance(content, dict):
            raise _malformed("it is no JSON object")
        if not content:
            raise NotLoggedInError
        return content


class TokenCache(CacheHandler):  # type: ignore[misc] # spotipy ships no types
    """Keeps the access token for one invocation and hands a rotated refresh token on.

    Args:
        refresh_token: where the first access token comes from.
        rotated: called with the old and the new refresh token.
    """

    def __init__(self, refresh_token: str, rotated: Callable[[str, str], None]) -> None:
        self._refresh_token = refresh_token
        self._rotated = rotated
        # `scope` must be there, or spotipy asks on the terminal; None is a subset of any consent.
        self._token: dict[str, Any] = {
            "access_token": "",
            "refresh_token": refresh_token,
            "expires_at": 0,
            "scope": None,
        }

    def get_cached_token(self) -> dict[str, Any]:
        """The token that spotipy works with."""
        return self._token

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Take what the token endpoint answered."""
        old = self._refresh_token
        self._refresh_token = token_info["refresh_token"] or old
        self._token = {**token_info, "refresh_token": self._refresh_token}
        if self._refresh_token != old:
            self._rotated(old, self._refresh_token)

    def forget_access_token(self) -> None:
        """Have the next request fetch a new access token."""
        self._token = {**self._token, "refresh_token": self._refresh_token, "expires_at": 0}


def _malformed(what: str) -> MalformedSecretError:
    return MalformedSecretError(
        f"The Spotify secret is not what `spotify-etl login` writes ({what}): run `spotify-etl login` again."
    )
