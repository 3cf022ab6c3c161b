"""How many records of a list were served, compared with the total that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handlers.extract.reads.served_records import ServedRecords

_COPIES: Final = 10
"""This many repeated records on one page are another page in its place, rather than duplicates in a playlist."""


class ListLength:
    """Counts the distinct records of one pass over a list.

    Args:
        start: position of the first record.
        by_cursor: whether pages name no positions, so that only its key shows that a record is repeated.
        repeats: whether the list may hold the same record twice, as a playlist may; then records count as repeated
            only if they fill a page or a large part of it.
        served: what the pass was served before `start`.
    """

    def __init__(self, start: int, *, by_cursor: bool, repeats: bool, served: ServedRecords) -> None:
        self.reach = start
        """Position after the furthest record; for a list by cursor the number of distinct records."""
        self.repeated = 0
        """Records that were served before."""
        self._by_cursor = by_cursor
        self._repeats = repeats
        self._seen = served
        self._is_page_repeated = False
        self._skipped = 0

    @property
    def served(self) -> int:
        """Distinct records so far, including those before `start`."""
        return self.reach - self._skipped

    def is_repeated(self, position: int, digests: Sequence[bytes | None]) -> bool:
        """Return whether a page, by the digests of its records, seems to be another page, or a part of one."""
        if not self._by_cursor and position < self.reach:
            return False
        seen = sum(digest is not None and digest in self._seen for digest in digests)
        return seen > 0 and (not self._repeats or seen >= min(_COPIES, len(digests)))

    def begin_page(self, position: int, digests: Sequence[bytes | None]) -> None:
        """Start a page, whose records are then counted one by one."""
        self._is_page_repeated = self._repeats and self.is_repeated(position, digests)

    def count(self, position: int, digest: bytes | None) -> bool:
        """Count a record by its digest; return whether it is served in place of another."""
        before = digest is not None and self._seen.add(digest)
        again = before and (self._is_page_repeated or not self._repeats)
        if self._by_cursor:
            self.reach += not again
        elif position < self.reach:
            self.repeated += 1
            return False
        else:
            self._skipped += again
            self.reach = position + 1
        self.repeated += again
        return again

    def gap_before(self, position: int) -> int:
        """Return how many records are missing between those so far and a page that starts at a position."""
        return 0 if self._by_cursor else max(0, position - self.reach)

    def has_room_for(self, records: int, total: int | None) -> bool:
        """Return whether the total allows that many more records."""
        return total is not None and total >= self.served + records

    def skip(self, records: int) -> None:
        """Continue after records that were not served."""
        self._skipped += records
        self.reach += records

    def jump(self, position: int, grown: int) -> int:
        """Continue at the position to which changes have moved the list.

        Args:
            position: position of the next record.
            grown: by how many records the list has become longer.

        Returns:
            How many of the records in between cannot be new since the pass started.
        """
        skipped = max(0, position - self.reach - max(0, grown))
        self._skipped += skipped
        self.reach = position
        return skipped
