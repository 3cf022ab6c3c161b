"""The run of an import and its manifest: only what that names as complete counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from handlers import layout
from handlers.raw.bucket import KeyTakenError, RawBucket
from handlers.raw.manifest import UnitRow, put_manifest, summarize_reasons

STREAM = "streaming_history"


@dataclass(frozen=True)
class Run:
    """What one command imports: an export, or several that are given together, each with a manifest of its own."""

    account_id: str
    started_at: datetime

    @property
    def id(self) -> str:
        """Its run id."""
        return layout.run_id(self.started_at, "import")


def write_manifest(bucket: RawBucket, run: Run, units: Sequence[UnitRow]) -> layout.ManifestKey:
    """Put the manifest of one import under the run id, or under the first later one that no other import has.

    Two imports of one second must not become one: that would have one span over both, and what both hold twice.
    """
    finished_at = datetime.now(UTC)
    lacking = [unit for unit in units if unit.status == "partial"]
    named = run
    while True:
        key = layout.ManifestKey(named.id, 0)
        try:
            put_manifest(
                bucket,
                key,
                units,
                trigger="import",
                scheduled_at=layout.run_time(key.run_id),
                started_at=run.started_at,
                finished_at=finished_at,
                account_id=run.account_id,
                status="partial" if lacking else "complete",
                reason=summarize_reasons(lacking, len(units)) if lacking else None,
            )
        except KeyTakenError:
            named = replace(named, started_at=named.started_at + timedelta(seconds=1))
        else:
            return key
