"""The event that starts a compaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.layout import parse_time
from handlers.tables import TABLES

TRIGGERS = ("schedule", "manual")
_KEYS = ("trigger", "table", "month", "purge_before", "delete_only")


class CompactionEventError(ValueError):
    """The event is invalid."""


@dataclass(frozen=True, kw_only=True)
class CompactionEvent:
    """The parsed event of one invocation."""

    table: str | None = None
    """Only this table; None for all."""
    month: str | None = None
    """Only the partitions that contain this month, `YYYY-MM`; None for all."""
    purge_before: datetime | None = None
    """Compacted rows of runs before this moment are deleted, at once."""
    delete_only: bool = False
    """Only delete what was compacted long enough ago."""

    @classmethod
    def parse(cls, event: object) -> CompactionEvent:
        """Parse and check an event.

        Args:
            event: `{"trigger", "table", "month", "purge_before", "delete_only"}`, all optional.

        Raises:
            CompactionEventError: a key is invalid; the message names it, its value and what is allowed.
        """
        if not isinstance(event, dict):
            raise CompactionEventError(
                f"The event is of type {type(event).__name__} instead of an object with a trigger."
            )
        if unknown := sorted(set(map(str, event)) - set(_KEYS)):
            raise CompactionEventError(
                f"The event has an unknown key {unknown[0]!r}: the known keys are {', '.join(_KEYS)}."
            )
        trigger = event.get("trigger", "manual")
        if trigger not in TRIGGERS:
            raise CompactionEventError(f"The event's trigger is {trigger!r} instead of one of {', '.join(TRIGGERS)}.")
        table = event.get("table")
        if table is not None and (not isinstance(table, str) or table not in TABLES):
            raise CompactionEventError(f"The event's table is {table!r} instead of one of {', '.join(TABLES)}.")
        delete_only = event.get("delete_only", False)
        if not isinstance(delete_only, bool):
            raise CompactionEventError(f"The event's delete_only is {delete_only!r} instead of true or false.")
        moment = _moment(event.get("purge_before"))
        if delete_only and moment:
            raise CompactionEventError("The event has both purge_before and delete_only: leave one of them out.")
        return cls(table=table, month=_month(event.get("month")), purge_before=moment, delete_only=delete_only)


def _month(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value, re.ASCII)):
        return value
    raise CompactionEventError(f"The event's month is {value!r} instead of a month such as 2026-11.")


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = parse_time(value)
    if moment is None:
        raise CompactionEventError(
            f"The event's purge_before is {value!r} instead of a time with its zone, such as 2026-11-01T00:00:00.000Z."
        )
    return moment
