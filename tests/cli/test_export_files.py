"""Which files hold plays, in folders and zips."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli.errors import CommandError
from cli.export_files import DamagedFileError, ExportFile, SkippedFile, find_files, hash_file
from cli.import_limits import LimitError
from cli.zip_archives import Archives
from tests.cli.privacy_exports import (
    account_data_play,
    audio_file,
    endsong_file,
    plays,
    sent,
    sent_before_2022,
    written,
    zipped,
)


def labels(found: list[SkippedFile]) -> dict[str, str]:
    """Return the label of each file that is not imported."""
    return {one.name: one.diagnosis.label for one in found}


def test_files_of_both_kinds_are_found_in_folders_below_one_and_in_zips(archives: Archives, tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    audio = audio_file(below, "2019-2020_1", plays(0, 3))
    old = endsong_file(tmp_path, "0", plays(3, 3))
    zipped(tmp_path / "my_spotify_data.ZIP", [audio])
    for name in ("Userdata.json", "._Streaming_History_Audio_2020.json"):
        (below / name).write_bytes(b"{}")

    found = find_files([tmp_path], archives)

    assert [(file.path, file.member.path if file.member else "") for file in found.plays] == [
        (old, ""),
        (tmp_path / "my_spotify_data.ZIP", f"Spotify Extended Streaming History/{audio.name}"),
        (audio, ""),
    ]
    assert [file.size for file in found.plays] == [old.stat().st_size, audio.stat().st_size, audio.stat().st_size]
    assert labels(found.skipped) == {
        "ReadMeFirst_ExtendedStreamingHistory.pdf": "PDF",
        "Playlist1.json": "not recognized as plays",
        "Userdata.json": "not recognized as plays",
    }


def test_a_file_in_a_zip_has_the_bytes_and_the_hash_of_the_file_itself(archives: Archives, tmp_path: Path) -> None:
    audio = audio_file(tmp_path, "2020", plays(0, 300))
    (member,) = find_files([zipped(tmp_path / "data.zip", [audio])], archives).plays
    counts: list[int] = []

    one = hash_file(member, counts.append)

    assert b"".join(member.chunks()) == audio.read_bytes()
    assert one.content_hash == hashlib.sha256(audio.read_bytes()).hexdigest()
    assert one.unit == one.content_hash[:32]
    assert sum(counts) == audio.stat().st_size
    assert len(counts) > 1


def test_a_zip_that_was_not_named_may_be_anything_and_is_told_apart_from_what_holds_no_plays(
    archives: Archives, tmp_path: Path
) -> None:
    audio = audio_file(tmp_path, "2020", plays(0, 1))
    (tmp_path / "other.zip").write_bytes(b"no zip")
    found = find_files([tmp_path], archives)
    assert [file.name for file in found.plays] == [audio.name]
    assert (found.skipped, labels(found.unopened)) == ([], {"other.zip": "not a complete zip file"})


@pytest.mark.parametrize("name", ["endsong_0.json", "data.zip", "notes.txt"])
def test_what_is_no_file_is_not_waited_for_and_told_of(archives: Archives, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    found = find_files([tmp_path], archives)
    assert (found.plays, found.skipped, [one.name for one in found.unopened]) == ([], [], [name])
    with pytest.raises(CommandError, match=r"is a pipe or a device, not a file: save its output to a file"):
        find_files([tmp_path / name], archives)


def test_a_zip_that_was_named_must_be_whole(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(path, [audio_file(tmp_path, "2020", plays(0, 9))]).read_bytes()[:-30])
    with pytest.raises(CommandError, match=r"data\.zip is not a complete zip file: download it again from Spotify\."):
        find_files([path], archives)


def test_a_zip_cut_behind_a_zip_within_it_is_not_that_one(archives: Archives, tmp_path: Path) -> None:
    inner, outer = io.BytesIO(), tmp_path / "my_spotify_data.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("endsong_1.json", "[]")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("endsong_0.json", "[]")
        archive.writestr("old.zip", inner.getvalue())
    outer.write_bytes(outer.read_bytes()[:-60])
    with pytest.raises(CommandError, match="is not a complete zip file"):
        find_files([outer], archives)


def test_a_zip_with_a_password_says_so_and_gives_nothing(archives: Archives, tmp_path: Path) -> None:
    files = [audio_file(tmp_path, "2020", plays(0, 9)), audio_file(tmp_path, "2021", plays(9, 9))]
    folder = tmp_path / "folder"
    folder.mkdir()
    path = zipped(folder / "data.zip", files)
    content = bytearray(path.read_bytes())
    # Of the last file alone: its flags in its own header and in the zip's list.
    content[content.rindex(b"PK\3\4") + 6] |= 1
    content[content.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(CommandError, match="is protected by a password: unpack it and pass the folder instead"):
        find_files([path], archives)
    found = find_files([folder], archives)
    assert (found.plays, found.skipped) == ([], [])
    assert labels(found.unopened) == {"data.zip": "protected by a password: unpack it and pass the folder instead"}


@pytest.mark.parametrize("place", [6, 46])
def test_a_zip_whose_list_is_damaged_says_so(archives: Archives, tmp_path: Path, place: int) -> None:
    """Damage the zip version that an entry requires, and a byte of its name."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Streaming_History_Audio_ü.json", b"[]")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + place] = 0xFF
    path.write_bytes(content)
    with pytest.raises(CommandError, match=r"data\.zip is not a complete zip file: download it again from Spotify\."):
        find_files([path], archives)


