"""The sections of the report, in the order in which they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from cli.report import charts
from cli.report.contents import (
    Content,
    DataTable,
    Figure,
    Ranked,
    Ranking,
    ReportBlock,
    Section,
    TableColumn,
    Tile,
    Tiles,
    Year,
    Years,
)

Row = Mapping[str, str | None]
Answers = Mapping[str, Sequence[Row]]
"""The rows of one account by the name of the query."""

QUERIES = (
    "discovery_by_month",
    "forgotten_favourites",
    "freshness",
    "library_by_decade",
    "listening_by_hour_and_weekday",
    "listening_by_week",
    "longest_streaks",
    "obsessions",
    "overview",
    "playlist_changes",
    "plays_by_playlist",
    "podcasts",
    "rejected_records_by_reason",
    "sessions",
    "skip_rate",
    "top_by_month",
    "top_by_year",
    "year_in_review",
)
"""The named queries that the report is made from."""

UNTITLED = "(untitled)"
"""Stands for a title that Spotify sent empty."""

_MONTHS = 12
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TRACK = TableColumn(label="Track", name="track_name", by="artist_name")
_LISTENS = TableColumn(label="Listens", name="listens", format="whole")


def sections(answers: Answers, year: int | None = None) -> list[Section]:
    """Return the sections.

    Args:
        answers: of all `QUERIES`.
        year: shown first in the year in review; the newest one if absent or without a listen.
    """
    return [
        Section(name="overview", title="Overview", blocks=[_overview(answers)]),
        Section(name="time", title="Over time", blocks=[_weeks(answers), _years(answers), _clock(answers)]),
        Section(
            name="top",
            title="What you hear most",
            narrow=True,
            blocks=[_top(answers, kind) for kind in ("artist", "track", "album")],
        ),
        Section(name="years", title="Year in review", blocks=[_year_in_review(answers, year)]),
        Section(name="habits", title="Habits", blocks=[_sessions(answers), _skips(answers), _streaks(answers)]),
        Section(
            name="discovery",
            title="Discovery",
            blocks=[_discovery(answers), _obsessions(answers), _forgotten(answers)],
        ),
        Section(
            name="library",
            title="Library",
            blocks=[_decades(answers), _playlists(answers), _playlist_changes(answers), _podcasts(answers)],
        ),
        Section(name="data", title="The data behind this", blocks=[_freshness(answers), _rejected(answers)]),
    ]


def _overview(answers: Answers) -> ReportBlock:
    content = None
    for row in answers["overview"]:
        if _whole(row, "listens"):
            content = Tiles(
                tiles=[
                    Tile(label="listens", value=_whole(row, "listens")),
                    Tile(label="hours", value=round(_decimal(row, "hours_at_most"))),
                    Tile(label="artists", value=_whole(row, "artists")),
                    Tile(label="tracks", value=_whole(row, "tracks")),
                    Tile(label="days with a listen", value=_whole(row, "days")),
                    Tile(label="last listen", value=_day(row, "last_heard_at"), format="date"),
                ]
            )
    return ReportBlock(
        title="Your listening at a glance",
        queries=("overview",),
        says="A listen is a play of at least 30 seconds.",
        since=_first_day(answers),
        content=content,
        empty="No listens yet: let the pipeline run for a day, or import your privacy export.",
    )


def _first_day(answers: Answers) -> str:
    return next((_day(row, "first_heard_at") for row in answers["overview"]), "")


def _weeks(answers: Answers) -> ReportBlock:
    values = [
        {
            "week": _day(row, "week"),
            "listens": _whole(row, "listens"),
            "hours": round(_decimal(row, "minutes_at_most") / 60, 1),
        }
        for row in reversed(answers["listening_by_week"])
    ]
    columns = [
        TableColumn(label="Week from", name="week", format="date"),
        _LISTENS,
        TableColumn(label="Hours", name="hours", format="decimal"),
    ]
    return ReportBlock(
        title="Week by week",
        queries=("listening_by_week",),
        says="Listens in each week, from Monday to Sunday.",
        since=_first_day(answers),
        content=_figure(
            charts.listens_by_week(_without_gaps(values)), "Listens per week over time", columns, values[::-1]
        ),
        empty="No listens yet.",
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


def _years(answers: Answers) -> ReportBlock:
    values = [
        {
            "year": _whole(row, "year"),
            "hours": round(_decimal(row, "minutes_at_most") / 60, 1),
            "listens": _whole(row, "listens"),
        }
        for row in reversed(answers["year_in_review"])
    ]
    columns = [
        TableColumn(label="Year", name="year"),
        TableColumn(label="Hours", name="hours", format="decimal"),
        _LISTENS,
    ]
    return ReportBlock(
        title="Year by year",
        queries=("year_in_review",),
        says="Hours in each year. A play read from the API counts with the length of its whole track.",
        since=_first_day(answers),
        content=_figure(charts.hours_by_year(values), "Hours of listening per year", columns, values[::-1]),
        empty="No listens yet.",
        wide=False,
    )


def _clock(answers: Answers) -> ReportBlock:
    values = [
        {
            "weekday": _whole(row, "weekday"),
            "day": _WEEKDAYS[_whole(row, "weekday") - 1],
            "hour": _whole(row, "hour_of_day"),
            "listens": _whole(row, "listens"),
        }
        for row in answers["listening_by_hour_and_weekday"]
    ]
    columns = [
        TableColumn(label="Day", name="day"),
        TableColumn(label="Hour", name="hour", format="whole"),
        _LISTENS,
    ]
    return ReportBlock(
        title="Around the clock",
        queries=("listening_by_hour_and_weekday",),
        says="Listens of the last twelve weeks by local weekday and hour; the stronger the colour, the more.",
        since=_first_day(answers),
        content=_figure(charts.clock(_whole_week(values)), "Listens by weekday and hour of the day", columns, values),
        empty="No listens in the last twelve weeks.",
        wide=False,
    )


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


def _top(answers: Answers, kind: str) -> ReportBlock:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in answers["top_by_month"]:
        if row["kind"] == kind:
            grouped[_whole(row, "place")].append(row)
    months = _last_months(answers["top_by_month"])
    entries = []
    for place, rows in sorted(grouped.items()):
        by_month = {row["month"]: _whole(row, "listens_in_month") for row in rows}
        first = rows[0]
        entries.append(
            Ranked(
                place=place,
                name=first["name"] or UNTITLED,
                by=first["artist_name"] or "",
                value=_whole(first, "listens"),
                minutes=_decimal(first, "minutes_at_most"),
                place_before=None if first["place_before"] is None else _whole(first, "place_before"),
                months=[by_month.get(month, 0) for month in months],
            )
        )
    return ReportBlock(
        title=f"{kind.capitalize()}s",
        queries=("top_by_month",),
        says="Listens of the last twelve months, month by month, and how the place changed from the twelve before.",
        since=_first_day(answers),
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


def years_in_review(answers: Answers) -> list[Year]:
    """Return every year with a listen, newest first."""
    tops: dict[tuple[int, str], list[Ranked]] = defaultdict(list)
    for row in answers["top_by_year"]:
        entry = Ranked(
            place=_whole(row, "place"),
            name=row["name"] or UNTITLED,
            by=row["artist_name"] or "",
            value=_whole(row, "listens"),
            minutes=_decimal(row, "minutes_at_most"),
        )
        tops[_whole(row, "year"), row["kind"] or ""].append(entry)
    return [
        Year(
            year=(year := _whole(row, "year")),
            tiles=Tiles(
                tiles=[
                    Tile(label="listens", value=_whole(row, "listens")),
                    Tile(label="hours", value=round(_decimal(row, "minutes_at_most") / 60)),
                    Tile(label="artists", value=_whole(row, "artists")),
                    Tile(label="new artists", value=_whole(row, "new_artists")),
                    Tile(label="tracks", value=_whole(row, "tracks")),
                    Tile(label="days with music", value=_whole(row, "days")),
                ]
            ),
            rankings=[
                (title, Ranking(entries=tops[year, kind]))
                for kind, title in (("artist", "Artists"), ("track", "Tracks"), ("album", "Albums"))
                if tops[year, kind]
            ],
        )
        for row in answers["year_in_review"]
    ]


def _year_in_review(answers: Answers, wanted: int | None) -> ReportBlock:
    years = years_in_review(answers)
    known = [year.year for year in years]
    content = Years(years=years, selected=wanted if wanted in known else known[0]) if known else None
    return ReportBlock(
        title="Any year",
        queries=("year_in_review", "top_by_year"),
        says="The year's numbers, and its ten artists, tracks and albums heard most.",
        since=_first_day(answers),
        content=content,
        empty="No listens yet.",
    )


def _sessions(answers: Answers) -> ReportBlock:
    rows = [
        {
            "began": _day(row, "started_at"),
            "time": (row["started_at"] or "")[11:16],
            "minutes": _decimal(row, "minutes"),
            "listens": _whole(row, "listens"),
            "artists": _whole(row, "artists"),
        }
        for row in answers["sessions"]
    ]
    longest = sorted(rows, key=lambda row: -float(str(row["minutes"])))
    columns = [
        TableColumn(label="Day", name="began", format="date"),
        TableColumn(label="From", name="time"),
        TableColumn(label="Minutes", name="minutes", format="decimal"),
        _LISTENS,
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


def _skips(answers: Answers) -> ReportBlock:
    values = [
        {
            "month": row["month"],
            "plays": _whole(row, "plays"),
            "skips": _whole(row, "skips"),
            "percent": _decimal(row, "percent_skipped"),
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
        content=_figure(
            charts.share_by_month(values, "percent", "Percent skipped"),
            "Percent of tracks skipped per month",
            columns,
            values[::-1],
        ),
        empty="Only the extended privacy export knows what you skipped: import it to see this.",
        wide=False,
    )


def _streaks(answers: Answers) -> ReportBlock:
    columns = [
        TableColumn(label="Days", name="days", format="whole"),
        TableColumn(label="From", name="first_day", format="date"),
        TableColumn(label="To", name="last_day", format="date"),
        _LISTENS,
    ]
    return _table_block(
        answers,
        "longest_streaks",
        columns,
        title="Longest streaks",
        says="Days in a row with at least one listen.",
        since=_first_day(answers),
        empty="No listens yet.",
    )


def _discovery(answers: Answers) -> ReportBlock:
    values = [
        {
            "month": row["month"],
            "new_artists": _whole(row, "new_artists"),
            "new_tracks": _whole(row, "new_tracks"),
            "percent": _decimal(row, "percent_new_artists"),
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
        since=_first_day(answers),
        content=_figure(
            charts.by_month(values, "new_artists", "New artists"),
            "Artists first heard per month",
            columns,
            values[::-1],
        ),
        empty="No listens yet.",
    )


def _obsessions(answers: Answers) -> ReportBlock:
    columns = [
        _TRACK,
        TableColumn(label="In a week", name="listens_in_week", format="whole"),
        TableColumn(label="Week to", name="last_day", format="date"),
        TableColumn(label="Ever", name="listens_ever", format="whole"),
    ]
    return _table_block(
        answers,
        "obsessions",
        columns,
        title="Obsessions",
        says="The tracks played most within seven days.",
        since=_first_day(answers),
        empty="No track was heard twice in a week yet.",
    )


def _forgotten(answers: Answers) -> ReportBlock:
    columns = [_TRACK, _LISTENS, TableColumn(label="Last heard", name="last_heard_at", format="date")]
    return _table_block(
        answers,
        "forgotten_favourites",
        columns,
        title="Forgotten favourites",
        says="Heard ten times or more, but not in the last twelve months.",
        since=_first_day(answers),
        empty="Nothing is forgotten: this takes more than a year of listening history.",
    )


def _decades(answers: Answers) -> ReportBlock:
    values = [
        {
            "decade": row["decade"] or "unknown",
            "tracks": _whole(row, "tracks"),
            "percent": _decimal(row, "percent"),
        }
        for row in answers["library_by_decade"]
    ]
    columns = [
        TableColumn(label="Decade", name="decade"),
        TableColumn(label="Saved tracks", name="tracks", format="whole"),
        TableColumn(label="Percent", name="percent", format="decimal"),
    ]
    return ReportBlock(
        title="By decade",
        queries=("library_by_decade",),
        says="Your saved tracks by the decade of their album's release.",
        content=_figure(charts.tracks_by_decade(values), "Saved tracks per decade of release", columns, values),
        empty="No saved tracks were read: a privacy export does not hold the library.",
        wide=False,
    )


def _playlists(answers: Answers) -> ReportBlock:
    columns = [
        TableColumn(label="Playlist", name="playlist_name"),
        _LISTENS,
        TableColumn(label="Tracks", name="different_tracks", format="whole"),
        TableColumn(label="Last played", name="last_played_at", format="date"),
    ]
    return _table_block(
        answers,
        "plays_by_playlist",
        columns,
        title="Playlists you play from",
        says="By listens started from the playlist; only the API says what a play was started from.",
        since=_first_day(answers),
        empty="No play was started from a playlist yet.",
    )


def _playlist_changes(answers: Answers) -> ReportBlock:
    columns = [
        TableColumn(label="Playlist", name="playlist_name"),
        TableColumn(label="Change", name="change"),
        TableColumn(label="Track", name="item_name", by="artist_name"),
    ]
    return _table_block(
        answers,
        "playlist_changes",
        columns,
        title="What changed in playlists",
        says="Between the last two complete reads of each playlist.",
        empty="No playlist changed between its last two reads.",
    )


def _podcasts(answers: Answers) -> ReportBlock:
    columns = [
        TableColumn(label="Podcast", name="show_name"),
        _LISTENS,
        TableColumn(label="Minutes", name="minutes", format="decimal"),
    ]
    return _table_block(
        answers,
        "podcasts",
        columns,
        title="Podcasts",
        says="By the time you listened.",
        since=_first_day(answers),
        empty="No podcasts heard yet.",
    )


def _freshness(answers: Answers) -> ReportBlock:
    columns = [
        TableColumn(label="Stream", name="stream"),
        TableColumn(label="Last good run", name="last_good_at", format="date"),
        TableColumn(label="Hours ago", name="age_hours", format="decimal"),
        TableColumn(label="Last run", name="last_status"),
    ]
    return _table_block(
        answers,
        "freshness",
        columns,
        title="Freshness",
        says="When each stream was last read, and how its last run went.",
        empty="Nothing has run yet.",
        shown=20,
    )


def _rejected(answers: Answers) -> ReportBlock:
    columns = [
        TableColumn(label="Stream", name="stream"),
        TableColumn(label="Reason", name="reason"),
        TableColumn(label="Records", name="records", format="whole"),
    ]
    return _table_block(
        answers,
        "rejected_records_by_reason",
        columns,
        title="Rejected records",
        says="Records that could not become a row; they are kept with their reason.",
        empty="Every record became a row.",
    )


def _table_block(
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
    rows = [dict(_typed(row, columns)) for row in answers[query]]
    return ReportBlock(
        title=title,
        queries=(query,),
        says=says,
        since=since,
        content=DataTable(columns=columns, rows=rows, shown=shown) if rows else None,
        empty=empty,
        wide=False,
    )


def _figure(chart: Any, label: str, columns: Sequence[TableColumn], values: Sequence[dict[str, Any]]) -> Content | None:
    if not values:
        return None
    return Figure(chart=chart, label=label, table=DataTable(columns=columns, rows=values, shown=len(values)))


def _typed(row: Row, columns: Sequence[TableColumn]) -> Iterator[tuple[str, Any]]:
    for column in columns:
        text = row[column.name]
        if text is None:
            yield column.name, None
        elif column.format == "whole":
            yield column.name, _whole(row, column.name)
        elif column.format in {"decimal", "percent"}:
            yield column.name, _decimal(row, column.name)
        elif column.format in {"date", "month"}:
            yield column.name, _day(row, column.name)
        else:
            yield column.name, text
        if column.by:
            yield column.by, row[column.by]


def _whole(row: Row, name: str) -> int:
    return int(row[name] or 0)


def _decimal(row: Row, name: str) -> float:
    return float(row[name] or 0)


def _day(row: Row, name: str) -> str:
    return (row[name] or "")[:10]
