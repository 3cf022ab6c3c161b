"""The account whose data a run reads."""

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
    """The profile's `account_id`, which never changes; the user's id if Spotify sends none."""
    user_id: str
    """`owner.id` of the user's own playlists."""


APP = Account("app", "")
"""The account of an app without a user (`authMode: app`)."""


def identify(
    client: SpotifyClient,
    state: StateFile,
    login: str,
    *,
    refresh: bool,
    locks: QuotaLocks,
    auth_mode: AuthMode = "user",
) -> Account:
    """Return the account of the current login.

    It takes one request per login: the state keeps the account with the login's fingerprint. A run that reads the
    profile anyway refreshes it. Data of two accounts are kept apart; a change of account is logged once.

    State: `{"login": "<fingerprint>", "account_id", "user_id"}`.

    Args:
        client: sends the request.
        state: keeps the account.
        login: fingerprint of the login.
        refresh: request the profile even if the account is known, because the run reads it anyway.
        locks: the run's quota locks, which apply to the profile too.
        auth_mode: with `app` nothing is requested or stored.

    Raises:
        SpotifyError: the profile cannot be read and the state does not know the account.
    """
    if auth_mode == "app":
        return APP
    before = _stored(state)
    known = before is not None and state.content.get("login") == login
    if before and known and not refresh:
        return before
    try:
        account = _account(_profile(client, locks), before)
    except LoginError:
        raise
    except SpotifyError:
        # The profile's own unit reports the error; the other streams can be read.
        if before and known:
            return before
        raise
    state.update(lambda _: {"login": login, "account_id": account.id, "user_id": account.user_id})
    if before and before.id != account.id:
        LOG.warning(
            "The login belongs to a different account than before: its data are stored separately.",
            extra={"account_before": account_key(before.id), "account": account_key(account.id)},
        )
    return account


def _profile(client: SpotifyClient, locks: QuotaLocks) -> Any:
    with locks.guard(_PROFILE.quota_group):
        return client.get_cached(_PROFILE.path).value


def _stored(state: StateFile) -> Account | None:
    """Return the account of the last login, which may not be the current one."""
    account_id, user_id = state.content.get("account_id"), state.content.get("user_id")
    if isinstance(account_id, str) and account_id and isinstance(user_id, str):
        return Account(account_id, user_id)
    return None


def _account(profile: Any, before: Account | None) -> Account:
    parts = profile if isinstance(profile, dict) else {}
    user_id, account_id = (text if isinstance(text := parts.get(name), str) else "" for name in ("id", "account_id"))
    if not (account_id or user_id):
        raise MalformedResponseError("Spotify's profile has no account id: the next run reads it again.")
    # A profile without its `account_id` must not turn the same user into a second account.
    if before and user_id and before.user_id == user_id and (not account_id or before.id == user_id):
        return before
    return Account(account_id or user_id, user_id)
