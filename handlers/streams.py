"""The registry of streams: what is read from Spotify, how, how often and with which consent.

The one source for the extractor, the settings, the docs and the tests. Paths, page sizes and scopes are those that
a Development Mode app of 2026 may use: https://developer.spotify.com/documentation/web-api.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Schedule = Literal["daily", "hourly"]
Paging = Literal["none", "offset", "cursor"]
Mode = Literal["snapshot", "append", "incremental", "per_playlist", "catalogue", "import"]
AuthMode = Literal["user", "app"]

FULL_READ_DAYS = 7
"""Days after which an incremental stream is read whole again: only so is seen what is gone."""
AUTH_MODES: tuple[AuthMode, ...] = ("user", "app")
"""`user`: a refresh token, all streams; `app`: client credentials, which no user stands behind."""


@dataclass(frozen=True)
class Stream:
    """One kind of record that Spotify serves."""

    name: str
    doc: str
    """What its records are, in one line."""
    path: str
    """Path below the API's base URL; `{unit}` stands for a playlist id. Empty where there is none or several."""
    paging: Paging
    page_size: int
    """Largest `limit` the endpoint takes; 0 where it takes none."""
    mode: Mode
    """`snapshot`: read whole; `append`: what state has not seen; `incremental`: newest first down to the watermark, at
    times whole; `per_playlist`: one snapshot a playlist whose `snapshot_id` moved; `catalogue`: one snapshot for each
    thing that a setting names; `import`: no API, from the files of a privacy export."""
    key: tuple[str, ...]
    """What tells one record of a read from another."""
    quota_group: str
    """Streams that a long 429 locks together; '' where nothing is asked of Spotify."""
    scopes: tuple[str, ...] = ()
    """Consent that the endpoint asks for."""
    schedules: tuple[Schedule, ...] = ("daily",)
    default: bool = True
    """Whether the stream is on where the setting `streams` says nothing."""
    params: tuple[tuple[str, str], ...] = ()
    """Query parameters of the first request beside `limit`; the API carries them on in `next`."""
    page_in: str = ""
    """Key of the answer under which its page stands; '' where the answer is the page."""
    time_ranges: tuple[str, ...] = ()
    """Lists that are one read together, by their `time_range`; their records have a rank."""
    needs_user: bool = True
    """Whether it takes the consent of a user, so that `authMode: app` cannot read it."""

    @property
    def readable(self) -> bool:
        """Whether the Web API serves it."""
        return self.mode != "import"


@dataclass(frozen=True)
class CatalogueKind:
    """One kind of thing that the setting `catalogueUris` may name."""

    name: str
    path: str
    """Path below the API's base URL; `{unit}` stands for the id."""
    quota_group: str


CATALOGUE_KINDS: dict[str, CatalogueKind] = {
    kind.name: kind
    for kind in (
        CatalogueKind("artist", "artists/{unit}", "catalogue_artists"),
        CatalogueKind("album", "albums/{unit}", "catalogue_albums"),
        CatalogueKind("track", "tracks/{unit}", "catalogue_tracks"),
    )
}
"""What the stream `catalogue` reads, one request each, by the kind in the URI."""

ARTIST_ALBUMS = CatalogueKind("artist_albums", "artists/{unit}/albums", "catalogue_artist_albums")
"""The albums of an artist of the catalogue: a list in small pages, with a quota of its own."""
ARTIST_ALBUMS_PAGE_SIZE = 10
"""More is `400 Invalid limit` for a new app: https://github.com/spotipy-dev/spotipy/issues/1231."""

_PLAYLIST_SCOPES = ("playlist-read-private", "playlist-read-collaborative")
_TIME_RANGES = ("short_term", "medium_term", "long_term")

STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream(
            "profile",
            "The account itself.",
            "me",
            "none",
            0,
            "snapshot",
            ("account_id",),
            "profile",
        ),
        Stream(
            "recently_played",
            "The last 50 plays, all that Spotify keeps: read every hour.",
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
            "The playlists in the user's library.",
            "me/playlists",
            "offset",
            50,
            "snapshot",
            ("playlist_id",),
            "playlists",
            scopes=_PLAYLIST_SCOPES,
        ),
        Stream(
            "playlist_items",
            "The entries of the playlists that the user owns or collaborates on.",
            "playlists/{unit}/items",
            "offset",
            50,
            "per_playlist",
            ("playlist_id", "position"),
            "playlists",
            scopes=_PLAYLIST_SCOPES,
            # Without it an episode is served as a track without artists.
            params=(("additional_types", "track,episode"),),
        ),
        Stream(
            "saved_tracks",
            "The tracks the user has saved.",
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
            "The albums the user has saved.",
            "me/albums",
            "offset",
            50,
            "snapshot",
            ("album_id",),
            "library",
            scopes=("user-library-read",),
        ),
        Stream(
            "followed_artists",
            "The artists the user follows.",
            "me/following",
            "cursor",
            50,
            "snapshot",
            ("artist_id",),
            "following",
            scopes=("user-follow-read",),
            params=(("type", "artist"),),
            page_in="artists",
        ),
        Stream(
            "top_tracks",
            "The tracks the user hears most, over about four weeks, six months and a year.",
            "me/top/tracks",
            "offset",
            50,
            "snapshot",
            ("time_range", "rank"),
            "top",
            scopes=("user-top-read",),
            time_ranges=_TIME_RANGES,
        ),
        Stream(
            "top_artists",
            "The artists the user hears most, over about four weeks, six months and a year.",
            "me/top/artists",
            "offset",
            50,
            "snapshot",
            ("time_range", "rank"),
            "top",
            scopes=("user-top-read",),
            time_ranges=_TIME_RANGES,
        ),
        Stream(
            "saved_shows",
            "The podcast shows the user has saved.",
            "me/shows",
            "offset",
            50,
            "snapshot",
            ("show_id",),
            "library",
            scopes=("user-library-read",),
            default=False,
        ),
        Stream(
            "saved_episodes",
            "The podcast episodes the user has saved.",
            "me/episodes",
            "offset",
            50,
            "snapshot",
            ("episode_id",),
            "library",
            scopes=("user-library-read", "user-read-playback-position"),
            default=False,
        ),
        Stream(
            "catalogue",
            "The artists (with their albums), albums and tracks that the setting `catalogueUris` names.",
            "",
            "none",
            0,
            "catalogue",
            ("requested_uri", "item_uri"),
            "catalogue",
            default=False,
            needs_user=False,
        ),
        Stream(
            "streaming_history",
            "The plays of a privacy export (extended, or the small one: source `account_data`), imported by hand.",
            "",
            "none",
            0,
            "import",
            ("played_at", "item_uri"),
            "",
            schedules=(),
            default=False,
        ),
    )
}
"""Every stream by its name, in the order in which a run reads them."""

READABLE_STREAMS: dict[str, Stream] = {name: stream for name, stream in STREAMS.items() if stream.readable}
"""The streams that the Web API serves, which the setting `streams` may name."""


def scopes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The consent that the named streams need together, sorted."""
    return tuple(sorted({scope for name in names for scope in STREAMS[name].scopes}))


def default_streams(auth_mode: AuthMode = "user") -> tuple[str, ...]:
    """The streams that are on where the setting `streams` says nothing."""
    if auth_mode == "app":
        return tuple(name for name, stream in STREAMS.items() if not stream.needs_user)
    return tuple(name for name, stream in STREAMS.items() if stream.default)
