"""The complete listening history, as in Spotify's privacy export: far more than the Web API remembers.

Source: what Spotify's page on downloading one's data calls extended streaming history, and files that users showed,
https://support.spotify.com/article/understanding-my-data/.

A device that is offline keeps its plays until it is back: their `ts` is the second in which it came back, and when they
were heard stands in `offline_timestamp`, which most plays have, also online.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from random import Random
from typing import Any

from spotify_simulator.model.entities import Episode, Track
from spotify_simulator.model.evolution import World, day_of_plays
from spotify_simulator.model.holdings import Play
from spotify_simulator.model.naming import title
from spotify_simulator.model.random_streams import new_id, random_stream
from spotify_simulator.model.state import State

Record = dict[str, Any]

_PLATFORMS = (
    "android",
    "ios",
    "Android OS 14 API 34 (samsung, SM-A546B)",
    "iOS 17.4 (iPhone14,5)",
    "Windows 10 (10.0.19045; x64)",
    "web_player linux undefined;firefox 133.0;desktop",
    "not_applicable",
)
_SESSION = timedelta(minutes=1)
"""A time without music; then a new session starts."""
_SHORT = timedelta(seconds=30)
"""Shorter plays do not count for the Web API: https://github.com/spotify/web-api/issues/627."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_NO_TIME = (None, 0, 1)
"""Values of `offline_timestamp` that mean it is unknown."""
_OFFLINE_RUNS = (1, 2, 3, 5, 8, 13, 40)
"""Lengths of offline periods, in plays; the last one is about half a day."""
_OLD = timedelta(days=400)
"""Before the library's start: so old that the export does not say what was skipped, and counts milliseconds."""
_NOTHING: Record = {
    "master_metadata_track_name": None,
    "master_metadata_album_artist_name": None,
    "master_metadata_album_album_name": None,
    "spotify_track_uri": None,
    "episode_name": None,
    "episode_show_name": None,
    "spotify_episode_uri": None,
    "audiobook_title": None,
    "audiobook_uri": None,
    "audiobook_chapter_uri": None,
    "audiobook_chapter_title": None,
}


@dataclass(frozen=True)
class ExportedPlay:
    """An element of an export, with what only the listener knows."""

    record: Record
    heard_at: datetime
    """When the play ended, as precisely as the element says."""


def exported_plays(world: World, origin: State, plays: Iterable[Play]) -> Iterator[ExportedPlay]:
    """Yield the plays of an export by their `ts`, the oldest first; a longer history starts with the same plays.

    Offline plays are in it once the device was online again.

    Args:
        world: what never changes.
        origin: the library at its start, from which the plays of earlier years are made.
        plays: what the Web API has served, the oldest first: all of it is also in the export.
    """
    return _synchronized(_heard(world, origin, plays), _Exporter(world))


def _heard(world: World, origin: State, plays: Iterable[Play]) -> Iterator[_Heard]:
    listener = _Listener(world)
    before: Play | None = None
    for play, following in pairwise(chain(_years_before(world, origin), plays, (None,))):
        if play is None:
            return
        yield listener.played(play, before)
        if following is not None:
            yield from listener.between(play, following)
        before = play


def _synchronized(heard: Iterable[_Heard], exporter: _Exporter) -> Iterator[ExportedPlay]:
    """Hold back offline plays until the next online one."""
    waiting: list[tuple[_Heard, Record]] = []
    for play in heard:
        record = exporter.record(play)
        if record["offline"]:
            waiting.append((play, record))
            continue
        for earlier, kept in waiting:
            yield exporter.exported(earlier, kept, play.started_at)
        waiting.clear()
        yield exporter.exported(play, record, play.ended_at)


def _years_before(world: World, origin: State) -> Iterator[Play]:
    plan = world.plan
    for ago in range(plan.history_days + plan.export_days, plan.history_days, -1):
        yield from day_of_plays(world.first_day - timedelta(days=ago), world, origin)


@dataclass(frozen=True)
class _Heard:
    """A play as it really happened."""

    started_at: datetime
    ended_at: datetime
    what: Record
    reason_start: str
    reason_end: str | None
    skipped: bool
    private: bool = False


