"""The login in the stack's secret, as commands look at it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cli.errors import CommandError
from cli.moments import parse_moment
from cli.targets import Target, aws_errors
from handlers.login_lifetime import LIFETIME_DAYS


@dataclass(frozen=True, kw_only=True)
class StoredLogin:
    """What the secret holds."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False, default="")
    """Empty without a user (`authMode: app`)."""
    scopes: frozenset[str] | None = None
    """Scopes that the user granted; None if the secret does not say."""
    authorized_at: datetime | None = None
    """Time of the consent; None if the secret does not say."""

    @property
    def ends_on(self) -> date | None:
        """The date on which the consent ends; None without a user, or if nobody knows."""
        if self.authorized_at is None or not self.refresh_token:
            return None
        return (self.authorized_at + timedelta(days=LIFETIME_DAYS)).date()


class NoLoginError(Exception):
    """Nobody has logged in yet."""


class UnreadableLoginError(Exception):
    """The secret does not hold what `spotify-etl login` writes."""


def stored_login(target: Target) -> StoredLogin:
    """Return the login in the target's secret.

    Raises:
        NoLoginError: the secret is empty, as the stack creates it.
        UnreadableLoginError: it holds something else.
        CommandError: AWS refused the request.
    """
    client = target.client("secretsmanager")
    name = target.outputs["spotify_secret_name"]
    try:
        with aws_errors():
            text = client.get_secret_value(SecretId=name).get("SecretString", "")
    except CommandError as error:
        # A secret without a value has the same error code as a missing secret; only the message differs.
        if "staging label" in str(error):
            raise NoLoginError from error
        raise
    if not text.strip():
        raise NoLoginError
    try:
        content = json.loads(text)
    except ValueError:
        # The error would quote the secret.
        raise UnreadableLoginError from None
    if content == {}:
        raise NoLoginError
    parts = {name: content.get(name) for name in ("client_id", "client_secret")} if isinstance(content, dict) else {}
    if not parts or not all(isinstance(value, str) and value for value in parts.values()):
        raise UnreadableLoginError
    token, scope = content.get("refresh_token"), content.get("scope")
    return StoredLogin(
        client_id=content["client_id"],
        client_secret=content["client_secret"],
        refresh_token=token if isinstance(token, str) else "",
        scopes=frozenset(scope.split()) if isinstance(scope, str) else None,
        authorized_at=parse_moment(content.get("authorized_at")),
    )


def replace_token(target: Target, old: str, new: str) -> None:
    """Store a refresh token that Spotify has replaced, unless another login was stored meanwhile.

    Raises:
        CommandError: AWS refused a request.
    """
    client, name = target.client("secretsmanager"), target.outputs["spotify_secret_name"]
    with aws_errors("run `spotify-etl login` if the next run fails with invalid_grant"):
        content = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        if content.get("refresh_token") == old:
            client.put_secret_value(SecretId=name, SecretString=json.dumps({**content, "refresh_token": new}))
