"""Every oddity of the Web API has its place in a library, and none where they are not wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from spotify_simulator import Library
from spotify_simulator.model.entities import Album, Artist, Episode, LocalTrack, Track, UnknownItem
from spotify_simulator.model.holdings import MalformedPlaylist, PlaylistEntry
from tests.spotify_simulator.spotify_session import library
from tests.thoroughness import sampled

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entries(one: Library) -> list[PlaylistEntry]:
    return [entry for each in one.readable_playlists for entry in one.playlist_entries(each.playlist_id)]


def tracks(one: Library) -> list[Track]:
    """The tracks that endpoints serve."""
    return [
        *(entry.track for entry in one.saved_tracks),
        *(entry.item for entry in entries(one) if isinstance(entry.item, Track)),
    ]


def albums(one: Library) -> list[Album]:
    return [entry.item for entry in one.saved_albums]


def artists(one: Library) -> list[Artist]:
    return [artist for track in tracks(one) for artist in track.artists]


def names(one: Library) -> set[str]:
    return {thing.name for things in (tracks(one), albums(one), artists(one)) for thing in things}


def times_of_one_item(one: Library) -> int:
    return max(
        count
        for each in one.readable_playlists
        for count in Counter(
            entry.item.uri for entry in one.playlist_entries(each.playlist_id) if isinstance(entry.item, Track)
        ).values()
    )


ODDITIES: dict[str, Callable[[Library], bool]] = {
    "entry without an item": lambda one: any(entry.item is None for entry in entries(one)),
    "local file": lambda one: any(isinstance(entry.item, LocalTrack) for entry in entries(one)),
    "local file without a release": lambda one: any(
        isinstance(entry.item, LocalTrack) and not entry.item.has_release for entry in entries(one)
    ),
    "episode": lambda one: any(isinstance(entry.item, Episode) for entry in entries(one)),
    "unknown type": lambda one: any(isinstance(entry.item, UnknownItem) for entry in entries(one)),
    "track three times in a playlist": lambda one: times_of_one_item(one) >= 3,
    "added_at null": lambda one: any(entry.added_at is None for entry in entries(one)),
    "added_at 1970": lambda one: any(entry.added_at == EPOCH for entry in entries(one)),
    "added_by null": lambda one: any(entry.added_by is None for entry in entries(one)),
    "added_by empty": lambda one: any(entry.added_by == "" for entry in entries(one)),
    **{
        f"release {date!r} {precision}": lambda one, pair=(date, precision): any(  # type: ignore[misc]
            (album.release_date, album.release_date_precision) == pair for album in albums(one)
        )
        for date, precision in (
            ("1981", "year"),
            ("1981-12", "month"),
            ("1981-12-15", "day"),
            ("0000", "year"),
            ("", "day"),
            (None, None),
            (None, "day"),
        )
    },
    "empty track name": lambda one: any(track.name == "" for track in tracks(one)),
    "empty album name": lambda one: any(album.name == "" for album in albums(one)),
    "empty artist name": lambda one: any(artist.name == "" for artist in artists(one)),
    "right to left": lambda one: any("שלום" in name for name in names(one)),
    "emoji": lambda one: any("🎧" in name for name in names(one)),
    "newline": lambda one: any("\n" in name for name in names(one)),
    "very long name": lambda one: any(len(name) > 2_000 for name in names(one)),
    "images null": lambda one: any(album.images is None for album in albums(one)),
    "images empty": lambda one: any(album.images == () for album in albums(one)),
    "image without size": lambda one: any(album.images and album.images[0].height is None for album in albums(one)),
    "duration 0": lambda one: any(track.duration_ms == 0 for track in tracks(one)),
    "track number 0": lambda one: any(track.track_number == 0 for track in tracks(one)),
    "no isrc": lambda one: any(track.isrc is None for track in tracks(one)),
    "track without artists": lambda one: any(not track.artists for track in tracks(one)),
    "not playable": lambda one: any(track.is_playable is False for track in tracks(one)),
    "album without artists": lambda one: any(not album.artists for album in albums(one)),
    "album of several artists": lambda one: any(len(album.artists) > 2 for album in albums(one)),
    "album without upc": lambda one: any(album.upc is None for album in albums(one)),
    "album of more tracks than a page": lambda one: any(album.total_tracks > 100 for album in albums(one)),
    "compilation of various artists": lambda one: any(
        album.album_type == "compilation" and album.artists[0].name == "Various Artists" for album in albums(one)
    ),
    "odd track played": lambda one: any(play.track.duration_ms == 0 for play in one.plays),
    "null in the listing of playlists": lambda one: None in one.listed_playlists,
    "escaped description": lambda one: any("&amp;" in (each.description or "") for each in one.playlists),
    "description null": lambda one: any(each.description is None for each in one.playlists),
    "public null": lambda one: any(each.public is None for each in one.playlists),
    "primary colour": lambda one: any(each.primary_color for each in one.playlists),
    "owner without id": lambda one: any(each.owner.user_id is None for each in one.playlists),
    "total null": lambda one: any(each.total is None for each in one.playlists),
    "collaborative without an invitation": lambda one: any(
        each.collaborative and not each.readable for each in one.playlists
    ),
    "empty playlist": lambda one: any(each.total == 0 for each in one.playlists),
    "malformed playlists": lambda one: (
        {each.fault for each in one.listed_playlists if isinstance(each, MalformedPlaylist)} == {"no_id", "numeric_id"}
    ),
    **{
        f"saved show {what}": lambda one, is_odd=is_odd: any(  # type: ignore[misc]
            is_odd(saved.item) for saved in one.saved_shows
        )
        for what, is_odd in {
            "without a name": lambda show: show.name == "",
            "without languages": lambda show: not show.languages,
            "of several languages": lambda show: len(show.languages) > 1,
            "with images null": lambda show: show.images is None,
            "with a copyright": lambda show: show.copyright is not None,
        }.items()
    },
    **{
        f"saved episode {what}": lambda one, is_odd=is_odd: any(  # type: ignore[misc]
            is_odd(saved.item) for saved in one.saved_episodes
        )
        for what, is_odd in {
            "without a name": lambda episode: episode.name == "",
            "without a release date": lambda episode: episode.release_date is None,
            "of the year 0": lambda episode: episode.release_date == "0000",
            "without a duration": lambda episode: episode.duration_ms == 0,
            "without a preview": lambda episode: not episode.has_preview,
            "that is restricted": lambda episode: episode.restricted,
        }.items()
    },
    "followed artist without a name": lambda one: any(artist.name == "" for artist in one.followed_artists),
    "followed artist without images": lambda one: any(not artist.images for artist in one.followed_artists),
    "top track without a duration": lambda one: any(track.duration_ms == 0 for track in one.top_tracks("medium_term")),
    "malformed saved track": lambda one: sum(entry.malformed for entry in one.listed_saved_tracks) == 1,
}


@pytest.fixture(scope="module")
def odd() -> Library:
    one = library(playlists=20)
    one.evolve_to(one.moment.replace(hour=23))
    return one


@pytest.fixture(scope="module")
def plain() -> Library:
    return library(playlists=20, oddities=False)


@pytest.mark.parametrize("oddity", ODDITIES)
def test_oddity_occurs(odd: Library, oddity: str) -> None:
    assert ODDITIES[oddity](odd)


def test_library_without_oddities_has_nothing_odd(plain: Library) -> None:
    ordinary = {
        "empty playlist",
        "track three times in a playlist",
        "release '1981' year",
        "release '1981-12' month",
        "release '1981-12-15' day",
        "compilation of various artists",
    }
    assert [name for name, occurs in ODDITIES.items() if name not in ordinary and occurs(plain)] == []
    assert plain.malformed == ()


def test_malformed_records_are_named(odd: Library) -> None:
    assert [(each.path, each.reason) for each in odd.malformed] == [
        ("me/tracks", "added_at is a number"),
        ("me/playlists", "has no id"),
        ("me/playlists", "id is a number"),
    ]
    assert not {each.record for each in odd.malformed} & {*odd.saved_tracks, *odd.playlists}


def test_malformed_saved_track_is_never_given_up() -> None:
    one = library(saved_tracks=5)
    one.evolve_to(one.moment + timedelta(days=60))
    assert sum(entry.malformed for entry in one.listed_saved_tracks) == 1


@pytest.mark.parametrize("seed", sampled(range(5)))
def test_demo_of_any_seed_has_episodes_local_files_and_nulls(seed: int) -> None:
    demo = Library.seeded(seed, start=datetime(2026, 6, 1, tzinfo=UTC))
    demo.evolve_to(datetime(2026, 6, 8, tzinfo=UTC))
    kinds = {type(entry.item) for entry in entries(demo)}
    assert kinds == {Track, Episode, LocalTrack, UnknownItem, type(None)}
