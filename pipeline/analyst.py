"""Read access for people: a policy that can be attached to any user, group or role."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pipeline import policies
from pipeline.lake import Lake
from pipeline.settings import Settings


class AnalystAccess(pulumi.ComponentResource):
    """The policy for those who only ask questions; it is attached to nobody.

    Args:
        name: name of the resource.
        settings: the stack's settings.
        lake: the buckets.
        database: the Glue database.
        workgroup: the Athena workgroup.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        lake: Lake,
        *,
        database: aws.glue.CatalogDatabase,
        workgroup: aws.athena.Workgroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:AnalystAccess", name, None, opts)
        self.policy = aws.iam.Policy(
            f"{name}-analyst",
            description="Queries of the Spotify tables, and nothing else.",
            policy=policies.render(
                policies.analyst,
                workgroup=workgroup.arn,
                database=database.arn,
                transformed_bucket=lake.transformed.arn,
                results_bucket=lake.results.arn,
                kms_key=settings.kms_key_arn,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
