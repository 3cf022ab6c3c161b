"""The fields that are kept of an element of a privacy export, and whether it can become a row of `plays`.

The import keeps only these fields; the transform reads what was kept. Both exports are described in
docs/import-history.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

URI_FIELDS = ("spotify_track_uri", "spotify_episode_uri", "audiobook_chapter_uri")
"""The URIs in an extended export; an element fills at most one."""

EXTENDED_FIELDS = (
    "ts",
    "platform",
    "ms_played",
    "conn_country",
    "master_metadata_track_name",
    "master_metadata_album_artist_name",
    "master_metadata_album_album_name",
    "spotify_track_uri",
    "episode_name",
    "episode_show_name",
    "spotify_episode_uri",
    "audiobook_title",
    "audiobook_uri",
    "audiobook_chapter_uri",
    "audiobook_chapter_title",
    "reason_start",
    "reason_end",
    "shuffle",
    "skipped",
    "offline",
    "offline_timestamp",
    "incognito_mode",
)
"""The fields kept of an element of the extended export: `Streaming_History_*.json`, before 2022 `endsong*.json`."""

ACCOUNT_DATA_FIELDS = (
    "endTime",
    "artistName",
    "trackName",
    "podcastName",
    "episodeName",
    "audiobookName",
    "chapterName",
    "authorName",
    "msPlayed",
)
"""The fields kept of an element of the small export, part of "Account data": `StreamingHistory*.json`."""

FIELDS = frozenset(EXTENDED_FIELDS + ACCOUNT_DATA_FIELDS)
"""Every field that is kept. Each is documented as a text, a number, a boolean or null."""

MAX_TEXT_CHARACTERS = 16_384
"""Maximum length of a text that is kept: raw lines then stay far below the transform's limit."""

MAX_MONTHS = 600
"""Maximum number of months in one raw object: each is an open file of the transform, and a request to store it."""

EARLIEST = datetime(2008, 1, 1, tzinfo=UTC)
"""The year of Spotify's launch; the view `listens` leaves out earlier plays."""

MAX_AHEAD = timedelta(days=1)
"""How far after its import a play may be, as clocks differ; the view `listens` leaves out later ones."""

_TIMESTAMP = re.compile(r"(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_MINUTE = re.compile(r"\A(\d{4}-\d\d-\d\d) (\d\d:\d\d)\Z", re.ASCII)


def kept_fields(element: Mapping[str, Any]) -> dict[str, Any]:
    """Return the documented fields of an element, in its own order.

    Everything else in an export is dropped, including a value that is not plain as documented: a list, an object, a
    text of more than `MAX_TEXT_CHARACTERS`.
    """
    return {name: value for name, value in element.items() if name in FIELDS and _is_plain(value)}


def played_at(element: Mapping[str, Any]) -> datetime | None:
    """Return the time at which the play ended, UTC; None without a time that the transform accepts.

    A `ts` takes precedence over an `endTime`, which is only exact to the minute.
    """
    if isinstance(ts := element.get("ts"), str):
        return _time(ts)
    end_time = element.get("endTime")
    return _time(_MINUTE.sub(r"\1T\2:00Z", end_time)) if isinstance(end_time, str) else None


def is_account_data(element: Mapping[str, Any]) -> bool:
    """Return whether an element is from the small export."""
    return not isinstance(element.get("ts"), str) and isinstance(element.get("endTime"), str)


def row_problem(element: Mapping[str, Any]) -> str | None:
    """Return why an element, reduced to `kept_fields`, cannot become a row of `plays`; None if it can.

    The reason quotes only names of kept fields.
    """
    if played_at(element) is None:
        return _time_problem(element)
    uris = [element.get(name) for name in URI_FIELDS]
    if not any(isinstance(uri, str) for uri in uris):
        for name, uri in zip(URI_FIELDS, uris, strict=True):
            if uri is not None:
                return f"{name} is not a text"
    return None


def _time_problem(element: Mapping[str, Any]) -> str:
    for name, form in (("ts", "2024-05-03T12:00:30Z"), ("endTime", "2024-05-03 12:00")):
        if element.get(name) is not None:
            return f"{name} is not a time such as {form}"
    return "neither ts nor endTime"


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT_CHARACTERS
    return value is None or isinstance(value, bool | int | float)


def _time(text: str) -> datetime | None:
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
