"""Which files of a privacy export hold plays, wherever they lie: as they are, in folders, in zips and zips within zips.

A file that is named counts by its content. In folders and zips one counts that has a name that Spotify gives, or whose
first element is a play.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from cli.diagnosis import DOWNLOAD_AGAIN, Diagnosis, Problem, ProblemError
from cli.errors import CommandError
from cli.file_formats import MAC_COMPANION, EncodingError, as_utf8, diagnosed, diagnosed_other
from cli.import_limits import MAX_BYTES, MAX_ENTRIES, MAX_FILES, check
from cli.json_elements import PARSER_ERRORS, NoListError, elements
from cli.zip_archives import (
    DAMAGED_ZIP,
    LOCKED,
    UNPACKING_ERRORS,
    ZIP_MAGIC,
    Archive,
    Archives,
    Member,
    PackedBytes,
    UnreadableEntryError,
    ZipError,
)
from handlers.streaming_history import is_account_data

Kind = Literal["extended", "endsong", "account_data"]
"""The extended export, its form before 2022, and the small one."""

_NAMED = re.compile(r"(?P<stem>streaming_history|streaminghistory|endsong|endvideo).*\.json(?:\.gz)?", re.IGNORECASE)
_KINDS: dict[str, Kind] = {
    "streaming_history": "extended",
    "endsong": "endsong",
    "endvideo": "endsong",
    "streaminghistory": "account_data",
}
_RESOURCE_FORK = "._"
"""Begins the name of what macOS puts beside each file, in zips below `__MACOSX/`."""
_FOLDER_SETTINGS = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
"""What macOS and Windows put into folders, in lower case."""
_GZIP_MAGIC = b"\x1f\x8b"
_OLD_FIELDS = frozenset({"username", "ip_addr_decrypted", "user_agent_decrypted"})
_DAMAGED = Diagnosis("damaged", f"{DOWNLOAD_AGAIN}, or leave it out")
_DAMAGED_GZIP = Problem("the gzip file is damaged")
_PLAYS_BY_ANOTHER_NAME = Diagnosis("plays under a name that does not end in .json", "give the file itself")
_FIXES = {
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "check that it still exists",
    errno.ELOOP: "give the file that the link leads to",
    errno.ENAMETOOLONG: "check the spelling",
}
"""What to do about an error of the operating system."""
_CHUNK_BYTES = 64 * 1024
_ELEMENTS_LOOKED_AT = 20


class DamagedFileError(ProblemError):
    """A file that cannot be read to its end."""


@dataclass(frozen=True)
class ExportFile:
    """One file of plays."""

    path: Path
    """The file, or the outermost zip that holds it."""
    member: Member | None = None
    """Its entry in a zip; None for a file by itself."""
    size: int = 0
    """Bytes, unpacked; of a file that is packed with gzip those on the disk."""
    kind: Kind = "extended"

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return self.member.name if self.member else self.path.name

    @property
    def export(self) -> tuple[str, str, Kind]:
        """Tells one export from another: Spotify puts the files of one side by side, all of one kind."""
        if self.member:
            return self.member.archive.place, self.member.folder, self.kind
        # One folder may be named in several ways, relative and absolute.
        return str(self.path.parent.resolve()), "", self.kind

    def chunks(self) -> Iterator[bytes]:
        """The text as UTF-8, in pieces; what is packed is unpacked as it is read.

        Raises:
            DamagedFileError: the rest cannot be read.
            OSError: the file cannot be opened.
        """
        with self._opened() as stream:
            try:
                yield from as_utf8(_pieces(stream))
            except EncodingError as error:
                raise DamagedFileError(error.problem) from error

    def head(self) -> bytes:
        """The first bytes as they are, but for gzip; fewer where the file is damaged.

        Raises:
            OSError: the file cannot be opened.
        """
        read = b""
        try:
            with self._opened() as stream:
                for piece in _pieces(stream):
                    read += piece
                    if len(read) >= _CHUNK_BYTES:
                        break
        except DamagedFileError:
            pass
        return read

    @contextmanager
    def _opened(self) -> Iterator[PackedBytes]:
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        try:
            with self.member.opened() as stream:
                yield stream
        except UnreadableEntryError as error:
            raise DamagedFileError(error.problem) from error


@dataclass(frozen=True)
class HashedFile:
    """A file and what identifies it: its content."""

    file: ExportFile
    content_hash: str
    """SHA-256 of its text, in hex digits."""

    @property
    def unit(self) -> str:
        """What stands for the file in keys and manifests."""
        return self.content_hash[:32]


@dataclass(frozen=True)
class LeftOut:
    """A file in a folder or zip that is not imported."""

    name: str
    """Its own name, without folders."""
    diagnosis: Diagnosis
    """What it is."""


@dataclass
class FoundFiles:
    """What the given paths hold."""

    plays: list[ExportFile] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    """What holds no plays: playlists, the PDF."""
    unopened: list[LeftOut] = field(default_factory=list)
    """What lies in a folder or zip and cannot be opened, so that nobody knows what it holds."""


def find(paths: Sequence[Path], archives: Archives) -> FoundFiles:
    """Look through files, folders with all they hold, and zips.

    Args:
        paths: what to look through.
        archives: opens the zips; what is found can be read as long as they are open.

    Raises:
        CommandError: a path leads nowhere, what it leads to cannot be opened, or a file has the name of plays and is
            something else.
        LimitError: there is more than an import may hold.
    """
    search = _Search(archives)
    for path in paths:
        try:
            if path.is_dir():
                for file in _files_below(path):
                    search.look_at(file)
            elif path.exists():
                search.take_named(path)
            else:
                raise CommandError(f"There is no file or folder {path}: check the spelling.")
        except OSError as error:
            raise _unreadable(Path(error.filename or path), error) from error
    return search.found


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
        place = file.member.archive.place if file.member else str(file.path.resolve())
        offset = file.member.info.header_offset if file.member else 0
        digest.update(b"%b %d" % (os.fsencode(place), offset))
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
    grouped: dict[tuple[str, str, Kind], dict[str, HashedFile]] = {}
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


def unreadable(error: OSError) -> Problem:
    """What the operating system says of a file that it does not give, and what to do about it."""
    fix = _FIXES.get(error.errno or 0, "copy {it} to another disk and try again")
    return Problem(f"it cannot be read ({error.strerror or error})", fix)


class _Search:
    """Goes through what was given, and counts it against the limits."""

    def __init__(self, archives: Archives) -> None:
        self.found = FoundFiles()
        self._archives = archives
        self._entries = 0
        self._bytes = 0

    def take_named(self, path: Path) -> None:
        """Take a file that was named, whatever its name."""
        file = ExportFile(path, size=_size(path))
        head = file.head()
        if _is_resource_fork(path.name) and not _kind_of(head):
            raise CommandError(f"{path} {MAC_COMPANION}")
        is_zip = head.startswith(ZIP_MAGIC) or (_is_zip_name(path.name) and diagnosed(head) is not None)
        if is_zip:
            self._look_into(path, self._archives.open(path))
        else:
            self._take(file, head)

    def look_at(self, path: Path) -> None:
        """Take a file of a folder if it holds plays."""
        self._count_entries(1)
        if _is_of_the_system(path.name):
            return
        try:
            size = _size(path)
            if _is_zip_name(path.name):
                self._look_into(path, self._archives.open(path))
            else:
                self._take_if_plays(ExportFile(path, size=size))
        except (_NotRegularError, ZipError) as error:
            self._leave_unopened(path.name, error.diagnosis)
        except OSError as error:
            if _NAMED.search(path.name) or _is_zip_name(path.name):
                raise
            self._leave_unopened(path.name, _unreadable_diagnosis(error))

    def _look_into(self, path: Path, archive: Archive) -> None:
        self._count_entries(len(archive.members))
        members = [member for member in archive.members if not _is_of_the_system(member.name)]
        # Before any is taken: what is reported as not opened must not be half imported.
        archive.check_unlocked([one for one in members if _is_zip_name(one.name) or _is_json_name(one.name)])
        for member in members:
            if member.is_locked:
                self._leave_unopened(member.name, LOCKED)
            elif _is_zip_name(member.name):
                try:
                    inner = self._archives.open_member(member)
                except ZipError as error:
                    self._leave_unopened(member.name, error.diagnosis)
                else:
                    self._look_into(path, inner)
            else:
                self._take_if_plays(ExportFile(path, member, member.size))

    def _take_if_plays(self, file: ExportFile) -> None:
        """Take a file that has one of Spotify's names, or a name of JSON and begins with plays."""
        head = file.head()
        if _NAMED.search(file.name) or (_is_json_name(file.name) and _kind_of(head)):
            self._take(file, head)
        elif file.size and not head:
            self._leave_unopened(file.name, _DAMAGED)
        else:
            found = _PLAYS_BY_ANOTHER_NAME if _kind_of(head) else diagnosed_other(head)
            self.found.left_out.append(LeftOut(file.name, found))

    def _take(self, file: ExportFile, head: bytes) -> None:
        # Of an entry that the zip does not give nothing can be said yet.
        if (found := diagnosed(head)) and (head or not file.size):
            raise CommandError(f"{file.name} {found}")
        self.found.plays.append(replace(file, kind=_kind(file.name, head)))
        self._bytes += file.size
        check(len(self.found.plays), MAX_FILES, f"{MAX_FILES:,} files of plays")
        check(self._bytes, MAX_BYTES, f"{MAX_BYTES // 1024**3} GB of plays")

    def _leave_unopened(self, name: str, diagnosis: Diagnosis) -> None:
        self.found.unopened.append(LeftOut(name, diagnosis))

    def _count_entries(self, count: int) -> None:
        self._entries += count
        check(self._entries, MAX_ENTRIES, f"{MAX_ENTRIES:,} files to look through")


