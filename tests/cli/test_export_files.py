"""Which files hold plays, in folders and zips."""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.export_files import DamagedFileError, ExportFile, find, hashed
from tests.cli.privacy_exports import audio_file, endsong_file, plays, zipped


def names(paths: list[Path]) -> list[str]:
    return [file.name for file in find(paths).plays]


def test_files_of_both_kinds_are_found_in_folders_below_one_and_in_zips(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    audio = audio_file(below, "2019-2020_1", plays(0, 3))
    old = endsong_file(tmp_path, "0", plays(3, 3))
    zipped(tmp_path / "my_spotify_data.ZIP", [audio])
    for name in ("Streaming_History_Video_2020.json", "Userdata.json", "._Streaming_History_Audio_2020.json"):
        (below / name).write_bytes(b"[]")

    found = find([tmp_path])

    assert [(file.path, file.member) for file in found.plays] == [
        (old, ""),
        (tmp_path / "my_spotify_data.ZIP", f"Spotify Extended Streaming History/{audio.name}"),
        (audio, ""),
    ]
    assert [file.size for file in found.plays] == [old.stat().st_size, audio.stat().st_size, audio.stat().st_size]
    assert found.left_out == [
        "ReadMeFirst_ExtendedStreamingHistory.pdf",
        "Streaming_History_Video_2020.json",
        "._Streaming_History_Audio_2020.json",
        "Streaming_History_Video_2020.json",
        "Userdata.json",
    ]


def test_a_file_in_a_zip_has_the_bytes_and_the_hash_of_the_file_itself(tmp_path: Path) -> None:
    audio = audio_file(tmp_path, "2020", plays(0, 300))
    (member,) = find([zipped(tmp_path / "data.zip", [audio])]).plays
    counts: list[int] = []

    one = hashed(member, counts.append)

    assert b"".join(member.chunks()) == audio.read_bytes()
    assert one.content_hash == hashlib.sha256(audio.read_bytes()).hexdigest()
    assert one.unit == one.content_hash[:32]
    assert sum(counts) == audio.stat().st_size
    assert len(counts) > 1


def test_a_zip_that_was_not_named_may_be_anything_and_is_told_apart_from_what_holds_no_plays(tmp_path: Path) -> None:
    audio = audio_file(tmp_path, "2020", plays(0, 1))
    (tmp_path / "other.zip").write_bytes(b"no zip")
    found = find([tmp_path])
    assert [file.name for file in found.plays] == [audio.name]
    assert (found.left_out, found.unopened) == ([], ["other.zip"])


@pytest.mark.parametrize("name", ["endsong_0.json", "data.zip"])
def test_what_is_no_file_is_left_out_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    for path in (tmp_path, tmp_path / name):
        found = find([path])
        assert (found.plays, found.left_out) == ([], [name])


def test_a_zip_that_was_named_must_be_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(path, [audio_file(tmp_path, "2020", plays(0, 9))]).read_bytes()[:-30])
    with pytest.raises(CommandError, match=r"data\.zip is no whole zip: download it again from Spotify\."):
        find([path])


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "data.zip", [audio_file(tmp_path, "2020", plays(0, 9))])
    with zipfile.ZipFile(path) as archive:
        directory, places = archive.start_dir, [member.header_offset for member in archive.infolist()]
    content = bytearray(path.read_bytes())
    for place in places:
        content[place + 6] |= 1
    place = directory
    for _ in places:
        content[place + 8] |= 1
        place = content.find(b"PK\1\2", place + 1)
    path.write_bytes(content)
    with pytest.raises(CommandError, match="is protected by a password: unpack it and give the folder instead"):
        find([path])


def test_a_path_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file or folder .*nowhere: check how it is spelt"):
        find([tmp_path / "nowhere"])


def test_a_folder_below_that_cannot_be_listed_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio_file(tmp_path, "2020", plays(0, 1))
    (tmp_path / "below").mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "below":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CommandError, match=r"below cannot be read \(Permission denied\): check it and its permissions"):
        find([tmp_path])


def test_a_link_that_leads_nowhere_is_named_itself(tmp_path: Path) -> None:
    (tmp_path / "endsong_1.json").symlink_to(tmp_path / "gone")
    with pytest.raises(CommandError, match=r"endsong_1\.json cannot be read \(No such file or directory\)"):
        find([tmp_path])


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"endsong_0\.json cannot be read \(No such file or directory\)"):
        hashed(ExportFile(tmp_path / "endsong_0.json"), lambda _: None)


def test_damage_inside_a_zip_ends_the_file_there_and_hashes_what_was_before(tmp_path: Path) -> None:
    path = zipped(tmp_path / "data.zip", [audio_file(tmp_path, "2020", plays(0, 2000))])
    with zipfile.ZipFile(path) as archive:
        member = archive.infolist()[-1]
    content = bytearray(path.read_bytes())
    middle = member.header_offset + member.compress_size // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    (file,) = find([path]).plays
    read: list[bytes] = []

    with pytest.raises(DamagedFileError, match="the zip is damaged there"):
        read.extend(file.chunks())

    assert read
    assert hashed(file, lambda _: None).content_hash == hashlib.sha256(b"".join(read)).hexdigest()
