"""Every table: its columns with type and meaning, its grain and its partition key.

Types are Athena's (`string`, `int`, `bigint`, `boolean`, `double`, `timestamp`, `date`, `array<string>`); Arrow and
Glue types are derived from them. A column never changes its type: a test compares this file with the released
schemas.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

TableKind = Literal["snapshot", "log", "entity", "bridge"]
PartitionKey = Literal["month", "year"]

SCHEMA_VERSION = 3
"""Incremented with any change to what the transform writes for the same raw object."""

_REGISTERED_AHEAD = timedelta(days=7)
"""Long enough to repair a publish function that fails."""


@dataclass(frozen=True)
class Column:
    """One column: its name, its Athena type and one line about its content."""

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
    """What its rows are and, after a semicolon, what one row is; the first part begins the description of its view."""
    grain: tuple[str, ...]
    """The columns that identify a row within a read; never null."""
    columns: tuple[Column, ...]
    """The table's own columns, without `COMMON` and the partition key."""
    partition_key: PartitionKey = "month"
    """`month`: `YYYY-MM` in UTC, of the run or, for plays, of `played_at`; `year`: `YYYY` of the run, for tables of
    which little is kept for years."""
    earlier_partition_keys: tuple[str, ...] = ("dt",)
    """Keys that it had before, the first one first; one that is a column now is not in the files of then. Old folders
    may remain."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns of a Parquet file: the table's own, then `COMMON`."""
        return self.columns + COMMON

    def partition_value(self, day: str) -> str:
        """Return the partition of a day, `YYYY-MM-DD`, or of the start of one that is long enough."""
        return day[: len("YYYY") if self.partition_key == "year" else len("YYYY-MM")]

    def expected_partitions(self, today: date) -> tuple[str, ...]:
        """Return the partitions of today and the next days, which the catalog has before there are rows in them.

        Otherwise the rows of a new month or year would be invisible until the first crawl that finds them.
        """
        return tuple(sorted({self.partition_value(f"{day}") for day in (today, today + _REGISTERED_AHEAD)}))


COMMON = (
    Column("account_id", "string", "Account that the row belongs to: `account_id` of the profile, or else its id."),
    Column("_run_id", "string", "Run that read the record."),
    Column("_read_id", "string", "Read of the stream or playlist that the record belongs to."),
    Column("_extracted_at", "timestamp", "When the record was read, UTC."),
    Column("_raw_key", "string", "Raw object the row comes from."),
    Column("_line", "bigint", "Line of the raw object, from 1; 0 is the object itself."),
    Column("_schema_version", "int", "Version of the transform that wrote the row."),
    Column("dt", "string", "Day of the run that read the record, UTC: `YYYY-MM-DD`."),
)
"""The columns that every row of every table ends with."""

