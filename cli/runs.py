"""The runs of a pipeline, as their manifests in the raw bucket tell them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from handlers import layout
from handlers.raw.manifest import CONTINUED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THREADS = 16


@dataclass(frozen=True)
class Attempt:
    """The manifest of one invocation of a run."""

    key: layout.ManifestKey
    content: dict[str, Any]

    @property
    def units(self) -> list[dict[str, Any]]:
        """Its units; each has `stream`, `unit`, `status`, `reason`, `requests`, `records`, …."""
        units: list[dict[str, Any]] = self.content["units"]
        return units

    @property
    def is_continued(self) -> bool:
        """Whether another invocation of the run follows."""
        return any(unit["reason"] == CONTINUED for unit in self.units)


@dataclass(frozen=True, kw_only=True)
class StreamResult:
    """What a run, or a part of it, did for one stream."""

    stream: str
    status: str
    """`complete`, `unchanged`, `partial`, `failed` or `skipped`; of several units the worst."""
    reason: str | None
    units: int
    requests: int
    records: int
    objects: int
    locked_until: str | None
    """When Spotify accepts requests again, if it has locked the stream's quota group."""

    @property
    def is_good(self) -> bool:
        """Whether everything of the stream was read."""
        return self.status in ("complete", "unchanged")


def read_attempt(s3: S3Client, bucket: str, key: layout.ManifestKey) -> Attempt | None:
    """Return a manifest; None if there is none under that key, or it is not one."""
    try:
        body = s3.get_object(Bucket=bucket, Key=str(key))["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    try:
        content = json.loads(body)
        found = Attempt(key, content)
        if not all(isinstance(unit, dict) and "stream" in unit and "reason" in unit for unit in found.units):
            return None
    except (ValueError, KeyError, TypeError):
        return None
    return found


def attempt_keys(s3: S3Client, bucket: str, since: datetime) -> list[layout.ManifestKey]:
    """Return the keys of the manifests of runs since a moment, oldest first."""
    # Keys are in the order of their dates.
    start = f"{layout.RUNS_PREFIX}dt={since:%Y-%m-%d}"
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=layout.RUNS_PREFIX, StartAfter=start
    ):
        for found in page.get("Contents", ()):
            try:
                key = layout.ManifestKey.parse(found["Key"])
            except layout.ForeignKeyError:
                continue
            if layout.run_time(key.run_id) >= since - timedelta(seconds=1):
                keys.append(key)
    return sorted(keys, key=lambda key: (layout.run_time(key.run_id), key.run_id, key.attempt))


def read_attempts(s3: S3Client, bucket: str, keys: Iterable[layout.ManifestKey]) -> list[Attempt]:
    """Return the manifests under these keys, in their order."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return [found for found in pool.map(lambda key: read_attempt(s3, bucket, key), keys) if found]


def stream_results(attempts: Sequence[Attempt]) -> list[StreamResult]:
    """Return the result of each stream over the attempts of one run: a unit's last row counts, requests add up."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    rows = [unit for attempt in attempts for unit in attempt.units]
    for unit in rows:
        last[unit["stream"], unit["unit"]] = unit
    # The row of a whole stream is obsolete once its units are listed, unless it failed.
    for stream in {stream for stream, name in last if name}:
        if last.get((stream, ""), {}).get("status") == "partial":
            del last[stream, ""]
    results = []
    for stream in dict.fromkeys(stream for stream, _ in last):
        units = [unit for (name, _), unit in last.items() if name == stream]
        worst = max(units, key=lambda unit: _SEVERITY.get(str(unit["status"]), len(_SEVERITY)))
        results.append(
            StreamResult(
                stream=stream,
                status=worst["status"],
                reason=worst["reason"],
                units=len(units),
                requests=sum(unit["requests"] for unit in rows if unit["stream"] == stream),
                records=sum(unit["records"] for unit in rows if unit["stream"] == stream),
                objects=sum(unit["objects"] for unit in rows if unit["stream"] == stream),
                locked_until=max((unit.get("locked_until") or "" for unit in units), default="") or None,
            )
        )
    return results


_SEVERITY = {"skipped": 0, "unchanged": 1, "complete": 2, "partial": 3, "failed": 4}
"""By status; a stream is skipped only if all its units are."""
