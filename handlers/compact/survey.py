"""What lies in the partitions of a table: enough to see where there is something to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from handlers.compact.bucket import TransformedBucket
from handlers.compact.partition import TablePartition, earlier_value, is_closed, partition_of, prefixes_of
from handlers.layout import is_compacted, is_original, table_prefix


@dataclass
class Content:
    """How much lies in a partition."""

    closed: int = 0
    """Compacted objects, and originals of runs before today."""
    compacted: int = 0
    earlier: int = 0
    """Of the closed ones, those in folders of an earlier partition key."""


@dataclass
class Survey:
    """The partitions of a table."""

    partitions: dict[TablePartition, Content] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    """Key → why an object is not one of ours."""


def survey(bucket: TransformedBucket, table: str, month: str | None, today: date) -> Survey:
    """List the objects of a table, or of its partition that contains a month.

    Raises:
        ClientError: S3 refused the request.
    """
    found = Survey()
    prefixes = prefixes_of(table, month) if month else (table_prefix(table),)
    for stored in (stored for prefix in prefixes for stored in bucket.listed(prefix)):
        # The console marks a folder by an empty object.
        if stored.key.endswith("/") and not stored.size:
            continue
        partition = partition_of(table, stored.key)
        compacted = is_compacted(stored.name)
        if partition is None or not (compacted or is_original(stored.name)):
            found.foreign[stored.key] = "This project does not write objects with such a key."
            continue
        content = found.partitions.setdefault(partition, Content())
        closed = compacted or is_closed(stored, today)
        content.compacted += compacted
        content.closed += closed
        content.earlier += closed and earlier_value(table, stored.key) is not None
    return found
