"""The limits that keep any object within the function's time, memory and disk.

An object that exceeds them is cut off: what was read is kept, and one rejection with line 0 says why and after which
line reading stopped. A retry would end the same way, so the message is not retried. No object that this project writes
comes near the limits: its parts have 32 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from handlers.streaming_history import MAX_MONTHS
from handlers.transform.rejections import ObjectReason

MAX_BAD_LINES = 128 * 1024
"""Maximum number of bad lines, that is repaired or rejected ones: each takes as long as dozens of good ones. A raw
object of this project has fewer records: with its envelope even the smallest has 256 bytes."""

MAX_FILE_BYTES = 384 * 1024 * 1024
"""Maximum size of the Parquet files on the function's disk of 512 MB."""


class CutOffError(Exception):
    """The object has more than can be read."""

    def __init__(self, reason: ObjectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: ObjectReason = reason
        self.detail = detail


def never() -> bool:
    """Return False: for callers without a time limit."""
    return False


def in_time(pieces: Iterable[bytes], out_of_time: Callable[[], bool]) -> Iterator[bytes]:
    """Pass on the object's content while there is time.

    Raises:
        CutOffError: there is only enough time left to store the tables.
    """
    for piece in pieces:
        if out_of_time():
            raise CutOffError("too_slow", "The function ran out of time before the whole object was read.")
        yield piece


def check_months(months: int) -> None:
    """Check the number of months that an object's plays are in.

    Raises:
        CutOffError: there are too many.
    """
    if months > MAX_MONTHS:
        raise CutOffError("too_many_months", f"The object has plays of more than {MAX_MONTHS} months.")


def check_work(*, bad_lines: int, file_bytes: int) -> None:
    """Check what an object has cost so far.

    Args:
        bad_lines: lines that were repaired or rejected.
        file_bytes: size of the Parquet files on disk.

    Raises:
        CutOffError: it is over a limit.
    """
    if bad_lines > MAX_BAD_LINES:
        raise CutOffError("too_many_bad_lines", f"More than {MAX_BAD_LINES} lines of the object are bad.")
    if file_bytes > MAX_FILE_BYTES:
        raise CutOffError("too_large", f"The object's tables are larger than {MAX_FILE_BYTES // 1024**2} MB.")
