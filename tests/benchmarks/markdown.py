"""Tables of the pages that benchmarks write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 0) -> str:
    """Return a Markdown table whose columns are aligned to the right.

    Args:
        head: names of the columns.
        rows: their cells.
        names: how many of the first columns are aligned to the left.
    """
    aligned = ("---",) * names + ("---:",) * (len(head) - names)
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, aligned, *rows))
