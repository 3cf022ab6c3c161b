"""The run manifest: one JSON object an invocation, written once. Only what it names as complete counts in the views."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from handlers import layout
from handlers.raw.bucket import Bucket

RunStatus = Literal["complete", "partial", "failed", "skipped"]
UnitStatus = Literal["complete", "unchanged", "partial", "failed", "skipped"]


@dataclass
class UnitRow:
    """What a run says of one stream, or of one part of it: a playlist, an entry of the catalogue, an imported file."""

    stream: str
    unit: str = ""
    mode: str | None = None
    """`full` or `incremental`; None for what was not begun."""
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
    """Keys of the whole read, whichever runs wrote it."""
    read_records: int = 0

    def row(self) -> dict[str, Any]:
        """The unit as the manifest holds it."""
        return {one.name: getattr(self, one.name) for one in fields(UnitRow)}


def put_manifest(
    bucket: Bucket,
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
        KeyTakenError: another one lies under the key.
        ConflictError: others keep writing there.
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


def reason_of(lacking: Sequence[UnitRow], of: int) -> str:
    """Why a run is not complete: the reason that all its units give, or the first one's and how many there are."""
    reasons = list(dict.fromkeys(unit.reason or unit.status for unit in lacking))
    if len(reasons) == 1:
        return reasons[0]
    first = lacking[0]
    return f"{len(lacking)} of {of} units lack something, first {first.stream}: {first.reason}"
