"""What is kept of an element of a privacy export, and when it can become a row of `plays`.

The import keeps these fields and no other; the transform reads what was kept. Both exports are described in
docs/import-history.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

URI_FIELDS = ("spotify_track_uri", "spotify_episode_uri", "audiobook_chapter_uri")
"""What names the thing played in an extended export; an element fills one at most."""

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
"""Kept of an element of the extended export: `Streaming_History_*.json`, before 2022 `endsong*.json`."""

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
"""Kept of an element of the small export, part of "Account data": `StreamingHistory*.json`."""

FIELDS = frozenset(EXTENDED_FIELDS + ACCOUNT_DATA_FIELDS)
"""Every field that is kept. All of them are documented as a text, a number, a boolean or null."""

MAX_TEXT_CHARACTERS = 16_384
"""How long a text may be to be kept: a raw line then stays far below what the transform reads."""

MAX_MONTHS = 600
"""How many months the plays of one raw object may lie in: each is an open file of the transform's, and a request when
it is stored."""

EARLIEST = datetime(2008, 1, 1, tzinfo=UTC)
"""When Spotify began; the view `listens` leaves out earlier plays."""

MAX_AHEAD = timedelta(days=1)
"""How far after its own import a play may lie, as clocks differ; the view `listens` leaves out later ones."""

_TIMESTAMP = re.compile(r"(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_MINUTE = re.compile(r"\A(\d{4}-\d\d-\d\d) (\d\d:\d\d)\Z", re.ASCII)


def kept_fields(element: Mapping[str, Any]) -> dict[str, Any]:
    """The documented fields of an element, in its own order.

    Whatever else an export holds is left out, and so is what stands in a field's place without being the plain value
    that is documented: a list, an object, a text of more than `MAX_TEXT_CHARACTERS`.
    """
    return {name: value for name, value in element.items() if name in FIELDS and _is_plain(value)}


def played_at(element: Mapping[str, Any]) -> datetime | None:
    """When an element says that the play ended, UTC; None where it says no time that the transform takes.

    A `ts` counts before an `endTime`, which is exact to the minute.
    """
    if isinstance(ts := element.get("ts"), str):
        return _time(ts)
    end_time = element.get("endTime")
    return _time(_MINUTE.sub(r"\1T\2:00Z", end_time)) if isinstance(end_time, str) else None


def is_account_data(element: Mapping[str, Any]) -> bool:
    """Whether an element is of the small export."""
    return not isinstance(element.get("ts"), str) and isinstance(element.get("endTime"), str)


def row_problem(element: Mapping[str, Any]) -> str | None:
    """Why an element, of which only `kept_fields` are left, can become no row of `plays`; None where it can.

    The reason quotes nothing of the element but names of fields that are kept.
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
