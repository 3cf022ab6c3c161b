"""Which part of a raw line feeds which column: one declaration per stream and per Spotify object.

A path goes down by `.`; `[0]` takes the first element of a list, `[]` every element. Paths of a stream start at
`record` (what Spotify sent), `context` (what the extractor added) or `item` (what the record is about, under whichever
key it was sent); those of an entity start at the object itself. The schema for reading raw lines is derived from these
paths, so fields without a column are never kept.

Shapes: https://developer.spotify.com/documentation/web-api.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from handlers.streams import STREAMS


@dataclass(frozen=True)
class FirstOf:
    """The first of several paths that has a value: fields that Spotify renamed."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class FirstFilled:
    """The first of several paths that has a text other than `''`: fields of which a record fills one."""

    paths: tuple[str, ...]


Source: TypeAlias = str | FirstOf | FirstFilled
"""Where a value is: one path or the first of several."""


@dataclass(frozen=True)
class EmptyIfNull:
    """A string of a grain: `''` if there is none."""

    source: Source


@dataclass(frozen=True)
class NullIfEmpty:
    """A string that Spotify sends as `''` if it has none."""

    path: str


@dataclass(frozen=True)
class KnownTime:
    """A timestamp that Spotify sends as the epoch if it is unknown."""

    path: str


@dataclass(frozen=True)
class EpochTime:
    """A timestamp sent as a number: seconds or milliseconds since 1970, or a meaningless number."""

    path: str


@dataclass(frozen=True)
class TimeOrMinute:
    """A timestamp, or else the minute at another path, such as `2024-05-03 12:00`, UTC."""

    path: str
    minute: str


@dataclass(frozen=True)
class IdOfKind:
    """The id of an object if it is of a `type`."""

    path: str
    kind: str


@dataclass(frozen=True)
class IdOfUri:
    """The id in a Spotify URI if that is of a kind."""

    path: str
    kind: str


@dataclass(frozen=True)
class KindOfFirst:
    """The kind that belongs to the first path with a text other than `''`: fields that tell kinds apart."""

    kinds: tuple[tuple[str, str], ...]
    """Each path with its kind."""
    otherwise: str | None = None
    """The kind of a record that fills none of them."""


@dataclass(frozen=True)
class Present:
    """Whether an object was sent."""

    path: str


@dataclass(frozen=True)
class YearOf:
    """The year of a release date; null for `0000`."""

    source: Source


@dataclass(frozen=True)
class DayOf:
    """A release date if it is a complete, valid date."""

    source: Source


@dataclass(frozen=True)
class Always:
    """The same value in every row."""

    value: str


@dataclass(frozen=True)
class OwnerId:
    """The id of the object whose list this one is in."""


Expression: TypeAlias = (
    Source
    | EmptyIfNull
    | NullIfEmpty
    | KnownTime
    | EpochTime
    | TimeOrMinute
    | IdOfKind
    | IdOfUri
    | KindOfFirst
    | Present
    | YearOf
    | DayOf
    | Always
    | OwnerId
)


def paths(expression: Expression) -> tuple[str, ...]:
    """Return the paths that an expression reads, by precedence."""
    match expression:
        case str():
            read: tuple[str, ...] = (expression,)
        case FirstOf() | FirstFilled():
            read = expression.paths
        case TimeOrMinute():
            read = (expression.path, expression.minute)
        case IdOfKind():
            read = (f"{expression.path}.id", f"{expression.path}.type", f"{expression.path}.uri")
        case KindOfFirst():
            read = tuple(path for path, _ in expression.kinds)
        case EmptyIfNull() | YearOf() | DayOf():
            read = paths(expression.source)
        case Always() | OwnerId() | Present():
            read = ()
        case _:
            read = (expression.path,)
    return read


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A Spotify object that becomes a row of its own table if it has an id."""

    table: str
    columns: Mapping[str, Expression]
    """The first one is the id."""
    parts: tuple[Part, ...] = ()

    @property
    def id_column(self) -> str:
        """The column that tells one entity from another."""
        return next(iter(self.columns))


@dataclass(frozen=True)
class Part:
    """The place of an entity in another object."""

    path: str
    """A path that ends with `[]` is a list."""
    entity: Entity
    kind: str | None = None
    """The `type` of this entity, if the place may hold several."""
    bridge: str | None = None
    """The table with the entity's position in the list of its owner."""


