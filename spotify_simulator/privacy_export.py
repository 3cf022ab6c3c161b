"""The files of the two privacy exports: JSON and other files, zipped or not.

The extended one has the complete listening history; the small one, "Account data", the last twelve months to the
minute.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from spotify_simulator.model.library import Library
from spotify_simulator.model.random_streams import random_stream

Form = Literal["today", "endsong", "without_uris"]
"""Format of the extended export: current, until 2023, and of 2020/21, without any URI."""

FOLDER = "Spotify Extended Streaming History"
"""The folder of the extended export."""
ARCHIVE = "my_spotify_data.zip"
ACCOUNT_FOLDER = "Spotify Account Data"
"""The folder of the small export."""
PLACE = {"city": "Madeuptown", "region": "XY", "metro_code": 501, "longitude": 12.3456, "latitude": 65.4321}
"""The listener's location in exports of 2020/21."""
MADE_UP = "a value that no export has had yet"
"""The value of additional, unknown fields, if requested."""

_RECORDS_A_FILE = 16_000
"""About twelve megabytes."""
_ACCOUNT_RECORDS_A_FILE = 10_000
_YEAR = timedelta(days=365)
_NEW_FIELDS = ("audiobook_title", "audiobook_uri", "audiobook_chapter_uri", "audiobook_chapter_title")
_URI_FIELDS = ("spotify_track_uri", "spotify_episode_uri")
_README = b"%PDF-1.7\n% What the fields mean.\n%%EOF\n"


def write_privacy_export(
    library: Library,
    folder: Path,
    until: datetime,
    *,
    zipped: bool = False,
    form: Form = "today",
    doubled_percent: int = 2,
    made_up_fields: int = 0,
) -> Path:
    """Write an extended export of the complete listening history.

    As in real exports, some plays are in a file of videos, and some elements are duplicated.

    Args:
        library: the listener's library.
        folder: an existing folder; the files in it have Spotify's names.
        until: time of the export, not before the library's start.
        zipped: whether to write one archive, as it is delivered, or unpacked files.
        form: format of the files.
        doubled_percent: approximate percentage of online plays that are duplicated.
        made_up_fields: number of additional, unknown fields of each element.

    Returns:
        The archive, or the folder with the files.
    """

    def shaped(record: Mapping[str, Any]) -> dict[str, Any]:
        extra = {
            f"made_up_{number}": [MADE_UP, {"in": MADE_UP}] if number else MADE_UP for number in range(made_up_fields)
        }
        return {**_FORMS[form](record, library), **extra}

    files = _files(library, until, form, doubled_percent, shaped)
    return _written(files, folder, FOLDER, until, zipped=zipped)


def write_account_data(
    library: Library, folder: Path, until: datetime, *, zipped: bool = False, older_names: bool = False
) -> Path:
    """Write a small export.

    Args:
        library: the listener's library.
        folder: an existing folder; the files in it have Spotify's names.
        until: time of the export, not before the library's start.
        zipped: whether to write one archive, as it is delivered, or unpacked files.
        older_names: whether music and podcasts share files and fields, as until about 2023.

    Returns:
        The archive, or the folder with the files.
    """
    return _written(
        _account_files(library, until, older_names=older_names), folder, ACCOUNT_FOLDER, until, zipped=zipped
    )


