"""Answers of the named queries, made up: a short history with titles that must stay text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cli.report.rows import Rows
from cli.report.sections import QUERIES

HOSTILE = "</script><script>document.title='broken'</script>"
RIGHT_TO_LEFT = "مرحبا بالعالم \u202e(2)"
LONG = "very long " * 50
EMOJI = "🎸🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
ACCOUNT = "ana"


class MadeUp:
    """A source with fixed answers."""

    def __init__(self, answers: dict[str, list[dict[str, Any]]]) -> None:
        self.made_up = answers
        self.asked: list[str] = []

    def answers(self, queries: Sequence[str], on_query: Callable[[str], None]) -> dict[str, Rows]:
        for query in queries:
            on_query(query)
        return {query: self.rows(query) for query in queries}

    def rows(self, query: str) -> Rows:
        self.asked.append(query)
        rows = ({"account_id": ACCOUNT} | row for row in self.made_up.get(query, []))
        return [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]


def nothing() -> MadeUp:
    """An account of which nothing but its existence is known."""
    return MadeUp({"overview": [overview(listens=0, first=None, last=None)]})


def history() -> MadeUp:
    """Two years of listening."""
    names = [HOSTILE, RIGHT_TO_LEFT, LONG, EMOJI, *(f"Name {number}" for number in range(12))]
    answers: dict[str, list[dict[str, Any]]] = {
        "overview": [overview(listens=12345, first="2025-01-06 09:00:00.000", last="2026-11-05 21:30:00.000")],
        "listening_by_week": [
            {"week": "2026-11-02", "listens": 40, "minutes_at_most": 130.5, "days": 4},
            {"week": "2026-10-19", "listens": 90, "minutes_at_most": 300.0, "days": 7},
        ],
        "year_in_review": [review(2026, 7000), review(2025, 5345)],
        "listening_by_hour_and_weekday": [
            {"weekday": weekday, "hour_of_day": 20, "listens": weekday * 3, "days": 2} for weekday in range(1, 8)
        ],
        "top_by_month": [
            {
                "kind": kind,
                "place": place,
                "place_before": {1: 3, 2: 2, 3: 1}.get(place),
                "name": name,
                "artist_name": None if kind == "artist" else names[-place],
                "listens": 100 - place,
                "minutes_at_most": 300.5,
                "month": month,
                "listens_in_month": place,
            }
            for kind in ("album", "artist", "track")
            for place, name in enumerate(names, start=1)
            for month in ("2026-09-01", "2026-11-01")
        ],
        "top_by_year": [
            {
                "year": year,
                "kind": kind,
                "place": place,
                "name": name,
                "artist_name": None if kind == "artist" else "Abba",
                "listens": 50 - place,
                "minutes_at_most": 150.0,
            }
            for year in (2026, 2025)
            for kind in ("album", "artist", "track")
            for place, name in enumerate(names[:10], start=1)
        ],
        "sessions": [
            {
                "started_at": f"2026-11-0{day} 18:0{day}:00.000",
                "ended_at": f"2026-11-0{day} 20:00:00.000",
                "minutes": 100 + day,
                "listens": 30,
                "different_items": 20,
                "artists": 9,
            }
            for day in range(1, 8)
        ],
        "skip_rate": [
            {"month": "2026-10-01", "plays": 300, "skips": 30, "percent_skipped": 10.0, "skips_before_30_seconds": 9},
            {"month": "2026-09-01", "plays": 200, "skips": 40, "percent_skipped": 20.0, "skips_before_30_seconds": 9},
        ],
        "longest_streaks": [
            {"place": 1, "days": 44, "first_day": "2026-01-01", "last_day": "2026-02-13", "listens": 900}
        ],
        "discovery_by_month": [
            {"month": "2026-10-01", "new_artists": 3, "new_tracks": 12, "percent_new_artists": 4.5, "listens": 300}
        ],
        "obsessions": [
            {
                "place": place,
                "track_name": name,
                "artist_name": "Abba",
                "listens_in_week": 30 - place,
                "first_day": "2026-03-01",
                "last_day": "2026-03-07",
                "listens_ever": 90,
                "item_uri": "spotify:track:x",
            }
            for place, name in enumerate(names, start=1)
        ],
        "forgotten_favourites": [
            {"track_name": None, "artist_name": None, "listens": 12, "last_heard_at": "2025-02-01 10:00:00.000"}
        ],
        "library_by_decade": [
            {"decade": "1980s", "tracks": 20, "artists": 9, "percent": 66.7},
            {"decade": None, "tracks": 10, "artists": 3, "percent": 33.3},
        ],
        "plays_by_playlist": [
            {"playlist_name": None, "listens": 9, "different_tracks": 3, "last_played_at": "2026-11-01 10:00:00.000"}
        ],
        "playlist_changes": [{"playlist_name": HOSTILE, "change": "came", "item_name": EMOJI, "artist_name": "Abba"}],
        "podcasts": [{"show_name": "On music", "listens": 4, "minutes": 120.5}],
        "freshness": [
            {
                "stream": "saved_tracks",
                "last_good_at": "2026-11-05 06:00:00.000",
                "age_hours": 3.5,
                "last_status": "complete",
            }
        ],
        "rejected_records_by_reason": [{"stream": "saved_tracks", "reason": "not_json", "records": 1}],
    }
    assert answers.keys() == set(QUERIES)
    return MadeUp(answers)


def overview(*, listens: int, first: str | None, last: str | None) -> dict[str, Any]:
    return {
        "display_name": "Ana <i>",
        "listens": listens,
        "hours_at_most": listens / 20,
        "artists": 200,
        "tracks": 900,
        "days": 500,
        "first_heard_at": first,
        "last_heard_at": last,
    }


def review(year: int, listens: int) -> dict[str, Any]:
    return {
        "year": year,
        "listens": listens,
        "minutes_at_most": listens * 3.5,
        "artists": 120,
        "new_artists": 40,
        "tracks": 700,
        "days": 300,
    }
