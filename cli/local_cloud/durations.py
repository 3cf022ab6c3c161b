"""Durations as people write them: `3d`, `12h`, `30m`, or several units as in `1d12h`."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=366)
"""The longest duration; a simulated day takes some seconds."""
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?", re.ASCII)


class DurationError(ValueError):
    """A text is not a duration; the message says what is expected."""


def parse_duration(text: str) -> timedelta:
    """Parse a duration.

    Raises:
        DurationError: it is none, zero, or longer than `LONGEST`.
    """
    match = _DURATION.fullmatch("".join(text.split()).lower())
    if match is None or not any(match.groups()):
        raise DurationError(f"{text!r} is not a duration: write days, hours and minutes, such as 3d, 12h or 1d30m")
    days, hours, minutes = (int(number or 0) for number in match.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes)
    if not span:
        raise DurationError("the duration must be at least 1m")
    if span > LONGEST:
        raise DurationError(f"the duration must be at most {LONGEST.days}d")
    return span