@dataclass(frozen=True, kw_only=True)
class StreamMapping:
    """The rows that the lines of one stream become."""

    stream: str
    columns: Mapping[str, Expression]
    parts: tuple[Part, ...] = ()
    quotes_lines: bool = True
    """Whether text of a line other than its columns may be stored or logged: the line itself in `rejected_records`, the
    names of unknown fields as drift. False where a line may hold what must never be stored."""

    @property
    def table(self) -> str:
        """The table in which each line becomes a row."""
        return STREAMS[self.stream].table

    @property
    def item(self) -> tuple[str, ...]:
        """The paths of what a record is about, where that is not the record itself; the first non-null one counts."""
        return tuple(f"record.{key}" for key in STREAMS[self.stream].item_keys if key)

    def raw_paths(self, path: str) -> tuple[str, ...]:
        """Return the paths in a raw line that a path of this mapping stands for: `item` may be under several keys."""
        if path == "item" or path.startswith("item."):
            return tuple(place + path.removeprefix("item") for place in self.item)
        return (path,)


def _release(*places: str) -> Mapping[str, Expression]:
    """Return the columns of a release date at the first of these places, each a prefix of paths."""
    release_date = FirstOf(tuple(f"{place}release_date" for place in places))
    return {
        "release_date": release_date,
        "release_date_precision": FirstOf(tuple(f"{place}release_date_precision" for place in places)),
        "release_year": YearOf(release_date),
        "released_on": DayOf(release_date),
    }


_IMAGE = "images[0].url"
_URL = "external_urls.spotify"

ARTIST = Entity(
    table="artists",
    columns={
        "artist_id": "id",
        "uri": "uri",
        "name": "name",
        "genres": "genres",
        "popularity": "popularity",
        "followers": "followers.total",
        "image_url": _IMAGE,
        "spotify_url": _URL,
    },
)

ALBUM = Entity(
    table="albums",
    columns={
        "album_id": "id",
        "uri": "uri",
        "name": "name",
        "album_type": "album_type",
        **_release(""),
        "total_tracks": "total_tracks",
        "upc": "external_ids.upc",
        "label": "label",
        "popularity": "popularity",
        "genres": "genres",
        "available_markets": "available_markets",
        "image_url": _IMAGE,
        "spotify_url": _URL,
    },
    parts=(Part("artists[]", ARTIST, bridge="album_artists"),),
)

TRACK = Entity(
    table="tracks",
    columns={
        "track_id": "id",
        "uri": "uri",
        "name": "name",
        "album_id": "album.id",
        "disc_number": "disc_number",
        "track_number": "track_number",
        "duration_ms": "duration_ms",
        "explicit": "explicit",
        "isrc": "external_ids.isrc",
        "is_playable": "is_playable",
        "popularity": "popularity",
        "preview_url": "preview_url",
        "available_markets": "available_markets",
        "linked_from_id": "linked_from.id",
        "spotify_url": _URL,
    },
    parts=(Part("artists[]", ARTIST, bridge="track_artists"), Part("album", ALBUM)),
)

TRACK_OF_ALBUM = replace(TRACK, columns={**TRACK.columns, "album_id": OwnerId()}, parts=TRACK.parts[:1])
FULL_ALBUM = replace(ALBUM, parts=(*ALBUM.parts, Part("tracks.items[]", TRACK_OF_ALBUM)))

SHOW = Entity(
    table="shows",
    columns={
        "show_id": "id",
        "uri": "uri",
        "name": "name",
        "description": "description",
        "publisher": "publisher",
        "media_type": "media_type",
        "languages": "languages",
        "explicit": "explicit",
        "total_episodes": "total_episodes",
        "image_url": _IMAGE,
        "spotify_url": _URL,
    },
)

EPISODE = Entity(
    table="episodes",
    columns={
        "episode_id": "id",
        "uri": "uri",
        "name": "name",
        "show_id": "show.id",
        "description": "description",
        "duration_ms": "duration_ms",
        "explicit": "explicit",
        **_release(""),
        "languages": "languages",
        "is_playable": "is_playable",
        "fully_played": "resume_point.fully_played",
        "resume_position_ms": "resume_point.resume_position_ms",
        "image_url": _IMAGE,
        "spotify_url": _URL,
    },
    parts=(Part("show", SHOW),),
)

