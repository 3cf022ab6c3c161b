"""The files of the two privacy exports, as Spotify sends a link to them: JSON, perhaps zipped, and other files.

The extended one has every play there ever was; the small one, "Account data", the last twelve months to the minute.
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
from spotify_simulator.model.random_streams import dice

Form = Literal["today", "endsong", "without_uris"]
"""Names and fields of the extended export: of today, of the years until 2023, and of 2020/21, without any URI."""

FOLDER = "Spotify Extended Streaming History"
"""What the files of the extended export lie in."""
ARCHIVE = "my_spotify_data.zip"
ACCOUNT_FOLDER = "Spotify Account Data"
"""What the files of the small export lie in."""
PLACE = {"city": "Madeuptown", "region": "XY", "metro_code": 501, "longitude": 12.3456, "latitude": 65.4321}
"""Where the form of 2020/21 says that the listener was."""
MADE_UP = "a value that no export has had yet"
"""What stands in the fields that an export has beside the known ones, if it is asked for."""

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
    """Write an extended export of all that was listened to.

    Some plays stand in a file of videos and not in one of audio; some elements stand twice, as in real exports.

    Args:
        library: whose listener asks for it.
        folder: exists; what is written lies in it under the names that Spotify gives.
        until: when the export was made, not before the library's start.
        zipped: whether all is in one archive, as it comes, or unpacked already.
        form: which names files and fields have.
        doubled_percent: about how many of a hundred online plays stand twice.
        made_up_fields: how many fields each element has beside those of its form.

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
        library: whose listener asks for it.
        folder: exists; what is written lies in it under the names that Spotify gives.
        until: when the export was made, not before the library's start.
        zipped: whether all is in one archive, as it comes, or unpacked already.
        older_names: whether music and podcasts are in one file and have the same fields, as until about 2023.

    Returns:
        The archive, or the folder with the files.
    """
    return _written(
        _account_files(library, until, older_names=older_names), folder, ACCOUNT_FOLDER, until, zipped=zipped
    )


def account_records(library: Library, until: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the kind and the element of each play of the small export, the oldest first."""
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
    """Whether a play can stand in an export of 2020/21: no audiobook, and nothing that lost its title since."""
    return bool(record["master_metadata_track_name"] or record["episode_name"])


def _audio(
    library: Library, records: Iterable[dict[str, Any]], doubled_percent: int, videos: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The elements of the audio files; those of the video files are put aside."""
    chance = dice(0, "files of a privacy export", library.profile.user.user_id)
    for record in records:
        if chance.random() < 0.04:
            videos.append(record)
            if chance.random() < 0.98:
                continue
        yield record
        if not record["offline"] and chance.random() * 100 < doubled_percent:
            # A quarter of them differ in what is not worth keeping.
            yield record | ({"ip_addr": "203.0.113.9"} if chance.random() < 0.25 else {})


def _years(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"


def _account_files(library: Library, until: datetime, *, older_names: bool) -> Iterator[tuple[str, bytes]]:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for kind, record in account_records(library, until):
        if not older_names:
            by_name.setdefault(f"StreamingHistory_{kind}_", []).append(record)
        elif kind != "audiobook":
            # Shows and episodes stood where artists and tracks do.
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
