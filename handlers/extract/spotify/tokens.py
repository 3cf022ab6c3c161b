"""spotipy's token caches, which keep the tokens of one invocation in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spotipy.cache_handler import MemoryCacheHandler


class UserTokens(MemoryCacheHandler):  # type: ignore[misc] # spotipy ships no types
    """Keeps the tokens of a user and reports a rotated refresh token.

    Args:
        refresh_token: token for the first access token.
        on_rotation: called with the old and the new refresh token.
    """

    def __init__(self, refresh_token: str, on_rotation: Callable[[str, str], None]) -> None:
        # Without `scope` spotipy prompts on the terminal; None is a subset of any consent.
        super().__init__({"access_token": "", "refresh_token": refresh_token, "expires_at": 0, "scope": None})
        self._on_rotation = on_rotation

    @property
    def refresh_token(self) -> str:
        """The current refresh token."""
        return str(self.token_info["refresh_token"])

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Store the response of the token endpoint; without a refresh token the old one remains valid."""
        old, new = self.refresh_token, token_info["refresh_token"]
        if not isinstance(new, str) or not new:
            new = old
        self.token_info = {**token_info, "refresh_token": new}
        if new != old:
            self._on_rotation(old, new)

    def adopt(self, refresh_token: str) -> None:
        """Use a refresh token that another run received."""
        self.token_info = {**self.token_info, "refresh_token": refresh_token, "expires_at": 0}

    def forget_access_token(self) -> None:
        """Make the next request fetch a new access token."""
        self.adopt(self.refresh_token)


class AppTokens(MemoryCacheHandler):  # type: ignore[misc] # spotipy ships no types
    """Keeps the access token of an app without a user."""

    def forget_access_token(self) -> None:
        """Make the next request fetch a new access token."""
        self.token_info = None
