"""Finds the files of a privacy export that contain plays: single files, files in folders, in zips and in nested zips.

A file that is passed itself is recognized by its content. A file in a folder or zip counts if it has one of Spotify's
names, or is JSON and begins with plays.
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
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from cli.diagnosis import DOWNLOAD_AGAIN, Diagnosis, Problem, ProblemError
from cli.errors import CommandError
from cli.file_formats import MAC_COMPANION, EncodingError, as_utf8, diagnose, diagnose_other
from cli.import_limits import MAX_BYTES, MAX_ENTRIES, MAX_FILES, check
from cli.json_elements import PARSER_ERRORS, NoListError, read_elements
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
"""Prefix of the files that macOS adds for each file, in zips below `__MACOSX/`."""
_FOLDER_SETTINGS = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
"""Files that macOS and Windows add to folders, in lower case."""
_GZIP_MAGIC = b"\x1f\x8b"
_OLD_FIELDS = frozenset({"username", "ip_addr_decrypted", "user_agent_decrypted"})
_DAMAGED = Diagnosis("damaged", f"{DOWNLOAD_AGAIN}, or leave it out")
_DAMAGED_GZIP = Problem("the gzip file is damaged")
_PLAYS_BY_ANOTHER_NAME = Diagnosis("plays under a name that does not end in .json", "pass the file itself")
_FIXES = {
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "check that it still exists",
    errno.ELOOP: "pass the file that the link points to",
    errno.ENAMETOOLONG: "check the spelling",
}
"""Advice on errors of the operating system."""
_CHUNK_BYTES = 64 * 1024
_ELEMENTS_LOOKED_AT = 20


class DamagedFileError(ProblemError):
    """A file cannot be read to its end."""


@dataclass(frozen=True)
class ExportFile:
    """One file of plays."""

    path: Path
    """The file, or the outermost zip that holds it."""
    _: KW_ONLY
    member: Member | None = None
    """Its entry in a zip; None if it is not in a zip."""
    size: int = 0
    """Unpacked bytes; for a gzip file, its bytes on disk."""
    kind: Kind = "extended"

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.member.name if self.member else self.path.name

    @property
    def export(self) -> tuple[str, str, Kind]:
        """The key of the export that it belongs to: all files of one kind that are in the same folder."""
        if self.member:
            return self.member.archive.place, self.member.folder, self.kind
        # The same folder can have different paths, such as a relative and an absolute one.
        return str(self.path.parent.resolve()), "", self.kind

    def chunks(self) -> Iterator[bytes]:
        """Yield the text as UTF-8, unpacking it while it is read.

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
        """Return the first bytes, unpacked but not decoded; fewer if the file is damaged.

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
    """A file and the hash of its content, which identifies it."""

    file: ExportFile
    content_hash: str
    """SHA-256 of its text, in hex digits."""

    @property
    def unit(self) -> str:
        """The name of the file in keys and manifests."""
        return self.content_hash[:32]


@dataclass(frozen=True)
class SkippedFile:
    """A file in a folder or zip that is not imported."""

    name: str
    """Its name without folders."""
    diagnosis: Diagnosis
    """What kind of file it is."""


@dataclass
class FoundFiles:
    """The files found in the given paths."""

    plays: list[ExportFile] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)
    """Files without plays, such as playlists and the PDF."""
    unopened: list[SkippedFile] = field(default_factory=list)
    """Files in a folder or zip that cannot be opened, whose content is unknown."""


def find_files(paths: Sequence[Path], archives: Archives) -> FoundFiles:
    """Search files, folders with everything below them, and zips for plays.

    Args:
        paths: where to search.
        archives: opens the zips; the files found can be read as long as it is open.

    Raises:
        CommandError: a path does not exist or cannot be opened, or a file that is named like a file of plays is
            something else.
        LimitError: there is more than an import may hold.
    """
    search = _Search(archives)
    for path in paths:
        try:
            if path.is_dir():
                for file in _files_below(path):
                    search.add_from_folder(file)
            elif path.exists():
                search.add_path(path)
            else:
                raise CommandError(f"There is no file or folder {path}: check the spelling.")
        except OSError as error:
            raise _unreadable(Path(error.filename or path), error) from error
    return search.found


def hash_file(file: ExportFile, on_bytes: Callable[[int], None]) -> HashedFile:
    """Hash a file's content; a damaged file gets a unique hash, whatever precedes the damage.

    Args:
        file: the file.
        on_bytes: called with the number of bytes of each piece that is read.

    Raises:
        CommandError: the file cannot be opened.
    """
    digest = hashlib.sha256()
    try:
        for chunk in file.chunks():
            digest.update(chunk)
            on_bytes(len(chunk))
    except DamagedFileError:
        # Several files may be damaged at the very start: they must not count as the same file.
        place = file.member.archive.place if file.member else str(file.path.resolve())
        offset = file.member.info.header_offset if file.member else 0
        digest.update(b"%b %d" % (os.fsencode(place), offset))
    except OSError as error:
        raise _unreadable(file.path, error) from error
    return HashedFile(file, digest.hexdigest())


def group_by_export(files: Sequence[HashedFile], broken: frozenset[str]) -> tuple[list[list[str]], list[str]]:
    """Group files by export; return the exports, and the names of files that were passed twice.

    An export is the distinct hashes of its files. An export whose files are all part of another one is dropped, such as
    a zip next to the folder that it was unpacked to, unless it is intact and the other one has a broken file.

    Args:
        files: the files.
        broken: hashes of the files that cannot be read to their end.
    """
    grouped: dict[tuple[str, str, Kind], dict[str, HashedFile]] = {}
    for file in files:
        grouped.setdefault(file.file.export, {}).setdefault(file.content_hash, file)
    # Larger exports come first, and of equally large ones the earlier one.
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
    """Return the problem of a file that the operating system cannot read."""
    fix = _FIXES.get(error.errno or 0, "copy {it} to another disk and try again")
    return Problem(f"it cannot be read ({error.strerror or error})", fix)


class _Search:
    """Searches the given paths and enforces the limits."""

    def __init__(self, archives: Archives) -> None:
        self.found = FoundFiles()
        self._archives = archives
        self._entries = 0
        self._bytes = 0

    def add_path(self, path: Path) -> None:
        """Add a file that was passed itself, whatever its name."""
        file = ExportFile(path, size=_size(path))
        head = file.head()
        if _is_resource_fork(path.name) and not _kind_of(head):
            raise CommandError(f"{path} {MAC_COMPANION}")
        is_zip = head.startswith(ZIP_MAGIC) or (_is_zip_name(path.name) and diagnose(head) is not None)
        if is_zip:
            self._look_into(path, self._archives.open(path))
        else:
            self._add(file, head)

    def add_from_folder(self, path: Path) -> None:
        """Add a file in a folder if it contains plays."""
        self._count_entries(1)
        if _is_system_file(path.name):
            return
        try:
            size = _size(path)
            if _is_zip_name(path.name):
                self._look_into(path, self._archives.open(path))
            else:
                self._add_if_plays(ExportFile(path, size=size))
        except (_NotRegularError, ZipError) as error:
            self._leave_unopened(path.name, error.diagnosis)
        except OSError as error:
            if _NAMED.search(path.name) or _is_zip_name(path.name):
                raise
            self._leave_unopened(path.name, _unreadable_diagnosis(error))

    def _look_into(self, path: Path, archive: Archive) -> None:
        self._count_entries(len(archive.members))
        members = [member for member in archive.members if not _is_system_file(member.name)]
        # Checked before any entry is added: a zip that is reported as unreadable must not be partly imported.
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
                self._add_if_plays(ExportFile(path, member=member, size=member.size))

    def _add_if_plays(self, file: ExportFile) -> None:
        """Add a file that has one of Spotify's names, or is named .json and begins with plays."""
        head = file.head()
        if _NAMED.search(file.name) or (_is_json_name(file.name) and _kind_of(head)):
            self._add(file, head)
        elif file.size and not head:
            self._leave_unopened(file.name, _DAMAGED)
        else:
            found = _PLAYS_BY_ANOTHER_NAME if _kind_of(head) else diagnose_other(head)
            self.found.skipped.append(SkippedFile(file.name, found))

    def _add(self, file: ExportFile, head: bytes) -> None:
        # An entry that cannot be read from its zip cannot be diagnosed yet.
        if (found := diagnose(head)) and (head or not file.size):
            raise CommandError(f"{file.name} {found}")
        self.found.plays.append(replace(file, kind=_kind(file.name, head)))
        self._bytes += file.size
        check(len(self.found.plays), MAX_FILES, f"{MAX_FILES:,} files of plays")
        check(self._bytes, MAX_BYTES, f"{MAX_BYTES // 1024**3} GB of plays")

    def _leave_unopened(self, name: str, diagnosis: Diagnosis) -> None:
        self.found.unopened.append(SkippedFile(name, diagnosis))

    def _count_entries(self, count: int) -> None:
        self._entries += count
        check(self._entries, MAX_ENTRIES, f"{MAX_ENTRIES:,} files to look through")


