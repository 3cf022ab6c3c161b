"""Every table: its columns with type and meaning, its grain and its partition key.

Types are Athena's (`string`, `int`, `bigint`, `boolean`, `double`, `timestamp`, `date`, `array<string>`); those of
Arrow and Glue are derived where they are needed. A column never changes its type: a test holds this file against
the released schemas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TableKind = Literal["snapshot", "log", "entity", "bridge"]

SCHEMA_VERSION = 2
"""Raised with any change of what the transform writes for the same raw object."""


@dataclass(frozen=True)
class Column:
    """One column: its name, its Athena type and one line on what it holds."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the transformed bucket."""

    name: str
    kind: TableKind
    """`snapshot`: the rows of whole reads, of which the newest complete one counts; `log`: rows that are only ever
    added; `entity`: sightings of a thing by its id; `bridge`: sightings of an ordered list of one thing's parts."""
    doc: str
    grain: tuple[str, ...]
    """The columns that tell one row of a read from another; never null."""
    columns: tuple[Column, ...]
    """The table's own columns, without `COMMON` and the partition key."""
    partition_key: str = "dt"

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """What a Parquet file of the table holds: the own columns, then `COMMON`."""
        return self.columns + COMMON


COMMON = (
    Column("account_id", "string", "Spotify account the row belongs to: `account_id` of the profile, else its id."),
    Column("_run_id", "string", "Run that read the record."),
    Column("_read_id", "string", "Full pass over the stream or playlist that the record belongs to."),
    Column("_extracted_at", "timestamp", "When the record was read, UTC."),
    Column("_raw_key", "string", "Raw object the row comes from."),
    Column("_line", "bigint", "Line of the raw object, from 1; 0 speaks of the object itself."),
    Column("_schema_version", "int", "Version of the transform that wrote the row."),
)
"""The columns that every row of every table ends with."""

