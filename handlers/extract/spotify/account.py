"""Whose data a run reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.extract.logs import LOG
from handlers.extract.spotify.client import SpotifyClient
from handlers.extract.spotify.errors import LoginError, MalformedResponseError, SpotifyError
from handlers.extract.spotify.quota_locks import QuotaLocks
from handlers.layout import account_key
from handlers.raw.state import StateFile
from handlers.streams import STREAMS, AuthMode

_PROFILE = STREAMS["profile"]


@dataclass(frozen=True)
class Account:
    """The user who gave consent."""

    id: str
    """`account_id` of the profile, which never changes; the user's id where Spotify sends none."""
    user_id: str
    """What `owner.id` of the user's own playlists is."""


APP = Account("app", "")
"""What an app without a user (`authMode: app`) reads under."""


def identify(
    client: SpotifyClient,
    state: StateFile,
    login: str,
    *,
    ask: bool,
    locks: QuotaLocks,
    auth_mode: AuthMode = "user",
) -> Account:
    """The account of the present login.

    It costs one request a login: state remembers the account beside the login's fingerprint, which another login
    does not share. A run that reads the profile anyway takes it from there. Data of two accounts lie side by side and
    are never mixed; that a login is another account's than the one before is logged once.

    State: `{"login": "<fingerprint>", "account_id", "user_id"}`.

    Args:
        client: what asks.
        state: where the account is remembered.
        login: the fingerprint of the login.
        ask: whether the run reads the profile anyway.
        locks: of the run; the profile has a quota group too.
        auth_mode: `app` asks nothing and remembers nothing.

    Raises:
        SpotifyError: Spotify does not say, and nothing is remembered.
    """
    if auth_mode == "app":
        return APP
    before = _remembered(state)
    known = before is not None and state.content.get("login") == login
    if before and known and not ask:
        return before
    try:
        account = _account(_profile(client, locks), before)
    except LoginError:
        raise
    except SpotifyError:
        # The profile's own unit tells of it; the other streams can go on.
        if before and known:
            return before
        raise
    state.update(lambda _: {"login": login, "account_id": account.id, "user_id": account.user_id})
    if before and before.id != account.id:
        LOG.warning(
            "The login belongs to another account than the one before: its data are kept apart from what is there.",
            extra={"account_before": account_key(before.id), "account": account_key(account.id)},
        )
    return account


def _profile(client: SpotifyClient, locks: QuotaLocks) -> Any:
    with locks.guard(_PROFILE.quota_group):
        return client.get_cached(_PROFILE.path).value


def _remembered(state: StateFile) -> Account | None:
    """The account of the latest login, whether it is the present one or another."""
    account_id, user_id = state.content.get("account_id"), state.content.get("user_id")
    if isinstance(account_id, str) and account_id and isinstance(user_id, str):
        return Account(account_id, user_id)
    return None


def _account(profile: Any, before: Account | None) -> Account:
    parts = profile if isinstance(profile, dict) else {}
    user_id, account_id = (text if isinstance(text := parts.get(name), str) else "" for name in ("id", "account_id"))
    if not (account_id or user_id):
        raise MalformedResponseError("Spotify's profile names no account: the next run reads it again.")
    # A profile that lacks its `account_id` at times shall not make a second account of the same user.
    if before and user_id and before.user_id == user_id and (not account_id or before.id == user_id):
        return before
    return Account(account_id or user_id, user_id)
