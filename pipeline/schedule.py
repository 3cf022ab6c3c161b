"""A schedule of EventBridge Scheduler with its own role."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pipeline import policies
from pipeline.queues import Queue


class Schedule(pulumi.ComponentResource):
    """Starts a target at a time of day; retries for an hour, then keeps what could not be delivered.

    Args:
        name: name of the resource.
        description: what it is for, as the console shows it.
        expression: for instance `cron(0 6 * * ? *)`.
        timezone: what the expression's times mean.
        target_arn: a function, or a universal target such as `arn:aws:scheduler:::aws-sdk:glue:startCrawler`.
        account_arn: any ARN of the stack's own account, whose schedules alone may use the role; a universal target's
            ARN names no account.
        event: JSON text that the target gets.
        policy: what the role may do.
        dead_letters: where an undelivered event goes.
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
            assume_role_policy=policies.render(policies.scheduler_trust, target_arn=account_arn),
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
    """The expression of a daily schedule."""
    return f"cron({minute} {hour} * * ? *)"


def hourly(minute: int) -> str:
    """The expression of an hourly schedule."""
    return f"cron({minute} * * * ? *)"
