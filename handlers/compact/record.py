"""The record of a partition's compaction: which compacted object counts, and what it was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from handlers.compact.bucket import Stored, TransformedBucket
from handlers.layout import is_compacted, parse_time, run_date, run_in, written
from handlers.tables import SCHEMA_VERSION


@dataclass(frozen=True)
class CompactionRecord:
    """The content of a record.

    It is written before the object that it names. Hence an object in `sources` may be deleted only once the named one
    is there: all its rows are then in that one.
    """

    object: str
    """Key of the compacted object."""
    size: int
    """Size of the compacted object."""
    sources: Mapping[str, str]
    """Key → ETag of the objects that the compacted one replaces."""
    newest_run: date | None = None
    """Date of the newest run that rows of the compacted object are of."""
    purged_before: datetime | None = None
    """Rows of runs before this moment were deleted on request: no older compacted object brings them back."""

    def covers(self, stored: Stored) -> bool:
        """Return whether the compacted object replaces this version of an object."""
        return self.sources.get(stored.key) == stored.etag

    def to_json(self) -> bytes:
        """Return the JSON; the same record always gives the same bytes."""
        made: dict[str, Any] = {
            "object": self.object,
            "bytes": self.size,
            "sources": dict(self.sources),
            "schema_version": SCHEMA_VERSION,
        }
        if self.newest_run is not None:
            made["newest_run"] = str(self.newest_run)
        if self.purged_before is not None:
            made["purged_before"] = written(self.purged_before)
        return json.dumps(made, indent=1, sort_keys=True).encode()

    @classmethod
    def parse(cls, content: bytes) -> CompactionRecord | None:
        """Return the record that a content is; None if it is none: the partition is then as if it had no record."""
        try:
            found = json.loads(content)
            newest, purged = found.get("newest_run"), found.get("purged_before")
            sources = {str(key): str(etag) for key, etag in found["sources"].items()}
            run = None if newest is None else date.fromisoformat(newest)
            return cls(str(found["object"]), int(found["bytes"]), sources, run, parse_time(purged))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def read_record(bucket: TransformedBucket, key: str) -> tuple[CompactionRecord | None, str | None]:
    """Return a record and its ETag, by which it is replaced; None for what there is not."""
    found = bucket.read(key)
    return (None, None) if found is None else (CompactionRecord.parse(found[0]), found[1])


def newest_run(stored: Stored, record: CompactionRecord | None) -> date | None:
    """Return the date of the newest run that rows of an object are of; None if it is not known."""
    if is_compacted(stored.name):
        return record.newest_run if record is not None and stored.key == record.object else None
    run = run_in(stored.key)
    return run_date(run) if run else None
