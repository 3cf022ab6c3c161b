"""How long a login lasts."""

from __future__ import annotations

LIFETIME_DAYS = 183
"""Refresh tokens expire six months after the consent, and refreshing does not extend that:
https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration."""
WARN_FROM_DAYS = 150
"""Leaves a month to log in again."""
MONTH_DAYS = 31
"""How long before the end the first alarm and the first calendar entry are."""
WEEK_DAYS = 7
"""Likewise the last ones."""
