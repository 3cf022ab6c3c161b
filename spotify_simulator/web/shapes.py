"""The catalogue as JSON, as the Web API sent it before February 2026 ("extended") and since ("development").

Sources: https://developer.spotify.com/documentation/web-api/references/changes/february-2026 and march-2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from spotify_simulator.model.entities import Album, Artist, Episode, Image, Item, LocalTrack, Show, Track, UnknownItem

Json = dict[str, Any]

_MARKETS = ("DE", "ES", "US")


class Shapes:
    """Converts the things in a library to JSON.

    Args:
        api_url: base URL of the Web API, with which every `href` starts.
        extended: whether the app is in extended quota mode, where nothing was removed or renamed.
        resume_points: whether the user's consent covers positions in episodes.
    """

    def __init__(self, api_url: str, *, extended: bool, resume_points: bool) -> None:
        self.api_url = api_url
        self.extended = extended
        self._resume_points = resume_points

    def artist(self, artist: Artist) -> Json:
        """Return a simplified artist."""
        return self._entity("artist", artist.artist_id, artist.uri) | {"name": artist.name}

    def full_artist(self, artist: Artist) -> Json:
        """Return a full artist."""
        shape = self.artist(artist) | {"genres": list(artist.genres), "images": images(artist.images)}
        if self.extended:
            shape |= {"followers": {"href": None, "total": artist.followers}, "popularity": artist.popularity}
        return shape

    def artists_album(self, album: Album, artist: Artist) -> Json:
        """Return a simplified album in the list of an artist."""
        shape = self.album(album)
        if self.extended:
            shape["album_group"] = album.group_for(artist)
        return shape

    def album(self, album: Album) -> Json:
        """Return a simplified album."""
        shape = self._entity("album", album.album_id, album.uri) | {
            "album_type": album.album_type,
            "artists": self._artists(album.artists),
            "images": images(album.images),
            "name": album.name,
            "release_date": album.release_date,
            "release_date_precision": album.release_date_precision,
            "total_tracks": album.total_tracks,
        }
        if album.restricted:
            shape["restrictions"] = {"reason": "market"}
        if self.extended:
            shape["available_markets"] = list(_MARKETS)
        return shape

    def full_album(self, album: Album, tracks: Json) -> Json:
        """Return a full album with the first page of its tracks."""
        shape = self.album(album) | {
            "copyrights": [] if album.copyright is None else self._copyrights(album.copyright),
            "external_ids": {} if album.upc is None else {"upc": album.upc},
            "genres": [],
            "tracks": tracks,
        }
        if self.extended:
            shape |= {"label": album.label, "popularity": album.popularity}
        return shape

    def simplified_track(self, track: Track) -> Json:
        """Return a track in the list of an album."""
        shape = self._entity("track", track.track_id, track.uri) | {
            "artists": self._artists(track.artists),
            "disc_number": track.disc_number,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "is_local": False,
            "name": track.name,
            "preview_url": track.preview_url if self.extended else None,
            "track_number": track.track_number,
        }
        if track.is_playable is not None:
            shape["is_playable"] = track.is_playable
            if not track.is_playable:
                shape["restrictions"] = {"reason": "product"}
        if self.extended:
            shape["available_markets"] = list(_MARKETS)
            if track.linked_from_id is not None:
                uri = f"spotify:track:{track.linked_from_id}"
                shape["linked_from"] = self._entity("track", track.linked_from_id, uri)
        return shape

    def track(self, track: Track) -> Json:
        """Return a full track."""
        shape = self.simplified_track(track)
        shape["album"] = self.album(track.album)
        shape["external_ids"] = {
            name: value for name, value in (("isrc", track.isrc), ("ean", track.ean)) if value is not None
        }
        if self.extended:
            shape["popularity"] = track.popularity
        return shape

    def item(self, item: Item | None) -> Json | None:
        """Return the item of a playlist's entry, where tracks and episodes have undocumented booleans."""
        if item is None:
            return None
        if isinstance(item, Track):
            return self.track(item) | {"episode": False, "track": True}
        if isinstance(item, Episode):
            return self.episode(item) | {"episode": True, "track": False}
        if isinstance(item, LocalTrack):
            return self._local_track(item)
        return self._unknown(item)

    def episode(self, episode: Episode) -> Json:
        """Return an episode with its show."""
        shape = self._entity("episode", episode.episode_id, episode.uri) | {
            "audio_preview_url": f"https://podz-content.spotifycdn.com/audio/clips/{episode.episode_id}.mp3"
            if episode.has_preview
            else None,
            "description": episode.description,
            "duration_ms": episode.duration_ms,
            "explicit": episode.explicit,
            "html_description": f"<p>{episode.description}</p>",
            "images": images(episode.images),
            "is_externally_hosted": False,
            "is_playable": not episode.restricted,
            "languages": list(episode.languages),
            "name": episode.name,
            "release_date": episode.release_date,
            "release_date_precision": episode.release_date_precision,
            "show": self.show(episode.show),
        }
        if episode.languages:
            shape["language"] = episode.languages[0]
        if episode.restricted:
            shape["restrictions"] = {"reason": "explicit"}
        if self._resume_points:
            shape["resume_point"] = {
                "fully_played": episode.fully_played,
                "resume_position_ms": episode.resume_position_ms,
            }
        return shape

    def show(self, show: Show) -> Json:
        """Return a simplified show."""
        shape = self._entity("show", show.show_id, show.uri) | {
            "copyrights": [] if show.copyright is None else self._copyrights(show.copyright),
            "description": show.description,
            "explicit": show.explicit,
            "html_description": show.description,
            "images": images(show.images),
            "is_externally_hosted": show.is_externally_hosted,
            "languages": list(show.languages),
            "media_type": show.media_type,
            "name": show.name,
            "total_episodes": show.total_episodes,
        }
        if self.extended:
            shape |= {"available_markets": list(_MARKETS), "publisher": show.publisher}
        return shape

    def _artists(self, artists: Iterable[Artist]) -> list[Json]:
        return [self.artist(artist) for artist in artists]

    def _entity(self, kind: str, entity_id: str, uri: str) -> Json:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{entity_id}"},
            "href": f"{self.api_url}{kind}s/{entity_id}",
            "id": entity_id,
            "type": kind,
            "uri": uri,
        }

    def _local_track(self, item: LocalTrack) -> Json:
        nothing: Json = {"external_urls": {}, "href": None, "id": None, "uri": None}
        album: Json = {
            **nothing,
            "album_type": None,
            "artists": [],
            "images": [],
            "name": item.album_name,
            "type": "album",
        }
        if item.has_release:
            album |= {"release_date": None, "release_date_precision": None}
        track: Json = {
            **nothing,
            "album": album,
            "artists": [{**nothing, "name": item.artist_name, "type": "artist"}],
            "disc_number": 0,
            "duration_ms": item.duration_ms,
            "explicit": False,
            "external_ids": {},
            "is_local": True,
            "name": item.name,
            "preview_url": None,
            "track_number": 0,
            "type": "track",
            "uri": item.uri,
        }
        if self.extended:
            album["available_markets"] = []
            track |= {"available_markets": [], "popularity": 0}
        return track

    def _unknown(self, item: UnknownItem) -> Json:
        return self._entity(item.type, item.item_id, item.uri) | {"duration_ms": item.duration_ms, "name": item.name}

    @staticmethod
    def _copyrights(text: str) -> list[Json]:
        return [{"text": f"(C) {text}", "type": "C"}, {"text": f"(P) {text}", "type": "P"}]


SAVED_SHAPES: Mapping[str, Callable[[Shapes, Any], Json]] = {
    "saved_shows": Shapes.show,
    "saved_episodes": Shapes.episode,
}
"""The shape of each kind of saved thing, by the name of the kind; that of an album needs its tracks as well."""


def images(pictures: tuple[Image, ...] | None) -> list[Json] | None:
    """Return images, the largest first; the list itself may be null."""
    if pictures is None:
        return None
    return [{"height": image.height, "url": image.url, "width": image.width} for image in pictures]
