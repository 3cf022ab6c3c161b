"""The files of a privacy export, as Spotify sends a link to them: JSON by years, perhaps zipped, and other files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from local.spotify.library import Library

FOLDER = "Spotify Extended Streaming History"
"""What the files lie in."""
ARCHIVE = "my_spotify_data.zip"

_RECORDS_A_FILE = 16_000
"""About twelve megabytes."""
_NEW_FIELDS = ("audiobook_title", "audiobook_uri", "audiobook_chapter_uri", "audiobook_chapter_title")
_VIDEO = {
    "master_metadata_track_name": None,
    "master_metadata_album_artist_name": None,
    "master_metadata_album_album_name": None,
    "spotify_track_uri": None,
    "episode_name": "A concert, filmed",
    "episode_show_name": "Concerts",
    "spotify_episode_uri": "spotify:episode:5Xt5DXGzch68nYYamXrNxZ",
}
"""What a video has instead of a track; nobody who reads the audio files sees it."""
_README = b"%PDF-1.7\n% What the fields mean.\n%%EOF\n"


def write_privacy_export(
    library: Library, folder: Path, until: datetime, *, zipped: bool = False, old_names: bool = False
) -> Path:
    """Write an export of all that was listened to.

    Args:
        library: whose listener asks for it.
        folder: exists; what is written lies in it under the names that Spotify gives.
        until: when the export was made, not before the library's start.
        zipped: whether all is in one archive, as it comes, or unpacked already.
        old_names: whether files and fields have the names of exports until 2023.

    Returns:
        The archive, or the folder with the files.
    """
    files = _files(library, until, old_names=old_names)
    if not zipped:
        unpacked = folder / FOLDER
        unpacked.mkdir()
        for name, content in files:
            (unpacked / name).write_bytes(content)
        return unpacked
    with ZipFile(folder / ARCHIVE, "w") as archive:
        for name, content in files:
            entry = ZipInfo(f"{FOLDER}/{name}", until.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, content)
    return folder / ARCHIVE


def _files(library: Library, until: datetime, *, old_names: bool) -> Iterator[tuple[str, bytes]]:
    records = library.streaming_history(until)
    number, years = 0, ""
    videos: list[dict[str, Any]] = []
    while some := list(islice(records, _RECORDS_A_FILE)):
        years = "-".join(sorted({some[0]["ts"][:4], some[-1]["ts"][:4]}))
        if old_names:
            yield f"endsong_{number}.json", _json([_renamed(record, library) for record in some])
        else:
            yield f"Streaming_History_Audio_{years}_{number}.json", _json(some)
        number += 1
        videos.append(some[0] | _VIDEO)
    yield "ReadMeFirst_ExtendedStreamingHistory.pdf", _README
    if not old_names:
        yield f"Streaming_History_Video_{years or until.year}.json", _json(videos)


def _renamed(record: dict[str, Any], library: Library) -> dict[str, Any]:
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


def _json(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records, ensure_ascii=False).encode()
