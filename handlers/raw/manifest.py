"""The run manifest: one JSON object per invocation, written once. The views count only reads it lists as complete."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from handlers import layout
from handlers.raw.bucket import RawBucket

RunStatus = Literal["complete", "partial", "failed", "skipped"]
UnitStatus = Literal["complete", "unchanged", "partial", "failed", "skipped"]

CONTINUED = "continued"
"""Reason of a unit that the run's next invocation continues."""


@dataclass(kw_only=True)
class UnitRow:
    """A stream in a manifest, or one unit of it: a playlist, an entry of the catalogue, an imported file."""

    stream: str
    unit: str = ""
    mode: str | None = None
    """`full` or `incremental`; None if the unit was not started."""
    read_id: str | None = None
    status: UnitStatus = "failed"
    reason: str | None = None
    requests: int = 0
    records: int = 0
    """Lines that this run wrote."""
    objects: int = 0
    locked_until: str | None = None
    read_complete: bool = False
    read_keys: list[str] = field(default_factory=list)
    """Keys of the whole read, including those that earlier runs wrote."""
    read_records: int = 0

    def row(self) -> dict[str, Any]:
        """Return the unit as stored in the manifest."""
        return {one.name: getattr(self, one.name) for one in fields(UnitRow)}


def put_manifest(
    bucket: RawBucket,
    key: layout.ManifestKey,
    units: Sequence[UnitRow],
    *,
    trigger: str,
    scheduled_at: datetime,
    started_at: datetime,
    finished_at: datetime,
    account_id: str | None,
    status: RunStatus,
    reason: str | None,
) -> None:
    """Write a run's manifest.

    Raises:
        KeyTakenError: the key already holds another manifest.
        ConflictError: other writers keep writing to the key.
    """
    content = {
        "run_id": key.run_id,
        "attempt": key.attempt,
        "trigger": trigger,
        "scheduled_at": layout.written(scheduled_at),
        "started_at": layout.written(started_at),
        "finished_at": layout.written(finished_at),
        "account_id": account_id,
        "status": status,
        "reason": reason,
        "units": [unit.row() for unit in units],
    }
    bucket.put_new(str(key), json.dumps(content, indent=1).encode(), "application/json")


def summarize_reasons(incomplete: Sequence[UnitRow], total: int) -> str:
    """Return why a run is incomplete: the reason its units share, or their number and the first one's reason."""
    reasons = list(dict.fromkeys(unit.reason or unit.status for unit in incomplete))
    if len(reasons) == 1:
        return reasons[0]
    first = incomplete[0]
    return f"{len(incomplete)} of {total} units are incomplete, first {first.stream}: {first.reason}"
