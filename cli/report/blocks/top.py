"""What was heard most in the last twelve months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from cli.report.blocks.common import UNTITLED
from cli.report.contents import (
    Ranked,
    Ranking,
    ReportBlock,
)
from cli.report.rows import Answers, Row, first_day, whole

_MONTHS = 12


def top(answers: Answers, kind: str) -> ReportBlock:
    """Return the ranking of a kind (`artist`, `track` or `album`) over the last twelve months."""
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in answers["top_by_month"]:
        if row["kind"] == kind:
            grouped[whole(row, "place")].append(row)
    months = _last_months(answers["top_by_month"])
    entries = []
    for place, rows in sorted(grouped.items()):
        by_month = {row["month"]: whole(row, "listens_in_month") for row in rows}
        first = rows[0]
        entries.append(
            Ranked(
                place=place,
                name=first["name"] or UNTITLED,
                by=first["artist_name"] or "",
                value=whole(first, "listens"),
                place_before=None if first["place_before"] is None else whole(first, "place_before"),
                months=[by_month.get(month, 0) for month in months],
            )
        )
    return ReportBlock(
        title=f"{kind.capitalize()}s",
        queries=("top_by_month",),
        says="Listens of the last twelve months, month by month, and how the place changed from the twelve before.",
        since=first_day(answers),
        content=Ranking(entries=entries, movement=any(entry.place_before for entry in entries)) if entries else None,
        empty=f"No {kind}s heard in the last twelve months.",
        wide=False,
    )


def _last_months(rows: Sequence[Row]) -> list[str]:
    known = sorted({row["month"] or "" for row in rows})
    if not known:
        return []
    last = date.fromisoformat(known[-1])
    numbers = range(last.year * 12 + last.month - _MONTHS, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1).isoformat() for number in numbers]
