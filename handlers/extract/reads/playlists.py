"""The listing of the user's playlists, which determines which of them to read."""

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


@dataclass(frozen=True, kw_only=True)
class ListedPlaylist:
    """A playlist in the listing."""

    id: str
    snapshot_id: str | None
    owner_id: str | None
    collaborative: bool
    total: int = 0
    """Number of entries according to the listing; 0 if it does not say."""

    def is_owned_by(self, account: Account) -> bool:
        """Return whether the playlist is the account's own."""
        return bool(self.owner_id) and self.owner_id in {account.user_id, account.id}


class Listing:
    """The playlists of the user's library, by id."""

    def __init__(self) -> None:
        self._playlists: dict[str, ListedPlaylist] = {}
        self.is_short = False
        """Whether it ended before its own total, so that a playlist missing here may still exist."""

    def add(self, element: Any) -> None:
        """Add an element of `GET /me/playlists`; elements may be null."""
        if not isinstance(element, dict):
            return
        playlist_id, snapshot_id, owner = (element.get(name) for name in ("id", "snapshot_id", "owner"))
        if not isinstance(playlist_id, str) or not _ID.fullmatch(playlist_id):
            LOG.warning("A playlist without a valid id was skipped.", extra={"uri": element.get("uri")})
            return
        owner_id = owner.get("id") if isinstance(owner, dict) else None
        self._playlists[playlist_id] = ListedPlaylist(
            id=playlist_id,
            snapshot_id=snapshot_id if isinstance(snapshot_id, str) else None,
            owner_id=owner_id if isinstance(owner_id, str) else None,
            collaborative=element.get("collaborative") is True,
            total=_total(element),
        )

    def readable(self, account: Account) -> Iterator[ListedPlaylist]:
        """Yield those that a Development Mode app may read: the user's own and collaborative ones.

        https://developer.spotify.com/documentation/web-api/reference/get-playlists-items
        """
        for playlist in self._playlists.values():
            if playlist.is_owned_by(account) or playlist.collaborative:
                yield playlist

    def get(self, playlist_id: str) -> ListedPlaylist | None:
        """Return a listed playlist."""
        return self._playlists.get(playlist_id)

    def __contains__(self, playlist_id: str) -> bool:
        return playlist_id in self._playlists


class ListingObserver(Observer):
    """Builds the listing from a pass over `GET /me/playlists`."""

    def __init__(self) -> None:
        self.listing = Listing()
        self.whole = False
        """Whether it saw the whole list, and not just the rest of an interrupted pass."""

    def begin(self, seen: Content | None) -> None:
        """Start a new listing."""
        self.listing, self.whole = Listing(), seen is None

    def see(self, value: Any) -> None:
        """Add one element."""
        self.listing.add(value)


def _total(element: Content) -> int:
    """Return `items.total`, which is `tracks.total` for apps in extended quota mode."""
    totals = [part.get("total") for name in ("items", "tracks") if isinstance(part := element.get(name), dict)]
    return next((total for total in totals if type(total) is int and total > 0), 0)
