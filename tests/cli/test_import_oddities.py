"""Exports as they are found on people's disks: each oddity is imported, or reported in one sentence."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.streaming_history import MAX_MONTHS
from tests.cli.import_stage import ImportStage
from tests.cli.privacy_exports import (
    PERSONAL,
    account_data_play,
    audio_file,
    play,
    plays,
    sent,
    sent_before_2022,
    video_file,
    written,
    zipped,
)
from tests.thoroughness import sampled

FOLDER = "Spotify Extended Streaming History"
PLACE = {"city": "Madeuptown", "region": "XY", "metro_code": 501, "longitude": 12.3456, "latitude": 65.4321}
"""What the form of 2020/21 says of the listener."""


def test_video_files_hold_plays_that_the_audio_files_do_not(stage: ImportStage, tmp_path: Path) -> None:
    """Include one play that both have."""
    files = [audio_file(tmp_path, "2024_0", plays(0, 12)), video_file(tmp_path, "2024", plays(11, 3))]

    stage.run(zipped(tmp_path / "my_spotify_data.zip", files))

    (manifest,) = stage.manifests()
    assert [unit["records"] for unit in manifest["units"]] == [12, 3]
    assert stage.listened() == plays(0, 14)


def test_endsong_and_endvideo_without_a_number_are_one_export(stage: ImportStage, tmp_path: Path) -> None:
    (tmp_path / "endsong.json").write_bytes(written(map(sent, plays(0, 2))))
    (tmp_path / "endvideo.json").write_bytes(written(map(sent_before_2022, plays(2, 2))))
    stage.run(tmp_path)
    assert [len(manifest["units"]) for manifest in stage.manifests()] == [2]
    assert stage.listened() == plays(0, 4)


def test_an_element_that_stands_twice_is_kept_twice_and_listened_to_once(stage: ImportStage, tmp_path: Path) -> None:
    """Repeat elements in one file, in two files, and with differences in dropped fields; two offline plays stay two."""
    online, offline = play(0), play(1) | {"offline": True}
    other = offline | {"offline_timestamp": int(offline["offline_timestamp"]) + 60}
    first = [online, online, offline, other]
    (tmp_path / "Streaming_History_Audio_0.json").write_bytes(written(map(sent, first)))
    (tmp_path / "Streaming_History_Audio_1.json").write_bytes(written([online | {"ip_addr": "198.51.100.7"}, other]))

    stage.run(tmp_path)

    records = [line["record"] for key in stage.keys("raw/") for line in stage.lines(key)]
    assert sorted(map(str, records)) == sorted(map(str, [*first, online, other]))
    assert stage.listened() == [online, offline, other]


def test_where_the_listener_was_is_stored_of_no_form(stage: ImportStage, tmp_path: Path) -> None:
    without_uri = {name: value for name, value in play(0).items() if "uri" not in name}
    (tmp_path / "endsong_0.json").write_bytes(written([sent_before_2022(without_uri) | PLACE]))
    stage.run(tmp_path)
    assert stage.listened() == [without_uri]
    stored = stage.everything().decode()
    assert [text for text in (*PERSONAL, *map(str, PLACE.values()), *PLACE) if text in stored] == []


def repacked(content: bytes) -> dict[str, bytes]:
    """Return a file in each of the forms in which it may be passed."""
    with_bom = b"\xef\xbb\xbf" + content
    wide = content.decode().encode("utf-16")
    return {
        "2024.json": content,
        "Copy of Streaming_History_Audio_2024.json": content,
        "history": content,
        "2024.json.gz": gzip.compress(content),
        "with_bom.json": with_bom,
        "wide.json": wide,
        "wide.json.gz": gzip.compress(wide),
        "my_spotify_data.zip": content,
    }


QUICK_FORMS = ["2024.json.gz", "history", "my_spotify_data.zip", "wide.json"]


@pytest.mark.parametrize("name", sampled(repacked(b""), QUICK_FORMS))
def test_a_file_that_is_named_counts_by_its_content(stage: ImportStage, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(repacked(written(map(sent, plays(0, 12))))[name])
    stage.run(path)
    assert stage.listened() == plays(0, 12)


def test_one_file_in_all_its_forms_is_given_several_times(stage: ImportStage, tmp_path: Path) -> None:
    forms = repacked(written(map(sent, plays(0, 12))))
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)

    printed = stage.run(*(tmp_path / name for name in forms))

    assert "1 file with 12 plays, " in printed
    assert stage.listened() == plays(0, 12)


def nothing(folder: Path) -> Path:
    return folder


def with_backslashes(folder: Path) -> Path:
    path = folder.parent / "windows.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.writestr(f"{FOLDER}\\{file.name}", file.read_bytes())
    return path


def within_a_zip(folder: Path) -> Path:
    path = folder.parent / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(zipped(folder.parent / "inner.zip", sorted(folder.iterdir())), "Downloads/my_spotify_data.zip")
    return path


def with_resource_forks(folder: Path) -> Path:
    path = folder.parent / "mac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"Ampliado/{file.name}")
            archive.writestr(f"__MACOSX/Ampliado/._{file.name}", b"\x00\x05\x16\x07")
    return path


def in_capitals(folder: Path) -> Path:
    for file in folder.iterdir():
        file.rename(folder / f"{file.stem.upper()} (1).JSON")
    return folder


@pytest.mark.parametrize(
    "pack",
    sampled(
        [nothing, with_backslashes, within_a_zip, with_resource_forks, in_capitals], [with_backslashes, within_a_zip]
    ),
)
def test_an_export_counts_however_it_is_packed(
    stage: ImportStage, tmp_path: Path, pack: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    audio_file(folder, "2020", plays(0, 12))
    video_file(folder, "2020", plays(12, 2))

    stage.run(pack(folder))

    assert [len(manifest["units"]) for manifest in stage.manifests()] == [2]
    assert stage.listened() == plays(0, 14)


@pytest.mark.parametrize(
    "name", ["StreamingHistory_music_0.json", "StreamingHistory0.json", "Streaming_History_Audio_2024_0.json", "a.json"]
)
def test_the_small_export_is_imported_as_it_is_and_said_to_be_that(
    stage: ImportStage, tmp_path: Path, name: str
) -> None:
    stored = [account_data_play(number) for number in range(12)]
    (tmp_path / name).write_bytes(written(stored))

    printed = stage.run(tmp_path / name)

    assert "1 file with 12 plays, 2020-01-01 to 2020-01-01." in printed
    assert "From the small export (account data), exact to the minute: 1 file with 12 plays." in printed
    (key,) = stage.keys("raw/streaming_history/")
    assert [line["record"] for line in stage.lines(key)] == stored


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        (
            [play(number) | {"ts": f"2024-05-01 12:00:0{number}"} for number in range(3)],
            "ts is not a time such as 2024-05-03T12:00:30Z (elements 1, 2, 3). Nothing was imported",
        ),
        (
            [account_data_play(1) | {"endTime": "1.5.2024"}],
            "endTime is not a time such as 2024-05-03 12:00 (el",
        ),
        ([{"searchQuery": "madeup"}], "neither ts nor endTime (element 1)"),
    ],
)
def test_a_list_of_other_things_is_no_success(
    stage: ImportStage, tmp_path: Path, elements: list[dict[str, Any]], why: str
) -> None:
    path = tmp_path / "Streaming_History_Audio_2024_0.json"
    path.write_bytes(written(elements))
    sentence = stage.fail(path)
    assert sentence.startswith(f"{path.name} contains no usable plays: {why}")
    assert stage.keys("raw/") + stage.keys("runs/") == []


def test_plays_of_more_months_than_the_transform_takes_are_no_success(stage: ImportStage, tmp_path: Path) -> None:
    times = [f"{2000 + month // 12}-{month % 12 + 1:02}-01T00:00:00Z" for month in range(MAX_MONTHS + 1)]
    path = tmp_path / "endsong_0.json"
    path.write_bytes(written({"ts": ts} for ts in times))
    assert stage.fail(path) == (
        "endsong_0.json has plays spread over more than 600 months, longer than any export covers: its times are "
        "wrong, so leave it out. Nothing was imported."
    )
    assert stage.keys("raw/") + stage.keys("runs/") == []
    path.write_bytes(written({"ts": ts} for ts in times[1:]))
    assert "1 file with 600 plays, 2000-02-01 to 2050-01-01." in stage.run(path)


def test_the_name_of_a_file_is_text_on_the_terminal(stage: ImportStage, tmp_path: Path) -> None:
    hostile = "\x1b]0;title\x07[red]\u202e\nendsong_"
    (tmp_path / f"{hostile}0.json").write_bytes(written([play(0), None]))
    (tmp_path / f"{hostile}.pdf").write_bytes(b"%PDF")
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / f"{hostile}1.json").write_bytes(written([play(0), None]))

    printed = stage.run(tmp_path)

    assert printed.count("[red]") == 3
    assert printed.count("\n") == 6
    assert [character for character in "\x1b\x07\u202e" if character in printed] == []
