"""How complete and fresh the data are."""

from __future__ import annotations

from cli.report.blocks.common import table_block
from cli.report.contents import (
    ReportBlock,
    TableColumn,
)
from cli.report.rows import Answers


def freshness(answers: Answers) -> ReportBlock:
    """Return when each stream was last read."""
    columns = [
        TableColumn(label="Stream", name="stream"),
        TableColumn(label="Last good run", name="last_good_at", format="date"),
        TableColumn(label="Hours ago", name="age_hours", format="decimal"),
        TableColumn(label="Last run", name="last_status"),
    ]
    return table_block(
        answers,
        "freshness",
        columns,
        title="Freshness",
        says="When each stream was last read, and how its last run went.",
        empty="Nothing has run yet.",
        shown=20,
    )


def rejected_records(answers: Answers) -> ReportBlock:
    """Return how many records were rejected, and why."""
    columns = [
        TableColumn(label="Stream", name="stream"),
        TableColumn(label="Reason", name="reason"),
        TableColumn(label="Records", name="records", format="whole"),
    ]
    return table_block(
        answers,
        "rejected_records_by_reason",
        columns,
        title="Rejected records",
        says="Records that could not become a row; they are kept with their reason.",
        empty="Every record became a row.",
    )
