"""What belongs to the user: the account, playlists and their entries, what is saved, what was played.

Times are aware and in UTC: in whole seconds for additions, in milliseconds for plays.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from spotify_simulator.model.entities import Image, Item, Track

Access = Literal["owner", "collaborator", "follower"]
"""The user's relation to a playlist; a follower may not read its entries."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody on Spotify; either part may be unknown."""

    user_id: str | None
    display_name: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """The account's own user."""

    account_id: str
    """Never changes, unlike the user's id."""
    user: User
    country: str
    email: str
    product: str
    followers: int
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist of the user's library."""

    playlist_id: str
    name: str
    description: str | None
    owner: User
    access: Access
    collaborative: bool
    public: bool | None
    images: tuple[Image, ...] | None
    primary_color: str | None
    revision: int
    total: int | None
    """Number of entries as Spotify counts them; not always known of somebody else's playlist."""

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:playlist:{self.playlist_id}"

    @property
    def snapshot_id(self) -> str:
        """Version of the playlist; changes with its entries and details."""
        return b64encode(f"{self.revision},{self.playlist_id}".encode()).decode()

    @property
    def readable(self) -> bool:
        """Whether the user may read the entries."""
        return self.access != "follower"


@dataclass(frozen=True, slots=True)
class MalformedPlaylist:
    """An element of the list of playlists that is not as documented."""

    playlist: Playlist
    fault: Literal["no_id", "numeric_id"]


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """One entry of a playlist."""

    item: Item | None
    """None: no longer available."""
    added_at: datetime | None
    """None or 1970-01-01 in old playlists."""
    added_by: str | None
    """A user's id, which may be empty."""


@dataclass(frozen=True, slots=True)
class SavedTrack:
    """A track the user likes."""

    added_at: datetime
    track: Track
    malformed: bool = False
    """Whether the Web API sends `added_at` as a number instead of a timestamp."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a track was played from."""

    type: str
    """`playlist`, `album`, `artist` or `collection` (the saved tracks)."""
    uri: str


@dataclass(frozen=True, slots=True)
class Play:
    """A track that was listened to; no two overlap, nor have the same `played_at`."""

    played_at: datetime
    """What the Web API sends: one of the other two, as planned."""
    track: Track
    context: Context | None
    started_at: datetime
    ended_at: datetime
    """The Web API knows the play from then on."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A malformed record of the Web API, which a client can only reject."""

    path: str
    """Endpoint that serves it, below the API's base address."""
    reason: str
    record: SavedTrack | MalformedPlaylist