_ITEM_PARTS = (Part("item", TRACK, kind="track"), Part("item", EPISODE, kind="episode"))
_ITEM: Mapping[str, Expression] = {
    "item_uri": EmptyIfNull("item.uri"),
    "item_type": "item.type",
    "is_local": FirstOf(("record.is_local", "item.is_local")),
    "is_available": Present("item"),
    "track_id": IdOfKind("item", "track"),
}
_NAMES: Mapping[str, Expression] = {
    "artist_name": "item.artists[0].name",
    "album_name": "item.album.name",
    "duration_ms": "item.duration_ms",
}
_PLACE: Mapping[str, Expression] = {"time_range": "context.time_range", "rank": "context.rank"}
_HISTORY_URIS = (
    ("record.spotify_track_uri", "track"),
    ("record.spotify_episode_uri", "episode"),
    ("record.audiobook_chapter_uri", "chapter"),
)
# Exports of 2020/21 and the small export have no URIs.
_HISTORY_TITLES = (
    ("record.master_metadata_track_name", "track"),
    ("record.episode_name", "episode"),
    ("record.audiobook_chapter_title", "chapter"),
    ("record.trackName", "track"),
    ("record.episodeName", "episode"),
    ("record.chapterName", "chapter"),
)
_HISTORY_CREATORS = (
    ("record.master_metadata_album_artist_name", "track"),
    ("record.episode_show_name", "episode"),
    ("record.audiobook_title", "chapter"),
    ("record.artistName", "track"),
    ("record.podcastName", "episode"),
    ("record.audiobookName", "chapter"),
)


