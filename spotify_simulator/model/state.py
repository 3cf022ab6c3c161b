"""The content of a library at one time, and the ways to change it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from spotify_simulator.model.entities import Track
from spotify_simulator.model.holdings import MalformedPlaylist, Play, Playlist, PlaylistEntry
from spotify_simulator.model.saved import SavedItems, SavedKind, T
from spotify_simulator.model.saved_tracks import SavedTracks


@dataclass
class State:
    """Lists are in the order of addition; the Web API serves saved things in reverse.

    Removing something that is not there, or adding something that is, has no effect.
    """

    saved_tracks: SavedTracks
    saved_items: dict[str, SavedItems[Any]] = field(default_factory=dict)
    """What is saved besides tracks, by the name of the kind."""
    playlists: dict[str, Playlist] = field(default_factory=dict)
    entries: dict[str, list[PlaylistEntry]] = field(default_factory=dict)
    listing: list[str | MalformedPlaylist | None] = field(default_factory=list)
    """The list of playlists in order: ids of playlists, and malformed or null elements."""
    plays: list[Play] = field(default_factory=list)
    rotation: list[Track] = field(default_factory=list)
    """What the user plays again and again, the favorites first."""

    def copy(self) -> Self:
        """Return a copy that changes independently."""
        return replace(
            self,
            saved_tracks=self.saved_tracks.copy(),
            saved_items={name: items.copy() for name, items in self.saved_items.items()},
            playlists=self.playlists.copy(),
            entries={playlist_id: entries.copy() for playlist_id, entries in self.entries.items()},
            listing=self.listing.copy(),
            plays=self.plays.copy(),
            rotation=self.rotation.copy(),
        )

    def saved(self, kind: SavedKind[T]) -> SavedItems[T]:
        """Return the saved things of a kind."""
        return self.saved_items[kind.name]

    def add_playlist(self, playlist: Playlist, entries: Iterable[PlaylistEntry] | None, *, first: bool = False) -> None:
        """Add a playlist to the library; `entries` is None if the user may not read them."""
        if entries is not None:
            self.entries[playlist.playlist_id] = list(entries)
            playlist = replace(playlist, total=len(self.entries[playlist.playlist_id]))
        self.playlists[playlist.playlist_id] = playlist
        self.listing.insert(0 if first else len(self.listing), playlist.playlist_id)

    def drop_playlist(self, playlist_id: str) -> None:
        """Delete or unfollow a playlist."""
        if self.playlists.pop(playlist_id, None) is not None:
            self.entries.pop(playlist_id, None)
            self.listing.remove(playlist_id)

    def rename_playlist(self, playlist_id: str, name: str) -> None:
        """Rename a playlist."""
        if playlist_id in self.playlists:
            self._revise(playlist_id, name=name)

    def add_entries(self, playlist_id: str, entries: Iterable[PlaylistEntry]) -> None:
        """Append entries to a playlist."""
        if playlist_id in self.entries:
            self.entries[playlist_id].extend(entries)
            self._revise(playlist_id)

    def remove_entry(self, playlist_id: str, position: int) -> None:
        """Remove the entry at a position from a playlist."""
        if position < len(self.entries.get(playlist_id, ())):
            del self.entries[playlist_id][position]
            self._revise(playlist_id)

    def clear_playlist(self, playlist_id: str) -> None:
        """Remove all entries from a playlist."""
        if self.entries.get(playlist_id):
            self.entries[playlist_id].clear()
            self._revise(playlist_id)

    def _revise(self, playlist_id: str, *, name: str | None = None) -> None:
        before = self.playlists[playlist_id]
        self.playlists[playlist_id] = replace(
            before,
            name=before.name if name is None else name,
            revision=before.revision + 1,
            total=len(self.entries[playlist_id]) if playlist_id in self.entries else before.total,
        )
