"""A library of a million saved tracks is made and read as quickly as a small one, and is one library all the same."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice, pairwise

import pytest

from spotify_simulator import Library
from spotify_simulator.model.past import Past
from spotify_simulator.model.plan import HELD_SAVED_TRACKS
from spotify_simulator.model.saved_tracks import SavedTracks
from tests.spotify_simulator.spotify_session import START

PAST = 321
SIZE = HELD_SAVED_TRACKS + PAST


@pytest.fixture(scope="module")
def large() -> Library:
    return Library.seeded(1, start=START, saved_tracks=SIZE, playlists=2)


@pytest.mark.slow
def test_all_of_a_large_library_is_distinct_and_newest_first(large: Library) -> None:
    everything = large.listed_saved_tracks
    assert len(everything) == large.saved_track_count == SIZE
    assert len({saved.track.track_id for saved in everything}) == SIZE
    assert all(newer.added_at >= older.added_at for newer, older in pairwise(everything))
    assert everything[0].added_at <= START
    assert everything[-1].added_at == START - timedelta(days=6 * 365)
    assert all(saved.added_at.microsecond == 0 for saved in everything)
    assert sum(saved.malformed for saved in everything) == 1


@pytest.mark.slow
def test_pages_are_what_the_whole_is(large: Library) -> None:
    everything = large.listed_saved_tracks
    for offset in (0, 40, HELD_SAVED_TRACKS - 25, HELD_SAVED_TRACKS + 3, SIZE - 20, SIZE, SIZE + 70):
        assert large.some_saved_tracks(offset, 50) == list(everything[offset : offset + 50])


@pytest.mark.slow
def test_far_past_is_found_by_id(large: Library) -> None:
    far = large.some_saved_tracks(HELD_SAVED_TRACKS, PAST)
    for track in (saved.track for saved in far):
        assert large.track(track.track_id) == track
        assert large.album(track.album.album_id) == track.album
        assert track in large.album_tracks(track.album.album_id)
        assert large.artist(track.artists[0].artist_id) == track.artists[0]
        assert track.album in large.artist_albums(track.artists[0].artist_id)
    assert len({saved.track.album.album_id for saved in far}) == 33
    last = far[0].track.album
    assert len(large.album_tracks(last.album_id)) == last.total_tracks == 1
    strange = "0" * 22
    assert (large.track(strange), large.album(strange), large.artist(strange)) == (None, None, None)
    for ask in (large.album_tracks, large.artist_albums):
        with pytest.raises(KeyError):
            ask(strange)


def test_every_step_of_giving_up_is_as_in_a_list() -> None:
    past = Past(1, 60, START - timedelta(days=60), START)
    recent = list(past.saved_tracks(50, 60))
    kept = SavedTracks(Past(1, 50, past.begin, past.end), recent)
    expected = kept.some(0, 100)
    assert len(expected) == 60
    for index in (3, 3, 0, 40, 55, 10, 9, 10, 30, 2):
        kept.unsave(index)
        del expected[index : index + 1]
        assert kept.some(0, 100) == expected
        assert kept.some(7, 31) == expected[7:31]
        assert len(kept) == len(expected)


def test_copies_change_on_their_own() -> None:
    past = Past(1, 50, START - timedelta(days=60), START)
    one = SavedTracks(past, ())
    other = one.copy()
    other.unsave(0)
    other.save(next(past.saved_tracks(0, 1)).track, START)
    assert (len(one), len(other)) == (50, 50)
    assert one.some(0, 1) != other.some(0, 1)
    assert other.copy().some(0, 50) == other.some(0, 50)
    assert other.past is past


@pytest.mark.slow
def test_large_library_evolves_and_its_past_can_be_asked_again(large: Library) -> None:
    later = large.at(START + timedelta(days=20))
    before = {saved.track.track_id for saved in large.listed_saved_tracks}
    after = {saved.track.track_id for saved in later.listed_saved_tracks}
    assert after - before
    assert before - after
    assert later.at(START).listed_saved_tracks == large.listed_saved_tracks


@pytest.mark.slow
def test_a_million_takes_no_more_than_what_is_held() -> None:
    million = Library.seeded(1, start=START, saved_tracks=1_000_000, playlists=0)
    assert million.saved_track_count == 1_000_000
    assert len(million.tracks) < 3 * HELD_SAVED_TRACKS
    assert len(million.some_saved_tracks(765_432, 50)) == 50
    ids = {saved.track.track_id for saved in islice(million.some_saved_tracks(500_000, 50), 50)}
    assert len(ids) == 50