def _paths_of(kinds: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(path for path, _ in kinds)


STREAM_MAPPINGS: Mapping[str, StreamMapping] = {
    mapping.stream: mapping
    for mapping in (
        StreamMapping(
            stream="profile",
            columns={
                "user_id": "record.id",
                "uri": "record.uri",
                "display_name": "record.display_name",
                "country": "record.country",
                "email": "record.email",
                "product": "record.product",
                "followers": "record.followers.total",
                "image_url": f"record.{_IMAGE}",
                "spotify_url": f"record.{_URL}",
            },
        ),
        StreamMapping(
            stream="recently_played",
            columns={
                "source": Always("recently_played"),
                "played_at": "record.played_at",
                "item_uri": EmptyIfNull("item.uri"),
                "item_type": "item.type",
                "track_id": IdOfKind("item", "track"),
                "track_name": "item.name",
                "artist_name": "item.artists[0].name",
                "album_name": "item.album.name",
                "context_type": "record.context.type",
                "context_uri": "record.context.uri",
                "duration_ms": "item.duration_ms",
            },
            parts=_ITEM_PARTS,
        ),
        StreamMapping(
            stream="playlists",
            columns={
                "playlist_id": "record.id",
                "uri": "record.uri",
                "name": "record.name",
                "description": "record.description",
                "owner_id": "record.owner.id",
                "owner_name": "record.owner.display_name",
                "is_public": "record.public",
                "collaborative": "record.collaborative",
                "snapshot_id": "record.snapshot_id",
                "items_total": FirstOf(("record.items.total", "record.tracks.total")),
                "followers": "record.followers.total",
                "primary_color": "record.primary_color",
                "image_url": f"record.{_IMAGE}",
                "spotify_url": f"record.{_URL}",
            },
        ),
        StreamMapping(
            stream="playlist_items",
            columns={
                "playlist_id": "context.playlist_id",
                "snapshot_id": "context.snapshot_id",
                "position": "context.position",
                **_ITEM,
                "episode_id": IdOfKind("item", "episode"),
                "added_at": KnownTime("record.added_at"),
                "added_by_id": NullIfEmpty("record.added_by.id"),
                "item_name": "item.name",
                **_NAMES,
                "show_name": "item.show.name",
            },
            parts=_ITEM_PARTS,
        ),
        StreamMapping(
            stream="saved_tracks",
            columns={"added_at": "record.added_at", **_ITEM, "track_name": "item.name", **_NAMES},
            parts=_ITEM_PARTS,
        ),
        StreamMapping(
            stream="saved_albums",
            columns={
                "album_id": "record.album.id",
                "added_at": KnownTime("record.added_at"),
                "uri": "record.album.uri",
                "album_name": "record.album.name",
                "artist_name": "record.album.artists[0].name",
            },
            parts=(Part("record.album", FULL_ALBUM),),
        ),
        StreamMapping(
            stream="followed_artists",
            columns={"artist_id": "record.id", "uri": "record.uri", "artist_name": "record.name"},
            parts=(Part("record", ARTIST),),
        ),
        StreamMapping(
            stream="top_tracks",
            columns={
                **_PLACE,
                "item_uri": EmptyIfNull("record.uri"),
                "track_id": IdOfKind("record", "track"),
                "track_name": "record.name",
                "artist_name": "record.artists[0].name",
                "album_name": "record.album.name",
                "duration_ms": "record.duration_ms",
            },
            parts=(Part("record", TRACK, kind="track"),),
        ),
        StreamMapping(
            stream="top_artists",
            columns={**_PLACE, "artist_id": "record.id", "uri": "record.uri", "artist_name": "record.name"},
            parts=(Part("record", ARTIST),),
        ),
        StreamMapping(
            stream="saved_shows",
            columns={
                "show_id": "record.show.id",
                "added_at": KnownTime("record.added_at"),
                "uri": "record.show.uri",
                "show_name": "record.show.name",
                "publisher": "record.show.publisher",
                "total_episodes": "record.show.total_episodes",
            },
            parts=(Part("record.show", SHOW),),
        ),
        StreamMapping(
            stream="saved_episodes",
            columns={
                "episode_id": "record.episode.id",
                "added_at": KnownTime("record.added_at"),
                "uri": "record.episode.uri",
                "episode_name": "record.episode.name",
                "show_id": "record.episode.show.id",
                "show_name": "record.episode.show.name",
                "duration_ms": "record.episode.duration_ms",
            },
            parts=(Part("record.episode", EPISODE),),
        ),
        StreamMapping(
            stream="catalogue",
            columns={
                "requested_uri": "context.requested_uri",
                "item_uri": EmptyIfNull("record.uri"),
                "item_type": "record.type",
                "artist_id": IdOfKind("record", "artist"),
                "album_id": IdOfKind("record", "album"),
                "track_id": IdOfKind("record", "track"),
                "name": "record.name",
                "artist_name": "record.artists[0].name",
                "album_name": "record.album.name",
                "album_type": FirstOf(("record.album_type", "record.album.album_type")),
                **_release("record.", "record.album."),
                "total_tracks": FirstOf(("record.total_tracks", "record.album.total_tracks")),
                "duration_ms": "record.duration_ms",
            },
            parts=(
                Part("record", TRACK, kind="track"),
                Part("record", FULL_ALBUM, kind="album"),
                Part("record", ARTIST, kind="artist"),
            ),
        ),
        StreamMapping(
            stream="streaming_history",
            columns={
                "source": KindOfFirst(
                    (("record.ts", "streaming_history"), ("record.endTime", "account_data")),
                    otherwise="streaming_history",
                ),
                "played_at": TimeOrMinute("record.ts", "record.endTime"),
                "item_uri": EmptyIfNull(FirstFilled(_paths_of(_HISTORY_URIS))),
                "item_type": KindOfFirst((*_HISTORY_URIS, *_HISTORY_TITLES, *_HISTORY_CREATORS)),
                "track_id": IdOfUri("record.spotify_track_uri", "track"),
                "track_name": FirstFilled(_paths_of(_HISTORY_TITLES)),
                "artist_name": FirstFilled(_paths_of(_HISTORY_CREATORS)),
                "album_name": "record.master_metadata_album_album_name",
                "ms_played": FirstOf(("record.ms_played", "record.msPlayed")),
                "reason_start": "record.reason_start",
                "reason_end": "record.reason_end",
                "skipped": "record.skipped",
                "shuffle": "record.shuffle",
                "offline": "record.offline",
                "offline_timestamp": EpochTime("record.offline_timestamp"),
                "incognito": "record.incognito_mode",
                "platform": "record.platform",
                "country": "record.conn_country",
            },
            quotes_lines=False,
        ),
        StreamMapping(
            stream="labels",
            columns={
                "subject": EmptyIfNull("record.subject"),
                "label": "record.label",
                "excluded": "record.excluded",
            },
        ),
    )
}
"""The mapping of each stream, by its name."""
