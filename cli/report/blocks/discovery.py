"""What was new, played over and over, or forgotten."""

from __future__ import annotations

from cli.report import charts
from cli.report.blocks.common import LISTENS, TRACK, figure, table_block
from cli.report.contents import (
    ReportBlock,
    TableColumn,
)
from cli.report.rows import Answers, decimal, first_day, whole


def discovery(answers: Answers) -> ReportBlock:
    """Return the chart of artists first heard per month."""
    values = [
        {
            "month": row["month"],
            "new_artists": whole(row, "new_artists"),
            "new_tracks": whole(row, "new_tracks"),
            "percent": decimal(row, "percent_new_artists"),
        }
        for row in reversed(answers["discovery_by_month"])
    ]
    columns = [
        TableColumn(label="Month", name="month", format="month"),
        TableColumn(label="New artists", name="new_artists", format="whole"),
        TableColumn(label="New tracks", name="new_tracks", format="whole"),
        TableColumn(label="Percent of listens", name="percent", format="decimal"),
    ]
    return ReportBlock(
        title="New artists",
        queries=("discovery_by_month",),
        says="Artists heard for the first time, by month. The first months of the data count everything as new.",
        since=first_day(answers),
        content=figure(
            charts.by_month(values, "new_artists", "New artists"),
            "Artists first heard per month",
            columns,
            values[::-1],
        ),
        empty="No listens yet.",
    )


def obsessions(answers: Answers) -> ReportBlock:
    """Return the tracks played most within a week."""
    columns = [
        TRACK,
        TableColumn(label="In a week", name="listens_in_week", format="whole"),
        TableColumn(label="Week to", name="last_day", format="date"),
        TableColumn(label="Ever", name="listens_ever", format="whole"),
    ]
    return table_block(
        answers,
        "obsessions",
        columns,
        title="Obsessions",
        says="The tracks played most within seven days.",
        since=first_day(answers),
        empty="No track was heard twice in a week yet.",
    )


def forgotten_favourites(answers: Answers) -> ReportBlock:
    """Return what was heard often, but not lately."""
    columns = [TRACK, LISTENS, TableColumn(label="Last heard", name="last_heard_at", format="date")]
    return table_block(
        answers,
        "forgotten_favourites",
        columns,
        title="Forgotten favourites",
        says="Heard ten times or more, but not in the last twelve months.",
        since=first_day(answers),
        empty="Nothing is forgotten: this takes more than a year of listening history.",
    )
