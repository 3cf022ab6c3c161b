"""Which compacted objects hold rows of early runs: their names do not say so, as those of other objects do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from handlers import layout

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DOWNLOADS = 8


@dataclass(frozen=True)
class EarlyRows:
    """The compacted objects that hold rows of runs before some moment."""

    keys: frozenset[str]
    unreadable: frozenset[str]
    """Those of which nobody knows, because they cannot be read."""

    @property
    def partitions(self) -> frozenset[tuple[str, str]]:
        """Table and partition of each."""
        return frozenset(filter(None, map(layout.partition_in, self.keys)))


def is_compacted(key: str) -> bool:
    """Return whether a key is that of a compacted object."""
    return layout.partition_in(key) is not None and layout.is_compacted(key.rpartition("/")[2])


def find_early_rows(s3: S3Client, bucket: str, versions: Mapping[str, str], before: datetime) -> EarlyRows:
    """Return which of some compacted objects hold rows of runs before a moment.

    Args:
        s3: a client.
        bucket: the transformed bucket.
        versions: a version of each object, by key; all have the same content, since the key follows from it.
        before: the moment.
    """
    keys = [key for key in versions if not _is_later(key, before)]
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        raw_keys = dict(zip(keys, pool.map(lambda key: _raw_keys(s3, bucket, key, versions[key]), keys), strict=True))
    return EarlyRows(
        keys=frozenset(
            key for key, found in raw_keys.items() if any(_is_early(each, key, before) for each in found or ())
        ),
        unreadable=frozenset(key for key, found in raw_keys.items() if found is None),
    )


def still_there(s3: S3Client, bucket: str, keys: Collection[str]) -> list[str]:
    """Return those of some keys of the tables that have an object."""
    if not keys:
        return []
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=layout.TABLES_PREFIX)
    return sorted(set(keys) & {found["Key"] for page in pages for found in page.get("Contents", ())})


def _is_later(key: str, before: datetime) -> bool:
    """Return whether all rows are of later runs, because the partition is a later time of runs."""
    found = layout.partition_in(key)
    # Plays are by the month in which they were played.
    return found is not None and found[0] != "plays" and found[1] > f"{before:%Y-%m-%d}"


def _is_early(raw_key: str, key: str, before: datetime) -> bool:
    """Return whether rows of a raw object are of a run before a moment."""
    found = layout.partition_in(key)
    return found is not None and layout.is_of_run_before(before, raw_key, found[1])


def _raw_keys(s3: S3Client, bucket: str, key: str, version: str) -> list[str] | None:
    """Return the raw objects of which an object has rows; None if it cannot be read."""
    body = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object.parquet"
        with path.open("wb") as file:
            shutil.copyfileobj(body, file)
        try:
            with duckdb.connect() as database:
                rows = database.execute("SELECT DISTINCT _raw_key FROM read_parquet(?)", [str(path)]).fetchall()
        except duckdb.Error:
            return None
    return [raw_key for (raw_key,) in rows]
