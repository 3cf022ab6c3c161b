"""The clock and the one form in which times are written."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """A moment as manifests and raw lines carry it: `2026-11-23T06:00:00.000Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parsed(text: object) -> datetime | None:
    """The moment of an ISO 8601 text that names its offset, as Spotify and AWS send them; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
