"""Rows as a table in the terminal, as many columns of them as fit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.presentation import table
from cli.query.answers import ResultColumn

_NARROWEST = 12
"""Characters that a column needs at least; shorter ones need only their own."""
_FRAME = 3
"""Characters between two columns."""


def rows_table(
    console: Console, columns: Sequence[ResultColumn], rows: Sequence[Sequence[str | None]], count: int
) -> tuple[Table, str]:
    """Return a table of the first rows, and a note of what it leaves out; '' if that is nothing.

    Args:
        console: where it is printed; a file takes all columns.
        columns: of the answer.
        rows: the first rows.
        count: how many rows the answer has.
    """
    shown = _fitting(columns, rows, console.width) if console.is_terminal else len(columns)
    left_out = []
    if count > len(rows):
        left_out.append(f"{len(rows)} of {count:,} rows")
    if shown < len(columns):
        left_out.append(f"{shown} of {len(columns)} columns")
    made = table("", [column.name for column in columns[:shown]], [row[:shown] for row in rows])
    made.title = None
    return made, f"Showing {' and '.join(left_out)}; --out rows.csv writes all of them." if left_out else ""


def _fitting(columns: Sequence[ResultColumn], rows: Sequence[Sequence[str | None]], width: int) -> int:
    """Return how many columns fit, at least one."""
    used = 1
    for index, column in enumerate(columns):
        longest = max(len(text) for text in (column.name, *(row[index] or "-" for row in rows)))
        used += min(longest, max(_NARROWEST, len(column.name))) + _FRAME
        if used > width:
            return max(index, 1)
    return len(columns)