_URL = Column("spotify_url", "string", "URL on open.spotify.com.")
_IMAGE = Column("image_url", "string", "URL of the first image; expires within a day.")
_ITEM = (
    Column("item_uri", "string", "Spotify URI of the item; '' if it has none."),
    Column("item_type", "string", "`track`, `episode` or another type as sent; null if the item is gone."),
    Column("is_local", "boolean", "Whether the item is a local file of the user's."),
    Column("is_available", "boolean", "False if Spotify sent no item."),
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
    Column("rank", "int", "Position in the list of its time range, from 1."),
)
_RELEASE = (
    Column("release_date", "string", "As sent: `1981`, `1981-12`, `1981-12-15`, `0000` or ''."),
    Column("release_date_precision", "string", "`year`, `month` or `day`."),
    Column("release_year", "int", "Year of `release_date`; null for `0000`."),
    Column("released_on", "date", "`release_date` if it is a complete, valid date."),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="profile",
            kind="snapshot",
            doc="The account itself; one row per read.",
            grain=("account_id",),
            columns=(
                Column("user_id", "string", "Id of the user; unlike `account_id` it can change."),
                Column("uri", "string", "Spotify URI of the user."),
                Column("display_name", "string", "Display name."),
                Column("country", "string", "Country; sent only to apps in extended quota mode."),
                Column("email", "string", "Email address; sent only to apps in extended quota mode."),
                Column("product", "string", "Subscription; sent only to apps in extended quota mode."),
                Column("followers", "bigint", "Number of followers; sent only to apps in extended quota mode."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="playlists",
            kind="snapshot",
            doc="The playlists in your library; one row per playlist and read.",
            grain=("account_id", "playlist_id"),
            columns=(
                Column("playlist_id", "string", "Id of the playlist."),
                Column("uri", "string", "Spotify URI of the playlist."),
                Column("name", "string", "Title."),
                Column("description", "string", "Description as sent, with HTML entities."),
                Column("owner_id", "string", "Id of the owner."),
                Column("owner_name", "string", "Display name of the owner."),
                Column("is_public", "boolean", "Whether it is shown on the owner's profile; null if not applicable."),
                Column("collaborative", "boolean", "Whether others may edit it."),
                Column("snapshot_id", "string", "Version of the playlist."),
                Column("items_total", "bigint", "Number of items, as Spotify counts them."),
                Column("followers", "bigint", "Number of followers; no longer sent since 2025."),
                Column("primary_color", "string", "Color of the cover."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="playlist_items",
            kind="snapshot",
            doc="The items of the playlists that you own or collaborate on; one row per position and read.",
            grain=("account_id", "playlist_id", "position"),
            columns=(
                Column("playlist_id", "string", "Id of the playlist."),
                Column("snapshot_id", "string", "Version of the playlist that was read."),
                Column("position", "int", "Position in the playlist, from 0."),
                *_ITEM,
                Column("episode_id", "string", "Id in `episodes`; null for anything but an episode."),
                Column("added_at", "timestamp", "When the item was added, UTC; null in very old playlists."),
                Column("added_by_id", "string", "Id of the user who added the item."),
                Column("item_name", "string", "Title of the track or episode."),
                *_NAMES,
                Column("show_name", "string", "Name of the show of an episode."),
            ),
        ),
        Table(
            name="saved_tracks",
            kind="snapshot",
            doc="The tracks you saved; one row per track and read.",
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
            doc="The albums you saved; one row per album and read.",
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
            doc="The artists you follow; one row per artist and read.",
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
            doc="The tracks you listen to most, as ranked by Spotify; one row per time range, rank and read.",
            grain=("account_id", "time_range", "rank"),
            columns=(
                *_PLACE,
                Column("item_uri", "string", "Spotify URI of the track; '' if it has none."),
                Column("track_id", "string", "Id in `tracks`; null for anything but a track."),
                Column("track_name", "string", "Title of the track."),
                *_NAMES,
            ),
        ),
        Table(
            name="top_artists",
            kind="snapshot",
            doc="The artists you listen to most, as ranked by Spotify; one row per time range, rank and read.",
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
            doc="The podcast shows you saved; one row per show and read.",
            grain=("account_id", "show_id"),
            columns=(
                Column("show_id", "string", "Id in `shows`."),
                Column("added_at", "timestamp", "When the show was saved, UTC."),
                Column("uri", "string", "Spotify URI of the show."),
                Column("show_name", "string", "Title of the show."),
                Column("publisher", "string", "Publisher; sent only to apps in extended quota mode."),
                Column("total_episodes", "int", "Number of episodes."),
            ),
        ),
        Table(
            name="saved_episodes",
            kind="snapshot",
            doc="The podcast episodes you saved; one row per episode and read.",
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
            doc="What `catalogueUris` lists, and the albums of listed artists; one row per item and read.",
            grain=("account_id", "requested_uri", "item_uri"),
            columns=(
                Column("requested_uri", "string", "Spotify URI listed in the setting."),
                Column("item_uri", "string", "Spotify URI of the item itself; '' if it has none."),
                Column("item_type", "string", "`artist`, `album`, `track` or another type as sent."),
                Column("artist_id", "string", "Id in `artists`; null for anything but an artist."),
                Column("album_id", "string", "Id in `albums`; null for anything but an album."),
                Column("track_id", "string", "Id in `tracks`; null for anything but a track."),
                Column("name", "string", "Name of the artist, title of the album or track; '' after a takedown."),
                Column("artist_name", "string", "Name of the first artist of an album or a track."),
                Column("album_name", "string", "Name of the album of a track."),
                Column("album_type", "string", "`album`, `single` or `compilation`; for a track, that of its album."),
                *_RELEASE,
                Column("total_tracks", "int", "Number of tracks on the album; for a track, on its album."),
                Column("duration_ms", "bigint", "Length of a track in milliseconds; can be 0."),
            ),
        ),
        Table(
            name="labels",
            kind="snapshot",
            doc="Your own labels and exclusions; one row per subject and import.",
            grain=("account_id", "subject"),
            columns=(
                Column(
                    "subject",
                    "string",
                    "Spotify URI of a track, episode or playlist, or the name of an artist or podcast in lower case; ''"
                    " in an import without labels.",
                ),
                Column("label", "string", "Label."),
                Column("excluded", "boolean", "Whether `listens` leaves the plays out."),
            ),
            partition_key="year",
            earlier_partition_keys=("dt", "month"),
        ),
        Table(
            name="plays",
            kind="log",
            doc="What was listened to; one row per play and source. `listens` counts each play once.",
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
                    "When it was played, UTC: for the API the start or the end, depending on the item; for an export"
                    " the end (to the minute in the small one), or for offline plays when the device was back online.",
                ),
                Column("item_uri", "string", "Spotify URI of what was played; '' if none was sent."),
                Column(
                    "item_type",
                    "string",
                    "`track`, `episode`, `chapter` (of an audiobook) or another type as sent; for an export,"
                    " derived from which fields are filled.",
                ),
                Column("track_id", "string", "Id in `tracks`; null for local files and anything but a track."),
                Column("track_name", "string", "Title of the track, episode or chapter."),
                Column(
                    "artist_name",
                    "string",
                    "Name of the first artist; for an export the album artist, the show or the audiobook.",
                ),
                Column("album_name", "string", "Name of the album."),
                Column("context_type", "string", "What it was played from: `playlist`, `album`, `artist` …"),
                Column("context_uri", "string", "Spotify URI of what it was played from."),
                Column("duration_ms", "bigint", "Length of the track in milliseconds."),
                Column("ms_played", "bigint", "Milliseconds played; exports only."),
                Column("reason_start", "string", "Why playback started; exports only."),
                Column("reason_end", "string", "Why playback ended; exports only."),
                Column("skipped", "boolean", "Whether it was skipped; exports only."),
                Column("shuffle", "boolean", "Whether shuffle was on; exports only."),
                Column("offline", "boolean", "Whether it was played offline; exports only."),
                Column(
                    "offline_timestamp",
                    "timestamp",
                    "When the device says playback started, UTC, for online plays too; exports only; null outside the"
                    " years 2008 to 2099.",
                ),
                Column("incognito", "boolean", "Whether it was a private session; exports only."),
                Column("platform", "string", "Device or operating system; exports only."),
                Column("country", "string", "Country of the connection; exports only."),
            ),
            earlier_partition_keys=(),
        ),
        Table(
            name="tracks",
            kind="entity",
            doc="Tracks as they appeared in any stream; `current_tracks` has one row per track.",
            grain=("track_id",),
            columns=(
                Column("track_id", "string", "Id of the track."),
                Column("uri", "string", "Spotify URI of the track."),
                Column("name", "string", "Title; '' after a takedown."),
                Column("album_id", "string", "Id in `albums`."),
                Column("disc_number", "int", "Disc number."),
                Column("track_number", "int", "Number on the disc."),
                Column("duration_ms", "bigint", "Length in milliseconds; can be 0."),
                Column("explicit", "boolean", "Whether the lyrics are explicit; false also if unknown."),
                Column("isrc", "string", "International Standard Recording Code; the same across re-releases."),
                Column("is_playable", "boolean", "Whether it is playable in the user's market; rarely sent."),
                Column("popularity", "int", "0 to 100; sent only to apps in extended quota mode."),
                Column("preview_url", "string", "URL of a 30-second preview; deprecated, mostly null."),
                Column("available_markets", "array<string>", "Countries; sent only to apps in extended quota mode."),
                Column(
                    "linked_from_id", "string", "Track that this one replaces; only for apps in extended quota mode."
                ),
                _URL,
            ),
        ),
        Table(
            name="albums",
            kind="entity",
            doc="Albums as they appeared in any stream; `current_albums` has one row per album.",
            grain=("album_id",),
            columns=(
                Column("album_id", "string", "Id of the album."),
                Column("uri", "string", "Spotify URI of the album."),
                Column("name", "string", "Title; '' after a takedown."),
                Column("album_type", "string", "`album`, `single` or `compilation`."),
                *_RELEASE,
                Column("total_tracks", "int", "Number of tracks."),
                Column("upc", "string", "Universal Product Code; only in the full object."),
                Column("label", "string", "Label; sent only to apps in extended quota mode."),
                Column("popularity", "int", "0 to 100; sent only to apps in extended quota mode."),
                Column("genres", "array<string>", "Genres; deprecated, always empty."),
                Column("available_markets", "array<string>", "Countries; sent only to apps in extended quota mode."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="artists",
            kind="entity",
            doc="Artists as they appeared in any stream; `current_artists` has one row per artist.",
            grain=("artist_id",),
            columns=(
                Column("artist_id", "string", "Id of the artist."),
                Column("uri", "string", "Spotify URI of the artist."),
                Column("name", "string", "Name."),
                Column("genres", "array<string>", "Genres; deprecated, often empty; only in the full object."),
                Column("popularity", "int", "0 to 100; sent only to apps in extended quota mode."),
                Column("followers", "bigint", "Number of followers; sent only to apps in extended quota mode."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="shows",
            kind="entity",
            doc="Podcast shows as they appeared in any stream; `current_shows` has one row per show.",
            grain=("show_id",),
            columns=(
                Column("show_id", "string", "Id of the show."),
                Column("uri", "string", "Spotify URI of the show."),
                Column("name", "string", "Title."),
                Column("description", "string", "Description without HTML."),
                Column("publisher", "string", "Publisher; sent only to apps in extended quota mode."),
                Column("media_type", "string", "`audio`, `video` or `mixed`."),
                Column("languages", "array<string>", "ISO 639 codes."),
                Column("explicit", "boolean", "Whether the content is explicit; false also if unknown."),
                Column("total_episodes", "int", "Number of episodes."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="episodes",
            kind="entity",
            doc="Podcast episodes as they appeared in any stream; `current_episodes` has one row per episode.",
            grain=("episode_id",),
            columns=(
                Column("episode_id", "string", "Id of the episode."),
                Column("uri", "string", "Spotify URI of the episode."),
                Column("name", "string", "Title."),
                Column("show_id", "string", "Id in `shows`."),
                Column("description", "string", "Description without HTML."),
                Column("duration_ms", "bigint", "Length in milliseconds; can be 0."),
                Column("explicit", "boolean", "Whether the content is explicit; false also if unknown."),
                *_RELEASE,
                Column("languages", "array<string>", "ISO 639 codes."),
                Column("is_playable", "boolean", "Whether it is playable in the user's market."),
                Column("fully_played", "boolean", "Whether the user has listened to the end."),
                Column("resume_position_ms", "bigint", "Where the user stopped listening, in milliseconds."),
                _IMAGE,
                _URL,
            ),
        ),
        Table(
            name="track_artists",
            kind="bridge",
            doc="The artists of each track; `current_track_artists` has the latest list per track.",
            grain=("track_id", "position"),
            columns=(
                Column("track_id", "string", "Id in `tracks`."),
                Column("position", "int", "Position in the list of artists, from 0."),
                Column("artist_id", "string", "Id in `artists`."),
            ),
        ),
        Table(
            name="album_artists",
            kind="bridge",
            doc="The artists of each album; `current_album_artists` has the latest list per album.",
            grain=("album_id", "position"),
            columns=(
                Column("album_id", "string", "Id in `albums`."),
                Column("position", "int", "Position in the list of artists, from 0."),
                Column("artist_id", "string", "Id in `artists`."),
            ),
        ),
        Table(
            name="runs",
            kind="log",
            doc="What each invocation of the extractor did; one row per stream and unit. `run_history` merges them.",
            grain=("run_id", "attempt", "stream", "unit"),
            columns=(
                Column("run_id", "string", "Id of the run: its scheduled time and its trigger."),
                Column("attempt", "int", "Invocation of the run, from 0."),
                Column("stream", "string", "Name of the stream."),
                Column(
                    "unit",
                    "string",
                    "Playlist id, id of an entry of `catalogueUris`, or hash of an imported file; otherwise ''.",
                ),
                Column("trigger", "string", "`daily`, `hourly`, `manual` or `import`."),
                Column("scheduled_at", "timestamp", "When the run was due, UTC."),
                Column("started_at", "timestamp", "When the invocation started, UTC."),
                Column("finished_at", "timestamp", "When the invocation ended, UTC."),
                Column("run_status", "string", "The whole invocation: `complete`, `partial`, `failed` or `skipped`."),
                Column("run_reason", "string", "Why the invocation is not complete."),
                Column("read_id", "string", "Read of the stream or playlist."),
                Column("mode", "string", "`full` or `incremental`."),
                Column("status", "string", "`complete`, `unchanged`, `partial`, `failed` or `skipped`."),
                Column("reason", "string", "Why the unit is not complete, and what to do about it."),
                Column("requests", "bigint", "Requests sent to the Web API."),
                Column("records", "bigint", "Lines written; 0 if nothing has changed since the last read."),
                Column("objects", "bigint", "Raw objects written."),
                Column("locked_until", "timestamp", "Until when Spotify's rate limit locks the stream, UTC."),
                Column("read_complete", "boolean", "Whether the read is finished."),
                Column("read_keys", "array<string>", "Raw objects of the whole read, across its runs."),
                Column("read_records", "bigint", "Lines of the whole read, across its runs."),
                Column("month", "string", "Month of the run, UTC: `YYYY-MM`."),
            ),
            partition_key="year",
            earlier_partition_keys=("month",),
        ),
        Table(
            name="rejected_records",
            kind="log",
            doc="Lines that could not become a row, each with the reason and the line itself.",
            grain=("_raw_key", "_line", "reason"),
            columns=(
                Column("stream", "string", "Stream of the raw object; `runs` for a manifest."),
                Column(
                    "reason",
                    "string",
                    "What is wrong: `not_json`, `wrong_type`, `null_element`, `too_long` (over 4 MB) …; on line 0, what"
                    " is wrong with the object: `truncated`, or cut off as `too_many_bad_lines` (over 131,072),"
                    " `too_many_months` (over 600), `too_large` or `too_slow` …",
                ),
                Column("detail", "string", "One sentence on what is wrong."),
                Column(
                    "line",
                    "string",
                    "The line as read, up to 16,384 characters; null for line 0 and for `streaming_history`.",
                ),
            ),
            partition_key="year",
            earlier_partition_keys=("dt", "month"),
        ),
        Table(
            name="replays",
            kind="log",
            doc="Raw objects that were transformed after their day, such as by a replay; one row per raw object."
            " `object_versions` says which of its rows count.",
            grain=("_raw_key",),
            columns=(
                Column(
                    "stream", "string", "Stream of the raw object; `runs` for a manifest, null for a foreign object."
                ),
                Column("lines", "bigint", "Lines that the transform read."),
            ),
            partition_key="year",
            earlier_partition_keys=("month",),
        ),
    )
}
"""Every table by its name."""

LONG_LIVED_TABLES = ("labels", "plays", "rejected_records", "replays", "runs")
"""Tables that cannot be read from Spotify again; the setting `playsRetentionDays` says how long they are kept."""


def kept_days(table: str, days: int, long_days: int) -> int:
    """Return how many days a table's rows are kept.

    Args:
        table: its name.
        days: what the setting `transformedRetentionDays` says.
        long_days: what the setting `playsRetentionDays` says.
    """
    if table == "replays":
        # It concerns rows of all other tables.
        return max(days, long_days)
    return long_days if table in LONG_LIVED_TABLES else days
