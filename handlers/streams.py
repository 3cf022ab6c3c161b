"""The registry of streams: what is read from Spotify, how, how often and with which consent.

The one source for the extractor, the settings, the docs and the tests. Paths, page sizes and scopes are those that
a Development Mode app of 2026 may use: https://developer.spotify.com/documentation/web-api.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Schedule = Literal["daily", "hourly"]
Paging = Literal["none", "offset", "cursor"]
Mode = Literal["snapshot", "append", "incremental", "per_playlist"]


FULL_READ_DAYS = 7
"""Days after which an incremental stream is read whole again: only so is seen what is gone."""


@dataclass(frozen=True)
class Stream:
    """One kind of record that Spotify serves."""

    name: str
    path: str
    """Path below the API's base URL; `{unit}` stands for a playlist id."""
    paging: Paging
    page_size: int
    """Largest `limit` the endpoint takes; 0 where it takes none."""
    mode: Mode
    """`snapshot`: read whole; `append`: what state has not seen; `incremental`: newest first down to the watermark, at
    times whole; `per_playlist`: one snapshot a playlist whose `snapshot_id` moved."""
    key: tuple[str, ...]
    """What tells one record of a read from another."""
    quota_group: str
    """Streams that a long 429 locks together."""
    scopes: tuple[str, ...] = ()
    """Consent that the endpoint asks for."""
    schedules: tuple[Schedule, ...] = ("daily",)
    default: bool = True
    """Whether the stream is on where the setting `streams` says nothing."""
    params: tuple[tuple[str, str], ...] = ()
    """Query parameters of the first request beside `limit`; the API carries them on in `next`."""


STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream("profile", "me", "none", 0, "snapshot", ("account_id",), "profile"),
        Stream(
            "recently_played",
            "me/player/recently-played",
            "cursor",
            50,
            "append",
            ("played_at", "item_uri"),
            "player",
            scopes=("user-read-recently-played",),
            schedules=("hourly",),
        ),
        Stream(
            "playlists",
            "me/playlists",
            "offset",
            50,
            "snapshot",
            ("playlist_id",),
            "playlists",
            scopes=("playlist-read-private", "playlist-read-collaborative"),
        ),
        Stream(
            "playlist_items",
            "playlists/{unit}/items",
            "offset",
            50,
            "per_playlist",
            ("playlist_id", "position"),
            "playlists",
            scopes=("playlist-read-private", "playlist-read-collaborative"),
            # Without it an episode is served as a track without artists.
            params=(("additional_types", "track,episode"),),
        ),
        Stream(
            "saved_tracks",
            "me/tracks",
            "offset",
            50,
            "incremental",
            ("added_at", "item_uri"),
            "library",
            scopes=("user-library-read",),
        ),
        Stream(
            "saved_albums",
            "me/albums",
            "offset",
            50,
            "snapshot",
            ("album_id",),
            "library",
            scopes=("user-library-read",),
        ),
    )
}
"""Every stream by its name, in the order in which a run reads them."""


def scopes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The consent that the named streams need together, sorted."""
    return tuple(sorted({scope for name in names for scope in STREAMS[name].scopes}))


def default_streams() -> tuple[str, ...]:
    """The streams that are on where the setting `streams` says nothing."""
    return tuple(name for name, stream in STREAMS.items() if stream.default)
