"""The fields that records are known to have, in both shapes of the API, whether a column reads them or not.

What is not here is new: `unknown_fields.py` reports it. Sources: the reference of each object at
https://developer.spotify.com/documentation/web-api, and of the privacy export, here without what identifies a person,
https://support.spotify.com/article/understanding-my-data/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from handlers.streaming_history import FIELDS

Fields: TypeAlias = Mapping[str, "Fields | None"]
"""The names of an object's fields, each with the fields of the object behind it, or of each object of the list; None
where there are none, or none that matter."""


def _fields(names: str, **inner: Fields) -> Fields:
    return {**dict.fromkeys(names.split()), **inner}


_IMAGES = _fields("url height width")
_EXTERNAL_IDS = _fields("isrc ean upc")
_COPYRIGHTS = _fields("text type")
_RESTRICTIONS = _fields("reason")
_COUNT = _fields("href total")
_REFERENCE = _fields("href id type uri", external_urls=_fields("spotify"))

_USER: Fields = {
    **_REFERENCE,
    **_fields("account_id display_name country email product"),
    "explicit_content": _fields("filter_enabled filter_locked"),
    "followers": _COUNT,
    "images": _IMAGES,
}
_ARTIST: Fields = {**_REFERENCE, **_fields("name genres popularity"), "followers": _COUNT, "images": _IMAGES}
# An album sends less of its tracks, but the same columns read them.
_TRACK_OF_ALBUM: Fields = {
    **_REFERENCE,
    **_fields("name disc_number track_number duration_ms explicit is_local is_playable popularity preview_url"),
    **_fields("available_markets"),
    "artists": _ARTIST,
    "external_ids": _EXTERNAL_IDS,
    "linked_from": _REFERENCE,
    "restrictions": _RESTRICTIONS,
}
_ALBUM: Fields = {
    **_REFERENCE,
    **_fields("name album_type album_group release_date release_date_precision total_tracks available_markets"),
    **_fields("genres is_playable label popularity"),
    "artists": _ARTIST,
    "copyrights": _COPYRIGHTS,
    "external_ids": _EXTERNAL_IDS,
    "images": _IMAGES,
    "restrictions": _RESTRICTIONS,
    "tracks": {**_fields("href limit next offset previous total"), "items": _TRACK_OF_ALBUM},
}
_TRACK: Fields = {**_TRACK_OF_ALBUM, "album": _ALBUM}
_SHOW: Fields = {
    **_REFERENCE,
    **_fields("name description html_description explicit is_externally_hosted languages media_type publisher"),
    **_fields("total_episodes available_markets"),
    "copyrights": _COPYRIGHTS,
    "images": _IMAGES,
}
_EPISODE: Fields = {
    **_REFERENCE,
    **_fields("name description html_description audio_preview_url duration_ms explicit is_externally_hosted"),
    **_fields("is_playable language languages release_date release_date_precision"),
    "images": _IMAGES,
    "restrictions": _RESTRICTIONS,
    "resume_point": _fields("fully_played resume_position_ms"),
    "show": _SHOW,
}
# Entries of playlists have fields that the reference lacks: these two flags, a colour and a thumbnail.
_ITEM: Fields = {**_TRACK, **_EPISODE, **_fields("track episode")}
_PLAYLIST: Fields = {
    **_REFERENCE,
    **_fields("name description collaborative public snapshot_id primary_color"),
    "followers": _COUNT,
    "images": _IMAGES,
    "items": _COUNT,
    "owner": _USER,
    "tracks": _COUNT,
}

STREAM_FIELDS: Mapping[str, Fields] = {
    "profile": _USER,
    "recently_played": {
        "played_at": None,
        "track": _ITEM,
        "item": _ITEM,
        "context": _fields("type href uri", external_urls=_fields("spotify")),
    },
    "playlists": _PLAYLIST,
    "playlist_items": {
        **_fields("added_at is_local primary_color"),
        "added_by": _USER,
        "item": _ITEM,
        "track": _ITEM,
        "video_thumbnail": _fields("url"),
    },
    "saved_tracks": {**_fields("added_at is_local"), "track": _ITEM, "item": _ITEM},
    "saved_albums": {"added_at": None, "album": _ALBUM},
    "followed_artists": _ARTIST,
    "top_tracks": _TRACK,
    "top_artists": _ARTIST,
    "saved_shows": {"added_at": None, "show": _SHOW},
    "saved_episodes": {"added_at": None, "episode": _EPISODE},
    "catalogue": {**_ARTIST, **_TRACK, **_ALBUM},
    "streaming_history": dict.fromkeys(FIELDS),
}
"""The fields of each stream's record."""
