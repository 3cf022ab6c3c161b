"""Playlists as files: names that every system allows, and titles that stay text."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.playlist_files import PlaylistItem, file_name, write_playlist

TRACK = PlaylistItem(uri="spotify:track:1", name="SOS", artist="Abba", seconds=203)


def test_a_playlist_is_extended_m3u(tmp_path: Path) -> None:
    unknown = PlaylistItem(uri="spotify:local:::x:", name="Home\nrecording", artist="", seconds=-1)

    path = write_playlist(tmp_path, "Mix: \u2028 99", [TRACK, unknown], fallback="id")

    assert path == tmp_path / "Mix 99.m3u8"
    assert path.read_text(encoding="utf-8").splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:Mix: 99",
        "#EXTINF:203,Abba - SOS",
        "spotify:track:1",
        "#EXTINF:-1,Home recording",
        "spotify:local:::x:",
    ]


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    names = [write_playlist(tmp_path, name, [TRACK], fallback="id").name for name in ("Mix", "MIX", "mix ", "", "..")]

    assert names == ["Mix.m3u8", "MIX (2).m3u8", "mix (3).m3u8", "id.m3u8", "id (2).m3u8"]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc passwd"),
        ("C:\\Windows\\x", "C Windows x"),
        (".hidden.", "hidden"),
        ("con", "con_"),
        ("LPT1.mix", "LPT1.mix_"),
        ("\x1b[31mred\x00\n", "[31mred"),
        ("gpj\u202e.exe", "gpj.exe"),
        ("\udcff lone", "lone"),
        ("<script>", "script"),
        ("夏の歌 ☀️", "夏の歌 ☀️"),
        ("é" * 500, "é" * 100),
        ("日" * 500, "日" * 66),
        ("?*|", ""),
    ],
)
def test_a_title_becomes_a_name_that_every_system_allows(title: str, name: str) -> None:
    assert file_name(title) == name
