"""The packages a function can import: folders with links to exactly the distributions of its lock file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?P<marker>\s*;)?")


class PackageMissingError(Exception):
    """A distribution listed by a layer is not installed here, or not in that version."""


class Packages:
    """Builds and keeps one folder per set of distributions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of_lock(self, lock: str) -> Path:
        """Return the folder for the text of a lock file.

        Raises:
            PackageMissingError: a pinned distribution is not installed here.
        """
        return self._linked([_installed(match) for match in map(_PIN.match, lock.splitlines()) if match])

    def of_names(self, *names: str) -> Path:
        """Return the folder for distributions, in whatever version is installed here."""
        return self._linked([distribution(name) for name in names])

    def _linked(self, distributions: Iterable[Distribution | None]) -> Path:
        wanted = [found for found in distributions if found is not None]
        pins = sorted(f"{found.name}=={found.version}" for found in wanted)
        folder = self._folder / hashlib.sha256("\n".join(pins).encode()).hexdigest()[:16]
        if not folder.exists():
            folder.mkdir(parents=True)
            for found in wanted:
                _link(found, folder)
        return folder


def _installed(pin: re.Match[str]) -> Distribution | None:
    """Return the distribution of a pin; None if its marker excluded it."""
    name, version = pin["name"], pin["version"]
    try:
        found = distribution(name)
    except PackageNotFoundError:
        if pin["marker"]:
            return None
        raise PackageMissingError(
            f"The layer lists {name} {version}, which is not installed: run make setup."
        ) from None
    if found.version != version:
        if pin["marker"]:
            return None
        raise PackageMissingError(
            f"The layer lists {name} {version}, but {found.version} is installed: run make setup, or make lock."
        )
    return found


def _link(found: Distribution, folder: Path) -> None:
    """Link a distribution's packages, modules and metadata (packages look up their own version)."""
    files = [PurePosixPath(file) for file in found.files or [] if ".." not in file.parts]
    packages = {file.parent for file in files if file.name in {"__init__.py", "METADATA"}}
    linked: set[PurePosixPath] = set()
    for file in files:
        if "__pycache__" in file.parts:
            continue
        # The outermost package as a whole; a module, or a file in a namespace package, on its own.
        whole = next((parent for parent in reversed(file.parents) if parent in packages), file)
        if whole in linked:
            continue
        linked.add(whole)
        link = folder / whole
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(Path(str(found.locate_file(whole))).resolve())
