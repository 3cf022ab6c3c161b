"""The model of a library: repeatable, monotone, and lively enough for what is asked of it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from spotify_simulator import Library, LibraryPlan
from spotify_simulator.model.entities import Track
from spotify_simulator.model.top_lists import TIME_RANGES
from tests.spotify_simulator.spotify_session import START, library, new_library
from tests.thoroughness import sampled

FIVE_DAYS = START + timedelta(days=5)


def holdings(one: Library) -> dict[str, Any]:
    """All that a library can be asked."""
    return {
        "profile": one.profile,
        "playlists": one.listed_playlists,
        "entries": {playlist.uri: one.playlist_entries(playlist.playlist_id) for playlist in one.readable_playlists},
        "saved tracks": one.listed_saved_tracks,
        "saved albums": one.saved_albums,
        "saved shows": one.saved_shows,
        "saved episodes": one.saved_episodes,
        "followed artists": one.followed_artists,
        "top tracks": [one.top_tracks(time_range) for time_range in TIME_RANGES],
        "top artists": [one.top_artists(time_range) for time_range in TIME_RANGES],
        "plays": one.plays,
        "malformed": one.malformed,
    }


def test_same_seed_gives_the_same_library_and_another_seed_another() -> None:
    first, second, other = new_library(1), new_library(1), new_library(2)
    for one in (first, second, other):
        one.evolve_to(FIVE_DAYS)
    assert holdings(first) == holdings(second)
    assert all(holdings(first)[name] != holdings(other)[name] for name in holdings(first))


def test_a_library_leaves_those_of_the_same_plan_as_they_are() -> None:
    first, second = new_library(1), new_library(1)
    before = holdings(second)
    first.evolve_to(FIVE_DAYS)
    assert holdings(second) == before == holdings(new_library(1))


@pytest.mark.parametrize(
    "step",
    sampled([timedelta(seconds=61 * 37), timedelta(hours=5), timedelta(days=1, seconds=1)], [timedelta(hours=5)]),
)
def test_result_does_not_depend_on_the_steps(step: timedelta) -> None:
    jumping, walking = library(), library()
    jumping.evolve_to(FIVE_DAYS)
    moment = START
    while moment < FIVE_DAYS:
        moment = min(moment + step, FIVE_DAYS)
        walking.evolve_to(moment)
    assert holdings(jumping) == holdings(walking)


def test_library_never_goes_back() -> None:
    one = library()
    one.evolve_to(FIVE_DAYS)
    before = holdings(one)
    one.evolve_to(START)
    assert one.moment == FIVE_DAYS
    assert holdings(one) == before


def test_past_can_be_asked_again() -> None:
    one, as_it_was = library(), library()
    morning = START + timedelta(days=2, hours=7)
    as_it_was.evolve_to(morning)
    one.evolve_to(FIVE_DAYS)
    assert holdings(one.at(morning)) == holdings(as_it_was)
    assert holdings(one.at(START)) == holdings(library())
    assert one.moment == FIVE_DAYS
    with pytest.raises(ValueError, match="before the library's start"):
        one.at(START - timedelta(seconds=1))


def test_demo_sizes() -> None:
    demo = Library.seeded(1, start=START)
    assert len(demo.listed_saved_tracks) == 2_100
    assert len(demo.saved_tracks) == 2_099
    assert len(demo.playlists) == 40
    assert len(demo.saved_albums) == 60
    assert (len(demo.followed_artists), len(demo.saved_shows), len(demo.saved_episodes)) == (40, 6, 10)
    assert (len(demo.top_tracks("long_term")), len(demo.top_artists("long_term"))) == (99, 99)
    sizes = [len(demo.playlist_entries(playlist.playlist_id)) for playlist in demo.readable_playlists]
    assert max(sizes) > 300
    assert sum(size == 0 for size in sizes) >= 4
    assert Counter(playlist.access for playlist in demo.playlists) == {"owner": 31, "collaborator": 3, "follower": 6}
    assert len({entry.track.track_id for entry in demo.listed_saved_tracks}) == 2_100


def test_saved_things_are_newest_first() -> None:
    one = library()
    one.evolve_to(FIVE_DAYS)
    for moments in (
        [entry.added_at for entry in one.listed_saved_tracks],
        [entry.added_at for entry in one.saved_albums],
        [entry.added_at for entry in one.saved_shows],
        [entry.added_at for entry in one.saved_episodes],
    ):
        assert moments == sorted(moments, reverse=True)
        assert moments[0] > START
        assert all(moment.microsecond == 0 for moment in moments)


def test_plays_are_distinct_rise_and_stay_within_what_spotify_remembers() -> None:
    one = library()
    one.evolve_to(START + timedelta(days=14))
    moments = [play.played_at for play in one.plays]
    assert moments == sorted(set(moments))
    assert all(moment.microsecond % 1000 == 0 for moment in moments)
    in_an_hour = [
        sum(begin <= moment < begin + timedelta(hours=1) for moment in moments[place : place + 51])
        for place, begin in enumerate(moments)
    ]
    assert max(in_an_hour) < 50


def test_plays_have_the_hours_of_a_person() -> None:
    one = library()
    one.evolve_to(START + timedelta(days=28))
    local = [play.played_at.astimezone(LibraryPlan().zone) for play in one.plays]
    days = Counter(moment.date() for moment in local)
    assert all(70 <= days[START.date() + timedelta(days=number)] <= 90 for number in range(27))
    hours = Counter(moment.hour for moment in local)
    assert min(hours) >= 8
    assert sum(hours[hour] for hour in (18, 19, 20, 21)) > 1.5 * sum(hours[hour] for hour in (9, 10, 11, 12))
    late = Counter(moment.weekday() >= 5 for moment in local if moment.hour >= 21)
    assert late[True] / 2 > late[False] / 5


def test_time_zone_moves_the_hours() -> None:
    tokyo = library(timezone="Asia/Tokyo")
    tokyo.evolve_to(FIVE_DAYS)
    assert all(play.played_at.hour in {23, *range(15)} for play in tokyo.plays)


def test_favourites_return_and_every_context_occurs() -> None:
    one = library()
    one.evolve_to(FIVE_DAYS)
    counts = Counter(play.track.track_id for play in one.plays)
    assert counts.most_common(1)[0][1] >= 5
    assert len(counts) > 200
    contexts = {play.context.type if play.context else None for play in one.plays}
    assert contexts == {"playlist", "album", "artist", "collection", None}
    played = {play.track.album.album_id for play in one.plays}
    assert {entry.item.album_id in played for entry in one.saved_albums} == {True, False}


def test_five_days_bring_every_kind_of_change() -> None:
    one = library()
    one.evolve_to(FIVE_DAYS)
    before = one.at(START)
    tracks_then, tracks_now = ({entry.track.uri for entry in state.saved_tracks} for state in (before, one))
    assert tracks_now - tracks_then
    assert tracks_then - tracks_now
    assert {entry.item.uri for entry in one.saved_albums} - {entry.item.uri for entry in before.saved_albums}
    then = {playlist.uri: playlist for playlist in before.playlists}
    now = {playlist.uri: playlist for playlist in one.playlists}
    assert now.keys() - then.keys()
    assert any(now[uri].name != then[uri].name for uri in now.keys() & then.keys())
    both = [playlist for playlist in before.readable_playlists if playlist.uri in now]
    lists = [(before.playlist_entries(each.playlist_id), one.playlist_entries(each.playlist_id)) for each in both]
    assert any(set(later) - set(earlier) for earlier, later in lists)
    assert any(set(earlier) - set(later) for earlier, later in lists)


def test_snapshot_moves_exactly_with_entries_or_details() -> None:
    one = library()
    before = one.at(START)
    for day in range(1, 9):
        after = one.at(START + timedelta(days=day))
        for playlist in after.readable_playlists:
            earlier = before.playlist(playlist.playlist_id)
            if earlier is None:
                continue
            entries = [state.playlist_entries(playlist.playlist_id) for state in (before, after)]
            same = entries[0] == entries[1] and earlier.name == playlist.name
            assert same == (earlier.snapshot_id == playlist.snapshot_id)
            assert playlist.total == len(entries[1])
        before = after


@pytest.mark.slow
def test_playlists_are_emptied_and_left_in_time() -> None:
    one = library(playlists=20)
    months = [one.at(START + timedelta(days=number)) for number in range(29)]
    emptied = [
        playlist.playlist_id
        for earlier, later in pairwise(months)
        for playlist in later.readable_playlists
        if earlier.playlist(playlist.playlist_id)
        and earlier.playlist_entries(playlist.playlist_id)
        and not later.playlist_entries(playlist.playlist_id)
    ]
    assert emptied
    assert {playlist.uri for playlist in months[0].playlists} - {playlist.uri for playlist in months[-1].playlists}


def test_hourly_polls_from_a_moment_on_have_what_the_model_says() -> None:
    one = library()
    polls = [START + timedelta(hours=number, minutes=5) for number in range(30)]
    polled = {play for poll in polls for play in one.at(poll).recent_plays}
    one.evolve_to(polls[-1])
    expected = one.plays_polled_since(polls[0])
    assert len(expected) > 80
    assert sorted(polled, key=lambda play: play.played_at) == list(expected)
    assert len(expected) < len(one.plays)


def test_empty_library_stays_empty() -> None:
    empty = library(
        saved_tracks=0,
        playlists=0,
        saved_albums=0,
        plays_per_day=0,
        followed_artists=0,
        saved_shows=0,
        saved_episodes=0,
        top_items=0,
    )
    empty.evolve_to(START + timedelta(days=20))
    assert (empty.listed_saved_tracks, empty.listed_playlists, empty.saved_albums, empty.plays) == ((), (), (), ())
    assert (empty.followed_artists, empty.saved_shows, empty.saved_episodes) == ((), (), ())
    assert (empty.top_tracks("long_term"), empty.top_artists("short_term")) == ((), ())
    assert empty.plays_polled_since(START) == ()
    assert list(empty.streaming_history(empty.moment)) == []


def test_planned_number_of_entries() -> None:
    one = Library.planned(1, LibraryPlan(playlists=10, playlist_entries=3_000, oddities=False), start=START)
    total = sum(len(one.playlist_entries(playlist.playlist_id)) for playlist in one.readable_playlists)
    assert total == pytest.approx(3_000, abs=10)


def test_tracks_of_an_album_know_their_album() -> None:
    one = library()
    for album in one.albums.values():
        tracks = one.album_tracks(album.album_id)
        assert len(tracks) == album.total_tracks
        assert {track.album.album_id for track in tracks} == {album.album_id}
    entered = [entry.item for each in one.readable_playlists for entry in one.playlist_entries(each.playlist_id)]
    assert all(one.tracks[item.track_id] is item for item in entered if isinstance(item, Track))


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"saved_tracks": -1}, "saved_tracks is -1: give 0 or more"),
        ({"top_items": -5}, "top_items is -5: give 0 or more"),
        ({"played_at": "middle"}, "played_at is 'middle': give one of end, start, mixed"),
        ({"plays_per_day": 1_000}, "plays_per_day is 1000: a day has time for at most 240"),
    ],
)
def test_impossible_plan_is_refused(sizes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        library(**sizes)


def test_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        Library.seeded(1, start=datetime(2026, 11, 16))  # noqa: DTZ001 - what is refused
