"""The privacy export has every play that the Web API ever had, and much that it never has."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from spotify_simulator import Library, LibraryPlan, privacy_export
from spotify_simulator.model.history import ExportedPlay
from spotify_simulator.privacy_export import (
    ACCOUNT_FOLDER,
    ARCHIVE,
    FOLDER,
    MADE_UP,
    PLACE,
    write_account_data,
    write_privacy_export,
)
from tests.spotify_simulator.spotify_session import START
from tests.thoroughness import sampled

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
def exported(listener: Library) -> list[ExportedPlay]:
    return list(listener.exported_plays(UNTIL))


@pytest.fixture(scope="module")
def history(listener: Library) -> list[dict[str, Any]]:
    return list(listener.streaming_history(UNTIL))


def heard_offline(play: ExportedPlay) -> bool:
    """Whether a play was heard offline and says when."""
    return play.record["offline"] and play.record["offline_timestamp"] not in {None, 0, 1}


def element_key(element: dict[str, Any]) -> tuple[Any, ...]:
    return element["ts"], element["offline_timestamp"] or 0, element["ms_played"], element["spotify_track_uri"] or ""


def test_every_play_of_the_web_api_is_in_the_export_once_it_was_sent(
    listener: Library, exported: list[ExportedPlay]
) -> None:
    sent = {(play.record["spotify_track_uri"], play.record["ms_played"]) for play in exported}
    plays = listener.at(UNTIL).plays
    missing = [
        play
        for play in plays
        if (play.track.uri, (play.ended_at - play.started_at) // timedelta(milliseconds=1)) not in sent
    ]
    assert len(plays) > 40
    # What was heard last may still wait on a device that is offline.
    assert missing == list(plays[len(plays) - len(missing) :])
    assert len(missing) <= 40


def test_offline_plays_carry_the_second_in_which_the_device_came_back(exported: list[ExportedPlay]) -> None:
    late = [datetime.fromisoformat(play.record["ts"]) - play.heard_at for play in exported if heard_offline(play)]
    assert 0.03 < len(late) / len(exported) < 0.15
    assert min(late) >= timedelta()
    assert sum(one > timedelta(hours=1) for one in late) > len(late) / 5
    assert max(late) > timedelta(days=1)
    seconds = [play.record["ts"] for play in exported if play.record["offline"]]
    assert len(set(seconds)) < len(seconds)


def test_plays_were_heard_when_their_element_says(exported: list[ExportedPlay]) -> None:
    for play in exported:
        record = play.record
        ts = datetime.fromisoformat(record["ts"])
        if heard_offline(play):
            noted = record["offline_timestamp"]
            began = datetime.fromtimestamp(noted / 1000 if noted > 10**11 else noted, UTC)
            assert abs(play.heard_at - began - timedelta(milliseconds=record["ms_played"])) < timedelta(seconds=1)
        else:
            assert play.heard_at == ts


def test_most_plays_say_when_they_began_and_nearly_all_of_the_online_ones_to_the_second(
    exported: list[ExportedPlay],
) -> None:
    saying = [play.record for play in exported if play.record["offline_timestamp"] not in {None, 0, 1}]
    assert 0.6 < len(saying) / len(exported) < 0.75
    assert {play.record["offline_timestamp"] for play in exported} > {None, 0, 1}
    off = []
    for record in saying:
        if not record["offline"]:
            noted = record["offline_timestamp"]
            began = noted / 1000 if noted > 10**11 else noted
            off.append(datetime.fromisoformat(record["ts"]).timestamp() - began - record["ms_played"] / 1000)
    assert sum(abs(seconds) <= 5 for seconds in off) > 0.85 * len(off)
    assert max(off) > 300
    assert min(off) < -60


def test_export_reaches_back_years_and_is_in_order(history: list[dict[str, Any]]) -> None:
    moments = [datetime.fromisoformat(each["ts"]) for each in history]
    assert moments == sorted(moments)
    assert START - timedelta(days=OLD_DAYS + 2) < moments[0] < START - timedelta(days=OLD_DAYS - 2)
    assert UNTIL - timedelta(days=1) < moments[-1] <= UNTIL
    assert len(history) > 8 * OLD_DAYS


def test_export_has_what_the_web_api_never_has(listener: Library, history: list[dict[str, Any]]) -> None:
    served = {(f"{play.ended_at:%Y-%m-%dT%H:%M:%SZ}", play.track.uri) for play in listener.at(UNTIL).plays}
    since = f"{listener.plays[0].ended_at:%Y-%m-%dT%H:%M:%SZ}"
    others = [
        each
        for each in history
        if each["ts"] > since and not each["offline"] and (each["ts"], each["spotify_track_uri"]) not in served
    ]
    assert any(each["ms_played"] < 30_000 and each["skipped"] for each in others)
    assert all(each["ms_played"] < 30_000 or each["incognito_mode"] for each in others if each["spotify_track_uri"])
    kinds = ("spotify_track_uri", "spotify_episode_uri", "audiobook_uri")
    assert {next((kind for kind in kinds if each[kind]), None) for each in history} == {*kinds, None}


def test_elements_are_as_spotify_writes_them(history: list[dict[str, Any]]) -> None:
    assert all(each.keys() == KEYS for each in history)
    assert {each["skipped"] for each in history} == {None, True, False}
    assert {each["shuffle"] for each in history} == {each["incognito_mode"] for each in history} == {True, False}
    digits = {len(str(each["offline_timestamp"])) for each in history if each["offline_timestamp"] not in {None, 0, 1}}
    assert digits == {10, 13}
    assert {"trackdone", "fwdbtn", "clickrow"} <= {each["reason_start"] for each in history}
    assert {"trackdone", "fwdbtn", "endplay", None} <= {each["reason_end"] for each in history}
    assert len({each["conn_country"] for each in history}) > 1
    assert any(each["spotify_track_uri"] and each["master_metadata_track_name"] == "" for each in history)


def test_nothing_was_heard_while_something_else_was(exported: list[ExportedPlay]) -> None:
    known = sorted(
        (play for play in exported if heard_offline(play) or not play.record["offline"]), key=lambda play: play.heard_at
    )
    for earlier, later in pairwise(known):
        begin = later.heard_at - timedelta(milliseconds=later.record["ms_played"])
        # Ends are given in whole seconds, and so are beginnings.
        assert begin >= earlier.heard_at - timedelta(seconds=1)


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
    audio = json.loads(files["Streaming_History_Audio_2025-2026_0.json"])
    videos = json.loads(files["Streaming_History_Video_2025-2026.json"])
    distinct = {element_key(each): each for each in (*audio, *videos)}
    assert sorted(distinct) == sorted({element_key(each) for each in history})
    assert all(each.keys() == KEYS for each in (*audio, *videos))
    assert 0.02 < len(videos) / len(history) < 0.06
    assert any(each["spotify_track_uri"] for each in videos)
    assert any(each["spotify_episode_uri"] for each in videos)
    assert {element_key(each) for each in audio} & {element_key(each) for each in videos}
    assert files["ReadMeFirst_ExtendedStreamingHistory.pdf"].startswith(b"%PDF")


@pytest.mark.parametrize("percent", sampled([0, 5], []))
def test_online_elements_stand_twice_as_often_as_asked(
    listener: Library, history: list[dict[str, Any]], tmp_path: Path, percent: int
) -> None:
    folder = write_privacy_export(listener, tmp_path, UNTIL, doubled_percent=percent)
    (path,) = folder.glob("Streaming_History_Audio_*.json")
    audio = json.loads(path.read_bytes())
    twice = [later for earlier, later in pairwise(audio) if element_key(earlier) == element_key(later)]
    assert percent * 0.6 <= 100 * len(twice) / len(history) <= percent * 1.4
    assert not any(each["offline"] for each in twice)
    assert any(each["ip_addr"] == "203.0.113.9" for each in twice) == bool(percent)


@pytest.mark.slow
def test_long_histories_are_several_files(
    listener: Library, history: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_export, "_RECORDS_A_FILE", 2_000)
    folder = write_privacy_export(listener, tmp_path, UNTIL)
    parts = sorted(folder.glob("Streaming_History_Audio_*.json"), key=lambda path: path.stem.rpartition("_")[2])
    audio = [element for path in parts for element in json.loads(path.read_bytes())]
    assert len(parts) == len(audio) // 2_000 + 1
    assert [each["ts"] for each in audio] == sorted(each["ts"] for each in audio)
    assert len(audio) > 0.9 * len(history)
    for path in parts:
        elements = json.loads(path.read_bytes())
        years = {elements[0]["ts"][:4], elements[-1]["ts"][:4]}
        assert path.name.startswith(f"Streaming_History_Audio_{'-'.join(sorted(years))}_")


@pytest.mark.slow
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


@pytest.mark.slow
def test_files_of_old_exports(listener: Library, history: list[dict[str, Any]], tmp_path: Path) -> None:
    folder = write_privacy_export(listener, tmp_path, UNTIL, form="endsong")
    assert {path.name for path in folder.iterdir()} == {
        "endsong_0.json",
        "endvideo.json",
        "ReadMeFirst_ExtendedStreamingHistory.pdf",
    }
    elements = [
        each for name in ("endsong_0", "endvideo") for each in json.loads((folder / f"{name}.json").read_bytes())
    ]
    assert {element_key(each) for each in elements} == {element_key(each) for each in history}
    assert {each["username"] for each in elements} == {listener.profile.user.user_id}
    assert {each["ip_addr_decrypted"] for each in elements} >= {each["ip_addr"] for each in history[:20]}
    assert {"user_agent_decrypted", "ip_addr_decrypted"} < elements[0].keys()
    assert not {"ip_addr", "audiobook_uri"} & elements[0].keys()


@pytest.mark.slow
def test_the_form_of_2021_has_no_uris_and_says_where_the_listener_was(listener: Library, tmp_path: Path) -> None:
    folder = write_privacy_export(listener, tmp_path, UNTIL, form="without_uris")
    elements = json.loads((folder / "endsong_0.json").read_bytes())
    assert {each["city"] for each in elements} == {PLACE["city"]}
    assert elements[0].keys() >= {"longitude", "latitude", "metro_code", "region", "episode_name"}
    assert not [name for name in elements[0] if name.endswith("uri")]


@pytest.mark.slow
def test_an_export_may_have_fields_that_nobody_has_seen(listener: Library, tmp_path: Path) -> None:
    folder = write_privacy_export(listener, tmp_path, UNTIL, made_up_fields=20)
    (path,) = folder.glob("Streaming_History_Audio_*.json")
    elements = json.loads(path.read_bytes())
    assert {len(each.keys() - KEYS) for each in elements} == {20}
    assert all(MADE_UP in json.dumps(each[name]) for each in elements[:3] for name in each.keys() - KEYS)


def test_the_small_export_has_a_year_to_the_minute(
    listener: Library, history: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder = write_account_data(listener, tmp_path, UNTIL)
    assert folder == tmp_path / ACCOUNT_FOLDER
    files = {path.stem: json.loads(path.read_bytes()) for path in folder.iterdir()}
    names = {
        "StreamingHistory_music_0": {"artistName", "trackName"},
        "StreamingHistory_podcast_0": {"podcastName", "episodeName"},
        "StreamingHistory_audiobook_0": {"audiobookName", "chapterName", "authorName"},
    }
    assert files.keys() == names.keys() | {"Userdata"}
    for name, fields in names.items():
        assert {frozenset(each) for each in files[name]} == {frozenset({"endTime", "msPlayed", *fields})}
    year = [each for each in history if each["ts"] >= f"{UNTIL - timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}"]
    music = [
        (f"{datetime.fromisoformat(each['ts']):%Y-%m-%d %H:%M}", each["ms_played"])
        for each in year
        if each["spotify_track_uri"]
    ]
    assert len(music) < len(history) * 0.95
    assert [(each["endTime"], each["msPlayed"]) for each in files["StreamingHistory_music_0"]] == music


@pytest.mark.slow
def test_the_older_small_export_has_one_kind_of_file(listener: Library, tmp_path: Path) -> None:
    folder = write_account_data(listener, tmp_path, UNTIL, older_names=True)
    assert {path.name for path in folder.iterdir()} == {"StreamingHistory0.json", "Userdata.json"}
    elements = json.loads((folder / "StreamingHistory0.json").read_bytes())
    assert {frozenset(each) for each in elements} == {frozenset({"endTime", "artistName", "trackName", "msPlayed"})}
