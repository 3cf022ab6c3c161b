"""A log group for each function, created before the function first runs."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pipeline.settings import Settings


class Monitoring(pulumi.ComponentResource):
    """The log groups, by function.

    Lambda would otherwise create log groups that never expire; the functions have no permission to create any.
    """

    def __init__(
        self, name: str, settings: Settings, functions: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("spotify-etl:index:Monitoring", name, None, opts)
        self.log_groups = {
            function: aws.cloudwatch.LogGroup(
                f"{name}-{function}",
                retention_in_days=settings.log_retention_days,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for function in functions
        }
        self.register_outputs({})
