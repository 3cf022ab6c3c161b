"""The registry of streams: what is read from Spotify, how, how often and with which scopes.

The single source for the extractor, the settings, the docs and the tests. Paths, page sizes and scopes are those
available to a Development Mode app in 2026: https://developer.spotify.com/documentation/web-api.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Schedule = Literal["daily", "hourly"]
Paging = Literal["none", "offset", "cursor"]
Mode = Literal["snapshot", "append", "incremental", "per_playlist", "catalogue", "import"]
AuthMode = Literal["user", "app"]

FULL_READ_DAYS = 7
"""Days after which an incremental stream is read in full again, which shows what was removed."""
AUTH_MODES: tuple[AuthMode, ...] = ("user", "app")
"""`user`: a refresh token, all streams; `app`: client credentials, without a user."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of record that Spotify serves."""

    name: str
    doc: str
    """What its records are, in one line."""
    mode: Mode
    """`snapshot`: read in full; `append`: only what the state has not seen; `incremental`: newest first down to the
    watermark, and periodically in full; `per_playlist`: one snapshot per playlist whose `snapshot_id` has changed;
    `catalogue`: one snapshot per entry of the setting `catalogueUris`; `import`: no API, from a privacy export."""
    key: tuple[str, ...]
    """The columns that tell one record of a read from another."""
    item_keys: tuple[str, ...]
    """The keys of a record under which Spotify sends the thing with the URI, the current name first; `""` is the record
    itself. Empty only for a stream that the Web API does not serve."""
    table: str = ""
    """The table in which every line becomes one row, if not rejected; named like the stream by default."""
    path: str = ""
    """Path below the API's base URL; `{unit}` is a playlist id. Empty where there is none or several."""
    paging: Paging = "offset"
    page_size: int = 50
    """Largest `limit` that the endpoint accepts; 0 where it takes none."""
    quota_group: str = ""
    """Streams that a long 429 locks together; empty where no request is sent to Spotify."""
    scopes: tuple[str, ...] = ()
    """Consent that the endpoint requires."""
    schedules: tuple[Schedule, ...] = ("daily",)
    default: bool = True
    """Whether the stream is read when the setting `streams` is empty."""
    params: tuple[tuple[str, str], ...] = ()
    """Query parameters of the first request besides `limit`; the API repeats them in `next`."""
    page_in: str = ""
    """Key of the response that holds the page; empty where the response is the page."""
    time_ranges: tuple[str, ...] = ()
    """Lists that are read together, by their `time_range`; their records have a rank."""
    needs_user: bool = True
    """Whether it requires a user's consent, which `authMode: app` does not have."""

    def __post_init__(self) -> None:
        """Fill in what follows from the other fields.

        Raises:
            ValueError: the Web API serves the stream, but nothing says where its records' URI is.
        """
        if self.readable and not self.item_keys:
            raise ValueError(f"{self.name}: item_keys is empty.")
        # The usual way to derive a field of a frozen dataclass.
        object.__setattr__(self, "table", self.table or self.name)
        if self.paging == "none":
            object.__setattr__(self, "page_size", 0)

    @property
    def readable(self) -> bool:
        """Whether the Web API serves it."""
        return self.mode != "import"


@dataclass(frozen=True)
class CatalogueKind:
    """One kind of thing that the setting `catalogueUris` accepts."""

    name: str
    path: str
    """Path below the API's base URL; `{unit}` is the id."""
    quota_group: str


CATALOGUE_KINDS: dict[str, CatalogueKind] = {
    kind.name: kind
    for kind in (
        CatalogueKind("artist", "artists/{unit}", "catalogue_artists"),
        CatalogueKind("album", "albums/{unit}", "catalogue_albums"),
        CatalogueKind("track", "tracks/{unit}", "catalogue_tracks"),
    )
}
"""What the stream `catalogue` reads, by the kind in the URI; one request each."""

ARTIST_ALBUMS = CatalogueKind("artist_albums", "artists/{unit}/albums", "catalogue_artist_albums")
"""The albums of an artist in the catalogue: a list in small pages, with a quota of its own."""
ARTIST_ALBUMS_PAGE_SIZE = 10
"""New apps get `400 Invalid limit` for more: https://github.com/spotipy-dev/spotipy/issues/1231."""

_PLAYLIST_SCOPES = ("playlist-read-private", "playlist-read-collaborative")
_LIBRARY_SCOPES = ("user-library-read",)
_TIME_RANGES = ("short_term", "medium_term", "long_term")

STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream(
            name="profile",
            doc="The account itself.",
            mode="snapshot",
            path="me",
            paging="none",
            key=("account_id",),
            item_keys=("",),
            quota_group="profile",
        ),
        Stream(
            name="recently_played",
            doc="The last 50 plays, all that Spotify keeps: read every hour.",
            table="plays",
            mode="append",
            path="me/player/recently-played",
            paging="cursor",
            key=("played_at", "item_uri"),
            item_keys=("track", "item"),
            quota_group="player",
            scopes=("user-read-recently-played",),
            schedules=("hourly",),
        ),
        Stream(
            name="playlists",
            doc="The playlists in the user's library.",
            mode="snapshot",
            path="me/playlists",
            key=("playlist_id",),
            item_keys=("",),
            quota_group="playlists",
            scopes=_PLAYLIST_SCOPES,
        ),
        Stream(
            name="playlist_items",
            doc="The entries of the playlists that the user owns or collaborates on.",
            mode="per_playlist",
            path="playlists/{unit}/items",
            key=("playlist_id", "position"),
            item_keys=("item", "track"),
            quota_group="playlists",
            scopes=_PLAYLIST_SCOPES,
            # Without it Spotify serves an episode as a track without artists.
            params=(("additional_types", "track,episode"),),
        ),
        Stream(
            name="saved_tracks",
            doc="The tracks the user has saved.",
            mode="incremental",
            path="me/tracks",
            key=("added_at", "item_uri"),
            item_keys=("track", "item"),
            quota_group="library",
            scopes=_LIBRARY_SCOPES,
        ),
        Stream(
            name="saved_albums",
            doc="The albums the user has saved.",
            mode="snapshot",
            path="me/albums",
            key=("album_id",),
            item_keys=("album",),
            quota_group="library",
            scopes=_LIBRARY_SCOPES,
        ),
        Stream(
            name="followed_artists",
            doc="The artists the user follows.",
            mode="snapshot",
            path="me/following",
            paging="cursor",
            key=("artist_id",),
            item_keys=("",),
            quota_group="following",
            scopes=("user-follow-read",),
            params=(("type", "artist"),),
            page_in="artists",
        ),
        Stream(
            name="top_tracks",
            doc="The tracks the user listens to most, over about four weeks, six months and a year.",
            mode="snapshot",
            path="me/top/tracks",
            key=("time_range", "rank"),
            item_keys=("",),
            quota_group="top",
            scopes=("user-top-read",),
            time_ranges=_TIME_RANGES,
        ),
        Stream(
            name="top_artists",
            doc="The artists the user listens to most, over about four weeks, six months and a year.",
            mode="snapshot",
            path="me/top/artists",
            key=("time_range", "rank"),
            item_keys=("",),
            quota_group="top",
            scopes=("user-top-read",),
            time_ranges=_TIME_RANGES,
        ),
        Stream(
            name="saved_shows",
            doc="The podcast shows the user has saved.",
            mode="snapshot",
            path="me/shows",
            key=("show_id",),
            item_keys=("show",),
            quota_group="library",
            scopes=_LIBRARY_SCOPES,
            default=False,
        ),
        Stream(
            name="saved_episodes",
            doc="The podcast episodes the user has saved.",
            mode="snapshot",
            path="me/episodes",
            key=("episode_id",),
            item_keys=("episode",),
            quota_group="library",
            scopes=(*_LIBRARY_SCOPES, "user-read-playback-position"),
            default=False,
        ),
        Stream(
            name="catalogue",
            doc="The artists (with their albums), albums and tracks listed in the setting `catalogueUris`.",
            mode="catalogue",
            paging="none",
            key=("requested_uri", "item_uri"),
            item_keys=("",),
            quota_group="catalogue",
            default=False,
            needs_user=False,
        ),
        Stream(
            name="streaming_history",
            doc="The plays of a privacy export, imported with `spotify-etl import-history`.",
            table="plays",
            mode="import",
            paging="none",
            key=("played_at", "item_uri"),
            item_keys=(),
            schedules=(),
            default=False,
        ),
        Stream(
            name="labels",
            doc="Your own labels and exclusions, imported with `spotify-etl labels`.",
            mode="import",
            paging="none",
            key=("subject",),
            item_keys=(),
            schedules=(),
            default=False,
        ),
    )
}
"""Every stream by its name, in the order in which a run reads them."""

ITEM_KEYS: tuple[str, ...] = tuple(dict.fromkeys(key for stream in STREAMS.values() for key in stream.item_keys if key))
"""Every key under which some stream's records hold the thing with the URI."""

READABLE_STREAMS: dict[str, Stream] = {name: stream for name, stream in STREAMS.items() if stream.readable}
"""The streams that the Web API serves: those that the setting `streams` accepts."""


def scopes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes that these streams need together, sorted."""
    return tuple(sorted({scope for name in names for scope in STREAMS[name].scopes}))


def default_streams(auth_mode: AuthMode = "user") -> tuple[str, ...]:
    """Return the streams that are read when the setting `streams` is empty."""
    if auth_mode == "app":
        return tuple(name for name, stream in STREAMS.items() if not stream.needs_user)
    return tuple(name for name, stream in STREAMS.items() if stream.default)
