"""All that was ever listened to, as Spotify's privacy export has it: far more than the Web API remembers.

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
from spotify_simulator.model.random_streams import dice, new_id
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
"""Without music; then something begins anew."""
_SHORT = timedelta(seconds=30)
"""What is heard for less is no play for the Web API: https://github.com/spotify/web-api/issues/627."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_NO_TIME = (None, 0, 1)
"""What stands in `offline_timestamp` where nothing is known."""
_OFFLINE_RUNS = (1, 2, 3, 5, 8, 13, 40)
"""How many plays a device is offline for; the last is about half a day."""
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
    """An element of an export, and what only the listener knows."""

    record: Record
    heard_at: datetime
    """When the play ended, as exactly as the element tells."""


def exported_plays(world: World, origin: State, plays: Iterable[Play]) -> Iterator[ExportedPlay]:
    """Give the plays of an export by their `ts`, the oldest first; of a longer history the first ones are the same.

    What was heard offline is in it once the device was online again.

    Args:
        world: what never changes.
        origin: the library at its start, of which the plays of the years before are made.
        plays: what the Web API has served, the oldest first: all of it is in the export too.
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
    """Let plays wait that were heard offline, until the next one that was not."""
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
    """A play as the listener lived it."""

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
        self._chance = dice(world.seed, "privacy export")
        self._episodes = list(world.catalogue.episodes.values())

    def played(self, play: Play, before: Play | None) -> _Heard:
        """What the Web API knows as well."""
        whole = play.ended_at - play.started_at >= timedelta(milliseconds=play.track.duration_ms - 1)
        anew = before is None or play.started_at - before.ended_at > _SESSION
        return _Heard(
            play.started_at,
            play.ended_at,
            _of_track(play.track),
            self._chance.choice(("clickrow", "playbtn")) if anew else "trackdone",
            "trackdone" if whole else self._chance.choice(("fwdbtn", "endplay", "logout")),
            skipped=not whole,
        )

    def between(self, play: Play, following: Play) -> Iterator[_Heard]:
        """What the Web API does not know: skipped, heard in private, spoken."""
        chance, moment, end = self._chance, play.ended_at, following.started_at
        for heard, what, private in self._unknown(end - play.ended_at, chance):
            started = moment + timedelta(milliseconds=chance.randrange(500, 1500))
            moment = started + heard
            if moment >= end:
                return
            skipped = heard < _SHORT
            yield _Heard(
                started,
                moment,
                what,
                "fwdbtn" if skipped else "clickrow",
                "fwdbtn" if skipped else chance.choice(("endplay", "trackdone", "unexpected-exit-while-paused", None)),
                skipped=skipped,
                private=private,
            )

    def _unknown(self, pause: timedelta, chance: Random) -> Iterator[tuple[timedelta, Record, bool]]:
        """Return what a pause has room for: how long it was heard, what, and whether in private."""
        if pause < _SESSION:
            return
        for _ in range(chance.choice((0, 1, 1, 3))):
            heard = timedelta(milliseconds=chance.randrange(int(_SHORT.total_seconds() * 1000)))
            yield heard, _of_track(chance.choice(self._world.catalogue.all_tracks)), chance.random() < 0.1
        if chance.random() < 0.03:
            yield timedelta(), _NOTHING, False
        if chance.random() < 0.1:
            track = chance.choice(self._world.catalogue.all_tracks)
            yield timedelta(milliseconds=track.duration_ms), _of_track(track), True
        if chance.random() < 0.1:
            episode = chance.choice(self._episodes)
            yield timedelta(milliseconds=int(episode.duration_ms * chance.random())), _of_episode(episode), False
        if chance.random() < 0.03:
            yield timedelta(minutes=chance.randrange(1, 40)), _of_audiobook(chance), False


class _Exporter:
    """Writes down plays; of a device that goes offline now and then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = dice(world.seed, "privacy export of devices")
        self._offline = 0
        """How many plays the device is still to be offline for."""
        online = (100 - world.plan.offline_percent) * sum(_OFFLINE_RUNS) / len(_OFFLINE_RUNS)
        self._going_offline = world.plan.offline_percent / online if online else 1.0

    def record(self, play: _Heard) -> Record:
        """What a device notes of a play, still without a `ts`."""
        chance = self._chance
        if not self._offline and chance.random() < self._going_offline:
            self._offline = chance.choice(_OFFLINE_RUNS)
        offline = self._offline > 0
        self._offline -= offline
        return {
            "ts": None,
            "platform": chance.choice(_PLATFORMS),
            "ms_played": (play.ended_at - play.started_at) // _MILLISECOND,
            "conn_country": chance.choices((self._world.profile.country, "FR", "ZZ"), (96, 3, 1))[0],
            "ip_addr": f"198.51.100.{chance.randrange(256)}",
            **play.what,
            "reason_start": play.reason_start,
            "reason_end": play.reason_end,
            "shuffle": chance.random() < 0.3,
            "skipped": None if self._old(play) else play.skipped,
            "offline": offline,
            "offline_timestamp": self._offline_timestamp(play, offline=offline),
            "incognito_mode": play.private,
        }

    def exported(self, play: _Heard, record: Record, at: datetime) -> ExportedPlay:
        """The element of a play that Spotify learned of at a moment."""
        ts = at.replace(microsecond=0)
        noted = record["offline_timestamp"]
        known = record["offline"] and noted not in _NO_TIME
        unit = _MILLISECOND if self._old(play) else _SECOND
        heard_at = min(_EPOCH + noted * unit + record["ms_played"] * _MILLISECOND, ts) if known else ts
        return ExportedPlay(record | {"ts": f"{ts:%Y-%m-%dT%H:%M:%SZ}"}, heard_at)

    def _offline_timestamp(self, play: _Heard, *, offline: bool) -> int | None:
        """When the play began, by the device, or a number that means nothing."""
        chance = self._chance
        if chance.random() < (0.02 if offline else 0.33):
            return chance.choice(_NO_TIME)
        started = play.started_at
        if not offline and chance.random() < 0.1:
            # A pause makes a play end later than it would, and some devices note the beginning late.
            started += timedelta(seconds=chance.choice((-400, -60, -8, 5, 90)))
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


def _of_audiobook(chance: Random) -> Record:
    return _NOTHING | {
        "audiobook_title": title(chance),
        "audiobook_uri": f"spotify:show:{new_id(chance)}",
        "audiobook_chapter_uri": f"spotify:episode:{new_id(chance)}",
        "audiobook_chapter_title": f"Chapter {chance.randrange(1, 30)}",
    }
