"""Files of both kinds of privacy exports as Spotify sends them, with fields that must not be stored."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

IP_ADDRESS, USER_AGENT, USER_NAME = "203.0.113.77", "Secretive%20Browser%2F5.0", "the-listeners-name"
PERSONAL = (IP_ADDRESS, USER_AGENT, USER_NAME)
"""Texts that no stored byte may hold."""

_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def play(number: int) -> dict[str, Any]:
    """Return a play as it is stored; `number` identifies it and is the hour when it was heard."""
    episode = number % 10 == 9
    return {
        "ts": f"{_BEGINNING + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}",
        "platform": "android",
        "ms_played": 1000 + number,
        "conn_country": "GB",
        "master_metadata_track_name": None if episode else f"Track {number} – über",
        "master_metadata_album_artist_name": None if episode else "An artist",
        "master_metadata_album_album_name": None if episode else "An album",
        "spotify_track_uri": None if episode else f"spotify:track:{number:022d}",
        "episode_name": f"Episode {number}" if episode else None,
        "episode_show_name": "A show" if episode else None,
        "spotify_episode_uri": f"spotify:episode:{number:022d}" if episode else None,
        "reason_start": "fwdbtn",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": None if number % 2 else True,
        "offline": False,
        "offline_timestamp": 1752563412 + number,
        "incognito_mode": False,
    }


def plays(first: int, count: int) -> list[dict[str, Any]]:
    """Return plays as they are stored."""
    return [play(number) for number in range(first, first + count)]


def account_data_play(number: int) -> dict[str, Any]:
    """Return a play in the form of the small export, in which it is also stored; its time is that of `play`."""
    names = {"podcastName": "A show", "episodeName": f"Episode {number}"}
    if number % 10 != 9:
        names = {"artistName": "An artist", "trackName": f"Track {number} – über"}
    end = _BEGINNING + timedelta(hours=number)
    return {"endTime": f"{end:%Y-%m-%d %H:%M}", **names, "msPlayed": 1000 + number}


def account_data_file(folder: Path, name: str, first: int, count: int) -> Path:
    """Write a file of the small export."""
    path = folder / f"StreamingHistory{name}.json"
    path.write_bytes(written(map(account_data_play, range(first, first + count))))
    return path


def sent(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a play in the form of a `Streaming_History_Audio_*.json`."""
    return {**stored, "ip_addr": IP_ADDRESS}


def sent_before_2022(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a play in the form of an `endsong_*.json`."""
    return {
        **stored,
        "username": USER_NAME,
        "ip_addr_decrypted": IP_ADDRESS,
        "user_agent_decrypted": USER_AGENT,
    }


def written(elements: Iterable[Any]) -> bytes:
    """Return the bytes of a file with these elements."""
    return json.dumps(list(elements), indent=2, ensure_ascii=False).encode()


def audio_file(folder: Path, name: str, stored: Sequence[dict[str, Any]]) -> Path:
    """Write a file of the current kind."""
    path = folder / f"Streaming_History_Audio_{name}.json"
    path.write_bytes(written(map(sent, stored)))
    return path


def video_file(folder: Path, name: str, stored: Sequence[dict[str, Any]]) -> Path:
    """Write a file of videos of the current kind."""
    path = folder / f"Streaming_History_Video_{name}.json"
    path.write_bytes(written(map(sent, stored)))
    return path


def endsong_file(folder: Path, name: str, stored: Sequence[dict[str, Any]]) -> Path:
    """Write a file of the older kind."""
    path = folder / f"endsong_{name}.json"
    path.write_bytes(written(map(sent_before_2022, stored)))
    return path


def zipped(path: Path, files: Sequence[Path]) -> Path:
    """Put the files into a zip, in a folder and next to other files, as Spotify does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Spotify Extended Streaming History/ReadMeFirst_ExtendedStreamingHistory.pdf", b"%PDF")
        archive.writestr("Spotify Extended Streaming History/Playlist1.json", b'{"playlists": []}')
        for file in files:
            archive.write(file, f"Spotify Extended Streaming History/{file.name}")
    return path
