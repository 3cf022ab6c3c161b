"""How much of a list was served, beside the length that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from handlers.extract.reads.served_records import ServedRecords, record_name

_COPIES: Final = 10
"""So many records of one page that were served before are a page in another's place rather than things that a playlist
holds twice."""


class ListLength:
    """Counts the different records of one pass over a list.

    Args:
        start: position of the first record.
        by_cursor: whether pages name no positions, so that a record that is served again is known by itself alone.
        repeats: whether the list may hold the same record twice, as a playlist may; then only those count as served
            again that fill a page or a large part of it.
        served: what the pass was served before `start`.
    """

    def __init__(self, start: int, *, by_cursor: bool, repeats: bool, served: ServedRecords) -> None:
        self.reach = start
        """Position behind the furthest record; of a list by cursor the number of different records."""
        self.repeated = 0
        """Records that were served before."""
        self._by_cursor = by_cursor
        self._repeats = repeats
        self._seen = served
        self._is_page_again = False
        self._skipped = 0

    @property
    def served(self) -> int:
        """Different records so far, with those before `start`."""
        return self.reach - self._skipped

    def is_repeated(self, position: int, items: Sequence[Any]) -> bool:
        """Whether a page seems to be another one, or a part of it, in the place of its own records."""
        if not self._by_cursor and position < self.reach:
            return False
        seen = sum(name is not None and name in self._seen for name in map(record_name, items))
        return seen > 0 and (not self._repeats or seen >= min(_COPIES, len(items)))

    def begin_page(self, position: int, items: Sequence[Any]) -> None:
        """Note a page, the records of which are counted as they are served."""
        self._is_page_again = self._repeats and self.is_repeated(position, items)

    def serve(self, position: int, value: Any) -> bool:
        """Count a record; returns whether it stands where another should."""
        name = record_name(value)
        before = name is not None and self._seen.note(name)
        again = before and (self._is_page_again or not self._repeats)
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
        """How many records lie between those so far and a page that begins at a position."""
        return 0 if self._by_cursor else max(0, position - self.reach)

    def counts(self, records: int, total: int | None) -> bool:
        """Whether a total has room for so many more."""
        return total is not None and total >= self.served + records

    def skip(self, records: int) -> None:
        """Go on behind records that nobody served."""
        self._skipped += records
        self.reach += records

    def jump(self, position: int, grown: int) -> int:
        """Go on at a position to which changes have moved the list.

        Args:
            position: of the next record.
            grown: by how many records the list has become longer.

        Returns:
            How many records lie between that cannot have come since the pass began.
        """
        skipped = max(0, position - self.reach - max(0, grown))
        self._skipped += skipped
        self.reach = position
        return skipped
