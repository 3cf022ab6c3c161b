"""What a function may import: folders of links to exactly the distributions that its lock file lists."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?P<marker>\s*;)?")


class PackageMissingError(Exception):
    """A layer lists a distribution that is not installed here, or not in that version."""


class Packages:
    """Builds the folders, one a set of distributions, and keeps them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of_lock(self, lock: str) -> Path:
        """The folder for a lock file's text.

        Raises:
            PackageMissingError: what the lock file lists is not installed here.
        """
        return self._linked([_installed(match) for match in map(_PIN.match, lock.splitlines()) if match])

    def of_names(self, *names: str) -> Path:
        """The folder for distributions in whatever version is installed here."""
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
    """The distribution of a pin; None if its marker kept it from being installed."""
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
    """Link a distribution's packages and modules, its metadata too (packages look up their own version)."""
    files = [PurePosixPath(file) for file in found.files or [] if ".." not in file.parts]
    packages = {file.parent for file in files if file.name in {"__init__.py", "METADATA"}}
    linked: set[PurePosixPath] = set()
    for file in files:
        if "__pycache__" in file.parts:
            continue
        # The outermost package as a whole; a module, or a file of a namespace package, by itself.
        whole = next((parent for parent in reversed(file.parents) if parent in packages), file)
        if whole in linked:
            continue
        linked.add(whole)
        link = folder / whole
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(Path(str(found.locate_file(whole))).resolve())
