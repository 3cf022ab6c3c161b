"""How much memory a process held at most."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """All the memory that this process ever held at once.

    On Linux not by `getrusage`, which there counts what the starting process held before it became this one.
    """
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