def test_an_entry_that_damage_left_without_a_name_is_passed_over(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
        archive.writestr("endsong_0.json", b"[]")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 46] = 0
    path.write_bytes(content)
    found = find_files([path], archives)
    assert ([file.name for file in found.plays], found.skipped) == (["endsong_0.json"], [])


def test_files_of_one_name_in_a_zip_are_each_read(archives: Archives, tmp_path: Path) -> None:
    files = [audio_file(tmp_path, year, plays(int(year), 3)) for year in ("2020", "2021")]
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.write(files[0], "endsong_0.json")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.write(files[1], "endsong_0.json")
    found = find_files([tmp_path / "data.zip"], archives)
    assert [b"".join(file.chunks()) for file in found.plays] == [file.read_bytes() for file in files]


def test_a_header_that_is_damaged_ends_the_file_before_it_begins(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Streaming_History_Audio_ü.json", b"[]")
    content = bytearray(path.read_bytes())
    content[30] = 0xFF
    path.write_bytes(content)
    (file,) = find_files([path], archives).plays
    with pytest.raises(DamagedFileError, match="the zip is damaged"):
        next(file.chunks())


def test_damage_of_which_the_error_has_no_number_says_what_it_is(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("endsong_0.json", b"[]" * 1000)
    content = bytearray(path.read_bytes())
    content[30 + len("endsong_0.json")] = 0
    path.write_bytes(content)
    (file,) = find_files([path], archives).plays
    with pytest.raises(DamagedFileError, match="the zip is damaged"):
        next(file.chunks())


def test_a_path_that_leads_nowhere_says_so(archives: Archives, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file or folder .*nowhere: check the spelling\."):
        find_files([tmp_path / "nowhere"], archives)


def test_a_folder_below_that_cannot_be_listed_is_not_taken_for_empty(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio_file(tmp_path, "2020", plays(0, 1))
    (tmp_path / "below").mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "below":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CommandError, match=r"below cannot be read \(Permission denied\): check its permissions\."):
        find_files([tmp_path], archives)


def test_a_link_that_leads_nowhere_is_named_itself(archives: Archives, tmp_path: Path) -> None:
    (tmp_path / "endsong_1.json").symlink_to(tmp_path / "gone")
    with pytest.raises(CommandError, match=r"endsong_1\.json cannot be read \(No such file or directory\): check that"):
        find_files([tmp_path], archives)


def test_a_link_that_leads_nowhere_under_another_name_is_no_reason_to_end(archives: Archives, tmp_path: Path) -> None:
    (tmp_path / "settings.json").symlink_to(tmp_path / "gone")
    audio_file(tmp_path, "2020", plays(0, 1))
    found = find_files([tmp_path], archives)
    assert (len(found.plays), found.skipped) == (1, [])
    assert [f"{one.name} {one.diagnosis}" for one in found.unopened] == [
        "settings.json is not readable (No such file or directory): check that it still exists."
    ]


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"endsong_0\.json cannot be read \(No such file or directory\)"):
        hash_file(ExportFile(tmp_path / "endsong_0.json"), lambda _: None)


def test_damage_inside_a_zip_ends_the_file_there_and_has_a_hash_of_its_own(archives: Archives, tmp_path: Path) -> None:
    path = zipped(tmp_path / "data.zip", [audio_file(tmp_path, "2020", plays(0, 2000))])
    with zipfile.ZipFile(path) as archive:
        member = archive.infolist()[-1]
    content = bytearray(path.read_bytes())
    middle = member.header_offset + member.compress_size // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    (file,) = find_files([path], archives).plays
    read: list[bytes] = []

    with pytest.raises(DamagedFileError, match="the zip is damaged"):
        read.extend(file.chunks())

    assert read
    once, again = (hash_file(file, lambda _: None).content_hash for _ in range(2))
    assert once == again != hashlib.sha256(b"".join(read)).hexdigest()


SPOTIFYS_NAMES = [
    "Streaming_History_Audio_2019-2021_3.json",
    "Streaming_History_Audio_2023.json",
    "Streaming_History_Video_2018-2024.json",
    "STREAMING_HISTORY_AUDIO_2023.JSON",
    "Streaming_History_Audio_2023 (1).json",
    "Copy of Streaming_History_Audio_2023.json",
    "Streaming_History_Audio_2023.json.gz",
    "endsong.json",
    "endsong_0.json",
    "endsong_0(1).json",
    "endvideo.json",
    "endvideo_1.json",
    "StreamingHistory0.json",
    "StreamingHistory_music_0.json",
    "StreamingHistory_podcast_0.json",
]


@pytest.mark.parametrize("name", SPOTIFYS_NAMES)
def test_a_name_of_spotifys_counts_in_any_folder_whatever_language_that_is_in(
    archives: Archives, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "Historial de reproducción ampliado"
    folder.mkdir()
    (folder / name).write_bytes(gzip.compress(b"[]") if name.endswith(".gz") else b"[]")
    assert [file.name for file in find_files([tmp_path], archives).plays] == [name]


def test_what_macos_adds_is_passed_over_in_silence(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Export/endsong_0.json", b"[]")
        archive.writestr("__MACOSX/Export/._endsong_0.json", b"\x00\x05\x16\x07")
        archive.writestr("__MACOSX/._data.zip", b"\x00\x05\x16\x07")
        archive.writestr("Export/.DS_Store", b"\0\0\0\1Bud1")
    found = find_files([path], archives)
    assert ([file.name for file in found.plays], found.skipped, found.unopened) == (["endsong_0.json"], [], [])


def test_a_file_of_any_name_counts_by_its_first_element(archives: Archives, tmp_path: Path) -> None:
    (tmp_path / "2024.json").write_bytes(written(map(sent, plays(0, 2))))
    (tmp_path / "older.JSON").write_bytes(written(map(sent_before_2022, plays(0, 1))))
    (tmp_path / "packed.json.gz").write_bytes(gzip.compress(written([account_data_play(1)])))
    (tmp_path / "wide.json").write_bytes(written(map(sent, plays(0, 2))).decode().encode("utf-16"))
    (tmp_path / "long.json").write_bytes(written([None, *map(sent, plays(0, 500))]))
    others: dict[str, list[dict[str, Any]]] = {
        "searches.json": [{"platform": "android", "searchTime": "2024-05-03T12:00:30Z"}],
        "log.json": [{"ts": 1714737630}],
        "empty.json": [],
    }
    for name, elements in others.items():
        (tmp_path / name).write_bytes(written(elements))

    found = find_files([tmp_path], archives)

    assert {file.name: file.kind for file in found.plays} == {
        "2024.json": "extended",
        "older.JSON": "endsong",
        "packed.json.gz": "account_data",
        "wide.json": "extended",
        "long.json": "extended",
    }
    assert labels(found.skipped) == dict.fromkeys(
        ["empty.json", "log.json", "searches.json"], "not recognized as plays"
    )


def test_a_file_that_is_named_is_taken_whatever_its_name(archives: Archives, tmp_path: Path) -> None:
    content = written(map(sent, plays(0, 2)))
    names = ["2024.json", "Copy of history", "history.txt", "data.zip"]
    for name in names:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "packed.bin").write_bytes(gzip.compress(content))
    zipped(tmp_path / "download", [audio_file(tmp_path, "2020", plays(0, 2))])

    found = find_files([tmp_path / name for name in (*names, "packed.bin", "download")], archives)

    assert [file.name for file in found.plays] == [*names, "packed.bin", "Streaming_History_Audio_2020.json"]
    assert {b"".join(file.chunks()) for file in found.plays} == {content}


@pytest.mark.parametrize(
    ("name", "element", "kind"),
    [
        ("endsong.json", sent(plays(0, 1)[0]), "endsong"),
        ("endvideo.json", sent(plays(0, 1)[0]), "endsong"),
        ("Streaming_History_Audio_1.json", sent_before_2022(plays(0, 1)[0]), "extended"),
        ("Streaming_History_Audio_1.json", account_data_play(1), "account_data"),
        ("StreamingHistory0.json", account_data_play(1), "account_data"),
        ("StreamingHistory0.json", sent(plays(0, 1)[0]), "extended"),
        ("StreamingHistory0.json", 7, "account_data"),
        ("endsong_0.json", account_data_play(1), "account_data"),
    ],
)
def test_the_small_export_is_told_by_content_and_the_old_form_by_name(
    archives: Archives, tmp_path: Path, name: str, element: object, kind: str
) -> None:
    (tmp_path / name).write_bytes(written([element]))
    assert [file.kind for file in find_files([tmp_path], archives).plays] == [kind]


def test_a_zip_with_backslashes_has_files_in_folders(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Export\\", b"")
        archive.writestr("Export\\endsong_0.json", b"[]")
        archive.writestr("Export\\__MACOSX\\._endsong_0.json", b"x")
    found = find_files([path], archives)
    assert [(file.name, file.export[1]) for file in found.plays] == [("endsong_0.json", "Export")]
    assert found.skipped == []


def test_a_zip_within_a_zip_is_opened_and_one_that_cannot_be_is_told_of(archives: Archives, tmp_path: Path) -> None:
    files = [audio_file(tmp_path, str(year), plays(year, 2)) for year in (1, 2)]
    inner = [zipped(tmp_path / f"inner{number}.zip", [file]) for number, file in enumerate(files)]
    path = tmp_path / "given" / "outer.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner[0], "a/my_spotify_data.zip")
        archive.write(inner[1], "b/my_spotify_data.zip")
        archive.writestr("broken.zip", b"PK\3\4 and no more")

    found = find_files([path.parent], archives)

    assert [b"".join(file.chunks()) for file in found.plays] == [file.read_bytes() for file in files]
    assert len({file.export for file in found.plays}) == 2
    assert labels(found.unopened) == {"broken.zip": "not a complete zip file"}


def test_a_zip_is_opened_once_however_many_files_it_holds(
    tmp_path: Path, archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(50):
            archive.writestr(f"endsong_{number}.json", written(map(sent, plays(number, 3))))
    listings: list[str] = []
    listed = zipfile.ZipFile._RealGetContents  # type: ignore[attr-defined] # where zipfile reads its list

    def counting(self: zipfile.ZipFile) -> None:
        listings.append(str(self.filename))
        listed(self)

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", counting)
    found = find_files([path], archives)
    hashes = {hash_file(file, lambda _: None).content_hash for file in found.plays}
    assert (len(hashes), len(listings)) == (50, 1)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (
            b"<!DOCTYPE html><html><body>Your link has expired",
            "is a web page (HTML), which is what a download link gives when it has expired or needs a login: log",
        ),
        (b"\n<html><head>", "is a web page (HTML)"),
        (b"<?xml version='1.0'?><plays/>", "is an XML file, not a list"),
        (b"%PDF-1.7", "is a PDF, not a list of plays"),
        (b"{\\rtf1", "is an RTF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Office document"),
        (b'{"ts": 1}\n{"ts": 2}\n', "is a JSON Lines file, with one object per line instead of one list of plays"),
        (b'{"playlists": [1, 2, 3]}', "is a JSON object, not a list of plays"),
        (b"ts,platform,ms_played\n2024,android,7\n", "is a CSV table, not a JSON list"),
        (b"ts;platform;ms_played\r\n", "is a CSV table"),
        (b"plays", "is not JSON"),
        (b"endTime,msPlayed\n2024-05-03 12:00,7\n", "is a CSV table"),
        (b"end time;played for\n2024-05-03 12:00;7\n", "is a CSV table"),
        (b"endTime\tmsPlayed", "is a CSV table"),
        (b"Hello, world\n", "is not JSON"),
        (b"5", "is not a list of plays: pass the file as Spotify sent it"),
        (b'"plays"\n', "is not a list of plays"),
        (b"null", "is not a list of plays"),
        (b"\x01\x02\x03 no text", "is not text: pass"),
        (b"", "is empty: download it again"),
        (bytes(5000), "is not text, but NUL bytes, as after a failed download or disk error: download it again"),
        ("[1]".encode("utf-32"), "is text in UTF-32, which is not supported: save it as UTF-8"),
        ("[1]".encode("utf-32-be"), "is text in UTF-32"),
        ("plays".encode("utf-16"), "is not JSON"),
        (b"MyData/endsong_0.json".ljust(257, b"\0") + b"ustar", "is a tar archive: unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_what_is_no_list_is_told_by_what_it_is(
    archives: Archives, tmp_path: Path, content: bytes, what: str, named: bool
) -> None:
    path = tmp_path / "Streaming_History_Audio_1.json"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        find_files([path if named else tmp_path], archives)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path.name} {what}")
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html>", "is a web page (HTML), which is what a download link gives"),
        (b"%PDF-1.7", "is a PDF"),
        (b"", "is empty: download it again from Spotify."),
        (b"PK\3\4 and then the line was cut", "is not a complete zip file: download it again from Spotify."),
        (b"nothing of the kind", "is not a complete zip file: download it again from Spotify."),
    ],
)
def test_a_named_zip_that_is_none_is_told_by_what_it_is(
    archives: Archives, tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "my_spotify_data.zip"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        find_files([path], archives)
    assert str(caught.value).startswith(f"{path} {what}")


DOCUMENTS = {
    "cv.docx": (["[Content_Types].xml", "_rels/.rels", "word/document.xml"], "a Word document"),
    "sums.xlsx": (["docProps/app.xml", "xl/workbook.xml", "[Content_Types].xml"], "an Excel workbook"),
    "talk.pptx": (["[Content_Types].xml", "ppt/presentation.xml"], "a PowerPoint presentation"),
    "other.vsdx": (["[Content_Types].xml", "visio/document.xml"], "an Office document"),
    "text.odt": (["mimetype", "content.xml"], "an OpenDocument file or e-book"),
}


def written_document(folder: Path, name: str) -> tuple[Path, str]:
    paths, what = DOCUMENTS[name]
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path in paths:
            archive.writestr(path, b"<xml/>")
    return folder / name, what


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_document_that_is_a_zip_is_named_for_what_it_is(
    archives: Archives, tmp_path: Path, name: str, suffix: str
) -> None:
    path, what = written_document(tmp_path, name)
    path = path.rename(tmp_path / f"{name}{suffix}")
    with pytest.raises(CommandError) as caught:
        find_files([path], archives)
    assert str(caught.value) == (
        f"{path} is {what}, not a zip from Spotify: pass the file as Spotify sent it, or leave it out."
    )
    found = find_files([tmp_path], archives)
    assert [one.diagnosis.what for one in (found.unopened if suffix else found.skipped)] == [what]


LEFT_OUT = {
    "a.json": (b'[{"q": 1}]', "not recognized as plays"),
    "b.json": (b'{"playlists": []}', "not recognized as plays"),
    "c.json": (b"5", "not recognized as plays"),
    "lines.json": (b'{"ts": 1}\n{"ts": 2}\n', "JSON Lines file"),
    "latin.json": (
        '[{"name": "Für"}]'.encode("latin-1"),
        "unreadable because its text looks like Windows-1252/Latin-1, not UTF-8: save it as UTF-8",
    ),
    "latin_object.json": (
        '{"name": "Für"}'.encode("latin-1"),
        "unreadable because its text looks like Windows-1252/Latin-1, not UTF-8: save it as UTF-8",
    ),
    "cyrillic.json": (
        '[{"name": "Привет"}]'.encode("cp1251"),
        "unreadable because its text is in an older encoding, not UTF-8: save it as UTF-8",
    ),
    "nul.json": (
        b'[{"name": "\0\0',
        "unreadable because it contains NUL bytes, as after a failed download or disk error",
    ),
    "page.json": (b"<html>", "web page"),
    "plays.7z": (b"7z\xbc\xaf\x27\x1c", "7z archive: unpack it and pass its contents"),
    "plays.rar": (b"Rar!\x1a\x07", "RAR archive: unpack it and pass its contents"),
    "plays.tar.gz": (
        gzip.compress(b"a".ljust(257, b"\0") + b"ustar"),
        "tar archive: unpack it and pass its contents",
    ),
    "old.doc": (b"\xd0\xcf\x11\xe0", "old Office document"),
    "note.rtf": (b"{\\rtf1", "RTF document"),
    "ReadMe.pdf": (b"%PDF-1.7", "PDF"),
    "list.csv": (b"endTime,msPlayed\n", "CSV table"),
    "note.txt": (b"Hello, world", "not JSON"),
    "film.mp4": (b"\0\0\0\x18ftypmp42", "not text"),
    "nothing.txt": (b"", "empty"),
    "history.txt": (
        written(map(sent, plays(0, 2))),
        "plays under a name that does not end in .json: pass the file itself",
    ),
}


@pytest.mark.parametrize("in_zip", [False, True])
def test_what_is_left_out_is_named_for_what_it_is(archives: Archives, tmp_path: Path, in_zip: bool) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for name, (content, _) in LEFT_OUT.items():
        (folder / name).write_bytes(content)
    (folder / "long.json").write_bytes(b'["' + "ü".encode() * 70_001)  # its head ends within a character
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)

    found = find_files([tmp_path / "export.zip" if in_zip else folder], archives)

    expected = {name: label for name, (_, label) in LEFT_OUT.items()}
    assert labels(found.skipped) == expected | {"long.json": "not recognized as plays"}
    assert (found.plays, found.unopened) == ([], [])


def test_a_zip_under_another_name_in_a_folder_is_named_as_that(archives: Archives, tmp_path: Path) -> None:
    zipped(tmp_path / "download", [])
    found = find_files([tmp_path], archives)
    assert labels(found.skipped) == {"download": "zip under another name: unpack it and pass its contents"}


def test_a_companion_file_of_macos_that_is_named_is_told_as_that(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "._Streaming_History_Audio_2020.json"
    path.write_bytes(b"\x00\x05\x16\x07\x00\x02")
    with pytest.raises(CommandError) as caught:
        find_files([path], archives)
    assert str(caught.value) == (
        f"{path} is a macOS companion file, which holds the attributes of another file: pass the file of the same name "
        "without `._`."
    )
    path.write_bytes(written(map(sent, plays(0, 2))))
    assert [file.name for file in find_files([path], archives).plays] == [path.name]


def test_an_entry_packed_in_a_way_that_is_not_supported_says_so(archives: Archives, tmp_path: Path) -> None:
    """Use the compression that Windows uses for large files."""
    path = zipped(tmp_path / "data.zip", [audio_file(tmp_path, "2020", plays(0, 9))])
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\1\2") + 10] = 9  # Deflate64
    path.write_bytes(content)
    (file,) = find_files([path], archives).plays
    with pytest.raises(DamagedFileError, match="the zip uses an unsupported compression method") as caught:
        next(file.chunks())
    assert caught.value.problem.advice == "unpack the zip and pass the folder instead"


@pytest.mark.parametrize("name", ["Playlist1.json", "cover.jpg"])
def test_other_entries_that_the_zip_does_not_give_are_told_of_and_the_plays_read(
    archives: Archives, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"something")
        archive.writestr("endsong_0.json", written(map(sent, plays(0, 2))))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 10] = 9
    path.write_bytes(content)
    found = find_files([path], archives)
    assert [file.name for file in found.plays] == ["endsong_0.json"]
    assert [(one.name, one.diagnosis.what) for one in found.unopened] == [(name, "damaged")]


def test_a_locked_picture_is_no_reason_to_refuse_the_plays_beside_it(archives: Archives, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cover.jpg", b"\xff\xd8\xff")
        archive.writestr("endsong_0.json", written(map(sent, plays(0, 2))))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\3\4") + 6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    found = find_files([path], archives)
    assert [file.name for file in found.plays] == ["endsong_0.json"]
    assert labels(found.unopened) == {"cover.jpg": "protected by a password: unpack it and pass the folder instead"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_comes_as_utf8_without_a_mark_and_has_the_hash_of_that(
    archives: Archives, tmp_path: Path, encoding: str
) -> None:
    content = written(map(sent, [*plays(0, 300), {"name": "🎧"}]))
    path = tmp_path / "endsong_0.json"
    path.write_bytes(content.decode().encode(encoding))
    (file,) = find_files([path], archives).plays
    assert b"".join(file.chunks()) == content
    assert hash_file(file, lambda _: None).content_hash == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "before", "problem"),
    [
        (b'[{"a": "\xfc"}]', b'[{"a": "', "its text looks like Windows-1252/Latin-1, not UTF-8"),
        ('["Доброе"]'.encode("cp1251"), b'["', "its text is in an older encoding, not UTF-8"),
        ('["日本"]'.encode("shift-jis"), b'["', "its text is in an older encoding, not UTF-8"),
        (b'["\xc3\xbc \xfc"]', '["ü '.encode(), "its text is not valid UTF-8"),
        (b'["\xff"]', b'["', "its text is not valid UTF-8"),
        (b'[{"a": "\xc3', b'[{"a": "', "it ends in the middle of a character"),
        ('[{"a": "ü'.encode("utf-16")[:-1], b'[{"a": "', "it ends in the middle of a character"),
        ('["'.encode("utf-16") + b"\x00\xdc\x41\x00", b'["', "its text is not valid UTF-16"),
        (b'[{"a": "\0\0', b'[{"a": "', "it contains NUL bytes"),
    ],
)
def test_text_that_cannot_be_read_ends_there(tmp_path: Path, content: bytes, before: bytes, problem: str) -> None:
    path = tmp_path / "endsong_0.json"
    path.write_bytes(content)
    read: list[bytes] = []
    with pytest.raises(DamagedFileError) as caught:
        read.extend(ExportFile(path).chunks())
    assert b"".join(read) == before
    assert caught.value.problem.why.startswith(problem)
    looks_older = "not UTF-8" in problem
    assert caught.value.problem.advice == ("save it as UTF-8" if looks_older else "download it again from Spotify")


def test_a_gzip_file_that_is_cut_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "endsong_0.json.gz"
    path.write_bytes(gzip.compress(written(map(sent, plays(0, 500))))[:-20])
    with pytest.raises(DamagedFileError, match="the gzip file is damaged"):
        list(ExportFile(path).chunks())


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        ("export_files.MAX_FILES", "3 files of plays"),
        ("export_files.MAX_ENTRIES", "3 files to look through"),
        ("zip_archives.MAX_ZIPS", "3 zips"),
    ],
)
def test_more_than_a_limit_is_told_before_anything_is_read(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, what: str
) -> None:
    def fill(count: int) -> None:
        for number in range(count):
            with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
                archive.writestr("endsong_0.json", b"[]")

    monkeypatch.setattr(f"cli.{limit}", 3)
    fill(1)
    assert len(find_files([tmp_path], archives).plays) == 1
    fill(4)
    with pytest.raises(LimitError, match=f"There are more than {what}, far more than any export has: pass only"):
        find_files([tmp_path], archives)


