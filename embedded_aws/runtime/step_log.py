"""The log of what the services did: one step an event, errors included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from embedded_aws.clock import SimulatedClock

StepKind = Literal["schedule", "invoke", "queue", "rule", "crawl", "query", "dead_letter", "denied"]


@dataclass(frozen=True)
class Step:
    """One thing that happened in the cloud.

    Attributes:
        at: the simulated moment, UTC.
        kind: which engine it happened in.
        name: the function, queue, schedule, rule, crawler or workgroup.
        detail: what it did, or the error it met in one sentence.
        ok: false for an error.
        seconds: real seconds that it took.
    """

    at: datetime
    kind: StepKind
    name: str
    detail: str
    ok: bool
    seconds: float


class StepLog:
    """Keeps every step and tells the one who listens."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.recorded: list[Step] = []
        self.listener: Callable[[Step], None] | None = None

    def record(self, kind: StepKind, name: str, detail: str, *, ok: bool = True, seconds: float = 0.0) -> None:
        """Write a step down, at the present simulated moment."""
        step = Step(self._clock.now, kind, name, detail, ok, seconds)
        self.recorded.append(step)
        if self.listener is not None:
            self.listener(step)
