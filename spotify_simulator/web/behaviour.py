"""What a test may set about Spotify's conduct, before the simulator starts or while it runs."""

from __future__ import annotations

from spotify_simulator.web.faults import Fault
from spotify_simulator.web.quotas import Quota


class Behaviour:
    """How Spotify treats the app.

    Attributes:
        faults: rules that make requests go wrong; the first that strikes counts.
        quotas: how much may be asked; none at first.
        premium: whether the app's owner has a Premium subscription, without which the Web API refuses everything.
        allow_listed: whether the user is one of those whom the app's owner has registered; others are refused
            everything, though they can consent.
        consent: whether the user agrees when asked on the accounts service's page.
        redirect_uris: those registered for the app; None stands for every one that Spotify would register.
        rotate_refresh_tokens: whether a refresh brings a new refresh token, after which the old one is refused.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.quotas: list[Quota] = []
        self.premium = True
        self.allow_listed = True
        self.consent = True
        self.redirect_uris: set[str] | None = None
        self.rotate_refresh_tokens = False
