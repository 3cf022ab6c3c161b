"""The log of a cloud in the background: its standard output and error, in a file that does not grow without end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

LOG_BYTES = 5_000_000
"""From this size on, a log gives way to a new one; one earlier log is kept."""


def earlier_log(log: Path) -> Path:
    """Return where the log before this one is."""
    return log.with_name(f"{log.name}.1")


def set_aside(log: Path, limit: int = LOG_BYTES) -> bool:
    """Rename a log that has reached the limit; return whether it had.

    Raises:
        OSError: it cannot be renamed.
    """
    try:
        if log.stat().st_size < limit:
            return False
    except FileNotFoundError:
        return False
    log.replace(earlier_log(log))
    return True


def rotate_output(log: Path, limit: int = LOG_BYTES) -> None:
    """Continue this process's output in a new log, if it goes to a log that has reached the limit.

    What runs in the foreground has no log, and is left alone.

    Raises:
        OSError: the log cannot be renamed, or a new one not be created.
    """
    output, error = 1, 2
    try:
        is_ours = os.path.samestat(os.fstat(output), log.stat())
    except OSError:
        return
    if is_ours:
        sys.stdout.flush()
        sys.stderr.flush()
        if set_aside(log, limit):
            with log.open("ab") as new:
                os.dup2(new.fileno(), output)
                os.dup2(new.fileno(), error)
