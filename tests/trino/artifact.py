"""An artifact of a Maven repository, identified by its hash: nothing else of that name is unpacked."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

Keep = Callable[[PurePosixPath], bool]
"""Whether to unpack a file of an archive, by its name there."""


class ArtifactError(Exception):
    """A fetched file that is not the expected artifact or cannot be unpacked."""


@dataclass(frozen=True)
class Artifact:
    """One archive of Trino's release."""

    name: str
    """Its artifact id in the group `io.trino`."""
    version: str
    kind: str
    """`tar.gz` or `zip`."""
    sha256: str
    """In hex digits; of the archive whose SHA-1 the repository publishes next to it."""

    @property
    def coordinates(self) -> str:
        """Its Maven coordinates."""
        return f"io.trino:{self.name}:{self.version}:{self.kind}"

    @property
    def file_name(self) -> str:
        """The name that Maven gives to a copy of it."""
        return f"{self.name}-{self.version}.{self.kind}"

    @property
    def folder_name(self) -> str:
        """The only folder at the top of the archive."""
        return f"{self.name}-{self.version}"

    def check(self, archive: Path) -> None:
        """Check the hash of a fetched file.

        Raises:
            ArtifactError: it is a different file.
        """
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise ArtifactError(
                f"{self.coordinates} has the SHA-256 {found}, not {self.sha256}: do not use it; remove it from Maven's"
                " local repository, and if that does not help, use another remote repository."
            )

    def unpack(self, archive: Path, folder: Path, keep: Keep = lambda _: True) -> Path:
        """Unpack an archive into a folder, and return the only folder in it.

        Raises:
            ArtifactError: the archive cannot be read, or contains anything other than files and folders in that folder.
        """
        try:
            if self.kind == "zip":
                self._unzip(archive, folder, keep)
            else:
                self._untar(archive, folder, keep)
        except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            raise ArtifactError(f"{self.coordinates} cannot be unpacked: {error}.") from error
        return folder / self.folder_name

    def _unzip(self, archive: Path, folder: Path, keep: Keep) -> None:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                path = self._checked(member.filename)
                if keep(path) and not member.is_dir():
                    with opened.open(member) as source:
                        _write(source, folder / path, 0o644)

    def _untar(self, archive: Path, folder: Path, keep: Keep) -> None:
        with tarfile.open(archive) as opened:
            for member in opened:
                path = self._checked(member.name)
                if not keep(path) or member.isdir():
                    continue
                source = opened.extractfile(member) if member.isreg() else None
                if source is None:
                    raise ArtifactError(f"{self.coordinates} contains {path}, which is neither a file nor a folder.")
                _write(source, folder / path, member.mode & 0o755)

    def _checked(self, name: str) -> PurePosixPath:
        path = PurePosixPath(name)
        if path.parts[:1] != (self.folder_name,) or ".." in path.parts or "\\" in name:
            raise ArtifactError(f"{self.coordinates} contains {name!r}, which is outside {self.folder_name}.")
        return path


def _write(source: IO[bytes], path: Path, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(source, file)
    path.chmod(mode)
