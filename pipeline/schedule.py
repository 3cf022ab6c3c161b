"""An EventBridge Scheduler schedule with its own role."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pipeline import policies
from pipeline.queues import Queue


class Schedule(pulumi.ComponentResource):
    """A schedule that retries for an hour and then sends the undelivered event to a dead-letter queue.

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
        self.register_outputs({})


def daily(hour: int, minute: int) -> str:
    """Return the expression of a daily schedule."""
    return f"cron({minute} {hour} * * ? *)"


def hourly(minute: int) -> str:
    """Return the expression of an hourly schedule."""
    return f"cron({minute} * * * ? *)"
