"""What the user listens to on one day: sessions at plausible hours, with what this user likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TypeVar
from zlib import crc32

from spotify_simulator.model.catalogue import Catalogue
from spotify_simulator.model.entities import HasUri, Track
from spotify_simulator.model.holdings import Context, Play, Playlist, Profile
from spotify_simulator.model.plan import LibraryPlan, PlayedAt
from spotify_simulator.model.saved import ALBUMS
from spotify_simulator.model.state import State

# Weights of the hours from 8 to 23 as starts of sessions, on working days and at weekends.
_HOURS = range(8, 24)
_WORKDAY = (9, 4, 2, 2, 3, 3, 2, 2, 3, 7, 8, 7, 9, 11, 8, 3)
_WEEKEND = (1, 2, 4, 6, 6, 5, 5, 5, 5, 6, 7, 8, 11, 13, 12, 8)
_PAUSE = timedelta(minutes=2)
# The latest start of a session: the day's last play ends before midnight.
_LATEST = time(23, 58)
_SHORTEST = timedelta(seconds=75)
"""Keeps the plays of an hour below the 50 that the Web API remembers."""


_T = TypeVar("_T", bound=HasUri)


@dataclass(frozen=True)
class _Session:
    begin: datetime
    listened: list[tuple[Track, timedelta, timedelta]]
    """What was played, for how long, and the pause before it."""
    context: Context | None

    @property
    def length(self) -> timedelta:
        return sum((heard + pause for _, heard, pause in self.listened), timedelta())


def plays_of(
    day: date, rng: Random, plan: LibraryPlan, catalogue: Catalogue, profile: Profile, state: State
) -> list[Play]:
    """Return the plays of a local day, oldest first, given the library at its beginning."""
    spread = plan.plays_per_day // 8
    wanted = plan.plays_per_day + rng.randint(-spread, spread)
    sessions: list[_Session] = []
    while wanted > 0:
        tracks, context = _choose(rng, catalogue, profile, state)
        tracks = tracks[: min(wanted, rng.randrange(4, 16))]
        sessions.append(
            _Session(_begin(day, rng, plan), [(track, *_listened(rng, track)) for track in tracks], context)
        )
        wanted -= len(tracks)
    return _play(sessions, _utc(day, _LATEST, plan), plan.played_at)


def _begin(day: date, rng: Random, plan: LibraryPlan) -> datetime:
    # Friday evening belongs to the weekend.
    hour = rng.choices(_HOURS, _WEEKEND if day.weekday() >= 5 else _WORKDAY)[0]
    return _utc(day, time(hour, rng.randrange(60), rng.randrange(60)), plan)


def _utc(day: date, clock: time, plan: LibraryPlan) -> datetime:
    return datetime.combine(day, clock, plan.zone).astimezone(UTC)


def _listened(rng: Random, track: Track) -> tuple[timedelta, timedelta]:
    """Return how long a track is played, and the pause before it."""
    whole = timedelta(milliseconds=track.duration_ms)
    part = whole * rng.uniform(0.2, 0.9) if rng.random() < 0.15 else whole
    return max(part, _SHORTEST), timedelta(milliseconds=rng.randrange(1, 2000))


def _play(sessions: list[_Session], latest: datetime, convention: PlayedAt) -> list[Play]:
    """Arrange sessions in sequence: none starts before the previous one is over, none ends too late."""
    sessions.sort(key=lambda session: session.begin)
    begins: list[datetime] = []
    for session in sessions:
        earliest = begins[-1] + sessions[len(begins) - 1].length + _PAUSE if begins else session.begin
        begins.append(max(session.begin, earliest))
    for place in reversed(range(len(sessions))):
        begins[place] = min(begins[place], latest - sessions[place].length)
        latest = begins[place] - _PAUSE
    plays = []
    for session, begin in zip(sessions, begins, strict=True):
        moment = begin
        for track, heard, pause in session.listened:
            started, moment = _millisecond(moment + pause), moment + pause + heard
            ended = _millisecond(moment)
            is_end = convention == "end" or (convention == "mixed" and crc32(f"{ended}{track.uri}".encode()) % 2 == 0)
            plays.append(Play(ended if is_end else started, track, session.context, started, ended))
    return plays


def _millisecond(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _choose(
    rng: Random, catalogue: Catalogue, profile: Profile, state: State
) -> tuple[Sequence[Track], Context | None]:
    """Return what a session plays, at least one track, and from where."""
    kind = rng.random()
    if kind < 0.3 and (playlist := _dear(rng, list(state.playlists.values()))):
        if tracks := _playlist_tracks(rng, catalogue, state, playlist):
            return tracks, Context("playlist", playlist.uri)
    elif kind < 0.5 and (saved := _dear(rng, [saved.item for saved in state.saved(ALBUMS)])):
        return catalogue.album_tracks[saved.album_id], Context("album", saved.uri)
    elif kind < 0.65:
        favourite = _favourite(rng, state)
        if favourite.artists:
            artist = favourite.artists[0]
            tracks = catalogue.artist_tracks[artist.artist_id]
            return [rng.choice(tracks) for _ in range(12)], Context("artist", artist.uri)
    elif kind < 0.7:
        # Something new: an album that the user has not saved.
        album = rng.choice(catalogue.all_tracks).album
        return catalogue.album_tracks[album.album_id], Context("album", album.uri)
    context = Context("collection", f"spotify:user:{profile.user.user_id}:collection") if kind < 0.9 else None
    return [_favourite(rng, state) for _ in range(14)], context


def _playlist_tracks(rng: Random, catalogue: Catalogue, state: State, playlist: Playlist) -> list[Track]:
    if not playlist.readable:
        return rng.sample(catalogue.all_tracks, 12)
    entries = state.entries[playlist.playlist_id]
    begin = rng.randrange(len(entries)) if entries else 0
    return [entry.item for entry in entries[begin : begin + 16] if isinstance(entry.item, Track)]


def _favourite(rng: Random, state: State) -> Track:
    return state.rotation[int(len(state.rotation) * rng.random() ** 2)]


def _dear(rng: Random, things: Sequence[_T]) -> _T | None:
    """Return one of the things; the same ones are always much more likely."""
    if not things:
        return None
    some = [rng.choice(things) for _ in range(3)]
    return min(some, key=lambda thing: crc32(thing.uri.encode()))
