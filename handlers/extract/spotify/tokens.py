"""spotipy's token caches, which keep the tokens of one invocation in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spotipy.cache_handler import CacheHandler


class UserTokens(CacheHandler):  # type: ignore[misc] # spotipy ships no types
    """Keeps the tokens of a user and reports a rotated refresh token.

    Args:
        refresh_token: token for the first access token.
        on_rotation: called with the old and the new refresh token.
    """

    def __init__(self, refresh_token: str, on_rotation: Callable[[str, str], None]) -> None:
        self._refresh_token = refresh_token
        self._on_rotation = on_rotation
        # Without `scope` spotipy prompts on the terminal; None is a subset of any consent.
        self._token: dict[str, Any] = {
            "access_token": "",
            "refresh_token": refresh_token,
            "expires_at": 0,
            "scope": None,
        }

    def get_cached_token(self) -> dict[str, Any]:
        """Return the token for spotipy."""
        return self._token

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Store the response of the token endpoint."""
        old, new = self._refresh_token, token_info["refresh_token"]
        if isinstance(new, str) and new:
            self._refresh_token = new
        self._token = {**token_info, "refresh_token": self._refresh_token}
        if self._refresh_token != old:
            self._on_rotation(old, self._refresh_token)

    @property
    def refresh_token(self) -> str:
        """The current refresh token."""
        return self._refresh_token

    def adopt(self, refresh_token: str) -> None:
        """Use a refresh token that another run received."""
        self._refresh_token = refresh_token
        self.forget_access_token()

    def forget_access_token(self) -> None:
        """Make the next request fetch a new access token."""
        self._token = {**self._token, "refresh_token": self._refresh_token, "expires_at": 0}


class AppTokens(CacheHandler):  # type: ignore[misc] # spotipy ships no types
    """Keeps the access token of an app without a user."""

    def __init__(self) -> None:
        self._token: dict[str, Any] | None = None

    def get_cached_token(self) -> dict[str, Any] | None:
        """Return the token for spotipy; None makes it request one."""
        return self._token

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Store the response of the token endpoint."""
        self._token = token_info

    def forget_access_token(self) -> None:
        """Make the next request fetch a new access token."""
        self._token = None
