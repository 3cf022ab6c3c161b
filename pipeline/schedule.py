"""An EventBridge Scheduler schedule with its own role."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime, timedelta

import pulumi
import pulumi_aws as aws

from pipeline import policies
from pipeline.queues import Queue


class Schedule(pulumi.ComponentResource):
    """A schedule that retries for an hour and then sends the undelivered event to a dead-letter queue.

    It warns if a change of clocks skips its time.

    Args:
        name: name of the resource.
        description: what it is for, as the console shows it.
        expression: for instance `cron(0 6 * * ? *)`.
        timezone: the time zone of the expression.
        target_arn: a function, or a universal target such as `arn:aws:scheduler:::aws-sdk:glue:startCrawler`.
        account_arn: any ARN in the stack's account, whose schedules alone may use the role; the ARN of a universal
            target names no account.
        event: JSON text that the target receives.
        policy: the permissions of the schedule's role.
        dead_letters: queue for undelivered events.
        enabled: whether it fires.
    """

    def __init__(
        self,
        name: str,
        *,
        description: str,
        expression: str,
        timezone: str,
        target_arn: pulumi.Input[str],
        account_arn: pulumi.Input[str],
        event: pulumi.Input[str],
        policy: pulumi.Output[str],
        dead_letters: Queue,
        enabled: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Schedule", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            assume_role_policy=policies.render(
                policies.trust, service="scheduler.amazonaws.com", neighbour=account_arn
            ),
            opts=child,
        )
        permissions = aws.iam.RolePolicy(name, role=role.name, policy=policy, opts=child)
        self.schedule = aws.scheduler.Schedule(
            name,
            description=description,
            schedule_expression=expression,
            schedule_expression_timezone=timezone,
            flexible_time_window={"mode": "OFF"},
            state="ENABLED" if enabled else "DISABLED",
            target={
                "arn": target_arn,
                "role_arn": role.arn,
                "input": event,
                "retry_policy": {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 60},
                "dead_letter_config": {"arn": dead_letters.arn},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions]),
        )
        if enabled and (time := _skipped_time(expression, timezone)):
            pulumi.log.warn(
                f"In {timezone} the clocks skip {time} in spring, and on that day the schedule {name} may not start "
                "anything; choose another spotify-etl:dailyAt, from which its time follows.",
                self,
            )
        self.register_outputs({})


def daily(hour: int, minute: int) -> str:
    """Return the expression of a daily schedule."""
    return f"cron({minute} {hour} * * ? *)"


def hourly(minute: int) -> str:
    """Return the expression of an hourly schedule."""
    return f"cron({minute} * * * ? *)"


def _skipped_time(expression: str, timezone: str) -> str | None:
    """Return the time of day of an expression, `HH:MM`, if the clocks skip it once this year or next.

    Nothing makes up for it:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
    """
    found = re.fullmatch(r"cron\((\d+) (\d+) .*\)", expression)
    if found is None or timezone == "UTC":
        return None
    zone = zoneinfo.ZoneInfo(timezone)
    first = datetime(datetime.now(UTC).year, 1, 1, int(found[2]), int(found[1]), tzinfo=zone)
    days = (first + timedelta(days=day) for day in range(2 * 366))
    exist = all(day.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == day.replace(tzinfo=None) for day in days)
    return None if exist else f"{first:%H:%M}"
