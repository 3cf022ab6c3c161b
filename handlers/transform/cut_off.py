"""What keeps an object within the function's time, memory and disk, whatever it holds.

An object that goes beyond is cut off: what was read of it stays, and one rejection with line 0 says why and behind
which line nothing was read. Another try would end the same way, so its message does not come again. No object that
this project writes comes near the limits: its parts have 32 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from handlers.streaming_history import MAX_MONTHS
from handlers.transform.rejections import ObjectReason

MAX_BAD_LINES = 128 * 1024
"""How many lines may be bad, that is repaired or rejected: each costs as much time as dozens of good ones. A raw object
of this project holds fewer records of any kind: with what stands around it even the smallest has 256 bytes."""

MAX_FILE_BYTES = 384 * 1024 * 1024
"""How much Parquet may wait on the function's disk of 512 MB."""


class CutOffError(Exception):
    """An object holds more than can be read."""

    def __init__(self, reason: ObjectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: ObjectReason = reason
        self.detail = detail


def never() -> bool:
    """Say that time is not over: for whoever has as much as it takes."""
    return False


def in_time(pieces: Iterable[bytes], out_of_time: Callable[[], bool]) -> Iterator[bytes]:
    """Hand on the object's content while there is time.

    Raises:
        CutOffError: only the time is left that storing the tables takes.
    """
    for piece in pieces:
        if out_of_time():
            raise CutOffError("too_slow", "The function's time was over before the object was read.")
        yield piece


def check_months(months: int) -> None:
    """Hold the number of months that an object's plays lie in against its limit.

    Raises:
        CutOffError: there are too many.
    """
    if months > MAX_MONTHS:
        raise CutOffError("too_many_months", f"The object has plays of more than {MAX_MONTHS} months.")


def check_work(*, bad_lines: int, file_bytes: int) -> None:
    """Hold what an object has cost so far against its limits.

    Args:
        bad_lines: lines that were repaired or rejected.
        file_bytes: size of the Parquet files on disk.

    Raises:
        CutOffError: it is too much.
    """
    if bad_lines > MAX_BAD_LINES:
        raise CutOffError("too_many_bad_lines", f"More than {MAX_BAD_LINES} lines of the object are bad.")
    if file_bytes > MAX_FILE_BYTES:
        raise CutOffError("too_large", f"The tables of the object have more than {MAX_FILE_BYTES // 1024**2} MB.")
