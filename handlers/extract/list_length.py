"""How much of a list was served, beside the length that it names."""

from __future__ import annotations

from typing import Any

from handlers.extract.identity import identity


class ListLength:
    """Counts the different records of one pass over a list.

    Args:
        start: position of the first record.
        by_cursor: whether pages name no positions, so that a record that is served again is known by itself.
    """

    def __init__(self, start: int, *, by_cursor: bool) -> None:
        self.total: int | None = None
        """The last length that a page named."""
        self.reach = start
        """Position behind the furthest record; of a list by cursor the number of records."""
        self._by_cursor = by_cursor
        self._seen: set[str] = set()
        self._skipped = 0

    @property
    def served(self) -> int:
        """Different records so far, with those before `start`."""
        return self.reach - self._skipped

    def name(self, total: object) -> None:
        """Take the length that a page names, if it names one."""
        if type(total) is int:
            self.total = total

    def serve(self, position: int, value: Any) -> None:
        """Count a record."""
        if not self._by_cursor:
            self.reach = max(self.reach, position + 1)
            return
        # Elements that are null cannot be told apart.
        name = f"null {position}" if value is None else identity(value)
        if name not in self._seen:
            self._seen.add(name)
            self.reach += 1

    def gap_before(self, position: int) -> int:
        """How many records lie between those so far and a page that begins at a position."""
        return 0 if self._by_cursor else max(0, position - self.reach)

    def counts(self, records: int) -> bool:
        """Whether the total says that there are so many more."""
        return self.total is not None and self.total >= self.served + records

    def skip(self, records: int) -> None:
        """Go on behind records that nobody served."""
        self._skipped += records
        self.reach += records

    def jump(self, position: int) -> None:
        """Go on at a position to which changes have moved the list."""
        self.reach = max(self.reach, position)
