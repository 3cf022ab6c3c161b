"""Paths for the objects of a bucket below a folder on this machine."""

from __future__ import annotations

from pathlib import Path

from cli.errors import CommandError

_UNSAFE_PARTS = frozenset({"", ".", ".."})


class OutsideFolderError(CommandError):
    """A key leads outside the folder."""


def path_below(folder: Path, key: str) -> Path:
    r"""Return the path below a folder for an object's key.

    Raises:
        OutsideFolderError: the key could lead outside the folder on some operating system: it is absolute, has a part
            that is empty, `.` or `..`, or contains a backslash, a drive or a NUL.
    """
    parts = key.split("/")
    if not _UNSAFE_PARTS.isdisjoint(parts) or any(character in key for character in "\\\0") or ":" in parts[0]:
        raise OutsideFolderError(f"The key {key!r} leads outside {folder}, so nothing was copied: please report it.")
    return folder.joinpath(*parts)