class _NotRegularError(CommandError):
    """The path is a pipe or a device."""

    def __init__(self, path: Path) -> None:
        self.diagnosis = Diagnosis("a pipe or a device, not a file", "save its output to a file first")
        super().__init__(f"{path} {self.diagnosis}")


def _pieces(stream: PackedBytes) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacking gzip.

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
        # bzip2 raises an OSError without a number for damaged data.
        raise DamagedFileError(DAMAGED_ZIP if error.errno is None else unreadable(error)) from error


def _kind(name: str, head: bytes) -> Kind:
    """Return the kind of a file: by name for the old and new extended forms, by content for the small export."""
    named = _NAMED.search(name)
    by_name = _KINDS[named["stem"].lower()] if named else None
    by_content = _kind_of(head)
    if by_name is None or "account_data" in (by_name, by_content):
        return by_content or by_name or "extended"
    return by_name


def _kind_of(head: bytes) -> Kind | None:
    """Return the kind of plays that a file begins with; None if its first elements are not plays."""
    text = b""
    try:
        with suppress(EncodingError):  # The head may end within a character.
            for piece in as_utf8(iter([head])):
                text += piece
        for element in islice(read_elements(io.BytesIO(text)), _ELEMENTS_LOOKED_AT):
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
    # Otherwise os.walk would treat an inaccessible folder as empty.
    raise error


def _size(path: Path) -> int:
    status = path.stat()
    # A pipe has no known end and cannot be read twice.
    if not stat.S_ISREG(status.st_mode):
        raise _NotRegularError(path)
    return status.st_size


def _is_zip_name(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_json_name(name: str) -> bool:
    return name.lower().endswith((".json", ".json.gz"))


def _is_system_file(name: str) -> bool:
    return _is_resource_fork(name) or name.lower() in _FOLDER_SETTINGS


def _is_resource_fork(name: str) -> bool:
    return name.startswith(_RESOURCE_FORK)


def _unreadable(path: Path, error: OSError) -> CommandError:
    return CommandError(f"{path} cannot be read ({error.strerror or error}): {unreadable(error).advice}.")


def _unreadable_diagnosis(error: OSError) -> Diagnosis:
    return Diagnosis(f"not readable ({error.strerror or error})", unreadable(error).advice)
