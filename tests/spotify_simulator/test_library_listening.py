"""What the user hears most, follows and subscribes to, and what the Web API says of when something was played."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Literal

import pytest

from spotify_simulator import LibraryPlan
from spotify_simulator.model.plan import PlayedAt
from spotify_simulator.model.top_lists import TIME_RANGES
from tests.spotify_simulator.spotify_session import START, library

TODAY = datetime.combine(START.date(), time(1), LibraryPlan().zone)


@pytest.mark.parametrize("time_range", TIME_RANGES)
def test_top_lists_stay_within_a_day_and_change_a_little_over_night(
    time_range: Literal["short_term", "medium_term", "long_term"],
) -> None:
    one = library()
    morning, evening, tomorrow = (one.at(TODAY + timedelta(days=9, hours=hours)) for hours in (5, 22, 27))
    assert morning.top_tracks(time_range) == evening.top_tracks(time_range) != tomorrow.top_tracks(time_range)
    assert morning.top_artists(time_range) == evening.top_artists(time_range) != tomorrow.top_artists(time_range)
    today, next_day = ({track.uri for track in each.top_tracks(time_range)} for each in (morning, tomorrow))
    assert len(today & next_day) > 0.6 * len(today)


def test_short_term_is_the_plays_of_four_weeks() -> None:
    one = library(top_items=1_000)
    then = one.at(TODAY + timedelta(days=40, hours=12))
    begin = TODAY + timedelta(days=12, hours=-1)
    plays = Counter(
        play.track.uri for play in then.plays if begin <= play.ended_at < TODAY + timedelta(days=40, hours=-1)
    )
    ranked = then.top_tracks("short_term")
    assert {track.uri for track in ranked} == set(plays)
    assert all(plays[first.uri] > plays[second.uri] - 2 for first, second in pairwise(ranked))
    assert then.top_tracks("long_term")[:20] != ranked[:20]


def test_listener_without_plays_has_no_short_term() -> None:
    silent = library(plays_per_day=0)
    silent.evolve_to(START + timedelta(days=3))
    assert (silent.top_tracks("short_term"), silent.top_artists("short_term")) == ((), ())
    assert silent.top_tracks("medium_term")
    assert silent.top_artists("long_term")


def test_top_lists_are_as_long_as_planned_and_hold_nothing_twice() -> None:
    one = library(top_items=7)
    for time_range in TIME_RANGES:
        for listed in (one.top_tracks(time_range), one.top_artists(time_range)):
            assert len({each.uri for each in listed}) == len(listed) == 7


def test_subscriptions_come_and_go() -> None:
    one = library()
    days = [one.at(START + timedelta(days=number)) for number in range(15)]
    for held in (
        [{artist.uri for artist in day.followed_artists} for day in days],
        [{saved.item.uri for saved in day.saved_shows} for day in days],
        [{saved.item.uri for saved in day.saved_episodes} for day in days],
    ):
        assert any(later - earlier for earlier, later in pairwise(held))
        assert any(earlier - later for earlier, later in pairwise(held))


def test_followed_artists_are_in_the_order_of_their_cursors() -> None:
    one = library(followed_artists=300)
    ids = [artist.artist_id for artist in one.followed_artists]
    assert ids == sorted(set(ids))
    assert len(ids) == 300
    assert all(one.artist(artist_id) for artist_id in ids)


@pytest.mark.parametrize("convention", ["end", "start", "mixed"])
def test_played_at_is_what_the_plan_says(convention: PlayedAt) -> None:
    one = library(played_at=convention)
    one.evolve_to(START + timedelta(days=3))
    said = {"end" if play.played_at == play.ended_at else "start" for play in one.plays}
    assert said == ({"end", "start"} if convention == "mixed" else {convention})
    assert all(play.played_at in {play.started_at, play.ended_at} for play in one.plays)
    assert all(earlier.ended_at < later.started_at for earlier, later in pairwise(one.plays))
    moments = [play.played_at for play in one.plays]
    assert moments == sorted(set(moments))


def test_conventions_tell_of_the_same_plays() -> None:
    libraries = [library(played_at=convention) for convention in ("end", "start", "mixed")]
    heard = []
    for one in libraries:
        one.evolve_to(START + timedelta(days=2, hours=9))
        heard.append([(play.track.uri, play.started_at, play.ended_at) for play in one.plays])
    assert heard[0] == heard[1] == heard[2]
    assert all(one.plays[-1].ended_at <= one.moment for one in libraries)
