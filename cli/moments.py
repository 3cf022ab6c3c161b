"""Moments in what the pipeline has stored."""

from __future__ import annotations

from datetime import datetime


def parse_moment(value: object) -> datetime | None:
    """Return a stored moment, aware; None if it is anything else than an ISO 8601 text with an offset."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
