"""What the user listens to most: three lists that change a little from day to day, but not within a local day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Literal, TypeVar, get_args

from spotify_simulator.model.entities import Artist, Track
from spotify_simulator.model.evolution import World
from spotify_simulator.model.holdings import Play
from spotify_simulator.model.random_streams import random_stream
from spotify_simulator.model.state import State

TimeRange = Literal["short_term", "medium_term", "long_term"]
TIME_RANGES: tuple[TimeRange, ...] = get_args(TimeRange)
"""The lists: https://developer.spotify.com/documentation/web-api/reference/get-users-top-artists-and-tracks."""

_DAYS: dict[TimeRange, int] = {"short_term": 28, "medium_term": 182, "long_term": 365}
_FAVOURITE = 20
"""Maximum number of plays from the months before the library's start."""
_LIKED = 400
_MOOD = 2.0
"""Daily noise, in plays: below three, to swap only neighbors."""

_T = TypeVar("_T")


class TopLists:
    """The lists of one local day.

    Args:
        day: local date.
        world: what stays the same.
        origin: the library at its start, which represents the months of listening before.
        plays: what was played; only plays before the day count.
    """

    def __init__(self, day: date, world: World, origin: State, plays: Iterable[Play]) -> None:
        self._day = day
        self._world = world
        self._origin = origin
        midnight = self._midnight(day)
        self._plays = [play for play in plays if play.ended_at < midnight]

    def tracks(self, time_range: TimeRange) -> tuple[Track, ...]:
        """Return the tracks played most, the top one first."""
        rng = random_stream(self._world.seed, "top tracks", time_range, self._day)
        return self._ranked(self._heard(time_range), self._counts(time_range), rng)

    def artists(self, time_range: TimeRange) -> tuple[Artist, ...]:
        """Return the artists played most, the top one first."""
        rng = random_stream(self._world.seed, "top artists", time_range, self._day)
        counts, artists = self._counts(time_range), {}
        scores: Counter[str] = Counter()
        for track in self._heard(time_range).values():
            for artist in track.artists:
                artists[artist.artist_id] = artist
                scores[artist.artist_id] += counts[track.track_id]
        return self._ranked(artists, scores, rng)

    def _ranked(self, things: dict[str, _T], scores: Counter[str], rng: Random) -> tuple[_T, ...]:
        moody = {one: scores[one] + _MOOD * rng.random() for one in things}
        return tuple(things[one] for one in sorted(moody, key=lambda one: -moody[one])[: self._world.plan.top_items])

    def _counts(self, time_range: TimeRange) -> Counter[str]:
        counts = Counter(track.track_id for track in self._played(time_range))
        rng = random_stream(self._world.seed, "liked", time_range)
        for track in self._liked(time_range):
            counts[track.track_id] += int(_FAVOURITE * rng.random() ** 2)
        return counts

    def _heard(self, time_range: TimeRange) -> dict[str, Track]:
        return {track.track_id: track for track in self._played(time_range) + self._liked(time_range)}

    def _played(self, time_range: TimeRange) -> list[Track]:
        since = self._midnight(self._day - timedelta(days=_DAYS[time_range]))
        return [play.track for play in self._plays if play.ended_at >= since]

    def _liked(self, time_range: TimeRange) -> list[Track]:
        """Return what was played before the start, as far as it still counts."""
        if time_range == "short_term":
            return []
        saved = [entry.track for entry in self._origin.saved_tracks.recent]
        rng = random_stream(self._world.seed, "liked before", time_range)
        return self._origin.rotation + rng.sample(saved, min(_LIKED, len(saved)))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._world.plan.zone)
