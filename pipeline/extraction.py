"""From Spotify to the raw bucket: the secret, the extract function and its schedules."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from handlers.streams import STREAMS
from pipeline import policies, schedule
from pipeline.function import Function
from pipeline.lake import Lake
from pipeline.queues import Queue
from pipeline.schedule import Schedule
from pipeline.settings import Settings

_HOURLY_OFFSET_MINUTES = 20
"""How long after the daily run's minute the hourly run starts, so that they never coincide in any time zone."""


class Extraction(pulumi.ComponentResource):
    """The secret, the function that fills the raw bucket, and the schedules that start it."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        lake: Lake,
        log_group: aws.cloudwatch.LogGroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Extraction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Created empty: no Spotify credential ever passes through Pulumi or its state.
        self.secret = aws.secretsmanager.Secret(
            f"{name}-spotify",
            description="Spotify app (client_id, client_secret) and user login (refresh_token, scope, authorized_at).",
            kms_key_id=settings.kms_key_arn or None,
            opts=child,
        )
        self.dead_letters = Queue(f"{name}-extract-dead-letters", opts=child)
        self.function = Function(
            f"{name}-extract",
            settings,
            handler="extract",
            policy=policies.render(
                policies.extract,
                raw_bucket=lake.raw.arn,
                secret=self.secret.arn,
                dead_letters=self.dead_letters.arn,
                log_group=log_group.arn,
                kms_key=settings.kms_key_arn,
            ),
            log_group=log_group,
            memory_mb=512,
            timeout_seconds=900,
            environment={
                "RAW_BUCKET": lake.raw.name,
                "SPOTIFY_SECRET_ARN": self.secret.arn,
                "AUTH_MODE": settings.auth_mode,
                "STREAMS": ",".join(settings.streams),
                "CATALOGUE_URIS": " ".join(settings.catalogue_uris),
                "SPOTIFY_API_URL": settings.spotify_api_url,
                "SPOTIFY_ACCOUNTS_URL": settings.spotify_accounts_url,
                "TRANSFORMED_RETENTION_DAYS": str(settings.transformed_retention_days),
            },
            dead_letters=self.dead_letters,
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-extract-continuation",
            role=self.function.role_name,
            policy=policies.render(policies.continuation, function=self.function.arn),
            opts=child,
        )
        at = settings.daily_time
        self._schedule("daily", name, settings, schedule.daily(at.hour, at.minute), settings.timezone)
        if any("hourly" in STREAMS[stream].schedules for stream in settings.streams):
            # UTC neither skips nor repeats an hour.
            self._schedule("hourly", name, settings, schedule.hourly((at.minute + _HOURLY_OFFSET_MINUTES) % 60), "UTC")
        self.register_outputs({})

    def _schedule(self, trigger: str, name: str, settings: Settings, expression: str, timezone: str) -> None:
        Schedule(
            f"{name}-{trigger}",
            description=f"Starts the {trigger} run of the extract function.",
            expression=expression,
            timezone=timezone,
            target_arn=self.function.arn,
            account_arn=self.function.arn,
            event=json.dumps({"trigger": trigger, "scheduled_time": "<aws.scheduler.scheduled-time>"}),
            policy=policies.render(policies.invoke, function=self.function.arn, dead_letters=self.dead_letters.arn),
            dead_letters=self.dead_letters,
            enabled=settings.schedules_enabled,
            opts=pulumi.ResourceOptions(parent=self),
        )
