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

# Beside its own error zipfile raises these: of a version that it does not know, and of a name that is no UTF-8.
_NO_WHOLE_ZIP = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError)


class DamagedFileError(Exception):
    """A file that cannot be read to its end; the message is a clause that says why."""


@dataclass(frozen=True)
class ExportFile:
    """One file of plays."""

    path: Path
    """The file, or the zip that holds it."""
    member: zipfile.ZipInfo | None = None
    """Its entry in the zip, which may hold several of one name; None for a file by itself."""
    size: int = 0
    """Bytes, unpacked."""

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return _name(self.member) if self.member else self.path.name

    @property
    def export(self) -> tuple[str, str, bool]:
        """Tells one export from another: Spotify puts the files of one side by side, all of one kind."""
        container, folder = (self.path, Path(self.member.filename).parent) if self.member else (self.path.parent, "")
        # One folder may be named in several ways, relative and absolute.
        return str(container.resolve()), str(folder), self.name.lower().startswith("endsong")

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
                    # bzip2's own error is one without a number and its text.
                    raise DamagedFileError(f"it cannot be read ({error.strerror or error})") from error
                if not chunk:
                    return
                yield chunk

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        with _zip(self.path) as archive:
            try:
                member = archive.open(self.member)
            except _NO_WHOLE_ZIP as error:
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
    """Names of what lies in a folder and cannot be opened, so that nobody knows what it holds."""


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
    """Read a file for its hash; that of a damaged one is its own, whatever stands before the damage.

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
        # Where damage comes early, nothing at all stands before it in several files, which are not one for that.
        place = file.member.header_offset if file.member else 0
        digest.update(b"%b %d" % (os.fsencode(file.path.resolve()), place))
    except OSError as error:
        raise _unreadable(file.path, error) from error
    return HashedFile(file, digest.hexdigest())


def exports_of(files: Sequence[HashedFile], broken: frozenset[str]) -> tuple[list[list[str]], list[str]]:
    """The exports that files belong to, and the names of what was given twice.

    Each export is the hashes of its files, once each. One of which another holds all is none of its own: a zip beside
    the folder that it was unpacked to. But a whole one is beside a broken one, which does not count.

    Args:
        files: what was given.
        broken: hashes of the files that are not whole.
    """
    grouped: dict[tuple[str, str, bool], dict[str, HashedFile]] = {}
    for file in files:
        grouped.setdefault(file.file.export, {}).setdefault(file.content_hash, file)
    # A larger one comes first, of equal ones the earlier.
    exports: list[dict[str, HashedFile]] = []
    for export in sorted(grouped.values(), key=len, reverse=True):
        is_whole = export.keys().isdisjoint(broken)
        holding = [larger for larger in exports if export.keys() <= larger.keys()]
        if not any(larger.keys().isdisjoint(broken) or not is_whole for larger in holding):
            exports.append(export)
    kept = {id(file) for export in exports for file in export.values()}
    in_order = [list(export) for export in grouped.values() if export in exports]
    return in_order, [file.file.name for file in files if id(file) not in kept]


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _raise(error: OSError) -> None:
    # Without it a folder that may not be entered counts as empty.
    raise error


def _add(found: FoundFiles, path: Path, *, named: bool) -> None:
    is_zip = path.suffix.lower() == ".zip"
    if not (is_zip or _PLAYS.fullmatch(path.name)):
        found.left_out.append(path.name)
        return
    try:
        size = _size(path)
        if is_zip:
            _add_members(found, path)
        else:
            found.plays.append(ExportFile(path, size=size))
    except CommandError:
        if named:
            raise
        found.unopened.append(path.name)


def _size(path: Path) -> int:
    status = path.stat()
    # Of a pipe no one knows when it ends, nor could it be read twice.
    if not stat.S_ISREG(status.st_mode):
        raise CommandError(f"{path} is no file but a pipe or a device: write what comes from it to a file first.")
    return status.st_size


def _add_members(found: FoundFiles, path: Path) -> None:
    with _zip(path) as archive:
        # Damage can leave an entry without a name.
        members = [member for member in archive.infolist() if member.filename and not member.is_dir()]
    plays = [member for member in members if _PLAYS.fullmatch(_name(member))]
    # Before any is taken: what is told of as not opened must not be half imported.
    if any(member.flag_bits & 1 for member in plays):
        raise CommandError(f"{path} is protected by a password: unpack it and give the folder instead.")
    found.plays += [ExportFile(path, member, member.file_size) for member in plays]
    found.left_out += [_name(member) for member in members if not _PLAYS.fullmatch(_name(member))]


def _name(member: zipfile.ZipInfo) -> str:
    return Path(member.filename).name


def _zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _NO_WHOLE_ZIP as error:
        raise CommandError(f"{path} is no whole zip: download it again from Spotify.") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be read ({error.strerror}): check it and its permissions.")
