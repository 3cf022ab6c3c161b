"""Playlists as .m3u8 files: UTF-8, with a Spotify URI for each item, as Mopidy and other players take them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_BYTES = 200
"""The longest name of a file, without the ending; file systems allow 255 bytes."""
_UNSAFE = frozenset('<>:"/\\|?*')
"""Characters that Windows does not allow in names; `/` no system does."""
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names of devices on Windows."""


@dataclass(frozen=True, kw_only=True)
class PlaylistItem:
    """An item of a playlist."""

    uri: str
    """Its Spotify URI."""
    name: str
    artist: str
    seconds: int
    """Its length; -1 if it is not known, as the format has it."""


def write_playlist(folder: Path, name: str, items: Iterable[PlaylistItem], *, fallback: str) -> Path:
    """Write a playlist to a new file that is named like it.

    Args:
        folder: an existing folder.
        name: of the playlist.
        items: in order.
        fallback: the file's name if nothing of the playlist's can be used.
    """
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(name)}"]
    for item in items:
        title = " - ".join(filter(None, (_one_line(item.artist), _one_line(item.name))))
        lines += [f"#EXTINF:{item.seconds},{title}", _one_line(item.uri)]
    path = _unused(folder, file_name(name) or fallback)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def file_name(title: str) -> str:
    """Return a title as a name that every system allows, without an ending; '' if nothing is left of it."""
    kept = (_kept(character) for character in title)
    # A leading dot hides a file, and Windows drops dots and spaces at the end.
    name = " ".join("".join(kept).split()).encode()[:_BYTES].decode(errors="ignore").strip(" .")
    return f"{name}_" if _DEVICE.fullmatch(name) else name


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":  # Invisible, some of them change the direction of the text.
        return ""
    return " " if character in _UNSAFE or category in {"Cc", "Cs", "Zl", "Zp"} else character


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unused(folder: Path, name: str) -> Path:
    """Return the path of a file that does not exist, with a number if the name is taken, in whatever case."""
    taken = {path.name.casefold() for path in folder.iterdir()}
    number = 1
    while f"{name}{'' if number == 1 else f' ({number})'}.m3u8".casefold() in taken:
        number += 1
    return folder / f"{name}{'' if number == 1 else f' ({number})'}.m3u8"
