"""How much of a list was served, beside the length that it names."""

from __future__ import annotations

from typing import Any

from handlers.extract.identity import identity

_REMEMBERED = 100
"""Records of a list by offset in which one that is served again is looked for: two pages, so that memory does not grow
with the list."""


class ListLength:
    """Counts the different records of one pass over a list.

    Args:
        start: position of the first record.
        by_cursor: whether pages name no positions, so that a record that is served again is known by itself alone.
        repeats: whether the list may hold the same record twice, as a playlist may.
    """

    def __init__(self, start: int, *, by_cursor: bool, repeats: bool) -> None:
        self.reach = start
        """Position behind the furthest record; of a list by cursor the number of records."""
        self._by_cursor = by_cursor
        self._repeats = repeats
        self._seen: dict[str, None] = {}
        self._skipped = 0

    @property
    def served(self) -> int:
        """Different records so far, with those before `start`."""
        return self.reach - self._skipped

    def serve(self, position: int, value: Any) -> bool:
        """Count a record, unless it was served before; whether it stands where another should."""
        again = self._served_before(value)
        if self._by_cursor:
            self.reach += not again
            return False
        if position < self.reach:
            return False
        self._skipped += again
        self.reach = position + 1
        return again

    def _served_before(self, value: Any) -> bool:
        if self._repeats:
            return False
        name = identity(value)
        # Without a URI, as where the thing itself is null, two records cannot be told apart.
        if ":" not in name:
            return False
        if name in self._seen:
            return True
        self._seen[name] = None
        if not self._by_cursor and len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False

    def gap_before(self, position: int) -> int:
        """How many records lie between those so far and a page that begins at a position."""
        return 0 if self._by_cursor else max(0, position - self.reach)

    def counts(self, records: int, total: int | None) -> bool:
        """Whether a total says that there are so many more."""
        return total is not None and total >= self.served + records

    def skip(self, records: int) -> None:
        """Go on behind records that nobody served."""
        self._skipped += records
        self.reach += records

    def jump(self, position: int) -> None:
        """Go on at a position to which changes have moved the list."""
        self.reach = position