def test_the_size_that_is_unpacked_counts_before_it_is_unpacked(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.export_files.MAX_BYTES", 1024**2)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"endsong_{number}.json", b" " * 400_000)
    assert path.stat().st_size < 4000
    with pytest.raises(LimitError, match="There are more than 0 GB of plays, far more than any export has"):
        find_files([path], archives)


def test_an_entry_never_gives_more_than_the_zip_says(archives: Archives, tmp_path: Path) -> None:
    """Set the sizes in the headers to a tenth of the real ones."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("endsong_0.json", b"[" + b" " * 999_999)
    content = path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (100_000).to_bytes(4, "little"))
    path.write_bytes(content)
    (file,) = find_files([path], archives).plays
    read: list[bytes] = []
    with pytest.raises(DamagedFileError, match="the zip is damaged"):
        read.extend(file.chunks())
    assert (file.size, sum(map(len, read)) <= 100_000) == (100_000, True)


def test_a_list_of_entries_that_would_fill_the_memory_is_not_read(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.zip_archives.MAX_LISTING_BYTES", 1024**2)
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1_100):
            archive.writestr(f"{number:01000d}.json", b"")
    with pytest.raises(LimitError, match=r"There are more than 1 MB of file names in .*data\.zip"):
        find_files([path], archives)


def test_zips_in_one_another_have_an_end(archives: Archives, tmp_path: Path) -> None:
    audio_file(tmp_path, "2020", plays(0, 1))
    path = zipped(tmp_path / "1.zip", [tmp_path / "Streaming_History_Audio_2020.json"])
    for depth in range(2, 5):
        outer = tmp_path / f"{depth}.zip"
        with zipfile.ZipFile(outer, "w") as archive:
            archive.write(path, path.name)
        path = outer
    assert [file.name for file in find_files([tmp_path / "3.zip"], archives).plays] == [
        "Streaming_History_Audio_2020.json"
    ]
    with pytest.raises(LimitError, match=r"1\.zip in .*4\.zip is nested inside more than 2 other zips: unpack those"):
        find_files([path], archives)


def test_zips_within_zips_count_by_the_size_that_is_unpacked(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.zip_archives.MAX_BYTES", 1024**2)
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", bytes(1024**2 + 1))
    with pytest.raises(LimitError, match="There are more than 0 GB of nested zips"):
        find_files([path], archives)


def test_a_disk_that_is_full_is_told_where_a_zip_is_unpacked(
    archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = zipped(tmp_path / "inner.zip", [audio_file(tmp_path, "2020", plays(0, 3))])
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "inner.zip")
    opened = Path.open

    def full(path: Path, mode: str = "r") -> object:
        if mode == "wb":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(
        CommandError, match=r"cannot be unpacked to .* \(No space left on device\): free some space there"
    ):
        find_files([outer], archives)
