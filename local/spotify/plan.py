"""How large a library is to be."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class LibraryPlan:
    """Sizes of a library, the demo's by default.

    Raises:
        ValueError: a size is negative, or more plays a day than a day has time for.
    """

    saved_tracks: int = 2_100
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

    def __post_init__(self) -> None:
        for name in ("saved_tracks", "playlists", "saved_albums", "plays_per_day", "history_days"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give 0 or more.")
        if (self.playlist_entries or 0) < 0:
            raise ValueError(f"playlist_entries is {self.playlist_entries}: give 0 or more, or None.")
        if self.plays_per_day > 240:
            raise ValueError(f"plays_per_day is {self.plays_per_day}: a day has time for 240 at the most.")
        _ = self.zone

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    @property
    def entries(self) -> int:
        """Entries of all readable playlists together."""
        return 45 * self.playlists if self.playlist_entries is None else self.playlist_entries
