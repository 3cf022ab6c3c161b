"""The listing of the user's playlists: what tells which of them to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handlers.extract.logs import LOG
from handlers.extract.reads.observer import Observer
from handlers.extract.spotify.account import Account
from handlers.raw.state import Content

# Ids are base 62; nothing else may become part of a key or a path.
_ID = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Playlist:
    """One playlist as the listing shows it."""

    id: str
    snapshot_id: str | None
    owner_id: str | None
    collaborative: bool
    total: int = 0
    """How many entries the listing says it has; 0 where it does not say."""


class Listing:
    """The playlists of the user's library, by id."""

    def __init__(self) -> None:
        self._playlists: dict[str, Playlist] = {}
        self.is_short = False
        """Whether it ended before its own total, so that a playlist it lacks may still be there."""

    def add(self, element: Any) -> None:
        """Take one element of `GET /me/playlists`; elements may be null."""
        if not isinstance(element, dict):
            return
        playlist_id, snapshot_id, owner = (element.get(name) for name in ("id", "snapshot_id", "owner"))
        if not isinstance(playlist_id, str) or not _ID.fullmatch(playlist_id):
            LOG.warning("A playlist without a usable id is not read.", extra={"uri": element.get("uri")})
            return
        owner_id = owner.get("id") if isinstance(owner, dict) else None
        self._playlists[playlist_id] = Playlist(
            playlist_id,
            snapshot_id if isinstance(snapshot_id, str) else None,
            owner_id if isinstance(owner_id, str) else None,
            element.get("collaborative") is True,
            _total(element),
        )

    def readable(self, account: Account) -> Iterator[Playlist]:
        """Those that a Development Mode app may read: the user's own, and collaborative ones.

        https://developer.spotify.com/documentation/web-api/reference/get-playlists-items
        """
        for playlist in self._playlists.values():
            if owns(account, playlist) or playlist.collaborative:
                yield playlist

    def get(self, playlist_id: str) -> Playlist | None:
        """A playlist as it is listed."""
        return self._playlists.get(playlist_id)

    def __contains__(self, playlist_id: str) -> bool:
        return playlist_id in self._playlists


class ListingObserver(Observer):
    """Makes the listing of what a pass over `GET /me/playlists` shows."""

    def __init__(self) -> None:
        self.listing = Listing()
        self.whole = False
        """Whether it was shown all of the list; of a pass that was cut off before it is shown the rest."""

    def begin(self, seen: Content | None) -> None:
        """A pass begins."""
        self.listing, self.whole = Listing(), seen is None

    def see(self, value: Any) -> None:
        """Take one element."""
        self.listing.add(value)


def _total(element: Content) -> int:
    """`items.total`, which is `tracks.total` for apps in extended quota mode."""
    totals = [part.get("total") for name in ("items", "tracks") if isinstance(part := element.get(name), dict)]
    return next((total for total in totals if type(total) is int and total > 0), 0)


def owns(account: Account, playlist: Playlist) -> bool:
    """Whether the playlist is the account's own."""
    return bool(playlist.owner_id) and playlist.owner_id in {account.user_id, account.id}