def account_records(library: Library, until: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the kind and the element of each play in the small export, the oldest first."""
    since = f"{until - _YEAR:%Y-%m-%dT%H:%M:%SZ}"
    for record in library.streaming_history(until):
        heard = {"endTime": record["ts"][:16].replace("T", " ")}
        played = {"msPlayed": record["ms_played"]}
        if record["ts"] < since:
            continue
        if record["spotify_track_uri"]:
            artist, track = record["master_metadata_album_artist_name"], record["master_metadata_track_name"]
            yield "music", {**heard, "artistName": artist or "", "trackName": track, **played}
        elif record["spotify_episode_uri"]:
            show, episode = record["episode_show_name"], record["episode_name"]
            yield "podcast", {**heard, "podcastName": show, "episodeName": episode, **played}
        elif record["audiobook_uri"]:
            book, chapter = record["audiobook_title"], record["audiobook_chapter_title"]
            names = {"audiobookName": book, "chapterName": chapter, "authorName": "An author"}
            yield "audiobook", {**heard, **names, **played}


def _written(files: Iterable[tuple[str, bytes]], folder: Path, inner: str, until: datetime, *, zipped: bool) -> Path:
    if not zipped:
        unpacked = folder / inner
        unpacked.mkdir()
        for name, content in files:
            (unpacked / name).write_bytes(content)
        return unpacked
    with ZipFile(folder / ARCHIVE, "w") as archive:
        for name, content in files:
            entry = ZipInfo(f"{inner}/{name}", until.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, content)
    return folder / ARCHIVE


def _files(
    library: Library,
    until: datetime,
    form: Form,
    doubled_percent: int,
    shaped: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> Iterator[tuple[str, bytes]]:
    videos: list[dict[str, Any]] = []
    records = (record for record in library.streaming_history(until) if form != "without_uris" or _has_title(record))
    audio = _audio(library, records, doubled_percent, videos)
    first, last, number = "", f"{until:%Y}", 0
    while some := list(islice(audio, _RECORDS_A_FILE)):
        first, last = first or some[0]["ts"][:4], some[-1]["ts"][:4]
        years = _years(some[0]["ts"][:4], last)
        name = f"Streaming_History_Audio_{years}_{number}.json" if form == "today" else f"endsong_{number}.json"
        yield name, _json([shaped(record) for record in some])
        number += 1
    yield "ReadMeFirst_ExtendedStreamingHistory.pdf", _README
    if videos:
        name = f"Streaming_History_Video_{_years(first or last, last)}.json" if form == "today" else "endvideo.json"
        yield name, _json([shaped(record) for record in videos])


def _has_title(record: Mapping[str, Any]) -> bool:
    """Return whether a play can be in an export of 2020/21: not an audiobook, nor without a title."""
    return bool(record["master_metadata_track_name"] or record["episode_name"])


def _audio(
    library: Library, records: Iterable[dict[str, Any]], doubled_percent: int, videos: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the elements of the audio files; those of the video files are collected in `videos`."""
    rng = random_stream(0, "files of a privacy export", library.profile.user.user_id)
    for record in records:
        if rng.random() < 0.04:
            videos.append(record)
            if rng.random() < 0.98:
                continue
        yield record
        if not record["offline"] and rng.random() * 100 < doubled_percent:
            # A quarter of them differ in fields that are not kept.
            yield record | ({"ip_addr": "203.0.113.9"} if rng.random() < 0.25 else {})


def _years(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"


def _account_files(library: Library, until: datetime, *, older_names: bool) -> Iterator[tuple[str, bytes]]:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for kind, record in account_records(library, until):
        if not older_names:
            by_name.setdefault(f"StreamingHistory_{kind}_", []).append(record)
        elif kind != "audiobook":
            # Shows and episodes used the fields of artists and tracks.
            at, creator, title, played = record.values()
            names = {"endTime": at, "artistName": creator, "trackName": title, "msPlayed": played}
            by_name.setdefault("StreamingHistory", []).append(names)
    for name, records in by_name.items():
        for number, start in enumerate(range(0, len(records), _ACCOUNT_RECORDS_A_FILE)):
            yield f"{name}{number}.json", _json(records[start : start + _ACCOUNT_RECORDS_A_FILE])
    user = library.profile.user
    yield "Userdata.json", _json({"username": user.user_id, "email": "somebody@example.com", "country": "DE"})


def _of_today(record: Mapping[str, Any], _: Library) -> dict[str, Any]:
    return dict(record)


def _of_endsong(record: Mapping[str, Any], library: Library) -> dict[str, Any]:
    old = {name: value for name, value in record.items() if name not in _NEW_FIELDS}
    return {
        "ts": old.pop("ts"),
        "username": library.profile.user.user_id,
        "ip_addr_decrypted": old.pop("ip_addr"),
        "user_agent_decrypted": "unknown",
        "city": None,
        "region": None,
        **old,
    }


def _of_2021(record: Mapping[str, Any], library: Library) -> dict[str, Any]:
    old = _of_endsong(record, library)
    return {name: value for name, value in old.items() if name not in _URI_FIELDS} | PLACE


_FORMS: Mapping[Form, Callable[[Mapping[str, Any], Library], dict[str, Any]]] = {
    "today": _of_today,
    "endsong": _of_endsong,
    "without_uris": _of_2021,
}


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
