"""The named queries of a stack: what there is, and one of them by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cli.errors import CommandError
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Your listening": (
        "overview",
        "year_in_review",
        "listening_by_day",
        "listening_by_week",
        "listening_by_hour_and_weekday",
        "listening_by_platform_and_country",
        "listening_by_label",
        "compare_periods",
        "sessions",
        "longest_streaks",
        "skip_rate",
        "on_this_day",
        "podcasts",
    ),
    "Favourites": (
        "top_artists",
        "top_tracks_by_plays",
        "top_albums_by_plays",
        "top_by_month",
        "top_by_year",
        "top_recordings",
        "top_tracks_over_time",
        "most_returned_to_tracks",
        "obsessions",
        "forgotten_favourites",
        "plays_by_playlist",
    ),
    "Discoveries": ("artists_first_heard", "discovery_by_month", "new_releases", "new_this_month"),
    "Your library": (
        "library_by_decade",
        "playlist_changes",
        "playlist_history",
        "gone_from_spotify",
        "playlist_overlap",
        "duplicates_in_playlists",
        "saved_albums_never_played",
        "saved_tracks_not_played_lately",
        "followed_artists_not_heard",
    ),
    "The pipeline": ("freshness", "coverage", "requests_by_stream", "rejected_records_by_reason"),
}
"""The queries of this version by subject, in the order of the list."""
OTHERS = "Others"
"""The group of what a stack has besides."""


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Return names by group, without empty groups."""
    left = set(names)
    groups = {group: [name for name in members if name in left] for group, members in GROUPS.items()}
    groups[OTHERS] = sorted(left.difference(*GROUPS.values()))
    return {group: members for group, members in groups.items() if members}


def named_sql(athena: AthenaClient, ids: Mapping[str, str], name: str) -> str:
    """Return the SQL of a named query.

    Args:
        athena: a client.
        ids: of the stack's named queries by name.
        name: of the query; case does not matter, and a hyphen is as good as an underscore.

    Raises:
        CommandError: there is no such query.
    """
    wanted = name.lower().replace("-", "_")
    if " " in wanted.strip():
        raise CommandError(f"{quoted(name)} is not the name of a query: pass SQL with --sql.")
    if wanted not in ids:
        near = difflib.get_close_matches(wanted, ids, n=1, cutoff=0.5) or [one for one in sorted(ids) if wanted in one]
        hint = f"did you mean {near[0]}?" if near else "`spotify-etl query` lists them all."
        raise CommandError(f"There is no named query {quoted(name)}: {hint}")
    return athena.get_named_query(NamedQueryId=ids[wanted])["NamedQuery"]["QueryString"]
