"""The things in Spotify's catalogue. All are immutable; the tracks of an album are in the catalogue.

Source: https://developer.spotify.com/documentation/web-api/reference (the fields), and reports of users (the oddities).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol
from urllib.parse import quote_plus


class HasUri(Protocol):
    """Anything with a Spotify URI."""

    @property
    def uri(self) -> str:
        """Spotify URI."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture; its size in pixels is not always known."""

    url: str
    height: int | None
    width: int | None


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist; only apps in extended quota mode are sent the numbers."""

    artist_id: str
    name: str
    images: tuple[Image, ...] | None
    genres: tuple[str, ...]
    popularity: int
    followers: int

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:artist:{self.artist_id}"


@dataclass(frozen=True, slots=True)
class Album:
    """A release."""

    album_id: str
    name: str
    album_type: str
    artists: tuple[Artist, ...]
    release_date: str | None
    release_date_precision: str | None
    images: tuple[Image, ...] | None
    total_tracks: int
    upc: str | None
    label: str
    popularity: int
    copyright: str | None
    restricted: bool = False

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:album:{self.album_id}"

    def group_for(self, artist: Artist) -> str:
        """Return what the album is to an artist: its type, or `appears_on` if it is somebody else's."""
        return self.album_type if artist in self.artists else "appears_on"


@dataclass(frozen=True, slots=True)
class Track:
    """A recording on an album."""

    track_id: str
    name: str
    album: Album
    artists: tuple[Artist, ...]
    disc_number: int
    track_number: int
    duration_ms: int
    explicit: bool
    isrc: str | None
    popularity: int
    ean: str | None = None
    is_playable: bool | None = None
    """None: Spotify does not say."""
    linked_from_id: str | None = None
    preview_url: str | None = None

    type: ClassVar[str] = "track"

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:track:{self.track_id}"


@dataclass(frozen=True, slots=True)
class LocalTrack:
    """A local file of the user's: it has no id, and only the metadata of the file."""

    name: str
    artist_name: str
    album_name: str
    duration_ms: int
    has_release: bool = True
    """Whether the keys of the album's release are there at all (as null)."""

    type: ClassVar[str] = "track"

    @property
    def uri(self) -> str:
        """Spotify URI, made of the metadata; the duration in seconds."""
        parts = (self.artist_name, self.album_name, self.name, str(self.duration_ms // 1000))
        return "spotify:local:" + ":".join(quote_plus(part) for part in parts)


@dataclass(frozen=True, slots=True)
class Show:
    """A podcast."""

    show_id: str
    name: str
    description: str
    publisher: str
    languages: tuple[str, ...]
    media_type: str
    explicit: bool
    images: tuple[Image, ...] | None
    total_episodes: int
    is_externally_hosted: bool | None
    copyright: str | None = None

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:show:{self.show_id}"


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of a podcast."""

    episode_id: str
    name: str
    show: Show
    description: str
    duration_ms: int
    explicit: bool
    release_date: str | None
    release_date_precision: str | None
    languages: tuple[str, ...]
    images: tuple[Image, ...] | None
    fully_played: bool
    resume_position_ms: int
    has_preview: bool = True
    restricted: bool = False

    type: ClassVar[str] = "episode"

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:episode:{self.episode_id}"


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """An item of a type that Spotify may add ("make sure that your client properly handles new types")."""

    item_id: str
    name: str
    type: str
    duration_ms: int

    @property
    def uri(self) -> str:
        """Spotify URI."""
        return f"spotify:{self.type}:{self.item_id}"


Item = Track | LocalTrack | Episode | UnknownItem
"""What can be in a playlist."""
