"""The manifest of an import, with the fields of the extract function's: only what it names as complete counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from cli.raw_bucket import KeyTakenError, RawBucket
from cli.raw_objects import STREAM, Run
from handlers import layout

FileStatus = Literal["complete", "unchanged", "partial"]


@dataclass(frozen=True)
class Unit:
    """One file, as a row of the manifest."""

    unit: str
    read_id: str
    status: FileStatus
    reason: str | None = None
    records: int = 0
    """Plays that this import wrote."""
    objects: int = 0
    read_complete: bool = False
    read_keys: tuple[str, ...] = ()
    """Keys of the whole read, whichever import wrote it."""
    read_records: int = 0
    stream: str = STREAM
    mode: str = "full"
    requests: int = 0
    locked_until: str | None = None


def write_manifest(bucket: RawBucket, run: Run, units: Sequence[Unit]) -> layout.ManifestKey:
    """Put the manifest under the import's run id, or under the first later one that no other import has.

    Two imports of one second must not become one: that would have one span over both.

    Raises:
        CommandError: AWS did not take it.
    """
    finished_at = datetime.now(UTC)
    named = run
    while True:
        key = layout.ManifestKey(named.id, 0)
        try:
            bucket.put_new(str(key), _body(run, key, units, finished_at), "application/json")
        except KeyTakenError:
            named = replace(named, started_at=named.started_at + timedelta(seconds=1))
        else:
            return key


def _body(run: Run, key: layout.ManifestKey, units: Sequence[Unit], finished_at: datetime) -> bytes:
    lacking = [unit for unit in units if unit.status == "partial"]
    content = {
        "run_id": key.run_id,
        "attempt": key.attempt,
        "trigger": "import",
        "scheduled_at": layout.written(layout.run_time(key.run_id)),
        "started_at": layout.written(run.started_at),
        "finished_at": layout.written(finished_at),
        "account_id": run.account_id,
        "status": "partial" if lacking else "complete",
        "reason": _reason(units, lacking),
        "units": [asdict(unit) for unit in units],
    }
    return json.dumps(content, indent=1).encode()


def _reason(units: Sequence[Unit], lacking: Sequence[Unit]) -> str | None:
    if not lacking:
        return None
    reasons = list(dict.fromkeys(unit.reason for unit in lacking))
    if len(reasons) == 1:
        return reasons[0]
    return f"{len(lacking)} of {len(units)} units lack something, first {STREAM}: {reasons[0]}"
