"""How a schedule or a rule hands something to its target: again if need be, and kept where it fails for good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from embedded_aws.runtime.targets import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from embedded_aws.clock import SimulatedClock
    from embedded_aws.runtime.step_log import StepKind, StepLog
    from embedded_aws.runtime.targets import Sender
    from embedded_aws.runtime.timers import Timers

# AWS backs off without saying how; 185 tries at this pace fit into the 24 hours that it goes on at most.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=5)
_RETRIES = 185
_MAX_AGE_SECONDS = 86400


@dataclass(frozen=True)
class Delivery:
    """Something to be handed to a target, again if need be.

    Attributes:
        kind: of the steps it leaves.
        name: of the schedule or rule.
        target: the target as moto holds it, with its retry policy and dead-letter queue.
        text: what is kept in the dead-letter queue.
        attempt: hands it over; takes the number of the try, from 1; answers what it did in a few words.
        keeper: sends to the dead-letter queue.
        attributes: of the dead letter, besides error and number of tries.
    """

    kind: StepKind
    name: str
    target: Mapping[str, Any]
    dead_letter: str
    send: Callable[[int], str]
    dead_letter_sender: Sender
    attributes: Mapping[str, str]
    started_at: datetime
    attempts: int = 0


class DeliveryService:
    """Makes deliveries, tries them again as their retry policy says, and keeps what failed for good."""

    def __init__(self, clock: SimulatedClock, steps: StepLog, timers: Timers) -> None:
        self._clock = clock
        self._steps = steps
        self._timers = timers

    def deliver(self, delivery: Delivery) -> None:
        """Try once; every failure is a step."""
        delivery = replace(delivery, attempts=delivery.attempts + 1)
        try:
            done = delivery.send(delivery.attempts)
        except DeliveryError as error:
            self._steps.record(delivery.kind, delivery.name, str(error), ok=False)
            self._again_or_keep(delivery, error)
        else:
            self._steps.record(delivery.kind, delivery.name, done)

    def _again_or_keep(self, delivery: Delivery, error: DeliveryError) -> None:
        policy = delivery.target.get("RetryPolicy") or {}
        wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts - 1, 10), _LONGEST_WAIT)
        again = self._clock.now + wait
        latest = delivery.started_at + timedelta(seconds=policy.get("MaximumEventAgeInSeconds", _MAX_AGE_SECONDS))
        if error.permanent or delivery.attempts > policy.get("MaximumRetryAttempts", _RETRIES) or again > latest:
            self._keep(delivery, error)
        else:
            self._timers.call_at(again, lambda: self.deliver(delivery))

    def _keep(self, delivery: Delivery, error: DeliveryError) -> None:
        arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            detail = f"Given up after {delivery.attempts} tries, without a dead-letter queue to keep it."
            self._steps.record(delivery.kind, delivery.name, detail, ok=False)
            return
        attributes = {
            **delivery.attributes,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error)[:1024],
            "RETRY_ATTEMPTS": str(delivery.attempts - 1),
        }
        queue = arn.rsplit(":", 1)[1]
        try:
            delivery.dead_letter_sender.send(arn, delivery.dead_letter, attributes)
        except DeliveryError as refused:
            self._steps.record("dead_letter", queue, str(refused), ok=False)
        else:
            detail = f"from {delivery.name} after {delivery.attempts} tries"
            self._steps.record("dead_letter", queue, detail, ok=False)
