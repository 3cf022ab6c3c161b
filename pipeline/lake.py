"""The three buckets: raw data from Spotify, the tables made of it, and query results."""

from __future__ import annotations

import pulumi

from handlers.layout import COMPACTIONS_PREFIX, OUTPUTS_PREFIX, RAW_PREFIX, RUNS_PREFIX, table_prefix
from handlers.tables import TABLES, PartitionKey, kept_days
from pipeline.bucket import PrivateBucket
from pipeline.settings import Settings

_LONGEST_PARTITION: dict[PartitionKey, int] = {"month": 31, "year": 366}
"""Days."""


class Lake(pulumi.ComponentResource):
    """The raw, the transformed and the results bucket.

    Raw and transformed data are in separate buckets so that the transform's output can never trigger it again.
    """

    def __init__(
        self, name: str, settings: Settings, *, destroy_data: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("spotify-etl:index:Lake", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.raw = PrivateBucket(
            f"{name}-raw",
            versioned=True,
            # The streams' state is kept as long as the stack; only its old versions expire.
            expiry_days={RAW_PREFIX: settings.raw_retention_days, RUNS_PREFIX: settings.raw_retention_days},
            force_destroy=destroy_data,
            kms_key_arn=settings.kms_key_arn,
            opts=child,
        )
        self.transformed = PrivateBucket(
            f"{name}-transformed",
            versioned=True,
            expiry_days=_table_expiry(settings),
            force_destroy=destroy_data,
            kms_key_arn=settings.kms_key_arn,
            opts=child,
        )
        self.results = PrivateBucket(
            f"{name}-athena-results",
            versioned=False,
            expiry_days={"": settings.results_retention_days},
            # Query results can be computed again.
            force_destroy=True,
            kms_key_arn=settings.kms_key_arn,
            opts=child,
        )
        self.register_outputs({})


def _table_expiry(settings: Settings) -> dict[str, int]:
    # The compact function deletes a partition at the end of its retention, counted from its last day. S3 counts from
    # the creation of an object: these rules are for what no compaction has made again or deleted.
    tables = {
        table_prefix(name): kept_days(name, settings.transformed_retention_days, settings.plays_retention_days)
        + _LONGEST_PARTITION[table.partition_key]
        for name, table in TABLES.items()
    }
    # The list of a raw object's outputs is needed only as long as the raw object can be delivered again.
    # The compact function deletes its record with the partition; the expiry is for a record that it leaves behind.
    return {**tables, OUTPUTS_PREFIX: settings.raw_retention_days, COMPACTIONS_PREFIX: max(tables.values())}
