"""The user's own things as JSON: the profile, playlists and their entries, what is saved, what was played."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from spotify_simulator.model.holdings import (
    Context,
    MalformedPlaylist,
    Play,
    Playlist,
    PlaylistEntry,
    Profile,
    SavedTrack,
    User,
)
from spotify_simulator.model.saved import Saved
from spotify_simulator.web.shapes import Json, Shapes, images


class UserShapes(Shapes):
    """Adds the user's own things to those of the catalogue."""

    def profile(self, profile: Profile) -> Json:
        """Return the account's user."""
        shape = self._user(profile.user) | {"account_id": profile.account_id, "images": images(profile.images)}
        if self.extended:
            shape |= {
                "country": profile.country,
                "email": profile.email,
                "explicit_content": {"filter_enabled": False, "filter_locked": False},
                "followers": {"href": None, "total": profile.followers},
                "product": profile.product,
            }
        return shape

    def listed_playlist(self, playlist: Playlist | MalformedPlaylist | None) -> Json | None:
        """Return an element of the list of playlists."""
        if playlist is None:
            return None
        if isinstance(playlist, MalformedPlaylist):
            return self._malformed(playlist)
        spelling = "tracks" if self.extended else "items"
        shape = self.playlist(playlist) | {
            spelling: {"href": f"{self.api_url}playlists/{playlist.playlist_id}/{spelling}", "total": playlist.total}
        }
        if not self.extended and playlist.readable:
            # Null for some apps, missing for others; here both occur.
            shape["tracks"] = None
        return shape

    def full_playlist(self, playlist: Playlist, entries: Json | None) -> Json:
        """Return a playlist with the first page of its entries, if the user may read them."""
        shape = self.playlist(playlist)
        if entries is not None:
            shape["tracks" if self.extended else "items"] = entries
        return shape

    def playlist(self, playlist: Playlist) -> Json:
        """Return what is common to all forms of a playlist."""
        return self._entity("playlist", playlist.playlist_id, playlist.uri) | {
            "collaborative": playlist.collaborative,
            "description": playlist.description,
            "images": images(playlist.images),
            "name": playlist.name,
            "owner": self._user(playlist.owner),
            "primary_color": playlist.primary_color,
            "public": playlist.public,
            "snapshot_id": playlist.snapshot_id,
        }

    def playlist_entry(self, entry: PlaylistEntry) -> Json:
        """Return an entry of a playlist."""
        item = self.item(entry.item)
        return {
            "added_at": None if entry.added_at is None else timestamp(entry.added_at),
            "added_by": None if entry.added_by is None else self._user_reference(entry.added_by),
            "is_local": bool(item and item.get("is_local")),
            "track" if self.extended else "item": item,
            "primary_color": None,
            "video_thumbnail": {"url": None},
        }

    def saved_track(self, entry: SavedTrack) -> Json:
        """Return a saved track; its key was never renamed."""
        added_at: Any = int(entry.added_at.timestamp()) if entry.malformed else timestamp(entry.added_at)
        return {"added_at": added_at, "track": self.track(entry.track)}

    def saved(self, saved: Saved[Any], key: str, shape: Json) -> Json:
        """Return an element of a list of saved things, given the shape of the thing itself."""
        return {"added_at": timestamp(saved.added_at), key: shape} if key else shape

    def play(self, play: Play) -> Json:
        """Return an element of the recently played tracks."""
        return {
            "track": self.track(play.track),
            "played_at": timestamp(play.played_at, timespec="milliseconds"),
            "context": None if play.context is None else self._context(play.context),
        }

    def _malformed(self, malformed: MalformedPlaylist) -> Json:
        shape = self.playlist(malformed.playlist)
        if malformed.fault == "no_id":
            del shape["id"]
        else:
            shape["id"] = 20_260_211
        return shape

    def _user(self, user: User) -> Json:
        if user.user_id is None:
            return {"display_name": None, "external_urls": {}, "href": None, "id": None, "type": "user", "uri": None}
        return self._user_reference(user.user_id) | {"display_name": user.display_name}

    def _user_reference(self, user_id: str) -> Json:
        return self._entity("user", quote(user_id), f"spotify:user:{quote(user_id)}") | {"id": user_id}

    def _context(self, context: Context) -> Json:
        if context.type == "collection":
            href, page = f"{self.api_url}me/tracks", "collection"
        else:
            kind, entity_id = context.uri.split(":")[-2:]
            href, page = f"{self.api_url}{kind}s/{entity_id}", f"{kind}/{entity_id}"
        return {
            "type": context.type,
            "href": href,
            "external_urls": {"spotify": f"https://open.spotify.com/{page}"},
            "uri": context.uri,
        }


def timestamp(moment: datetime, *, timespec: str = "seconds") -> str:
    """Return a time in the format of the Web API."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
