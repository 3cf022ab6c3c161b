"""The zips of one import: each is opened and listed once, however many files it holds, and closed when all is read."""

from __future__ import annotations

import io
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, TypeAlias, cast

from cli.diagnosis import DOWNLOAD_AGAIN, Diagnosis, Problem, ProblemError
from cli.errors import CommandError
from cli.file_formats import foreign, office_document
from cli.import_limits import MAX_BYTES, MAX_LISTING_BYTES, MAX_ZIP_DEPTH, MAX_ZIPS, LimitError, check

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""What a zip begins with, the second one an empty one."""
PackedBytes: TypeAlias = io.BufferedReader | zipfile.ZipExtFile
"""A file by itself or in a zip, opened."""
UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
"""Raised by `read` where packed data are damaged."""

# Beside its own error zipfile raises these: of a version that it does not know, and of a name that is not UTF-8.
_NOT_WHOLE = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError)
_CHUNK_BYTES = 1024 * 1024
_HEAD_BYTES = 4096
_DAMAGED = Diagnosis("damaged", DOWNLOAD_AGAIN)
_INCOMPLETE = Diagnosis("not a complete zip file", DOWNLOAD_AGAIN)

_UNSUPPORTED = Problem("the zip packs it in a way that is not supported", "unpack the zip and give the folder instead")

DAMAGED_ZIP = Problem("the zip is damaged", "download the zip again from Spotify")
LOCKED = Diagnosis("protected by a password", "unpack it and give the folder instead")


class ZipError(CommandError):
    """A zip that cannot be opened or read.

    Args:
        shown: its name in messages.
        diagnosis: what it is instead of a readable zip.
    """

    def __init__(self, shown: str, diagnosis: Diagnosis) -> None:
        super().__init__(f"{shown} {diagnosis}")
        self.diagnosis = diagnosis


class UnreadableEntryError(ProblemError):
    """An entry that the zip lists and does not give."""


@dataclass(frozen=True)
class Member:
    """A file in a zip."""

    archive: Archive
    info: zipfile.ZipInfo
    """The entry itself, since a zip may hold several of one name."""

    @property
    def path(self) -> str:
        """Its path in the zip, with `/` also where Windows packed it."""
        return _path(self.info)

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder that it lies in; '' at the top."""
        return self.path.rpartition("/")[0]

    @property
    def size(self) -> int:
        """Bytes unpacked, as the zip says; more are never given."""
        return self.info.file_size

    @property
    def is_locked(self) -> bool:
        """Whether it asks for a password."""
        return bool(self.info.flag_bits & 1)

    @contextmanager
    def opened(self) -> Iterator[PackedBytes]:
        """Its bytes, unpacked as they are read; damage is one of `UNPACKING_ERRORS`.

        Raises:
            UnreadableEntryError: the zip does not give it.
        """
        try:
            stream = cast("zipfile.ZipExtFile", self.archive.zip.open(self.info))
        except NotImplementedError as error:
            raise UnreadableEntryError(_UNSUPPORTED) from error
        except (zipfile.BadZipFile, UnicodeDecodeError, RuntimeError) as error:  # A RuntimeError is one of a password.
            raise UnreadableEntryError(DAMAGED_ZIP) from error
        with stream:
            yield stream


class Archive:
    """One zip that is open.

    Args:
        place: what tells it from other zips: its path, and that of the entry that it was unpacked from.
        shown: its name in messages.
        opened: the zip.
        depth: how many zips it lies in, itself included.
    """

    def __init__(self, place: str, shown: str, opened: zipfile.ZipFile, depth: int) -> None:
        self.place = place
        self.shown = shown
        self.zip = opened
        self.depth = depth
        # Damage can leave an entry without a name.
        self.members = [Member(self, info) for info in opened.infolist() if not _path(info).endswith("/")]
        self.members = [member for member in self.members if member.name]

    def check_unlocked(self, members: list[Member]) -> None:
        """Refuse entries that ask for a password.

        Raises:
            ZipError: one of them does.
        """
        if any(member.is_locked for member in members):
            raise ZipError(self.shown, LOCKED)


class Archives:
    """The zips that are open; as a context it closes them at its end."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._folder: Path | None = None
        self._zips = 0
        self._unpacked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def open(self, path: Path) -> Archive:
        """Open a zip and list what it holds.

        Raises:
            ZipError: it is not one, or damaged.
            LimitError: it holds more than an import may.
            OSError: the file cannot be read.
        """
        return self._open(path, str(path.resolve()), str(path), 1)

    def open_member(self, member: Member) -> Archive:
        """Open a zip that lies in another: it alone is unpacked to the disk.

        Raises:
            ZipError: it is not one, is damaged, or asks for a password.
            LimitError: there are more, larger or deeper ones than an import may hold.
            CommandError: the disk is full.
        """
        member.archive.check_unlocked([member])
        shown = f"{member.path} in {member.archive.shown}"
        if member.archive.depth >= MAX_ZIP_DEPTH:
            raise LimitError(
                f"{shown} lies inside more than {MAX_ZIP_DEPTH - 1} other zips: unpack those and give this one."
            )
        self._unpacked += member.size
        check(self._unpacked, MAX_BYTES, f"{MAX_BYTES // 1024**3} GB of zips within zips")
        if self._folder is None:
            self._folder = Path(self._opened.enter_context(TemporaryDirectory()))
        path = self._folder / f"{self._zips}.zip"
        try:
            with member.opened() as packed, path.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, _CHUNK_BYTES)
        except UnreadableEntryError as error:
            raise ZipError(shown, error.problem.diagnosis) from error
        except UNPACKING_ERRORS as error:
            raise ZipError(shown, _DAMAGED) from error
        except OSError as error:
            if error.errno is None:  # bzip2's own error, of damaged data
                raise ZipError(shown, _DAMAGED) from error
            raise CommandError(
                f"{shown} cannot be unpacked to {self._folder} ({error.strerror}): free some space there, or set "
                "TMPDIR to another folder."
            ) from error
        return self._open(path, f"{member.archive.place}/{member.info.header_offset}", shown, member.archive.depth + 1)

    def _open(self, path: Path, place: str, shown: str, depth: int) -> Archive:
        self._zips += 1
        check(self._zips, MAX_ZIPS, f"{MAX_ZIPS} zips")
        file = self._opened.enter_context(_ZipFileBytes(path))
        try:
            opened = self._opened.enter_context(zipfile.ZipFile(file))
        except _NOT_WHOLE as error:
            raise ZipError(shown, _why_no_zip(path)) from error
        # Of a zip that is cut off, the end of a zip within it may be left, which zipfile takes for the whole.
        if min((info.header_offset for info in opened.infolist()), default=0) > 0:
            raise ZipError(shown, _INCOMPLETE)
        if document := office_document(opened.namelist()):
            raise ZipError(shown, document)
        return Archive(place, shown, opened, depth)


class _ZipFileBytes(io.FileIO):
    """A zip's bytes; zipfile reads the whole list of entries at once, whatever its size."""

    def read(self, size: int | None = -1, /) -> bytes:
        check(size or 0, MAX_LISTING_BYTES, f"{MAX_LISTING_BYTES // 1024**2} MB of file names in {self.name!s}")
        return super().read(-1 if size is None else size)


def _path(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _why_no_zip(path: Path) -> Diagnosis:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = None if head.startswith(ZIP_MAGIC) else foreign(head)
    return found or _INCOMPLETE
