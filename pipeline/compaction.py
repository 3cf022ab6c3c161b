"""From many objects of a partition's closed days to one: the compact function and its schedules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time

import pulumi
import pulumi_aws as aws

from pipeline import policies, schedule
from pipeline.function import Function
from pipeline.lake import Lake
from pipeline.queues import Queue
from pipeline.schedule import Schedule
from pipeline.settings import Settings

COMPACT_TIMEOUT_SECONDS = 900
"""Lambda's longest."""
_MEMORY_MB = 1024
"""The function needs a third of it; the rest is for the share of CPU, which reading and writing Parquet takes."""
_EPHEMERAL_STORAGE_MB = 2048
"""A partition is put together in the temporary folder: the first full read of a large library has hundreds of MB."""


class Compaction(pulumi.ComponentResource):
    """The function that compacts the tables, its schedules and its dead-letter queue.

    Two invocations at once do no harm (the function's records are written conditionally), so it reserves no
    concurrency, of which a new account has little.

    Args:
        name: name of the resource.
        settings: the stack's settings.
        lake: the buckets.
        layer: the layer of the transform, which has the same packages.
        log_group: the log group of the function.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        lake: Lake,
        *,
        layer: aws.lambda_.LayerVersion,
        log_group: aws.cloudwatch.LogGroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Compaction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.dead_letters = Queue(f"{name}-compact-dead-letters", opts=child)
        self.function = Function(
            f"{name}-compact",
            settings,
            handler="compact",
            policy=policies.render(
                policies.compact,
                transformed_bucket=lake.transformed.arn,
                dead_letters=self.dead_letters.arn,
                log_group=log_group.arn,
                kms_key=settings.kms_key_arn,
            ),
            log_group=log_group,
            memory_mb=_MEMORY_MB,
            timeout_seconds=COMPACT_TIMEOUT_SECONDS,
            environment={
                "TRANSFORMED_BUCKET": lake.transformed.name,
                "TRANSFORMED_RETENTION_DAYS": str(settings.transformed_retention_days),
                "PLAYS_RETENTION_DAYS": str(settings.plays_retention_days),
            },
            layer=layer,
            ephemeral_storage_mb=_EPHEMERAL_STORAGE_MB,
            dead_letters=self.dead_letters,
            opts=child,
        )
        self._schedule(
            settings,
            f"{name}-compaction",
            "Compacts the tables' closed days, after the views have been published.",
            settings.compact_time,
            {"trigger": "schedule"},
        )
        # Otherwise rows would be in the tables twice until the next day.
        self._schedule(
            settings,
            f"{name}-deletion",
            "Deletes the objects that the compaction has replaced, when no query reads them any more.",
            settings.deletion_time,
            {"trigger": "schedule", "delete_only": True},
        )
        self.register_outputs({})

    def _schedule(
        self, settings: Settings, name: str, description: str, daily_at: time, event: Mapping[str, object]
    ) -> None:
        Schedule(
            name,
            description=description,
            expression=schedule.daily(daily_at.hour, daily_at.minute),
            timezone=settings.timezone,
            target_arn=self.function.arn,
            account_arn=self.function.arn,
            event=json.dumps(event),
            policy=policies.render(policies.invoke, function=self.function.arn, dead_letters=self.dead_letters.arn),
            dead_letters=self.dead_letters,
            enabled=settings.schedules_enabled,
            opts=pulumi.ResourceOptions(parent=self),
        )
