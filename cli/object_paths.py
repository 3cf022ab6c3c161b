"""Where the objects of a bucket lie below a folder on this machine."""

from __future__ import annotations

from pathlib import Path

from cli.errors import CommandError

_LEADS_ELSEWHERE = frozenset({"", ".", ".."})


class OutsideFolderError(CommandError):
    """A key that names a place outside the folder."""


def path_below(folder: Path, key: str) -> Path:
    r"""The path of an object below a folder, by its key.

    Raises:
        OutsideFolderError: the key could lead out of the folder on some system: it is absolute, has a part that is
            empty, `.` or `..`, or holds a backslash, a drive or a NUL.
    """
    parts = key.split("/")
    if not _LEADS_ELSEWHERE.isdisjoint(parts) or any(character in key for character in "\\\0") or ":" in parts[0]:
        raise OutsideFolderError(f"The key {key!r} leads out of {folder}, so nothing was copied: please report it.")
    return folder.joinpath(*parts)
