"""The privacy export has every play that the Web API ever had, and much that it never has."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from local.spotify import Library, LibraryPlan, privacy_export
from local.spotify.privacy_export import ARCHIVE, FOLDER, write_privacy_export
from tests.local.spotify_session import START

UNTIL = START + timedelta(days=5)
OLD_DAYS = 410
KEYS = {
    "ts", "platform", "ms_played", "conn_country", "ip_addr", "master_metadata_track_name",
    "master_metadata_album_artist_name", "master_metadata_album_album_name", "spotify_track_uri", "episode_name",
    "episode_show_name", "spotify_episode_uri", "audiobook_title", "audiobook_uri", "audiobook_chapter_uri",
    "audiobook_chapter_title", "reason_start", "reason_end", "shuffle", "skipped", "offline", "offline_timestamp",
    "incognito_mode",
}  # fmt: skip


@pytest.fixture(scope="module")
def listener() -> Library:
    plan = LibraryPlan(saved_tracks=100, playlists=4, saved_albums=5, plays_per_day=8, export_days=OLD_DAYS)
    return Library.planned(5, plan, start=START)


@pytest.fixture(scope="module")
def history(listener: Library) -> list[dict[str, Any]]:
    return list(listener.streaming_history(UNTIL))


def test_every_play_of_the_web_api_is_in_the_export(listener: Library, history: list[dict[str, Any]]) -> None:
    exported = {(each["ts"], each["spotify_track_uri"], each["ms_played"]) for each in history}
    plays = listener.at(UNTIL).plays
    assert len(plays) > 40
    for play in plays:
        heard = (play.ended_at - play.started_at) // timedelta(milliseconds=1)
        assert (f"{play.ended_at:%Y-%m-%dT%H:%M:%SZ}", play.track.uri, heard) in exported


def test_export_reaches_back_years_and_is_in_order(history: list[dict[str, Any]]) -> None:
    moments = [datetime.fromisoformat(each["ts"]) for each in history]
    assert moments == sorted(moments)
    assert START - timedelta(days=OLD_DAYS + 2) < moments[0] < START - timedelta(days=OLD_DAYS - 2)
    assert UNTIL - timedelta(days=1) < moments[-1] <= UNTIL
    assert len(history) > 8 * OLD_DAYS


def test_export_has_what_the_web_api_never_has(listener: Library, history: list[dict[str, Any]]) -> None:
    served = {(f"{play.ended_at:%Y-%m-%dT%H:%M:%SZ}", play.track.uri) for play in listener.at(UNTIL).plays}
    since = f"{listener.plays[0].ended_at:%Y-%m-%dT%H:%M:%SZ}"
    others = [each for each in history if each["ts"] > since and (each["ts"], each["spotify_track_uri"]) not in served]
    assert any(each["ms_played"] < 30_000 and each["skipped"] for each in others)
    assert all(each["ms_played"] < 30_000 or each["incognito_mode"] for each in others if each["spotify_track_uri"])
    kinds = ("spotify_track_uri", "spotify_episode_uri", "audiobook_uri")
    assert {next((kind for kind in kinds if each[kind]), None) for each in history} == {*kinds, None}


def test_elements_are_as_spotify_writes_them(history: list[dict[str, Any]]) -> None:
    assert all(each.keys() == KEYS for each in history)
    assert {each["skipped"] for each in history} == {None, True, False}
    assert {each["shuffle"] for each in history} == {each["incognito_mode"] for each in history} == {True, False}
    digits = {len(str(each["offline_timestamp"])) for each in history if each["offline"]}
    assert digits == {10, 13}
    assert all(each["offline_timestamp"] is None for each in history if not each["offline"])
    assert {"trackdone", "fwdbtn", "clickrow"} <= {each["reason_start"] for each in history}
    assert {"trackdone", "fwdbtn", "endplay", None} <= {each["reason_end"] for each in history}
    assert len({each["conn_country"] for each in history}) > 1
    assert any(each["spotify_track_uri"] and each["master_metadata_track_name"] == "" for each in history)


def test_nothing_was_heard_while_something_else_was(history: list[dict[str, Any]]) -> None:
    for earlier, later in pairwise(history):
        begin = datetime.fromisoformat(later["ts"]) - timedelta(milliseconds=later["ms_played"])
        # Ends are given in whole seconds.
        assert begin >= datetime.fromisoformat(earlier["ts"]) - timedelta(seconds=1)


def test_earlier_export_is_the_beginning_of_a_later_one(listener: Library, history: list[dict[str, Any]]) -> None:
    earlier = list(listener.streaming_history(UNTIL - timedelta(days=2, hours=5)))
    assert 0 < len(earlier) < len(history)
    assert history[: len(earlier)] == earlier


def test_unpacked_files(listener: Library, history: list[dict[str, Any]], tmp_path: Path) -> None:
    folder = write_privacy_export(listener, tmp_path, UNTIL)
    assert folder == tmp_path / FOLDER
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {
        "Streaming_History_Audio_2025-2026_0.json",
        "Streaming_History_Video_2025-2026.json",
        "ReadMeFirst_ExtendedStreamingHistory.pdf",
    }
    assert json.loads(files["Streaming_History_Audio_2025-2026_0.json"]) == history
    videos = json.loads(files["Streaming_History_Video_2025-2026.json"])
    assert [each["spotify_episode_uri"] for each in videos] == ["spotify:episode:5Xt5DXGzch68nYYamXrNxZ"]
    assert videos[0].keys() == KEYS
    assert files["ReadMeFirst_ExtendedStreamingHistory.pdf"].startswith(b"%PDF")


def test_long_histories_are_several_files(
    listener: Library, history: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_export, "_RECORDS_A_FILE", 2_000)
    folder = write_privacy_export(listener, tmp_path, UNTIL)
    parts = sorted(folder.glob("Streaming_History_Audio_*.json"), key=lambda path: path.stem.rpartition("_")[2])
    assert len(parts) == len(history) // 2_000 + 1
    assert [element for path in parts for element in json.loads(path.read_bytes())] == history
    for path in parts:
        elements = json.loads(path.read_bytes())
        years = {elements[0]["ts"][:4], elements[-1]["ts"][:4]}
        assert path.name.startswith(f"Streaming_History_Audio_{'-'.join(sorted(years))}_")


def test_zipped_files_are_the_same_bytes_each_time(listener: Library, tmp_path: Path) -> None:
    unpacked = write_privacy_export(listener, tmp_path, UNTIL)
    archive = write_privacy_export(listener, tmp_path, UNTIL, zipped=True)
    assert archive == tmp_path / ARCHIVE
    with ZipFile(archive) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == {
            f"{FOLDER}/{path.name}": path.read_bytes() for path in unpacked.iterdir()
        }
    again = tmp_path / "again"
    again.mkdir()
    assert write_privacy_export(listener, again, UNTIL, zipped=True).read_bytes() == archive.read_bytes()


def test_files_of_old_exports(listener: Library, history: list[dict[str, Any]], tmp_path: Path) -> None:
    folder = write_privacy_export(listener, tmp_path, UNTIL, old_names=True)
    assert {path.name for path in folder.iterdir()} == {
        "endsong_0.json",
        "ReadMeFirst_ExtendedStreamingHistory.pdf",
    }
    elements = json.loads((folder / "endsong_0.json").read_bytes())
    assert [(each["ts"], each["spotify_track_uri"]) for each in elements] == [
        (each["ts"], each["spotify_track_uri"]) for each in history
    ]
    assert {each["username"] for each in elements} == {listener.profile.user.user_id}
    assert elements[0]["ip_addr_decrypted"] == history[0]["ip_addr"]
    assert {"user_agent_decrypted", "ip_addr_decrypted"} < elements[0].keys()
    assert not {"ip_addr", "audiobook_uri"} & elements[0].keys()
