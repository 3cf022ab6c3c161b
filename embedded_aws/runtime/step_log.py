"""A log of what the services did, one step per event, errors included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from embedded_aws.clock import SimulatedClock

StepKind = Literal["schedule", "invoke", "queue", "rule", "crawl", "query", "dead_letter", "denied", "failure"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event."""

    at: datetime
    """Simulated time, UTC."""
    kind: StepKind
    name: str
    """Name of the function, queue, schedule, rule, crawler, workgroup or caller."""
    detail: str
    """What was done, or the error in one sentence."""
    ok: bool
    """False for an error."""
    seconds: float
    """Duration in real seconds."""


class StepLog:
    """Every step so far, and the callback for new ones."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.recorded: list[Step] = []
        self.on_step: Callable[[Step], None] | None = None

    def record(self, kind: StepKind, name: str, detail: str, *, ok: bool = True, seconds: float = 0.0) -> None:
        """Record a step at the current simulated time."""
        step = Step(at=self._clock.now, kind=kind, name=name, detail=detail, ok=ok, seconds=seconds)
        self.recorded.append(step)
        if self.on_step is not None:
            self.on_step(step)