_URL = Column("spotify_url", "string", "Address on open.spotify.com.")
_IMAGE = Column("image_url", "string", "Address of the first image; Spotify lets them expire within a day.")
_ITEM = (
    Column("item_uri", "string", "Spotify URI of the entry; '' where the entry has none."),
    Column("item_type", "string", "`track`, `episode` or another type as sent; null where the entry is gone."),
    Column("is_local", "boolean", "Whether the entry is a file from the user's own disk."),
    Column("is_available", "boolean", "False where Spotify sent no item for the entry."),
    Column("track_id", "string", "Id in `tracks`; null for local files and episodes."),
)
_NAMES = (
    Column("artist_name", "string", "Name of the first artist."),
    Column("album_name", "string", "Name of the album."),
    Column("duration_ms", "bigint", "Length in milliseconds; can be 0."),
)
_PLACE = (
    Column(
        "time_range", "string", "`short_term` (about four weeks), `medium_term` (six months) or `long_term` (a year)."
    ),
    Column("rank", "int", "Place in the list of its time range, from 1."),
)
_RELEASE = (
    Column("release_date", "string", "As sent: `1981`, `1981-12`, `1981-12-15`, `0000` or ''."),
    Column("release_date_precision", "string", "`year`, `month` or `day`."),
    Column("release_year", "int", "Year of `release_date`; null for `0000`."),
    Column("released_on", "date", "`release_date` where it is a whole valid date."),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="profile",
            kind="snapshot",
            doc="The account itself, a row a read.",
            grain=("account_id",),
            columns=(
                Column("user_id", "string", "Id of the user; `account_id` is the one that never changes."),
                Column("uri", "string", "Spotify URI of the user."),
                Column("display_name", "string", "Name shown to others."),
                Column("country", "string", "Country; only apps in extended quota mode get it."),
                Column("email", "string", "Email; only apps in extended quota mode get it."),
                Column("product", "string", "Subscription; only apps in extended quota mode get it."),
                Column("followers", "bigint", "Followers; only apps in extended quota mode get it."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="playlists",
            kind="snapshot",
            doc="The playlists in the user's library, a row a playlist and read.",
            grain=("account_id", "playlist_id"),
            columns=(
                Column("playlist_id", "string", "Id of the playlist."),
                Column("uri", "string", "Spotify URI of the playlist."),
                Column("name", "string", "Title."),
                Column("description", "string", "Description as sent, with HTML entities."),
                Column("owner_id", "string", "Id of the user who owns it."),
                Column("owner_name", "string", "Name of the user who owns it."),
                Column("is_public", "boolean", "Shown on the owner's profile; null where that does not apply."),
                Column("collaborative", "boolean", "Whether others may change it."),
                Column("snapshot_id", "string", "Version of the playlist."),
                Column("items_total", "bigint", "Number of entries that Spotify counts."),
                Column("followers", "bigint", "Followers; not sent any more since 2025."),
                Column("primary_color", "string", "Colour of the cover."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="playlist_items",
            kind="snapshot",
            doc="The entries of the playlists that the user owns or collaborates on, a row a position and read.",
            grain=("account_id", "playlist_id", "position"),
            columns=(
                Column("playlist_id", "string", "Id of the playlist."),
                Column("snapshot_id", "string", "Version of the playlist that was read."),
                Column("position", "int", "Place in the playlist, from 0."),
                *_ITEM,
                Column("episode_id", "string", "Id in `episodes`; null for anything else."),
                Column("added_at", "timestamp", "When the entry was added, UTC; null in very old playlists."),
                Column("added_by_id", "string", "Id of the user who added it."),
                Column("item_name", "string", "Title of the track or episode."),
                *_NAMES,
                Column("show_name", "string", "Name of the show of an episode."),
            ),
        ),
        Table(
            name="saved_tracks",
            kind="snapshot",
            doc="The tracks the user has saved, a row a track and read.",
            grain=("account_id", "added_at", "item_uri"),
            columns=(
                Column("added_at", "timestamp", "When the track was saved, UTC."),
                *_ITEM,
                Column("track_name", "string", "Title of the track."),
                *_NAMES,
            ),
        ),
        Table(
            name="saved_albums",
            kind="snapshot",
            doc="The albums the user has saved, a row an album and read.",
            grain=("account_id", "album_id"),
            columns=(
                Column("album_id", "string", "Id in `albums`."),
                Column("added_at", "timestamp", "When the album was saved, UTC."),
                Column("uri", "string", "Spotify URI of the album."),
                Column("album_name", "string", "Title of the album."),
                Column("artist_name", "string", "Name of the first artist."),
            ),
        ),
        Table(
            name="followed_artists",
            kind="snapshot",
            doc="The artists the user follows, a row an artist and read.",
            grain=("account_id", "artist_id"),
            columns=(
                Column("artist_id", "string", "Id in `artists`."),
                Column("uri", "string", "Spotify URI of the artist."),
                Column("artist_name", "string", "Name of the artist."),
            ),
        ),
        Table(
            name="top_tracks",
            kind="snapshot",
            doc="The tracks the user hears most, a row a time range, rank and read.",
            grain=("account_id", "time_range", "rank"),
            columns=(
                *_PLACE,
                Column("item_uri", "string", "Spotify URI of the track; '' where it has none."),
                Column("track_id", "string", "Id in `tracks`; null for anything but a track."),
                Column("track_name", "string", "Title of the track."),
                *_NAMES,
            ),
        ),
        Table(
            name="top_artists",
            kind="snapshot",
            doc="The artists the user hears most, a row a time range, rank and read.",
            grain=("account_id", "time_range", "rank"),
            columns=(
                *_PLACE,
                Column("artist_id", "string", "Id in `artists`."),
                Column("uri", "string", "Spotify URI of the artist."),
                Column("artist_name", "string", "Name of the artist."),
            ),
        ),
        Table(
            name="saved_shows",
            kind="snapshot",
            doc="The podcast shows the user has saved, a row a show and read.",
            grain=("account_id", "show_id"),
            columns=(
                Column("show_id", "string", "Id in `shows`."),
                Column("added_at", "timestamp", "When the show was saved, UTC."),
                Column("uri", "string", "Spotify URI of the show."),
                Column("show_name", "string", "Title of the show."),
                Column("publisher", "string", "Publisher; only apps in extended quota mode get it."),
                Column("total_episodes", "int", "Number of episodes."),
            ),
        ),
        Table(
            name="saved_episodes",
            kind="snapshot",
            doc="The podcast episodes the user has saved, a row an episode and read.",
            grain=("account_id", "episode_id"),
            columns=(
                Column("episode_id", "string", "Id in `episodes`."),
                Column("added_at", "timestamp", "When the episode was saved, UTC."),
                Column("uri", "string", "Spotify URI of the episode."),
                Column("episode_name", "string", "Title of the episode."),
                Column("show_id", "string", "Id in `shows`."),
                Column("show_name", "string", "Title of its show."),
                Column("duration_ms", "bigint", "Length in milliseconds; can be 0."),
            ),
        ),
        Table(
            name="catalogue",
            kind="snapshot",
            doc="What the setting `catalogueUris` names and the albums of its artists, a row a thing and read.",
            grain=("account_id", "requested_uri", "item_uri"),
            columns=(
                Column("requested_uri", "string", "Spotify URI that the setting names."),
                Column("item_uri", "string", "Spotify URI of the thing itself; '' where it has none."),
                Column("item_type", "string", "`artist`, `album`, `track` or another type as sent."),
                Column("artist_id", "string", "Id in `artists`; null for anything but an artist."),
                Column("album_id", "string", "Id in `albums`; null for anything but an album."),
                Column("track_id", "string", "Id in `tracks`; null for anything but a track."),
                Column("name", "string", "Name of the artist, title of the album or track; '' after a takedown."),
                Column("artist_name", "string", "Name of the first artist of an album or a track."),
                Column("album_name", "string", "Name of the album of a track."),
                Column("album_type", "string", "`album`, `single` or `compilation`; of a track that of its album."),
                *_RELEASE,
                Column("total_tracks", "int", "Number of tracks of an album; of a track that of its album."),
                Column("duration_ms", "bigint", "Length of a track in milliseconds; can be 0."),
            ),
        ),
        Table(
            name="plays",
            kind="log",
            doc="What was listened to, a row a play and source; `listens` counts each once.",
            grain=("account_id", "source", "played_at", "item_uri"),
            columns=(
                Column(
                    "source",
                    "string",
                    "`recently_played` (the API), `streaming_history` (the extended privacy export) or `account_data`"
                    " (the small one).",
                ),
                Column(
                    "played_at",
                    "timestamp",
                    "When it was played, UTC: the start for some items, the end for others; in an export the end (the"
                    " small one: to the minute), for offline plays when the device came back online.",
                ),
                Column("item_uri", "string", "Spotify URI of what was played; '' where none was sent."),
                Column(
                    "item_type",
                    "string",
                    "`track`, `episode`, `chapter` (of an audiobook) or another type as sent; in an export it"
                    " follows from the fields that are filled.",
                ),
                Column("track_id", "string", "Id in `tracks`; null for anything but a track that Spotify has."),
                Column("track_name", "string", "Title of the track, episode or chapter."),
                Column(
                    "artist_name",
                    "string",
                    "Name of the first artist; in the export the album's artist, the show or the audiobook.",
                ),
                Column("album_name", "string", "Name of the album."),
                Column("context_type", "string", "What it was played from: `playlist`, `album`, `artist` …"),
                Column("context_uri", "string", "Spotify URI of what it was played from."),
                Column("duration_ms", "bigint", "Length of the track in milliseconds."),
                Column("ms_played", "bigint", "Milliseconds listened; only in the export."),
                Column("reason_start", "string", "Why it began; only in the export."),
                Column("reason_end", "string", "Why it ended; only in the export."),
                Column("skipped", "boolean", "Whether it was skipped; only in the export."),
                Column("shuffle", "boolean", "Whether shuffle was on; only in the export."),
                Column("offline", "boolean", "Whether it was played offline; only in the export."),
                Column(
                    "offline_timestamp",
                    "timestamp",
                    "When the device says the play began, UTC; only in the export, for online plays too; null where it"
                    " lies outside 2008 to 2099.",
                ),
                Column("incognito", "boolean", "Whether it was a private session; only in the export."),
                Column("platform", "string", "Device or system; only in the export."),
                Column("country", "string", "Country of the connection; only in the export."),
            ),
            partition_key="month",
        ),
        Table(
            name="tracks",
            kind="entity",
            doc="Tracks met on the way; `current_tracks` has one row each.",
            grain=("track_id",),
            columns=(
                Column("track_id", "string", "Id of the track."),
                Column("uri", "string", "Spotify URI of the track."),
                Column("name", "string", "Title; '' after a takedown."),
                Column("album_id", "string", "Id in `albums`."),
                Column("disc_number", "int", "Disc of the album."),
                Column("track_number", "int", "Place on the disc."),
                Column("duration_ms", "bigint", "Length in milliseconds; can be 0."),
                Column("explicit", "boolean", "Explicit lyrics; false also where unknown."),
                Column("isrc", "string", "International Standard Recording Code: the same over re-releases."),
                Column("is_playable", "boolean", "Playable in the user's market; mostly not sent."),
                Column("popularity", "int", "0 to 100; only apps in extended quota mode get it."),
                Column("preview_url", "string", "Thirty seconds of it; deprecated, mostly null."),
                Column("available_markets", "array<string>", "Countries; only apps in extended quota mode get them."),
                Column(
                    "linked_from_id", "string", "Track that this one replaces; only for apps in extended quota mode."
                ),
                _URL,
            ),
        ),
        Table(
            name="albums",
            kind="entity",
            doc="Albums met on the way; `current_albums` has one row each.",
            grain=("album_id",),
            columns=(
                Column("album_id", "string", "Id of the album."),
                Column("uri", "string", "Spotify URI of the album."),
                Column("name", "string", "Title; '' after a takedown."),
                Column("album_type", "string", "`album`, `single` or `compilation`."),
                *_RELEASE,
                Column("total_tracks", "int", "Number of tracks."),
                Column("upc", "string", "Universal Product Code; only with the full object."),
                Column("label", "string", "Label; only apps in extended quota mode get it."),
                Column("popularity", "int", "0 to 100; only apps in extended quota mode get it."),
                Column("genres", "array<string>", "Genres; deprecated, always empty."),
                Column("available_markets", "array<string>", "Countries; only apps in extended quota mode get them."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="artists",
            kind="entity",
            doc="Artists met on the way; `current_artists` has one row each.",
            grain=("artist_id",),
            columns=(
                Column("artist_id", "string", "Id of the artist."),
                Column("uri", "string", "Spotify URI of the artist."),
                Column("name", "string", "Name."),
                Column("genres", "array<string>", "Genres; deprecated, often empty; only with the full object."),
                Column("popularity", "int", "0 to 100; only apps in extended quota mode get it."),
                Column("followers", "bigint", "Followers; only apps in extended quota mode get it."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="shows",
            kind="entity",
            doc="Podcast shows met on the way; `current_shows` has one row each.",
            grain=("show_id",),
            columns=(
                Column("show_id", "string", "Id of the show."),
                Column("uri", "string", "Spotify URI of the show."),
                Column("name", "string", "Title."),
                Column("description", "string", "Description without HTML."),
                Column("publisher", "string", "Publisher; only apps in extended quota mode get it."),
                Column("media_type", "string", "`audio`, `video` or `mixed`."),
                Column("languages", "array<string>", "ISO 639 codes."),
                Column("explicit", "boolean", "Explicit content; false also where unknown."),
                Column("total_episodes", "int", "Number of episodes."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="episodes",
            kind="entity",
            doc="Podcast episodes met on the way; `current_episodes` has one row each.",
            grain=("episode_id",),
            columns=(
                Column("episode_id", "string", "Id of the episode."),
                Column("uri", "string", "Spotify URI of the episode."),
                Column("name", "string", "Title."),
                Column("show_id", "string", "Id in `shows`."),
                Column("description", "string", "Description without HTML."),
                Column("duration_ms", "bigint", "Length in milliseconds; can be 0."),
                Column("explicit", "boolean", "Explicit content; false also where unknown."),
                *_RELEASE,
                Column("languages", "array<string>", "ISO 639 codes."),
                Column("is_playable", "boolean", "Playable in the user's market."),
                Column("fully_played", "boolean", "Whether the user has heard it to the end."),
                Column("resume_position_ms", "bigint", "Where the user left off, in milliseconds."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="track_artists",
            kind="bridge",
            doc="Who plays on a track; `current_track_artists` has the newest list of each track.",
            grain=("track_id", "position"),
            columns=(
                Column("track_id", "string", "Id in `tracks`."),
                Column("position", "int", "Place in the list of artists, from 0."),
                Column("artist_id", "string", "Id in `artists`."),
            ),
        ),
        Table(
            name="album_artists",
            kind="bridge",
            doc="Whose album it is; `current_album_artists` has the newest list of each album.",
            grain=("album_id", "position"),
            columns=(
                Column("album_id", "string", "Id in `albums`."),
                Column("position", "int", "Place in the list of artists, from 0."),
                Column("artist_id", "string", "Id in `artists`."),
            ),
        ),
        Table(
            name="runs",
            kind="log",
            doc="What each invocation of the extractor did, one row per stream and unit; `run_history` merges attempts.",
            grain=("run_id", "attempt", "stream", "unit"),
            columns=(
                Column("run_id", "string", "Id of the run: its scheduled time and its trigger."),
                Column("attempt", "int", "Invocation of the run, from 0."),
                Column("stream", "string", "Name of the stream."),
                Column(
                    "unit",
                    "string",
                    "Playlist id, id of what `catalogue` asked for, or hash of an imported file; else ''.",
                ),
                Column("trigger", "string", "`daily`, `hourly`, `manual` or `import`."),
                Column("scheduled_at", "timestamp", "When the run was due, UTC."),
                Column("started_at", "timestamp", "When the invocation began, UTC."),
                Column("finished_at", "timestamp", "When the invocation ended, UTC."),
                Column("run_status", "string", "The whole invocation: `complete`, `partial`, `failed` or `skipped`."),
                Column("run_reason", "string", "Why the invocation is not complete."),
                Column("read_id", "string", "Pass over the stream or playlist."),
                Column("mode", "string", "`full` or `incremental`."),
                Column("status", "string", "`complete`, `unchanged`, `partial`, `failed` or `skipped`."),
                Column("reason", "string", "Why the unit is not complete, and what to do."),
                Column("requests", "bigint", "Requests sent to the Web API."),
                Column("records", "bigint", "Lines written; 0 where what was read equals what had been written."),
                Column("objects", "bigint", "Raw objects written."),
                Column("locked_until", "timestamp", "Until when Spotify's quota keeps the stream locked, UTC."),
                Column("read_complete", "boolean", "Whether the read is finished."),
                Column("read_keys", "array<string>", "Raw objects of the whole read, over all its runs."),
                Column("read_records", "bigint", "Lines of the whole read, over all its runs."),
            ),
            partition_key="month",
        ),
        Table(
            name="rejected_records",
            kind="log",
            doc="What could not become a row, with the reason and the line itself.",
            grain=("_raw_key", "_line", "reason"),
            columns=(
                Column("stream", "string", "Stream of the raw object; `runs` for a manifest."),
                Column(
                    "reason",
                    "string",
                    "What is wrong: `not_json`, `wrong_type`, `null_element`, `too_long` (over 4 MB) …; with line 0"
                    " what is wrong with the object: `truncated`, or cut off as `too_many_bad_lines` (over 131,072),"
                    " `too_many_months` (over 600), `too_large` or `too_slow` …",
                ),
                Column("detail", "string", "One sentence on what is wrong."),
                Column(
                    "line",
                    "string",
                    "The line as read, its first 16,384 characters; null for line 0 and for `streaming_history`.",
                ),
            ),
        ),
    )
}
"""Every table by its name."""
