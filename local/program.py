"""Whether the program that was deployed is still the one in the project's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

_FILES = (
    "__main__.py",
    "Pulumi.yaml",
    "Pulumi.local.yaml",
    "requirements-*.lock",
    "pipeline/**/*.py",
    "handlers/**/*.py",
    "queries/**/*.sql",
)
"""What decides what a deployment creates."""


def program_digest(project: Path, settings: Mapping[str, str]) -> str:
    """Return a digest of the program's files and settings; it changes whenever one of them does."""
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    for file in sorted({file for pattern in _FILES for file in project.glob(pattern) if file.is_file()}):
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(project).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
