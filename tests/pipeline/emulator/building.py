"""Builds the emulator, of which Amazon publishes no package but the Go module."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent
PACKAGE = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"
# A toolchain that Go fetches by itself would be pinned by nothing.
_ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}


class EmulatorError(Exception):
    """The emulator could not be built."""


def find_go() -> str | None:
    """Return the `go` command of this machine, or None if there is none that is new enough for the emulator."""
    go = shutil.which("go")
    if go is None:
        return None
    answer = subprocess.run([go, "version"], cwd="/", env=_environment(), capture_output=True, text=True, check=False)
    found = re.search(r"\bgo(\d+(?:\.\d+)*)", answer.stdout)
    return go if found and _numbers(found[1]) >= needed() else None


def needed() -> tuple[int, ...]:
    """Return the oldest version of Go that builds the emulator."""
    found = re.search(r"^go ([\d.]+)$", (FOLDER / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return _numbers(found[1])


def build(go: str, program: Path) -> None:
    """Build the emulator, for which Go fetches its modules once.

    Args:
        go: the `go` command.
        program: path of the new program.

    Raises:
        EmulatorError: Go could not build it.
    """
    done = subprocess.run(
        [go, "build", "-o", program, PACKAGE],
        cwd=FOLDER,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise EmulatorError(f"Go could not build {PACKAGE}; check that it reaches its module proxy. It said: {said}")


def _environment() -> dict[str, str]:
    return {**os.environ, **_ENVIRONMENT}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
