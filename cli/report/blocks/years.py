"""Years in review."""

from __future__ import annotations

from collections import defaultdict

from cli.report.blocks.common import UNTITLED
from cli.report.contents import (
    Ranked,
    Ranking,
    ReportBlock,
    Tile,
    Tiles,
    Year,
    Years,
)
from cli.report.rows import Answers, decimal, first_day, whole


def year_in_review(answers: Answers, wanted: int | None) -> ReportBlock:
    """Return every year in review, the wanted one first shown; by default the newest."""
    years = years_in_review(answers)
    known = [year.year for year in years]
    content = Years(years=years, selected=wanted if wanted in known else known[0]) if known else None
    return ReportBlock(
        title="Any year",
        queries=("year_in_review", "top_by_year"),
        says="The year's numbers, and its ten artists, tracks and albums heard most.",
        since=first_day(answers),
        content=content,
        empty="No listens yet.",
    )


def years_in_review(answers: Answers) -> list[Year]:
    """Return every year with a listen, newest first."""
    tops: dict[tuple[int, str], list[Ranked]] = defaultdict(list)
    for row in answers["top_by_year"]:
        entry = Ranked(
            place=whole(row, "place"),
            name=row["name"] or UNTITLED,
            by=row["artist_name"] or "",
            value=whole(row, "listens"),
        )
        tops[whole(row, "year"), row["kind"] or ""].append(entry)
    return [
        Year(
            year=(year := whole(row, "year")),
            tiles=Tiles(
                tiles=[
                    Tile(label="listens", value=whole(row, "listens")),
                    Tile(label="hours", value=round(decimal(row, "minutes_at_most") / 60)),
                    Tile(label="artists", value=whole(row, "artists")),
                    Tile(label="new artists", value=whole(row, "new_artists")),
                    Tile(label="tracks", value=whole(row, "tracks")),
                    Tile(label="days with music", value=whole(row, "days")),
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
