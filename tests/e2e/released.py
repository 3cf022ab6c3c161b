"""A file of `plays` as version 1 of the tables wrote it, without `offline_timestamp`."""

from __future__ import annotations

from handlers.layout import TABLES_PREFIX
from tests.e2e.world import ROOT, World

RELEASED_PLAYS = ROOT / "tests" / "handlers" / "released_plays.1.parquet"
ROWS = 2
"""How many plays it holds, of an import that nobody ever finished."""


def store_released_plays(made: World) -> None:
    """Store the file where that version did."""
    key = f"{TABLES_PREFIX}plays/month=2025-07/streaming_history-20261101T060000Z-import-released-00000.parquet"
    bucket = made.outputs["transformed_bucket_name"]
    made.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=RELEASED_PLAYS.read_bytes())
