"""EventBridge Scheduler: the firing of moto's schedules.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html and the pages beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from moto.scheduler.models import Schedule

from embedded_aws.clock import SimulatedClock
from embedded_aws.runtime.delivery import Delivery, DeliveryService
from embedded_aws.runtime.pending import ComingStart
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.runtime.targets import DeliveryError, RoleSender, ServiceRole
from embedded_aws.runtime.timers import Timers
from embedded_aws.server.server import AwsServer
from embedded_aws.services.scheduler.expressions import (
    BEFORE,
    Expression,
    ScheduleExpressionError,
    latest_between,
    parse,
)

_UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:(?P<service>[A-Za-z0-9]+):(?P<operation>[A-Za-z0-9]+)")
_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "elasticloadbalancingv2": "elbv2",
}
"""Service names of universal targets → boto3's, where they differ."""


@dataclass(frozen=True)
class _Firing:
    """One occurrence of a schedule."""

    schedule_arn: str
    due: datetime
    role: ServiceRole


class Schedules:
    """Fires schedules: sends to functions, queues, topics and any AWS operation, with the schedule's role."""

    def __init__(
        self, server: AwsServer, clock: SimulatedClock, steps: StepLog, timers: Timers, sessions: RoleSessions
    ) -> None:
        self._server = server
        self._sessions = sessions
        self._clock = clock
        self._steps = steps
        self._deliveries = DeliveryService("schedule", clock, steps, timers, attempt=self._attempt, sender=self._sender)
        self._fired: dict[str, datetime] = {}
        self._invalid: set[tuple[str, str]] = set()

    def state(self) -> Any:
        """Return the state to keep."""
        return dict(self._fired)

    def restore(self, state: Any) -> None:
        """Continue from a kept state."""
        self._fired = state

    def next_due(self) -> datetime | None:
        """Return when the next schedule fires."""
        return min((start.at for start in self.coming()), default=None)

    def coming(self) -> Iterator[ComingStart]:
        """Yield when each schedule fires next."""
        for schedule in self._enabled():
            if due := self._due(schedule):
                yield ComingStart(name=schedule.name, at=due)

    def run_due(self) -> bool:
        """Fire the schedules that are due, in chronological order."""
        now = self._clock.now
        dated = [(due, schedule.arn, schedule) for schedule in self._enabled() if (due := self._due(schedule))]
        firing = sorted((entry for entry in dated if entry[0] <= now), key=lambda entry: entry[:2])
        for due, arn, schedule in firing:
            self._fired[arn] = due
            with self._steps.surviving(schedule.name):
                self._fire(schedule, due)
        return bool(firing)

    def catch_up(self) -> None:
        """Skip all missed firings of each schedule but the last."""
        for schedule in self._enabled():
            expression, after = self._expression(schedule)
            end = _moment(schedule.end_date) if schedule.end_date else self._clock.now
            if expression is not None:
                latest = latest_between(expression, after, min(end, self._clock.now))
                if latest is not None:
                    self._fired[schedule.arn] = latest - BEFORE

    def _enabled(self) -> Iterator[Schedule]:
        for group in list(self._server.backend("scheduler").schedule_groups.values()):
            yield from (schedule for schedule in list(group.schedules.values()) if schedule.state != "DISABLED")

    def _due(self, schedule: Schedule) -> datetime | None:
        """Return the first firing since the last one and since the schedule was created or changed."""
        expression, after = self._expression(schedule)
        due = expression.next_after(after) if expression is not None else None
        if due is None or (schedule.end_date and due > _moment(schedule.end_date)):
            return None
        return due

    def _expression(self, schedule: Schedule) -> tuple[Expression | None, datetime]:
        """Return a schedule's expression, None if it is invalid, and the moment after which it fires next."""
        changed = _moment(schedule.last_modified_date)
        begin = _moment(schedule.start_date) if schedule.start_date else changed
        after = max(self._fired.get(schedule.arn, changed), changed, begin)
        try:
            expression = parse(
                schedule.schedule_expression, timezone=schedule.schedule_expression_timezone, start=begin
            )
        except ScheduleExpressionError as error:
            # moto accepts any text; an invalid one is reported once.
            if (schedule.arn, schedule.schedule_expression) not in self._invalid:
                self._invalid.add((schedule.arn, schedule.schedule_expression))
                self._steps.record("schedule", schedule.name, str(error), ok=False)
            return None, after
        return expression, after

    def _fire(self, schedule: Schedule, due: datetime) -> None:
        target = dict(schedule.target)
        group_arn = f"{schedule.arn.partition(':schedule/')[0]}:schedule-group/{schedule.group_name}"
        # A role's trust policy names the schedule group's ARN.
        role = ServiceRole(target["RoleArn"], "scheduler.amazonaws.com", group_arn)
        firing = _Firing(schedule.arn, due, role)
        self._deliveries.deliver(
            Delivery(
                name=schedule.name,
                target=target,
                dead_letter=_fill_attributes(target.get("Input") or "{}", firing, 1),
                details=firing,
                attributes={
                    "SCHEDULE_ARN": schedule.arn,
                    "TARGET_ARN": target["Arn"],
                    "SCHEDULED_TIME": f"{due:%Y-%m-%dT%H:%M:%SZ}",
                },
                started_at=due,
            )
        )
        if schedule.action_after_completion == "DELETE" and self._due(schedule) is None:
            self._server.backend("scheduler").delete_schedule(schedule.group_name, schedule.name)

    def _attempt(self, delivery: Delivery) -> str:
        target = delivery.target
        text = _fill_attributes(target.get("Input") or "{}", delivery.details, delivery.attempts)
        return _send_to_target(self._sender(delivery), target["Arn"], text)

    def _sender(self, delivery: Delivery) -> RoleSender:
        return RoleSender(self._server, self._sessions, delivery.details.role)


def _send_to_target(sender: RoleSender, arn: str, text: str) -> str:
    universal = _UNIVERSAL.fullmatch(arn)
    if universal is None:
        sender.send(arn, text)
        return f"sent to {arn}"
    service = _SERVICES.get(universal["service"].lower(), universal["service"].lower())
    operation = xform_name(universal["operation"])
    try:
        parameters: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise DeliveryError(
            f"The input of {arn} is not valid JSON: {error}", code="InvalidInput", permanent=True
        ) from error
    sender.call(service, operation, parameters)
    return f"{universal['service']}:{universal['operation']}"


def _fill_attributes(text: str, firing: _Firing, attempt: int) -> str:
    """Return the input with the scheduler's context attributes filled in."""
    values = {
        "schedule-arn": firing.schedule_arn,
        "scheduled-time": f"{firing.due:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": hashlib.sha256(f"{firing.schedule_arn} {firing.due}".encode()).hexdigest()[:16],
        "attempt-number": str(attempt),
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _moment(seconds: float | str) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
