"""The plan of a partition: which objects become the new compacted one, and which may be deleted.

The rows of one raw object come from its original if there is one that may be compacted, else from the compacted object
that the record names, else from the newest other compacted one, else from folders of earlier partition keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from handlers.compact.bucket import Stored
from handlers.compact.partition import TablePartition, age_of_folder, earlier_value, is_closed
from handlers.compact.record import CompactionRecord
from handlers.layout import is_compacted, is_of_run_before, is_original

MAX_ORIGINALS = 20_000
"""Originals that become part of a compacted object in one go: their keys are held in memory and in the record."""


@dataclass(frozen=True)
class Base:
    """A compacted object whose rows go on to the next one."""

    stored: Stored
    purged_before: datetime | None = None
    """Rows of runs before this moment do not."""


@dataclass(frozen=True)
class Plan:
    """What there is to do in a partition."""

    originals: tuple[Stored, ...]
    """Those of closed days whose rows are not in the named object yet, in the order of their keys."""
    bases: tuple[Base, ...]
    """The named object, then the newest of the others."""
    earlier: tuple[Base, ...]
    """Objects in folders of earlier partition keys, the latest key first: their rows count only where nothing else has
    the raw object."""
    replaced: tuple[Stored, ...]
    """Objects whose rows are all in the named one."""
    named: Stored | None
    """The compacted object that the record names, if it is there."""
    is_cut: bool
    """Whether there are more originals, or earlier objects, than go into one object at a time."""


def plan(
    partition: TablePartition,
    record: CompactionRecord | None,
    objects: Sequence[Stored],
    today: date,
    purge_before: datetime | None = None,
) -> Plan:
    """Return the plan.

    Args:
        partition: the partition.
        record: its record, read before the objects were listed.
        objects: its originals and compacted objects.
        today: the current date, UTC.
        purge_before: rows of runs before this moment are to be deleted.
    """
    named = next((stored for stored in objects if record and stored.key == record.object), None)
    replaced = [stored for stored in objects if record and named not in (None, stored) and record.covers(stored)]
    covered = {stored.key for stored in replaced}
    uncovered = [stored for stored in objects if stored.key not in covered]
    left = [stored for stored in uncovered if earlier_value(partition.table, stored.key) is None]
    originals = _originals(left, partition, today, purge_before)
    others = _compacted(stored for stored in left if stored != named)
    bases = [Base(named, purge_before)] if named else []
    bases += [Base(other, later(purge_before, _purged(other, record, named))) for other in others]
    moved = [stored for stored in uncovered if earlier_value(partition.table, stored.key) is not None]
    earlier = [Base(stored) for stored in _originals(moved, partition, today, purge_before)]
    purged_before = later(purge_before, record.purged_before if record else None)
    earlier += [Base(stored, purged_before) for stored in _compacted(moved)]
    earlier.sort(key=lambda base: age_of_folder(partition.table, base.stored.key))
    room = MAX_ORIGINALS - len(originals[:MAX_ORIGINALS])
    return Plan(
        originals=tuple(originals[:MAX_ORIGINALS]),
        bases=tuple(bases),
        earlier=tuple(earlier[:room]),
        replaced=tuple(replaced),
        named=named,
        is_cut=len(originals) + len(earlier) > MAX_ORIGINALS,
    )


def is_before(key: str, partition: TablePartition, moment: datetime | None) -> bool:
    """Return whether an object of either bucket is of a run before a moment; one of no run counts by its partition."""
    return moment is not None and is_of_run_before(moment, key, partition.value)


def _originals(
    objects: Iterable[Stored], partition: TablePartition, today: date, purge_before: datetime | None
) -> list[Stored]:
    """Return the originals that may be compacted, in the order of their keys."""
    found = (
        stored
        for stored in objects
        if is_original(stored.name) and is_closed(stored, today) and not is_before(stored.key, partition, purge_before)
    )
    return sorted(found, key=lambda stored: stored.key)


def _compacted(objects: Iterable[Stored]) -> list[Stored]:
    """Return the compacted objects, the newest first."""
    found = (stored for stored in objects if is_compacted(stored.name))
    return sorted(found, key=lambda stored: (stored.modified, stored.key), reverse=True)


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two moments; None if there is neither."""
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _purged(other: Stored, record: CompactionRecord | None, named: Stored | None) -> datetime | None:
    """Return the moment before which a compacted object that is not the named one has rows that were purged since.

    If the named one was not stored, those that it was to be made of are complete as they are.
    """
    if record is None or (named is None and record.covers(other)):
        return None
    return record.purged_before
