"""Measures a process's peak memory."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mb() -> float:
    """Return the most memory that this process has held at any time.

    On Linux not by `getrusage`, which there counts what the starting process held before it became this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
