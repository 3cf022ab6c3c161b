"""The clock, and times as others send them; those that are written have the form of `layout.written`."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def parsed(text: object) -> datetime | None:
    """The moment of an ISO 8601 text that names its offset, as Spotify and AWS send them; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
