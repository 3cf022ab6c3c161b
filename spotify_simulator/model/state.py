"""What the user's library holds at one moment, and every way in which it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from spotify_simulator.model.entities import Album, Artist, Episode, Show, Track
from spotify_simulator.model.holdings import (
    MalformedPlaylist,
    Play,
    Playlist,
    PlaylistEntry,
    SavedAlbum,
    SavedEpisode,
    SavedShow,
)
from spotify_simulator.model.saved_tracks import SavedTracks


@dataclass
class State:
    """Lists are in the order in which things came; the Web API serves what is saved the other way round.

    A change of something that is not there (any more), or that is there already, does nothing.
    """

    saved_tracks: SavedTracks
    saved_albums: list[SavedAlbum] = field(default_factory=list)
    saved_album_ids: set[str] = field(default_factory=set)
    saved_shows: list[SavedShow] = field(default_factory=list)
    saved_episodes: list[SavedEpisode] = field(default_factory=list)
    followed: dict[str, Artist] = field(default_factory=dict)
    """By id."""
    playlists: dict[str, Playlist] = field(default_factory=dict)
    entries: dict[str, list[PlaylistEntry]] = field(default_factory=dict)
    listing: list[str | MalformedPlaylist | None] = field(default_factory=list)
    """What the listing of playlists serves in order: ids of playlists, and elements that are none."""
    plays: list[Play] = field(default_factory=list)
    rotation: list[Track] = field(default_factory=list)
    """What the user cannot hear often enough, the dearest first."""

    def copy(self) -> Self:
        """Return a state that changes on its own."""
        return replace(
            self,
            saved_tracks=self.saved_tracks.copy(),
            saved_albums=self.saved_albums.copy(),
            saved_album_ids=self.saved_album_ids.copy(),
            saved_shows=self.saved_shows.copy(),
            saved_episodes=self.saved_episodes.copy(),
            followed=self.followed.copy(),
            playlists=self.playlists.copy(),
            entries={playlist_id: entries.copy() for playlist_id, entries in self.entries.items()},
            listing=self.listing.copy(),
            plays=self.plays.copy(),
            rotation=self.rotation.copy(),
        )

    def save_album(self, album: Album, at: datetime) -> None:
        """Save an album."""
        if album.album_id not in self.saved_album_ids:
            self.saved_album_ids.add(album.album_id)
            self.saved_albums.append(SavedAlbum(at, album))

    def unsave_album(self, index: int) -> None:
        """Take away the saved album at an index."""
        if index < len(self.saved_albums):
            self.saved_album_ids.remove(self.saved_albums.pop(index).album.album_id)

    def save_show(self, show: Show, at: datetime) -> None:
        """Save a show."""
        if all(saved.show.show_id != show.show_id for saved in self.saved_shows):
            self.saved_shows.append(SavedShow(at, show))

    def unsave_show(self, index: int) -> None:
        """Take away the saved show at an index."""
        del self.saved_shows[index : index + 1]

    def save_episode(self, episode: Episode, at: datetime) -> None:
        """Save an episode."""
        if all(saved.episode.episode_id != episode.episode_id for saved in self.saved_episodes):
            self.saved_episodes.append(SavedEpisode(at, episode))

    def unsave_episode(self, index: int) -> None:
        """Take away the saved episode at an index."""
        del self.saved_episodes[index : index + 1]

    def follow(self, artist: Artist) -> None:
        """Follow an artist."""
        self.followed[artist.artist_id] = artist

    def unfollow(self, index: int) -> None:
        """Follow an artist no longer: the one at an index, in the order in which they were followed."""
        for artist_id in list(self.followed)[index : index + 1]:
            del self.followed[artist_id]

    def add_playlist(self, playlist: Playlist, entries: Iterable[PlaylistEntry] | None, *, first: bool = False) -> None:
        """Put a playlist into the library; `entries` is None where the user may not read them."""
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
        """Give a playlist another name."""
        if playlist_id in self.playlists:
            self._revise(playlist_id, name=name)

    def add_entries(self, playlist_id: str, entries: Iterable[PlaylistEntry]) -> None:
        """Put entries at the end of a playlist."""
        if playlist_id in self.entries:
            self.entries[playlist_id].extend(entries)
            self._revise(playlist_id)

    def remove_entry(self, playlist_id: str, position: int) -> None:
        """Take the entry at a position out of a playlist."""
        if position < len(self.entries.get(playlist_id, ())):
            del self.entries[playlist_id][position]
            self._revise(playlist_id)

    def clear_playlist(self, playlist_id: str) -> None:
        """Take every entry out of a playlist."""
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
