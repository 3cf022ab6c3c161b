"""How it was heard: sessions, skips and streaks."""

from __future__ import annotations

from cli.report import charts
from cli.report.blocks.common import LISTENS, figure, table_block
from cli.report.contents import (
    DataTable,
    ReportBlock,
    TableColumn,
)
from cli.report.rows import Answers, day, decimal, first_day, whole


def sessions(answers: Answers) -> ReportBlock:
    """Return the longest sessions."""
    rows = [
        {
            "began": day(row, "started_at"),
            "time": (row["started_at"] or "")[11:16],
            "minutes": decimal(row, "minutes"),
            "listens": whole(row, "listens"),
            "artists": whole(row, "artists"),
        }
        for row in answers["sessions"]
    ]
    longest = sorted(rows, key=lambda row: -float(str(row["minutes"])))
    columns = [
        TableColumn(label="Day", name="began", format="date"),
        TableColumn(label="From", name="time"),
        TableColumn(label="Minutes", name="minutes", format="decimal"),
        LISTENS,
        TableColumn(label="Artists", name="artists", format="whole"),
    ]
    return ReportBlock(
        title="Longest sessions",
        queries=("sessions",),
        says="Of the last four weeks; a pause of more than thirty minutes ends a session.",
        content=DataTable(columns=columns, rows=longest[:50], shown=5) if rows else None,
        empty="No listens in the last four weeks.",
        wide=False,
    )


def skips(answers: Answers) -> ReportBlock:
    """Return the chart of skipped tracks."""
    values = [
        {
            "month": row["month"],
            "plays": whole(row, "plays"),
            "skips": whole(row, "skips"),
            "percent": decimal(row, "percent_skipped"),
        }
        for row in reversed(answers["skip_rate"])
    ]
    columns = [
        TableColumn(label="Month", name="month", format="month"),
        TableColumn(label="Plays", name="plays", format="whole"),
        TableColumn(label="Skipped", name="skips", format="whole"),
        TableColumn(label="Percent", name="percent", format="decimal"),
    ]
    return ReportBlock(
        title="Skips",
        queries=("skip_rate",),
        says="The share of started tracks that you skipped, by month.",
        since=str(values[0]["month"]) if values else "",
        content=figure(
            charts.share_by_month(values, "percent", "Percent skipped"),
            "Percent of tracks skipped per month",
            columns,
            values[::-1],
        ),
        empty="Only the extended privacy export knows what you skipped: import it to see this.",
        wide=False,
    )


def streaks(answers: Answers) -> ReportBlock:
    """Return the longest streaks of days with a listen."""
    columns = [
        TableColumn(label="Days", name="days", format="whole"),
        TableColumn(label="From", name="first_day", format="date"),
        TableColumn(label="To", name="last_day", format="date"),
        LISTENS,
    ]
    return table_block(
        answers,
        "longest_streaks",
        columns,
        title="Longest streaks",
        says="Days in a row with at least one listen.",
        since=first_day(answers),
        empty="No listens yet.",
    )
