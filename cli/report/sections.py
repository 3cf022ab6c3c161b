"""The sections of the report, in the order in which they are read."""

from __future__ import annotations

from cli.report.blocks import discovery, habits, health, library, listening, top, years
from cli.report.contents import Section
from cli.report.rows import Answers

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


def sections(answers: Answers, year: int | None = None) -> list[Section]:
    """Return the sections.

    Args:
        answers: of all `QUERIES`.
        year: shown first in the year in review; the newest one if absent or without a listen.
    """
    return [
        Section(name="overview", title="Overview", blocks=[listening.overview(answers)]),
        Section(
            name="time",
            title="Over time",
            blocks=[listening.weeks(answers), listening.years(answers), listening.clock(answers)],
        ),
        Section(
            name="top",
            title="What you hear most",
            narrow=True,
            blocks=[top.top(answers, kind) for kind in ("artist", "track", "album")],
        ),
        Section(name="years", title="Year in review", blocks=[years.year_in_review(answers, year)]),
        Section(
            name="habits",
            title="Habits",
            blocks=[habits.sessions(answers), habits.skips(answers), habits.streaks(answers)],
        ),
        Section(
            name="discovery",
            title="Discovery",
            blocks=[
                discovery.discovery(answers),
                discovery.obsessions(answers),
                discovery.forgotten_favourites(answers),
            ],
        ),
        Section(
            name="library",
            title="Library",
            blocks=[
                library.decades(answers),
                library.playlists(answers),
                library.playlist_changes(answers),
                library.podcasts(answers),
            ],
        ),
        Section(
            name="data",
            title="The data behind this",
            blocks=[health.freshness(answers), health.rejected_records(answers)],
        ),
    ]
