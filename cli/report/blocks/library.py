"""The library and what is played from it."""

from __future__ import annotations

from cli.report import charts
from cli.report.blocks.common import LISTENS, figure, table_block
from cli.report.contents import (
    ReportBlock,
    TableColumn,
)
from cli.report.rows import Answers, decimal, first_day, whole


def decades(answers: Answers) -> ReportBlock:
    """Return the chart of saved tracks per decade."""
    values = [
        {
            "decade": row["decade"] or "unknown",
            "tracks": whole(row, "tracks"),
            "percent": decimal(row, "percent"),
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
        content=figure(charts.tracks_by_decade(values), "Saved tracks per decade of release", columns, values),
        empty="No saved tracks were read: a privacy export does not hold the library.",
        wide=False,
    )


def playlists(answers: Answers) -> ReportBlock:
    """Return the playlists that plays were started from."""
    columns = [
        TableColumn(label="Playlist", name="playlist_name"),
        LISTENS,
        TableColumn(label="Tracks", name="different_tracks", format="whole"),
        TableColumn(label="Last played", name="last_played_at", format="date"),
    ]
    return table_block(
        answers,
        "plays_by_playlist",
        columns,
        title="Playlists you play from",
        says="By listens started from the playlist; only the API says what a play was started from.",
        since=first_day(answers),
        empty="No play was started from a playlist yet.",
    )


def playlist_changes(answers: Answers) -> ReportBlock:
    """Return what changed in playlists."""
    columns = [
        TableColumn(label="Playlist", name="playlist_name"),
        TableColumn(label="Change", name="change"),
        TableColumn(label="Track", name="item_name", by="artist_name"),
    ]
    return table_block(
        answers,
        "playlist_changes",
        columns,
        title="What changed in playlists",
        says="Between the last two complete reads of each playlist.",
        empty="No playlist changed between its last two reads.",
    )


def podcasts(answers: Answers) -> ReportBlock:
    """Return the podcasts heard most."""
    columns = [
        TableColumn(label="Podcast", name="show_name"),
        LISTENS,
        TableColumn(label="Minutes", name="minutes", format="decimal"),
    ]
    return table_block(
        answers,
        "podcasts",
        columns,
        title="Podcasts",
        says="By the time you listened.",
        since=first_day(answers),
        empty="No podcasts heard yet.",
    )
