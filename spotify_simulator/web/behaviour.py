"""What tests can change about Spotify's behaviour, before the simulator starts or while it runs."""

from __future__ import annotations

from spotify_simulator.web.faults import Fault
from spotify_simulator.web.quotas import Quota


class Behaviour:
    """How Spotify treats the app."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        """Rules that make requests fail; the first one that strikes counts."""
        self.quotas: list[Quota] = []
        """Request limits; none at first."""
        self.premium = True
        """Whether the app's owner has a Premium subscription, without which the Web API refuses everything."""
        self.allow_listed = True
        """Whether the app's owner has registered the user; others can consent, but are refused everything."""
        self.consent = True
        """Whether the user agrees on the consent page."""
        self.redirect_uris: set[str] | None = None
        """Those registered for the app; None: every one that Spotify would accept."""
        self.rotate_refresh_tokens = False
        """Whether a refresh issues a new refresh token, after which the old one is refused."""
