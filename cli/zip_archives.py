"""The zips of one import: each is opened and listed once, however many files it has, and closed at the end."""

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
from cli.file_formats import diagnose_foreign, diagnose_office_document
from cli.import_limits import MAX_BYTES, MAX_LISTING_BYTES, MAX_ZIP_DEPTH, MAX_ZIPS, LimitError, check

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""The first bytes of a zip, and of an empty zip."""
PackedBytes: TypeAlias = io.BufferedReader | zipfile.ZipExtFile
"""An open file, on disk or in a zip."""
UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
"""Raised by `read` if packed data are damaged."""

# Besides its own error, zipfile raises these for unsupported versions and for names that are not UTF-8.
_NOT_WHOLE = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError)
_CHUNK_BYTES = 1024 * 1024
_HEAD_BYTES = 4096
_DAMAGED = Diagnosis("damaged", DOWNLOAD_AGAIN)
_INCOMPLETE = Diagnosis("not a complete zip file", DOWNLOAD_AGAIN)

_UNSUPPORTED = Problem("the zip uses an unsupported compression method", "unpack the zip and pass the folder instead")

DAMAGED_ZIP = Problem("the zip is damaged", "download the zip again from Spotify")
LOCKED = Diagnosis("protected by a password", "unpack it and pass the folder instead")


class ZipError(CommandError):
    """A zip cannot be opened or read.

    Args:
        shown: its name in messages.
        diagnosis: what is wrong with it, or what kind of file it is instead.
    """

    def __init__(self, shown: str, diagnosis: Diagnosis) -> None:
        super().__init__(f"{shown} {diagnosis}")
        self.diagnosis = diagnosis


class UnreadableEntryError(ProblemError):
    """An entry that the zip lists cannot be read."""


@dataclass(frozen=True)
class Member:
    """A file in a zip."""

    archive: Archive
    info: zipfile.ZipInfo
    """The entry itself, because a zip may have several entries of one name."""

    @property
    def path(self) -> str:
        """Its path in the zip, with `/` even if Windows packed it."""
        return _path(self.info)

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Its folder in the zip; '' at the top level."""
        return self.path.rpartition("/")[0]

    @property
    def size(self) -> int:
        """Its unpacked size in bytes, as the zip says; reading never returns more."""
        return self.info.file_size

    @property
    def is_locked(self) -> bool:
        """Whether it needs a password."""
        return bool(self.info.flag_bits & 1)

    @contextmanager
    def opened(self) -> Iterator[PackedBytes]:
        """Open it for reading; if its data are damaged, reading raises one of `UNPACKING_ERRORS`.

        Raises:
            UnreadableEntryError: it cannot be read from the zip.
        """
        try:
            stream = cast("zipfile.ZipExtFile", self.archive.zip.open(self.info))
        except NotImplementedError as error:
            raise UnreadableEntryError(_UNSUPPORTED) from error
        except (zipfile.BadZipFile, UnicodeDecodeError, RuntimeError) as error:  # RuntimeError: a password is needed.
            raise UnreadableEntryError(DAMAGED_ZIP) from error
        with stream:
            yield stream


class Archive:
    """An open zip.

    Args:
        place: its unique location: its path, or that of the outer zip and of its entry there.
        shown: its name in messages.
        opened: the zip.
        depth: its level of nesting, 1 for a zip on disk.
    """

    def __init__(self, place: str, shown: str, opened: zipfile.ZipFile, depth: int) -> None:
        self.place = place
        self.shown = shown
        self.zip = opened
        self.depth = depth
        # In a damaged zip, entries may have no name.
        self.members = [Member(self, info) for info in opened.infolist() if not _path(info).endswith("/")]
        self.members = [member for member in self.members if member.name]

    def check_unlocked(self, members: list[Member]) -> None:
        """Check that no entry needs a password.

        Raises:
            ZipError: one of them does.
        """
        if any(member.is_locked for member in members):
            raise ZipError(self.shown, LOCKED)


class Archives:
    """The open zips; as a context manager, it closes them at the end."""

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
        """Open a zip and list its entries.

        Raises:
            ZipError: it is not a zip, or is damaged.
            LimitError: it exceeds the limits of an import.
            OSError: the file cannot be read.
        """
        return self._open(path, str(path.resolve()), str(path), 1)

    def open_member(self, member: Member) -> Archive:
        """Open a zip inside another zip, which is unpacked to disk for that.

        Raises:
            ZipError: it is not a zip, is damaged, or needs a password.
            LimitError: nested zips exceed the limits of an import in number, size or depth.
            CommandError: it cannot be written to disk.
        """
        member.archive.check_unlocked([member])
        shown = f"{member.path} in {member.archive.shown}"
        if member.archive.depth >= MAX_ZIP_DEPTH:
            raise LimitError(
                f"{shown} is nested inside more than {MAX_ZIP_DEPTH - 1} other zips: unpack those and pass this one."
            )
        self._unpacked += member.size
        check(self._unpacked, MAX_BYTES, f"{MAX_BYTES // 1024**3} GB of nested zips")
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
            if error.errno is None:  # bzip2 raises an OSError without a number for damaged data
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
            raise ZipError(shown, _diagnose_zip(path)) from error
        # A truncated zip may end with the end of a nested zip, which zipfile would take for the whole.
        if min((info.header_offset for info in opened.infolist()), default=0) > 0:
            raise ZipError(shown, _INCOMPLETE)
        if document := diagnose_office_document(opened.namelist()):
            raise ZipError(shown, document)
        return Archive(place, shown, opened, depth)


class _ZipFileBytes(io.FileIO):
    """A zip's bytes, with a limit on the central directory, which zipfile reads at once whatever its size."""

    def read(self, size: int | None = -1, /) -> bytes:
        check(size or 0, MAX_LISTING_BYTES, f"{MAX_LISTING_BYTES // 1024**2} MB of file names in {self.name!s}")
        return super().read(-1 if size is None else size)


def _path(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _diagnose_zip(path: Path) -> Diagnosis:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = None if head.startswith(ZIP_MAGIC) else diagnose_foreign(head)
    return found or _INCOMPLETE
