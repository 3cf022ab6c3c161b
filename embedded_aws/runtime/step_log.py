"""A log of what the services did, one step per event, errors included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from embedded_aws.clock import SimulatedClock
from embedded_aws.runtime.timers import InterruptedWorkError

StepKind = Literal[
    "schedule", "invoke", "queue", "rule", "crawl", "query", "dead_letter", "expiry", "denied", "failure"
]


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
        self._broken: Exception | None = None

    def record(self, kind: StepKind, name: str, detail: str, *, ok: bool = True, seconds: float = 0.0) -> None:
        """Record a step at the current simulated time."""
        step = Step(at=self._clock.now, kind=kind, name=name, detail=detail, ok=ok, seconds=seconds)
        self.recorded.append(step)
        if self.on_step is not None:
            try:
                self.on_step(step)
            except Exception as error:  # noqa: BLE001 - not an error of the service whose step it is
                self.on_step, self._broken = None, error

    def record_failure(self, name: str, error: Exception) -> None:
        """Record that a service failed in a way that AWS would not."""
        self.record("failure", name, f"{type(error).__name__}: {error}", ok=False)

    @contextmanager
    def surviving(self, name: str) -> Iterator[None]:
        """Record whatever is raised in this context instead of passing it on."""
        try:
            yield
        except InterruptedWorkError:
            raise
        except Exception as error:  # noqa: BLE001 - no failing action ends the loop
            self.record_failure(name, error)

    def raise_broken(self) -> None:
        """Raise what the callback raised, if it did."""
        broken, self._broken = self._broken, None
        if broken is not None:
            raise broken