class _Listener:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = random_stream(world.seed, "privacy export")
        self._episodes = list(world.catalogue.episodes.values())

    def played(self, play: Play, before: Play | None) -> _Heard:
        """Return a play that the Web API also knows."""
        whole = play.ended_at - play.started_at >= timedelta(milliseconds=play.track.duration_ms - 1)
        anew = before is None or play.started_at - before.ended_at > _SESSION
        return _Heard(
            play.started_at,
            play.ended_at,
            _of_track(play.track),
            self._rng.choice(("clickrow", "playbtn")) if anew else "trackdone",
            "trackdone" if whole else self._rng.choice(("fwdbtn", "endplay", "logout")),
            skipped=not whole,
        )

    def between(self, play: Play, following: Play) -> Iterator[_Heard]:
        """Return a play that the Web API does not know: skipped, in a private session, or spoken word."""
        rng, moment, end = self._rng, play.ended_at, following.started_at
        for heard, what, private in self._unknown(end - play.ended_at, rng):
            started = moment + timedelta(milliseconds=rng.randrange(500, 1500))
            moment = started + heard
            if moment >= end:
                return
            skipped = heard < _SHORT
            yield _Heard(
                started,
                moment,
                what,
                "fwdbtn" if skipped else "clickrow",
                "fwdbtn" if skipped else rng.choice(("endplay", "trackdone", "unexpected-exit-while-paused", None)),
                skipped=skipped,
                private=private,
            )

    def _unknown(self, pause: timedelta, rng: Random) -> Iterator[tuple[timedelta, Record, bool]]:
        """Return what fits into a pause: how long it was played, what, and whether in a private session."""
        if pause < _SESSION:
            return
        for _ in range(rng.choice((0, 1, 1, 3))):
            heard = timedelta(milliseconds=rng.randrange(int(_SHORT.total_seconds() * 1000)))
            yield heard, _of_track(rng.choice(self._world.catalogue.all_tracks)), rng.random() < 0.1
        if rng.random() < 0.03:
            yield timedelta(), _NOTHING, False
        if rng.random() < 0.1:
            track = rng.choice(self._world.catalogue.all_tracks)
            yield timedelta(milliseconds=track.duration_ms), _of_track(track), True
        if rng.random() < 0.1:
            episode = rng.choice(self._episodes)
            yield timedelta(milliseconds=int(episode.duration_ms * rng.random())), _of_episode(episode), False
        if rng.random() < 0.03:
            yield timedelta(minutes=rng.randrange(1, 40)), _of_audiobook(rng), False


class _Exporter:
    """Records plays on a device that goes offline now and then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = random_stream(world.seed, "privacy export of devices")
        self._offline = 0
        """Number of plays until the device is online again."""
        online = (100 - world.plan.offline_percent) * sum(_OFFLINE_RUNS) / len(_OFFLINE_RUNS)
        self._going_offline = world.plan.offline_percent / online if online else 1.0

    def record(self, play: _Heard) -> Record:
        """Return what a device records of a play, without a `ts`."""
        rng = self._rng
        if not self._offline and rng.random() < self._going_offline:
            self._offline = rng.choice(_OFFLINE_RUNS)
        offline = self._offline > 0
        self._offline -= offline
        return {
            "ts": None,
            "platform": rng.choice(_PLATFORMS),
            "ms_played": (play.ended_at - play.started_at) // _MILLISECOND,
            "conn_country": rng.choices((self._world.profile.country, "FR", "ZZ"), (96, 3, 1))[0],
            "ip_addr": f"198.51.100.{rng.randrange(256)}",
            **play.what,
            "reason_start": play.reason_start,
            "reason_end": play.reason_end,
            "shuffle": rng.random() < 0.3,
            "skipped": None if self._old(play) else play.skipped,
            "offline": offline,
            "offline_timestamp": self._offline_timestamp(play, offline=offline),
            "incognito_mode": play.private,
        }

    def exported(self, play: _Heard, record: Record, at: datetime) -> ExportedPlay:
        """Return the element of a play that was reported to Spotify at a time."""
        ts = at.replace(microsecond=0)
        noted = record["offline_timestamp"]
        known = record["offline"] and noted not in _NO_TIME
        unit = _MILLISECOND if self._old(play) else _SECOND
        heard_at = min(_EPOCH + noted * unit + record["ms_played"] * _MILLISECOND, ts) if known else ts
        return ExportedPlay(record | {"ts": f"{ts:%Y-%m-%dT%H:%M:%SZ}"}, heard_at)

    def _offline_timestamp(self, play: _Heard, *, offline: bool) -> int | None:
        """Return when the play started, according to the device, or a meaningless number."""
        rng = self._rng
        if rng.random() < (0.02 if offline else 0.33):
            return rng.choice(_NO_TIME)
        started = play.started_at
        if not offline and rng.random() < 0.1:
            # Pausing makes a play end later, and some devices record the start late.
            started += timedelta(seconds=rng.choice((-400, -60, -8, 5, 90)))
        return (started - _EPOCH) // (_MILLISECOND if self._old(play) else _SECOND)

    def _old(self, play: _Heard) -> bool:
        return self._world.first_day - play.ended_at.date() > _OLD


def _of_track(track: Track) -> Record:
    return _NOTHING | {
        "master_metadata_track_name": track.name,
        "master_metadata_album_artist_name": track.album.artists[0].name if track.album.artists else None,
        "master_metadata_album_album_name": track.album.name,
        "spotify_track_uri": track.uri,
    }


def _of_episode(episode: Episode) -> Record:
    return _NOTHING | {
        "episode_name": episode.name,
        "episode_show_name": episode.show.name,
        "spotify_episode_uri": episode.uri,
    }


def _of_audiobook(rng: Random) -> Record:
    return _NOTHING | {
        "audiobook_title": title(rng),
        "audiobook_uri": f"spotify:show:{new_id(rng)}",
        "audiobook_chapter_uri": f"spotify:episode:{new_id(rng)}",
        "audiobook_chapter_title": f"Chapter {rng.randrange(1, 30)}",
    }
