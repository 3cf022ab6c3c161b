"""The run of an import and its manifest: only files that the manifest lists as complete count."""

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
    """The run of one command, which imports one or more exports, each with its own manifest."""

    account_id: str
    started_at: datetime

    @property
    def id(self) -> str:
        """The run id."""
        return layout.run_id(self.started_at, "import")


def write_manifest(bucket: RawBucket, run: Run, units: Sequence[UnitRow]) -> layout.ManifestKey:
    """Store the manifest of one import under its run id, or under the next one that is not taken.

    Two imports in the same second must not become one, which would span both and count their common plays twice.
    """
    finished_at = datetime.now(UTC)
    partial_units = [unit for unit in units if unit.status == "partial"]
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
                status="partial" if partial_units else "complete",
                reason=summarize_reasons(partial_units, len(units)) if partial_units else None,
            )
        except KeyTakenError:
            named = replace(named, started_at=named.started_at + timedelta(seconds=1))
        else:
            return key
