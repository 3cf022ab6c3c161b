"""The rows of an answer: text from Athena, as the numbers and days that a report shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.report.contents import TableColumn

Row = Mapping[str, str | None]
"""The values of a row by column, as text; None for null."""
Rows = Sequence[Row]
Answers = Mapping[str, Rows]
"""The rows of one account by the name of the query."""


def first_day(answers: Answers) -> str:
    """Return the first day with a listen; '' without one."""
    return next((day(row, "first_heard_at") for row in answers["overview"]), "")


def typed(row: Row, columns: Sequence[TableColumn]) -> Iterator[tuple[str, Any]]:
    """Yield the values that the columns show, as numbers, dates or text."""
    for column in columns:
        text = row[column.name]
        if text is None:
            yield column.name, None
        elif column.format == "whole":
            yield column.name, whole(row, column.name)
        elif column.format == "decimal":
            yield column.name, decimal(row, column.name)
        elif column.format in {"date", "month"}:
            yield column.name, day(row, column.name)
        else:
            yield column.name, text
        if column.by:
            yield column.by, row[column.by]


def whole(row: Row, name: str) -> int:
    """Return a whole number, 0 for null."""
    return int(row[name] or 0)


def decimal(row: Row, name: str) -> float:
    """Return a number, 0 for null."""
    return float(row[name] or 0)


def day(row: Row, name: str) -> str:
    """Return the day of a date or timestamp; '' for null."""
    return (row[name] or "")[:10]
