"""The expected rows of `listens`, from the simulator's own model of what was listened to, when and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from spotify_simulator.model.library import Library
from spotify_simulator.privacy_export import account_records
from tests.e2e.world import FIRST_HOURLY_RUN, TIMEZONE

_MINUTE_ENDS = timedelta(milliseconds=59_999)
_SECOND_ENDS = timedelta(milliseconds=999)


@dataclass(frozen=True)
class Listen:
    """A play as the views count it."""

    source: str
    played_at: datetime
    item_uri: str
    ms_played: int | None
    """Null for plays of the API."""
    heard_at: datetime


def listens(library: Library, exported_at: datetime) -> Iterator[Listen]:
    """Return the plays of an extended export, and those that only the API has, which are outside the export's span.

    Args:
        library: as it is now.
        exported_at: when the newest of the exports was made.
    """
    until = exported_at
    for play in library.exported_plays(exported_at):
        record = play.record
        uri = record["spotify_track_uri"] or record["spotify_episode_uri"] or record["audiobook_chapter_uri"] or ""
        until = datetime.fromisoformat(record["ts"])
        yield Listen("streaming_history", until, uri, record["ms_played"], play.heard_at)
    yield from (play for play in _of_the_api(library) if play.played_at > until + _SECOND_ENDS)


def listens_beside_account_data(library: Library, exported_at: datetime) -> Iterator[Listen]:
    """Return all plays of the API, and the distinct ones of a small export before them."""
    of_the_api = list(_of_the_api(library))
    yield from of_the_api
    first = min(play.played_at for play in of_the_api)
    records = (record for _, record in account_records(library, exported_at))
    for record in {tuple(record.items()): record for record in records}.values():
        at = datetime.fromisoformat(f"{record['endTime']}+00:00")
        if at + _MINUTE_ENDS < first:
            yield Listen("account_data", at, "", record["msPlayed"], at)


def hours_heard(plays: Iterable[Listen]) -> Counter[tuple[date, int]]:
    """Return the milliseconds heard in each local hour, by when plays ended; for the API's plays they are unknown."""
    heard: Counter[tuple[date, int]] = Counter()
    for play in plays:
        if play.ms_played is not None:
            at = play.heard_at.astimezone(ZoneInfo(TIMEZONE))
            heard[at.date(), at.hour] += play.ms_played
    return heard


def _of_the_api(library: Library) -> Iterator[Listen]:
    for play in library.plays_polled_since(FIRST_HOURLY_RUN):
        yield Listen("recently_played", play.played_at, play.track.uri, None, play.played_at)
