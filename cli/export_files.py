"""Which files of a privacy export hold plays, wherever they lie: as they are, in folders, in the zip of Spotify."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cli.errors import CommandError

_PLAYS = re.compile(r"(?:Streaming_History_Audio|endsong)_.*\.json", re.IGNORECASE)
_CHUNK_BYTES = 64 * 1024


class DamagedFileError(Exception):
    """A file that cannot be read to its end; the message is a clause that says why."""


@dataclass(frozen=True)
class ExportFile:
    """One file of plays."""

    path: Path
    """The file, or the zip that holds it."""
    member: str = ""
    """Its name in the zip; '' for a file by itself."""
    size: int = 0
    """Bytes, unpacked."""

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return Path(self.member).name if self.member else self.path.name

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in pieces; a file in a zip is unpacked as it is read.

        Raises:
            DamagedFileError: the rest cannot be read.
            OSError: the file cannot be opened.
        """
        with self._opened() as stream:
            while True:
                try:
                    chunk = stream.read(_CHUNK_BYTES)
                except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
                    raise DamagedFileError("the zip is damaged there") from error
                except OSError as error:
                    raise DamagedFileError(f"it cannot be read ({error.strerror})") from error
                if not chunk:
                    return
                yield chunk

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if not self.member:
            with self.path.open("rb") as file:
                yield file
            return
        with _zip(self.path) as archive:
            try:
                member = archive.open(self.member)
            except (zipfile.BadZipFile, KeyError, NotImplementedError) as error:
                raise DamagedFileError("the zip does not give it") from error
            with member:
                yield member


@dataclass(frozen=True)
class HashedFile:
    """A file and what identifies it: its content."""

    file: ExportFile
    content_hash: str
    """SHA-256, in hex digits."""

    @property
    def unit(self) -> str:
        """What stands for the file in keys and manifests."""
        return self.content_hash[:32]


@dataclass
class FoundFiles:
    """What the given paths hold."""

    plays: list[ExportFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Names of what holds no plays: videos, playlists, the PDF."""
    unopened: list[str] = field(default_factory=list)
    """Names of zips in a folder that cannot be opened, so that nobody knows what they hold."""


def find(paths: Sequence[Path]) -> FoundFiles:
    """Look through files, folders with all they hold, and zips.

    Raises:
        CommandError: a path leads nowhere, or what it leads to cannot be opened.
    """
    found = FoundFiles()
    for path in paths:
        try:
            if path.is_dir():
                for file in _files_below(path):
                    _add(found, file, named=False)
            elif path.exists():
                _add(found, path, named=True)
            else:
                raise CommandError(f"There is no file or folder {path}: check how it is spelt.")
        except OSError as error:
            raise _unreadable(Path(error.filename or path), error) from error
    return found


def hashed(file: ExportFile, watch: Callable[[int], None]) -> HashedFile:
    """Read a file for its hash; of a damaged one it is that of the bytes before the damage.

    Args:
        file: the file.
        watch: is told the number of bytes with each piece.

    Raises:
        CommandError: the file cannot be opened.
    """
    digest = hashlib.sha256()
    try:
        for chunk in file.chunks():
            digest.update(chunk)
            watch(len(chunk))
    except DamagedFileError:
        pass
    except OSError as error:
        raise _unreadable(file.path, error) from error
    return HashedFile(file, digest.hexdigest())


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _raise(error: OSError) -> None:
    # Without it a folder that may not be entered counts as empty.
    raise error


def _add(found: FoundFiles, path: Path, *, named: bool) -> None:
    is_zip = path.suffix.lower() == ".zip"
    # Of a pipe no one knows when it ends, nor could it be read twice.
    if not (is_zip or _PLAYS.fullmatch(path.name)) or not stat.S_ISREG(path.stat().st_mode):
        found.left_out.append(path.name)
    elif is_zip:
        try:
            _add_members(found, path)
        except CommandError:
            if named:
                raise
            found.unopened.append(path.name)
    else:
        found.plays.append(ExportFile(path, size=path.stat().st_size))


def _add_members(found: FoundFiles, path: Path) -> None:
    with _zip(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            name = Path(member.filename).name
            if not _PLAYS.fullmatch(name):
                found.left_out.append(name)
            elif member.flag_bits & 1:
                raise CommandError(f"{path} is protected by a password: unpack it and give the folder instead.")
            else:
                found.plays.append(ExportFile(path, member.filename, member.file_size))


def _zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise CommandError(f"{path} is no whole zip: download it again from Spotify.") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be read ({error.strerror}): check it and its permissions.")