class _NotRegularError(CommandError):
    """A pipe or a device."""

    def __init__(self, path: Path) -> None:
        self.diagnosis = Diagnosis("a pipe or a device, not a file", "write what comes from it to a file first")
        super().__init__(f"{path} {self.diagnosis}")


def _pieces(stream: PackedBytes) -> Iterator[bytes]:
    """The bytes of a file, unpacked where they are packed with gzip.

    Raises:
        DamagedFileError: the rest cannot be read.
    """
    is_gzip = False
    try:
        is_gzip = stream.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC)
        rest = gzip.GzipFile(fileobj=stream) if is_gzip else stream
        while chunk := rest.read(_CHUNK_BYTES):
            yield chunk
    except (*UNPACKING_ERRORS, gzip.BadGzipFile) as error:
        raise DamagedFileError(_DAMAGED_GZIP if is_gzip else DAMAGED_ZIP) from error
    except OSError as error:
        # bzip2's own error, of damaged data, has no number.
        raise DamagedFileError(DAMAGED_ZIP if error.errno is None else unreadable(error)) from error


def _kind(name: str, head: bytes) -> Kind:
    """Old and new forms are told apart by their names, as their fields are almost the same; the small export is not."""
    named = _NAMED.search(name)
    by_name = _KINDS[named["stem"].lower()] if named else None
    by_content = _kind_of(head)
    if by_name is None or "account_data" in (by_name, by_content):
        return by_content or by_name or "extended"
    return by_name


