"""How long a login lasts."""

from __future__ import annotations

LIFETIME_DAYS = 183
"""Refresh tokens expire six months after the consent, and refreshing does not extend that:
https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration."""
WARN_FROM_DAYS = 150
"""Leaves a month to log in again."""
