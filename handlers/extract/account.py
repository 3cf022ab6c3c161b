"""Whose data a run reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.extract.spotify import BrokenAnswerError, LoginError, SpotifyClient, SpotifyError
from handlers.extract.state import StateFile
from handlers.streams import STREAMS


@dataclass(frozen=True)
class Account:
    """The user who gave consent."""

    id: str
    """`account_id` of the profile, which never changes; the user's id where Spotify sends none."""
    user_id: str
    """What `owner.id` of the user's own playlists is."""


def identify(client: SpotifyClient, state: StateFile, login: str, *, ask: bool) -> Account:
    """The account of the present login.

    It costs one request a login: state remembers the account beside the login's fingerprint, which another login
    does not share. A run that reads the profile anyway takes it from there.

    Args:
        client: what asks.
        state: where the account is remembered.
        login: the fingerprint of the login.
        ask: whether the run reads the profile anyway.

    Raises:
        SpotifyError: Spotify does not say, and nothing is remembered.
    """
    remembered = _remembered(state, login)
    if remembered and not ask:
        return remembered
    try:
        account = _account(client.get_once(STREAMS["profile"].path).value, remembered)
    except LoginError:
        raise
    except SpotifyError:
        # The profile's own unit tells of it; the other streams can go on.
        if remembered:
            return remembered
        raise
    state.update(lambda _: {"login": login, "account_id": account.id, "user_id": account.user_id})
    return account


def _remembered(state: StateFile, login: str) -> Account | None:
    content = state.content
    account_id, user_id = content.get("account_id"), content.get("user_id")
    if content.get("login") == login and isinstance(account_id, str) and account_id and isinstance(user_id, str):
        return Account(account_id, user_id)
    return None


def _account(profile: Any, remembered: Account | None) -> Account:
    parts = profile if isinstance(profile, dict) else {}
    user_id = parts.get("id") if isinstance(parts.get("id"), str) else ""
    account_id = parts.get("account_id") if isinstance(parts.get("account_id"), str) else ""
    if not (account_id or user_id):
        raise BrokenAnswerError("Spotify's profile names no account: the next run reads it again.")
    # A profile that lacks its `account_id` once shall not make a second account of the same user.
    if not account_id and remembered and remembered.user_id == user_id:
        return remembered
    return Account(account_id or user_id or "", user_id or "")
