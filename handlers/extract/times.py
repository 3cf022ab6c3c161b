"""The clock, and parsing of the times that others send; our own are formatted by `layout.written`."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC, in whole milliseconds like `layout.written`."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def parse(text: object) -> datetime | None:
    """Parse an ISO 8601 text with an offset, as Spotify and AWS send them; return None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
