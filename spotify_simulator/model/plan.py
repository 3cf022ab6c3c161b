"""The size of a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo

PlayedAt = Literal["end", "start", "mixed"]
"""What the Web API sends as `played_at`: the end of a play, its start, or a mix. Spotify does not document it, and
users have seen all three: https://github.com/spotify/web-api/issues/1441."""

HELD_SAVED_TRACKS = 10_000
"""Number of saved tracks that a library keeps in memory; older ones are computed when they are read."""

_SIZES = (
    "saved_tracks",
    "playlists",
    "saved_albums",
    "plays_per_day",
    "history_days",
    "followed_artists",
    "saved_shows",
    "saved_episodes",
    "top_items",
    "export_days",
    "offline_percent",
)


@dataclass(frozen=True)
class LibraryPlan:
    """Sizes of a library, the demo's by default.

    Raises:
        ValueError: a size is negative, or more than a day has time for.
    """

    saved_tracks: int = 2_100
    """Up to a million: those older than the newest 10,000 take neither time nor memory."""
    playlists: int = 40
    """Well-formed playlists: own, shared and followed ones."""
    saved_albums: int = 60
    plays_per_day: int = 80
    """Average; a day has up to an eighth more or fewer."""
    oddities: bool = True
    """Whether the library has everything that is odd or malformed in Spotify's real responses."""
    timezone: str = "Europe/Berlin"
    """Where the user lives: nothing changes there between midnight and eight in the morning."""
    playlist_entries: int | None = None
    """Total of all readable playlists; None: 45 per playlist."""
    history_days: int = 1
    """Days before the start that already have plays."""
    followed_artists: int = 40
    saved_shows: int = 6
    saved_episodes: int = 10
    other_saved: int | None = None
    """Number of saved things of every other kind; None: the default of each kind."""
    top_items: int = 99
    """Maximum length of a top list."""
    played_at: PlayedAt = "end"
    export_days: int = 800
    """Days before these that are only in a privacy export."""
    offline_percent: int = 8
    """Approximate percentage of plays on an offline device."""

    def __post_init__(self) -> None:
        for name in _SIZES:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give 0 or more.")
        for name in ("playlist_entries", "other_saved"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give 0 or more, or None.")
        if self.plays_per_day > 240:
            raise ValueError(f"plays_per_day is {self.plays_per_day}: a day has time for at most 240.")
        if self.offline_percent > 90:
            raise ValueError(f"offline_percent is {self.offline_percent}: give at most 90.")
        if self.played_at not in get_args(PlayedAt):
            raise ValueError(f"played_at is {self.played_at!r}: give one of {', '.join(get_args(PlayedAt))}.")
        _ = self.zone

    @property
    def held_saved_tracks(self) -> int:
        """Number of saved tracks kept in memory: the newest ones."""
        return min(self.saved_tracks, HELD_SAVED_TRACKS)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    @property
    def entries(self) -> int:
        """Total number of entries of all readable playlists."""
        return 45 * self.playlists if self.playlist_entries is None else self.playlist_entries
