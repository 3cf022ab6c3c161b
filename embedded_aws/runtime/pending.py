"""What a cloud has still to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class WaitingQueue:
    """A queue with messages."""

    name: str
    waiting: int
    """Messages that can be received."""
    in_flight: int
    """Messages that a consumer has received and not deleted yet."""
    delayed: int
    """Messages that cannot be received yet."""


@dataclass(frozen=True, kw_only=True)
class ComingStart:
    """Something that starts by itself."""

    name: str
    """Name of the schedule, the rule or the crawler."""
    at: datetime
    """When, UTC; in the past if it is due now."""


@dataclass(frozen=True, kw_only=True)
class PendingWork:
    """What a cloud has still to do."""

    queues: tuple[WaitingQueue, ...]
    """The queues that have messages."""
    functions: tuple[str, ...]
    """Names of the functions that are running, once for each invocation."""
    coming: tuple[ComingStart, ...]
    """The next start of everything that has a schedule, the earliest first."""