def _kind_of(head: bytes) -> Kind | None:
    """What the first elements of a file are; None where they are no plays."""
    text = b""
    try:
        with suppress(EncodingError):  # The head may end within a character.
            for piece in as_utf8(iter([head])):
                text += piece
        for element in islice(elements(io.BytesIO(text)), _ELEMENTS_LOOKED_AT):
            if isinstance(element, dict) and (kind := _kind_of_element(element)):
                return kind
    except (NoListError, *PARSER_ERRORS):
        pass
    return None


def _kind_of_element(element: dict[str, Any]) -> Kind | None:
    if is_account_data(element) and "msPlayed" in element:
        return "account_data"
    if "ts" in element and "ms_played" in element:
        return "extended" if _OLD_FIELDS.isdisjoint(element) else "endsong"
    return None


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _raise(error: OSError) -> None:
    # Without it a folder that may not be entered counts as empty.
    raise error


def _size(path: Path) -> int:
    status = path.stat()
    # Of a pipe no one knows when it ends, nor could it be read twice.
    if not stat.S_ISREG(status.st_mode):
        raise _NotRegularError(path)
    return status.st_size


def _is_zip_name(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_json_name(name: str) -> bool:
    return name.lower().endswith((".json", ".json.gz"))


def _is_of_the_system(name: str) -> bool:
    return _is_resource_fork(name) or name.lower() in _FOLDER_SETTINGS


def _is_resource_fork(name: str) -> bool:
    return name.startswith(_RESOURCE_FORK)


def _unreadable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be read ({error.strerror or error}): {unreadable(error).advice}.")


def _unreadable_diagnosis(error: OSError) -> Diagnosis:
    return Diagnosis(f"not readable ({error.strerror or error})", unreadable(error).advice)
