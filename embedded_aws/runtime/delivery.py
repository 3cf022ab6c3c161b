"""Delivery to the target of a schedule or rule, with its retries and dead-letter queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from embedded_aws.clock import SimulatedClock
from embedded_aws.runtime.step_log import StepKind, StepLog
from embedded_aws.runtime.targets import DeliveryError, Sender
from embedded_aws.runtime.timers import Timers

# AWS does not document its backoff; 185 retries at this pace fit into its longest retention, 24 hours.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=5)
_RETRIES = 185
_MAX_AGE_SECONDS = 86400


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A delivery to one target."""

    name: str
    """Name of the schedule or rule."""
    target: Mapping[str, Any]
    """The target as moto holds it, with its retry policy and dead-letter queue."""
    dead_letter: str
    """Body of the dead letter."""
    details: Any
    """What its service needs for an attempt; can be pickled."""
    attributes: Mapping[str, str]
    """Attributes of the dead letter, besides those of the error."""
    started_at: datetime
    attempts: int = 0
    """Attempts so far, including the one that is being made."""


class DeliveryService:
    """Makes deliveries and retries them as their retry policies say; the dead-letter queue gets what fails for good.

    Args:
        kind: kind of the deliveries, and of their steps.
        attempt: makes an attempt and returns what it did in a few words.
        sender: returns the sender of a delivery's dead letter.
    """

    def __init__(
        self,
        kind: StepKind,
        clock: SimulatedClock,
        steps: StepLog,
        timers: Timers,
        *,
        attempt: Callable[[Delivery], str],
        sender: Callable[[Delivery], Sender],
    ) -> None:
        self._kind: StepKind = kind
        self._clock = clock
        self._steps = steps
        self._timers = timers
        self._attempt = attempt
        self._sender = sender
        self._handler = f"{kind} delivery"
        timers.register(self._handler, self._deliver)

    def deliver(self, delivery: Delivery) -> None:
        """Make an attempt now; success and failure are both recorded as steps."""
        self._timers.call_now(self._handler, delivery)

    def deliver_next(self, delivery: Delivery) -> None:
        """Make an attempt as soon as the event loop runs."""
        self._timers.call_at(self._clock.now, self._handler, delivery)

    def _deliver(self, delivery: Delivery) -> None:
        delivery = replace(delivery, attempts=delivery.attempts + 1)
        try:
            done = self._attempt(delivery)
        except DeliveryError as error:
            self._steps.record(self._kind, delivery.name, str(error), ok=False)
            self._retry_or_give_up(delivery, error)
        else:
            self._steps.record(self._kind, delivery.name, done)

    def _retry_or_give_up(self, delivery: Delivery, error: DeliveryError) -> None:
        policy = delivery.target.get("RetryPolicy") or {}
        wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _LONGEST_WAIT)
        retry_at = self._clock.now + wait
        latest = delivery.started_at + timedelta(seconds=policy.get("MaximumEventAgeInSeconds", _MAX_AGE_SECONDS))
        exhausted = delivery.attempts > policy.get("MaximumRetryAttempts", _RETRIES)
        if error.permanent or exhausted or retry_at > latest:
            self._give_up(delivery, error)
        else:
            self._timers.call_at(retry_at, self._handler, delivery)

    def _give_up(self, delivery: Delivery, error: DeliveryError) -> None:
        arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            detail = f"Gave up after {delivery.attempts} attempts; there is no dead-letter queue."
            self._steps.record(self._kind, delivery.name, detail, ok=False)
            return
        attributes = {
            **delivery.attributes,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error)[:1024],
            "RETRY_ATTEMPTS": str(delivery.attempts - 1),
        }
        queue = arn.rsplit(":", 1)[1]
        try:
            self._sender(delivery).send(arn, delivery.dead_letter, attributes)
        except DeliveryError as denied:
            self._steps.record("dead_letter", queue, str(denied), ok=False)
        else:
            detail = f"from {delivery.name} after {delivery.attempts} attempts"
            self._steps.record("dead_letter", queue, detail, ok=False)
