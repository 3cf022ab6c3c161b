"""The Athena workgroup and its named queries."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws

from pipeline.lake import Lake
from pipeline.packaging import ROOT
from pipeline.settings import Settings

NAMED_QUERIES = ROOT / "queries" / "named"
_BYTES_PER_MB = 1_000_000


class NamedQueryError(pulumi.RunError):
    """A named query whose file does not begin with a description."""


class Analytics(pulumi.ComponentResource):
    """The workgroup, which sets where results go and how much a query may scan, and a named query for each file.

    Args:
        name: name of the resource.
        settings: the stack's settings.
        lake: the buckets.
        workgroup_name: the workgroup's physical name, which tools rely on.
        database_name: the database that the named queries use.
        queries: the folder that holds the SQL of the named queries.
        opts: options of the component.

    Raises:
        NamedQueryError: a file does not begin with a comment that describes the query.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        lake: Lake,
        *,
        workgroup_name: str,
        database_name: str,
        queries: Path = NAMED_QUERIES,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Analytics", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.workgroup = aws.athena.Workgroup(
            name,
            name=workgroup_name,
            description="Queries of the Spotify tables.",
            # Only the query history would be lost.
            force_destroy=True,
            configuration={
                "enforce_workgroup_configuration": True,
                "publish_cloudwatch_metrics_enabled": True,
                "bytes_scanned_cutoff_per_query": settings.athena_scan_limit_mb * _BYTES_PER_MB,
                "engine_version": {"selected_engine_version": "Athena engine version 3"},
                "result_configuration": {
                    "output_location": pulumi.Output.concat("s3://", lake.results.name, "/results/"),
                    "encryption_configuration": _encryption(settings.kms_key_arn),
                },
            },
            opts=child,
        )
        self.named_queries = {
            path.stem: aws.athena.NamedQuery(
                f"{name}-{path.stem}",
                name=path.stem,
                description=read_description(path),
                workgroup=self.workgroup.name,
                database=database_name,
                query=path.read_text(encoding="utf-8"),
                opts=child,
            )
            for path in sorted(queries.glob("*.sql"))
        }
        self.register_outputs({})


def read_description(query: Path) -> str:
    """Return the description of a named query, which is the comment in its first line.

    Raises:
        NamedQueryError: the file does not begin with a comment.
    """
    first = query.read_text(encoding="utf-8").partition("\n")[0]
    text = first.removeprefix("--").strip()
    if not first.startswith("--") or not text:
        raise NamedQueryError(f"{query} must begin with a line `-- <description>`.")
    return text


def _encryption(
    kms_key_arn: pulumi.Input[str],
) -> aws.athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgsDict:
    if not kms_key_arn:
        return {"encryption_option": "SSE_S3"}
    return {"encryption_option": "SSE_KMS", "kms_key_arn": kms_key_arn}
