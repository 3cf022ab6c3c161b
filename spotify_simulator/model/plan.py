"""How large a library is to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo

PlayedAt = Literal["end", "start", "mixed"]
"""What the Web API gives as `played_at`: when a play ended, when it began, or now this and now that. Spotify does not
say, and users found all of it: https://github.com/spotify/web-api/issues/1441."""

HELD_SAVED_TRACKS = 10_000
"""As many saved tracks as a library holds in memory; older ones are made up as they are read."""

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
    """As many as a million: what is older than the newest 10 000 takes neither time nor memory."""
    playlists: int = 40
    """Well-formed elements of the listing of playlists: own, shared and followed ones."""
    saved_albums: int = 60
    plays_per_day: int = 80
    """On the average; a day has up to an eighth more or less."""
    oddities: bool = True
    """Whether the library holds all that is odd or wrong in what Spotify really sends."""
    timezone: str = "Europe/Berlin"
    """Where the user lives: nothing changes there between midnight and eight in the morning."""
    playlist_entries: int | None = None
    """Of all readable playlists together; 45 a playlist if None."""
    history_days: int = 1
    """Days before the start of which there are plays already."""
    followed_artists: int = 40
    saved_shows: int = 6
    saved_episodes: int = 10
    top_items: int = 99
    """The longest that a top list gets."""
    played_at: PlayedAt = "end"
    export_days: int = 800
    """Days before these that only a privacy export knows."""
    offline_percent: int = 8
    """About how many of a hundred plays are heard while the device is offline."""

    def __post_init__(self) -> None:
        for name in _SIZES:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give 0 or more.")
        if (self.playlist_entries or 0) < 0:
            raise ValueError(f"playlist_entries is {self.playlist_entries}: give 0 or more, or None.")
        if self.plays_per_day > 240:
            raise ValueError(f"plays_per_day is {self.plays_per_day}: a day has time for 240 at the most.")
        if self.offline_percent > 90:
            raise ValueError(f"offline_percent is {self.offline_percent}: give 90 at the most.")
        if self.played_at not in get_args(PlayedAt):
            raise ValueError(f"played_at is {self.played_at!r}: give one of {', '.join(get_args(PlayedAt))}.")
        _ = self.zone

    @property
    def held_saved_tracks(self) -> int:
        """Saved tracks that are held in memory: the newest."""
        return min(self.saved_tracks, HELD_SAVED_TRACKS)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    @property
    def entries(self) -> int:
        """Entries of all readable playlists together."""
        return 45 * self.playlists if self.playlist_entries is None else self.playlist_entries
