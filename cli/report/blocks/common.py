"""What several blocks share: a table of rows, and a chart with its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.report.contents import (
    Content,
    DataTable,
    Figure,
    ReportBlock,
    TableColumn,
)
from cli.report.rows import Answers, typed

LISTENS = TableColumn(label="Listens", name="listens", format="whole")
TRACK = TableColumn(label="Track", name="track_name", by="artist_name")
UNTITLED = "(untitled)"
"""Stands for a title that Spotify sent empty."""


def table_block(
    answers: Answers,
    query: str,
    columns: Sequence[TableColumn],
    *,
    title: str,
    says: str,
    empty: str,
    since: str = "",
    shown: int = 5,
) -> ReportBlock:
    """Return a block with the rows of one query as a table."""
    rows = [dict(typed(row, columns)) for row in answers[query]]
    return ReportBlock(
        title=title,
        queries=(query,),
        says=says,
        since=since,
        content=DataTable(columns=columns, rows=rows, shown=shown) if rows else None,
        empty=empty,
        wide=False,
    )


def figure(chart: Any, label: str, columns: Sequence[TableColumn], values: Sequence[dict[str, Any]]) -> Content | None:
    """Return a chart with its values as a table; None without values."""
    if not values:
        return None
    return Figure(chart=chart, label=label, table=DataTable(columns=columns, rows=values, shown=len(values)))
