"""EventBridge rules: events on a bus go to the targets of matching rules.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html and the pages beside it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import LambdaFunction
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser
from moto.s3 import notifications
from moto.s3.notifications import S3NotificationEvent

from embedded_aws.clock import SimulatedClock
from embedded_aws.runtime.delivery import Delivery, DeliveryService
from embedded_aws.runtime.pending import ComingStart
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.runtime.targets import ServiceSender
from embedded_aws.runtime.timers import Timers
from embedded_aws.server.server import AwsServer
from embedded_aws.services.events.patterns import REPLACEMENTS
from embedded_aws.services.lambda_.functions import Functions
from embedded_aws.services.s3.bridge_events import bridge_detail, bridge_type
from embedded_aws.services.scheduler.expressions import (
    BEFORE,
    Expression,
    Rate,
    ScheduleExpressionError,
    latest_between,
    parse,
)


class Rules:
    """Matches events and delivers them as `events.amazonaws.com`; also fires scheduled rules."""

    def __init__(
        self,
        server: AwsServer,
        clock: SimulatedClock,
        steps: StepLog,
        timers: Timers,
        functions: Functions,
        invoke_later: Callable[[LambdaFunction, str], None],
    ) -> None:
        self._server = server
        self._clock = clock
        self._steps = steps
        self._functions = functions
        self._invoke_later = invoke_later
        self._deliveries = DeliveryService("rule", clock, steps, timers, attempt=self._attempt, sender=self._sender)
        self._numbers = 0
        # Rule and expression → its last firing, or when it was first seen, since moto does not keep a creation time.
        self._fired: dict[tuple[str, str | None], datetime] = {}
        self._patches = ExitStack()

    def install(self) -> None:
        """Intercept every event that moto is about to send to a rule's targets."""

        def send_to_targets(rule: Rule, event: dict[str, Any], transform_input: bool = True) -> None:  # noqa: ARG001 - moto's signature
            self._dispatch(rule, event)

        def send_of_s3(_account_id: str, bucket: Any, event_name: S3NotificationEvent, key: Any) -> None:
            name = event_name.value
            self.emit("aws.s3", bridge_type(name), bridge_detail(name, bucket, key), resources=[bucket.arn])

        replacements: dict[tuple[Any, str], Any] = {
            **REPLACEMENTS,
            (Rule, "send_to_targets"): send_to_targets,
            (notifications, "_send_event_bridge_message"): send_of_s3,
        }
        for (owner, name), replacement in replacements.items():
            self._patches.enter_context(patch.object(owner, name, replacement))

    def close(self) -> None:
        """Restore moto's behaviour."""
        self._patches.close()

    def state(self) -> Any:
        """Return the state to keep."""
        return self._numbers, dict(self._fired)

    def restore(self, state: Any) -> None:
        """Continue from a kept state."""
        self._numbers, self._fired = state

    def emit(self, source: str, detail_type: str, detail: Mapping[str, Any], *, resources: Sequence[str] = ()) -> None:
        """Put an event of an AWS service on the default bus."""
        event = self._event(source, detail_type, dict(detail), resources=list(resources))
        for rule in list(self._server.backend("events").event_buses["default"].rules.values()):
            self._dispatch(rule, event)

    def next_due(self) -> datetime | None:
        """Return when the next scheduled rule fires."""
        return min((start.at for start in self.coming()), default=None)

    def coming(self) -> Iterator[ComingStart]:
        """Yield when each scheduled rule fires next."""
        for rule in list(self._scheduled()):
            if due := self._due(rule):
                yield ComingStart(name=rule.name, at=due)

    def run_due(self) -> bool:
        """Fire the scheduled rules that are due."""
        acted = False
        for rule in list(self._scheduled()):
            due = self._due(rule)
            if due is not None and due <= self._clock.now:
                self._fired[rule.arn, rule.scheduled_expression] = due
                with self._steps.surviving(rule.name):
                    self._deliver(rule, self._event("aws.events", "Scheduled Event", {}, resources=[rule.arn], at=due))
                acted = True
        return acted

    def catch_up(self) -> None:
        """Skip all missed firings of each scheduled rule but the last."""
        for rule in self._scheduled():
            expression, after = self._expression(rule)
            latest = latest_between(expression, after, self._clock.now) if expression is not None else None
            if latest is not None:
                # A rate counts from the last firing.
                step = expression.interval if isinstance(expression, Rate) else BEFORE
                self._fired[rule.arn, rule.scheduled_expression] = latest - step

    def _scheduled(self) -> Iterator[Rule]:
        for rule in self._server.backend("events").event_buses["default"].rules.values():
            if rule.scheduled_expression and rule.state == "ENABLED":
                yield rule

    def _due(self, rule: Rule) -> datetime | None:
        expression, after = self._expression(rule)
        return expression.next_after(after) if expression is not None else None

    def _expression(self, rule: Rule) -> tuple[Expression | None, datetime]:
        """Return a rule's expression, None if it is invalid, and the moment after which it fires next."""
        name = (rule.arn, rule.scheduled_expression)
        is_new = name not in self._fired
        last = self._fired.setdefault(name, self._clock.now)
        if is_new:
            self._server.gate.note_own()
        try:
            return parse(str(rule.scheduled_expression), start=last), last
        except ScheduleExpressionError as error:
            if is_new:
                self._steps.record("rule", rule.name, str(error), ok=False)
            return None, last

    def _dispatch(self, rule: Rule, event: Any) -> None:
        if rule.state == "ENABLED" and rule.event_pattern.dump() and rule.event_pattern.matches_event(event):
            self._deliver(rule, event)

    def _deliver(self, rule: Rule, event: dict[str, Any]) -> None:
        event = _as_delivered(event)
        for target in copy.deepcopy(rule.targets):
            text = _target_input(target, event)
            delivery = Delivery(
                name=rule.name,
                target=target,
                dead_letter=text,
                details=event["detail-type"],
                attributes={"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"]},
                started_at=self._clock.now,
            )
            self._deliveries.deliver_next(delivery)

    def _attempt(self, delivery: Delivery) -> str:
        arn = delivery.target["Arn"]
        self._sender(delivery).send(arn, delivery.dead_letter)
        return f"{delivery.details} sent to {arn}"

    def _sender(self, delivery: Delivery) -> ServiceSender:
        return ServiceSender(
            self._server,
            self._functions,
            self._invoke_later,
            service="events.amazonaws.com",
            source_arn=delivery.attributes["RULE_ARN"],
        )

    def _event(
        self,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        *,
        resources: list[str] | None = None,
        at: datetime | None = None,
    ) -> dict[str, Any]:
        self._numbers += 1
        return {
            "version": "0",
            "id": f"{self._numbers:08x}-0000-4000-8000-000000000000",
            "detail-type": detail_type,
            "source": source,
            "account": self._server.account_id,
            "time": f"{at or self._clock.now:%Y-%m-%dT%H:%M:%SZ}",
            "region": self._server.region,
            "resources": resources or [],
            "detail": detail,
        }


def _as_delivered(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as a target receives it; moto's have numeric times and an additional field."""
    shown = {key: value for key, value in event.items() if key != "ingestion-time"}
    if isinstance(shown["time"], int | float):
        shown["time"] = f"{datetime.fromtimestamp(shown['time'], UTC):%Y-%m-%dT%H:%M:%SZ}"
    return shown


def _target_input(target: Mapping[str, Any], event: dict[str, Any]) -> str:
    """Return a target's input: its constant, part of the event, its filled-in template, or the whole event."""
    if target.get("Input"):
        return str(target["Input"])
    if path := target.get("InputPath"):
        part: Any = event
        for name in path.removeprefix("$").strip(".").split("."):
            part = part[name] if name else part
        return json.dumps(part)
    if transformer := target.get("InputTransformer"):
        # moto's event type has this additional field.
        given: Any = {**event, "ingestion-time": event["time"]}
        filled = EventTemplateParser.parse(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), given)
        return json.dumps(filled)
    return json.dumps(event)
