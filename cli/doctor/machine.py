"""Checks of this machine: the interpreter and the commands."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import metadata

from cli.doctor.check import Check

_SECONDS = 20


def check_machine(*, needs_pulumi: bool) -> Iterator[Check]:
    """Yield the checks of this machine.

    Args:
        needs_pulumi: whether commands find the pipeline through Pulumi.
    """
    text = f"{platform.python_version()} ({sys.executable})"
    oldest, above = _pinned_versions()
    if oldest <= sys.version_info.minor < above:
        yield Check("ok", "Python", text)
    else:
        advice = f"the packages are pinned for 3.{oldest} to 3.{above - 1}; run `make setup` with one of these"
        yield Check("warn", "Python", f"{text}: {advice}.")
    yield _command(
        "Pulumi",
        ["pulumi", "version"],
        missing="fail" if needs_pulumi else "ok",
        advice="install it from https://www.pulumi.com/docs/iac/download-install/"
        if needs_pulumi
        else "only deploying into AWS needs it",
    )
    yield _command("AWS CLI", ["aws", "--version"], missing="ok", advice="no command needs it")


def _pinned_versions() -> tuple[int, int]:
    """Return the minor versions of Python 3 for which the packages are pinned: the oldest, and the first too new."""
    required = metadata("spotify-etl")["Requires-Python"]
    return _minor(required, ">="), _minor(required, "<")


def _minor(required: str, sign: str) -> int:
    found = re.search(rf"{sign}\s*3\.(\d+)", required)
    if found is None:
        raise ValueError(f"pyproject.toml has no version with {sign}: {required!r}")
    return int(found[1])


def _command(subject: str, arguments: list[str], *, missing: str, advice: str) -> Check:
    command = shutil.which(arguments[0])
    if command is None:
        return Check("fail" if missing == "fail" else "ok", subject, f"not installed; {advice}.")
    try:
        done = subprocess.run([command, *arguments[1:]], capture_output=True, text=True, check=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return Check("warn", subject, f"`{' '.join(arguments)}` fails: install it again.")
    return Check("ok", subject, (done.stdout.strip() or done.stderr.strip()).splitlines()[0])
