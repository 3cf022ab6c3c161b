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

    assert [(file.path, file.member.filename if file.member else "") for file in found.plays] == [
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
def test_what_is_no_file_is_not_waited_for_and_told_of(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    found = find([tmp_path])
    assert (found.plays, found.left_out, found.unopened) == ([], [], [name])
    with pytest.raises(CommandError, match=r"is no file but a pipe or a device: write what comes from it to a file"):
        find([tmp_path / name])


def test_a_zip_that_was_named_must_be_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(path, [audio_file(tmp_path, "2020", plays(0, 9))]).read_bytes()[:-30])
    with pytest.raises(CommandError, match=r"data\.zip is no whole zip: download it again from Spotify\."):
        find([path])


def test_a_zip_with_a_password_says_so_and_gives_nothing(tmp_path: Path) -> None:
    files = [audio_file(tmp_path, "2020", plays(0, 9)), audio_file(tmp_path, "2021", plays(9, 9))]
    folder = tmp_path / "folder"
    folder.mkdir()
    path = zipped(folder / "data.zip", files)
    content = bytearray(path.read_bytes())
    # Of the last file alone: its flags in its own header and in the zip's list.
    content[content.rindex(b"PK\3\4") + 6] |= 1
    content[content.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(CommandError, match="is protected by a password: unpack it and give the folder instead"):
        find([path])
    found = find([folder])
    assert (found.plays, found.left_out, found.unopened) == ([], [], ["data.zip"])


@pytest.mark.parametrize("place", [6, 46])
def test_a_zip_whose_list_is_damaged_says_so(tmp_path: Path, place: int) -> None:
    """The version of zip that an entry asks for, and a byte of its name."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Streaming_History_Audio_ü.json", b"[]")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + place] = 0xFF
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"data\.zip is no whole zip: download it again from Spotify\."):
        find([path])


def test_an_entry_that_damage_left_without_a_name_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
        archive.writestr("endsong_0.json", b"[]")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 46] = 0
    path.write_bytes(content)
    found = find([path])
    assert ([file.name for file in found.plays], found.left_out) == (["endsong_0.json"], [])


def test_files_of_one_name_in_a_zip_are_each_read(tmp_path: Path) -> None:
    files = [audio_file(tmp_path, year, plays(int(year), 3)) for year in ("2020", "2021")]
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.write(files[0], "endsong_0.json")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.write(files[1], "endsong_0.json")
    found = find([tmp_path / "data.zip"])
    assert [b"".join(file.chunks()) for file in found.plays] == [file.read_bytes() for file in files]


def test_a_header_that_is_damaged_ends_the_file_before_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Streaming_History_Audio_ü.json", b"[]")
    content = bytearray(path.read_bytes())
    content[30] = 0xFF
    path.write_bytes(content)
    (file,) = find([path]).plays
    with pytest.raises(DamagedFileError, match="the zip does not give it"):
        next(file.chunks())


def test_damage_of_which_the_error_has_no_number_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("endsong_0.json", b"[]" * 1000)
    content = bytearray(path.read_bytes())
    content[30 + len("endsong_0.json")] = 0
    path.write_bytes(content)
    (file,) = find([path]).plays
    with pytest.raises(DamagedFileError, match=r"it cannot be read \(Invalid data stream\)"):
        next(file.chunks())


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


def test_damage_inside_a_zip_ends_the_file_there_and_has_a_hash_of_its_own(tmp_path: Path) -> None:
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
    once, again = (hashed(file, lambda _: None).content_hash for _ in range(2))
    assert once == again != hashlib.sha256(b"".join(read)).hexdigest()
