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


def obstacle() -> str | None:
    """Return why the emulator cannot be had on this machine, as a clause; None if nothing is in the way."""
    go = find_go()
    if go is None:
        return f"there is no Go {'.'.join(map(str, _needed()))} or later on PATH"
    done = _run(go, "mod", "download")
    return f"Go does not reach the emulator's modules ({_said(done)})" if done.returncode else None


def find_go() -> str | None:
    """Return the `go` command of this machine, or None if there is none that is new enough for the emulator."""
    go = shutil.which("go")
    if go is None:
        return None
    answer = subprocess.run([go, "version"], cwd="/", env=_environment(), capture_output=True, text=True, check=False)
    found = re.search(r"\bgo(\d+(?:\.\d+)*)", answer.stdout)
    return go if found and _numbers(found[1]) >= _needed() else None


def build(go: str, program: Path) -> None:
    """Build the emulator, for which Go fetches its modules once.

    Args:
        go: the `go` command.
        program: path of the new program.

    Raises:
        EmulatorError: Go could not build it.
    """
    done = _run(go, "build", "-o", str(program), PACKAGE)
    if done.returncode:
        raise EmulatorError(f"Go could not build {PACKAGE}. It said: {_said(done)}")


def _needed() -> tuple[int, ...]:
    """Return the oldest version of Go that builds the emulator."""
    found = re.search(r"^go ([\d.]+)$", (FOLDER / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return _numbers(found[1])


def _run(go: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([go, *arguments], cwd=FOLDER, env=_environment(), capture_output=True, text=True, check=False)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stderr.split())


def _environment() -> dict[str, str]:
    return {**os.environ, **_ENVIRONMENT}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
