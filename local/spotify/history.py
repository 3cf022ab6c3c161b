"""All that was ever listened to, as Spotify's privacy export has it: far more than the Web API remembers.

Source: what Spotify's page on downloading one's data calls extended streaming history, and files that users showed,
https://support.spotify.com/article/understanding-my-data/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, pairwise
from random import Random
from typing import Any

from local.spotify.dice import dice, new_id
from local.spotify.entities import Episode, Track
from local.spotify.evolution import World, day_of_plays
from local.spotify.holdings import Play
from local.spotify.naming import title
from local.spotify.state import State

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


def streaming_history(world: World, origin: State, plays: Iterable[Play]) -> Iterator[Record]:
    """Give the elements of an export, the oldest first; of a longer history the first ones are the same.

    Args:
        world: what never changes.
        origin: the library at its start, of which the plays of the years before are made.
        plays: what the Web API has served, the oldest first: all of it is in the export too.
    """
    exporter = _Exporter(world)
    before: Play | None = None
    for play, following in pairwise(chain(_years_before(world, origin), plays, (None,))):
        if play is None:
            return
        yield exporter.played(play, before)
        if following is not None:
            yield from exporter.between(play, following)
        before = play


def _years_before(world: World, origin: State) -> Iterator[Play]:
    plan = world.plan
    for ago in range(plan.history_days + plan.export_days, plan.history_days, -1):
        yield from day_of_plays(world.first_day - timedelta(days=ago), world, origin)


class _Exporter:
    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = dice(world.seed, "privacy export")
        self._episodes = list(world.catalogue.episodes.values())

    def played(self, play: Play, before: Play | None) -> Record:
        """What the Web API knows as well."""
        whole = play.ended_at - play.started_at >= timedelta(milliseconds=play.track.duration_ms - 1)
        anew = before is None or play.started_at - before.ended_at > _SESSION
        return self._record(
            play.started_at,
            play.ended_at,
            _of_track(play.track),
            self._chance.choice(("clickrow", "playbtn")) if anew else "trackdone",
            "trackdone" if whole else self._chance.choice(("fwdbtn", "endplay", "logout")),
            skipped=not whole,
        )

    def between(self, play: Play, following: Play) -> Iterator[Record]:
        """What the Web API does not know: skipped, heard in private, spoken."""
        chance, moment, end = self._chance, play.ended_at, following.started_at
        for heard, what, private in self._unknown(end - play.ended_at, chance):
            started = moment + timedelta(milliseconds=chance.randrange(500, 1500))
            moment = started + heard
            if moment >= end:
                return
            skipped = heard < _SHORT
            yield self._record(
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

    def _record(
        self,
        started: datetime,
        ended: datetime,
        what: Record,
        reason_start: str,
        reason_end: str | None,
        *,
        skipped: bool,
        private: bool = False,
    ) -> Record:
        chance = self._chance
        old = self._world.first_day - ended.date() > _OLD
        offline = chance.random() < 0.04
        epoch_ms = int(started.timestamp() * 1000)
        return {
            "ts": f"{ended:%Y-%m-%dT%H:%M:%SZ}",
            "platform": chance.choice(_PLATFORMS),
            "ms_played": (ended - started) // timedelta(milliseconds=1),
            "conn_country": chance.choices((self._world.profile.country, "FR", "ZZ"), (96, 3, 1))[0],
            "ip_addr": f"198.51.100.{chance.randrange(256)}",
            **what,
            "reason_start": reason_start,
            "reason_end": reason_end,
            "shuffle": chance.random() < 0.3,
            "skipped": None if old else skipped,
            "offline": offline,
            "offline_timestamp": (epoch_ms if old else epoch_ms // 1000) if offline else None,
            "incognito_mode": private,
        }


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
