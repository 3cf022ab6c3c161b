"""How much was heard, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from cli.report import charts
from cli.report.blocks.common import LISTENS, figure
from cli.report.contents import (
    ReportBlock,
    TableColumn,
    Tile,
    Tiles,
)
from cli.report.rows import Answers, day, decimal, first_day, whole

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def overview(answers: Answers) -> ReportBlock:
    """Return the numbers of all listening."""
    content = None
    for row in answers["overview"]:
        if whole(row, "listens"):
            content = Tiles(
                tiles=[
                    Tile(label="listens", value=whole(row, "listens")),
                    Tile(label="hours", value=round(decimal(row, "hours_at_most"))),
                    Tile(label="artists", value=whole(row, "artists")),
                    Tile(label="tracks", value=whole(row, "tracks")),
                    Tile(label="days with a listen", value=whole(row, "days")),
                    Tile(label="last listen", value=day(row, "last_heard_at"), format="date"),
                ]
            )
    return ReportBlock(
        title="Your listening at a glance",
        queries=("overview",),
        says="A listen is a play of at least 30 seconds.",
        since=first_day(answers),
        content=content,
        empty="No listens yet: let the pipeline run for a day, or import your privacy export.",
    )


def weeks(answers: Answers) -> ReportBlock:
    """Return the chart of listens per week."""
    values = [
        {
            "week": day(row, "week"),
            "listens": whole(row, "listens"),
            "hours": round(decimal(row, "minutes_at_most") / 60, 1),
        }
        for row in reversed(answers["listening_by_week"])
    ]
    columns = [
        TableColumn(label="Week from", name="week", format="date"),
        LISTENS,
        TableColumn(label="Hours", name="hours", format="decimal"),
    ]
    return ReportBlock(
        title="Week by week",
        queries=("listening_by_week",),
        says="Listens in each week, from Monday to Sunday.",
        since=first_day(answers),
        content=figure(
            charts.listens_by_week(_without_gaps(values)), "Listens per week over time", columns, values[::-1]
        ),
        empty="No listens yet.",
    )


def years(answers: Answers) -> ReportBlock:
    """Return the chart of hours per year."""
    values = [
        {
            "year": whole(row, "year"),
            "hours": round(decimal(row, "minutes_at_most") / 60, 1),
            "listens": whole(row, "listens"),
        }
        for row in reversed(answers["year_in_review"])
    ]
    columns = [
        TableColumn(label="Year", name="year"),
        TableColumn(label="Hours", name="hours", format="decimal"),
        LISTENS,
    ]
    return ReportBlock(
        title="Year by year",
        queries=("year_in_review",),
        says="Hours in each year. A play read from the API counts with the length of its whole track.",
        since=first_day(answers),
        content=figure(charts.hours_by_year(values), "Hours of listening per year", columns, values[::-1]),
        empty="No listens yet.",
        wide=False,
    )


def clock(answers: Answers) -> ReportBlock:
    """Return the heat map of listens by weekday and hour."""
    values = [
        {
            "weekday": whole(row, "weekday"),
            "day": _WEEKDAYS[whole(row, "weekday") - 1],
            "hour": whole(row, "hour_of_day"),
            "listens": whole(row, "listens"),
        }
        for row in answers["listening_by_hour_and_weekday"]
    ]
    columns = [
        TableColumn(label="Day", name="day"),
        TableColumn(label="Hour", name="hour", format="whole"),
        LISTENS,
    ]
    return ReportBlock(
        title="Around the clock",
        queries=("listening_by_hour_and_weekday",),
        says="Listens of the last twelve weeks by local weekday and hour; the stronger the colour, the more.",
        since=first_day(answers),
        content=figure(charts.clock(_whole_week(values)), "Listens by weekday and hour of the day", columns, values),
        empty="No listens in the last twelve weeks.",
        wide=False,
    )


def _without_gaps(weeks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the weeks with a zero for each that is missing, and one at the end for the area to close on."""
    if not weeks:
        return []
    known = {week["week"]: week for week in weeks}
    first, last = (date.fromisoformat(weeks[index]["week"]).toordinal() for index in (0, -1))
    every = (date.fromordinal(day).isoformat() for day in range(first, last + 8, 7))
    return [
        known.get(week, {"week": week, "listens": 0}) if week != weeks[-1]["week"] else known[week] for week in every
    ]


def _whole_week(values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a value for each hour of the week, zero where nothing was heard."""
    if not values:
        return []
    known = {(value["weekday"], value["hour"]): value for value in values}
    return [
        known.get((weekday, hour), {"weekday": weekday, "day": _WEEKDAYS[weekday - 1], "hour": hour, "listens": 0})
        for weekday in range(1, 8)
        for hour in range(24)
    ]
