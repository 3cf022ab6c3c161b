"""Everything odd that Spotify has been seen to send, and a few records that are plainly wrong.

Everything is legal by the Web API's schema or was reported by users, except for what is called malformed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from spotify_simulator.model.catalogue import (
    VARIOUS,
    Catalogue,
    new_album,
    new_artist,
    new_episodes,
    new_show,
    new_track,
    pictures,
)
from spotify_simulator.model.entities import Episode, Image, LocalTrack, Track, UnknownItem
from spotify_simulator.model.holdings import MalformedPlaylist, Playlist, PlaylistEntry, User
from spotify_simulator.model.naming import ODD_DESCRIPTIONS, ODD_NAMES
from spotify_simulator.model.random_streams import new_id
from spotify_simulator.model.state import State

ODD_RELEASES: tuple[tuple[str | None, str | None], ...] = (
    ("1981", "year"),
    ("1981-12", "month"),
    ("1981-12-15", "day"),
    ("0000", "year"),
    ("", "day"),
    (None, None),
    (None, "day"),
)
"""Release dates with their precision."""

_ODD_SHOW_NAMES = ("", "Nuit d’été ☾", "🎧🔥 שלום", "first line\nsecond line")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANTHOLOGY_TRACKS = 120
_UNSIZED = (Image("https://i.scdn.co/image/ab67706c00000000", None, None),)


def add_odd_catalogue(catalogue: Catalogue, rng: Random) -> list[Track]:
    """Add odd artists, albums and tracks.

    Returns:
        A track of each odd album; the first album has more tracks than fit on a page.
    """
    tracks = [_add_anthology(catalogue, rng)]
    for number, name in enumerate(ODD_NAMES):
        artist = replace(new_artist(rng), name=name, images=_odd_images(number, rng), genres=())
        catalogue.add_artist(artist)
        artists = (artist, *list(catalogue.artists.values())[: number % 3])
        release_date, precision = ODD_RELEASES[number % len(ODD_RELEASES)]
        album = replace(
            new_album(rng, artists if number != 4 else (), 1),
            name=ODD_NAMES[number - 1],
            release_date=release_date,
            release_date_precision=precision,
            images=_odd_images(number + 1, rng),
            upc=None if number % 3 == 0 else "00602537817030",
            copyright=None if number % 4 == 0 else f"{name[:20]} 1981",
            restricted=number == 5,
        )
        track = _odd_track(new_track(rng, album, artists, 1), number)
        catalogue.add_album(album, [track])
        tracks.append(track)
    return tracks


def add_odd_shows(catalogue: Catalogue, rng: Random) -> list[Episode]:
    """Add odd shows, and return their episodes, which are odd as well."""
    odd: list[Episode] = []
    for number, name in enumerate(_ODD_SHOW_NAMES):
        show = replace(
            new_show(rng),
            name=name,
            description="Rock &amp; Roll" if number % 2 else "",
            languages=((), ("de", "en"), ("pt-BR",))[number % 3],
            images=_odd_images(number, rng),
            explicit=number == 1,
            copyright="2024 Harbour Records" if number == 1 else None,
            is_externally_hosted=(None, False, True)[number % 3],
            total_episodes=2,
        )
        episodes = [
            _odd_episode(episode, 2 * number + place, rng) for place, episode in enumerate(new_episodes(rng, show))
        ]
        catalogue.add_show(show, episodes)
        odd += episodes
    return odd


def odd_entries(
    catalogue: Catalogue, rng: Random, odd_tracks: list[Track], odd_episodes: list[Episode], user_id: str
) -> list[PlaylistEntry]:
    """Return entries of a playlist, one for each way in which an entry can be odd."""
    then = datetime(2018, 10, 4, 22, tzinfo=UTC)
    tracks = rng.sample(catalogue.all_tracks, 4)
    file = LocalTrack("Snomads Island", "David Wise", "Donkey Kong Country: Tropical Freeze", 127_000)
    nameless = LocalTrack("piste 1 été/№1.mp3", "", "", 0, has_release=False)
    first, second, third = list(catalogue.episodes.values())[:3]
    return [
        PlaylistEntry(None, then, ""),
        PlaylistEntry(None, None, None),
        PlaylistEntry(tracks[0], None, user_id),
        PlaylistEntry(tracks[1], _EPOCH, ""),
        PlaylistEntry(tracks[2], then, None),
        PlaylistEntry(tracks[2], then, user_id),
        PlaylistEntry(file, then, user_id),
        PlaylistEntry(first, then, None),
        PlaylistEntry(nameless, then, user_id),
        PlaylistEntry(file, then, user_id),
        PlaylistEntry(second, then, user_id),
        PlaylistEntry(third, None, user_id),
        PlaylistEntry(UnknownItem(new_id(rng), "Chapter 1", "audiobook_chapter", 1_800_000), then, user_id),
        *(PlaylistEntry(track, then, user_id) for track in odd_tracks),
        PlaylistEntry(tracks[2], then, user_id),
        *(PlaylistEntry(episode, then, user_id) for episode in odd_episodes),
    ]


def odd_playlist(playlist: Playlist, number: int, rng: Random) -> Playlist:
    """Return a playlist made odd in the ways that its number says, counted among those of the same access."""
    foreign = playlist.access == "follower"
    return replace(
        playlist,
        name=ODD_NAMES[number // 3 % len(ODD_NAMES)] if number % 3 == 1 else playlist.name,
        description=ODD_DESCRIPTIONS[number % len(ODD_DESCRIPTIONS)],
        images=_odd_images(number, rng),
        public=(True, False, None)[number % 3],
        primary_color="#ffffff" if number % 4 == 1 else None,
        owner=User(None if number % 3 == 0 else playlist.owner.user_id, None) if foreign else playlist.owner,
        total=None if foreign and number % 2 == 0 else playlist.total,
    )


def spoil_listing(state: State, like: Playlist, rng: Random) -> None:
    """Put null elements and malformed playlists among the playlists of a library."""
    no_id, numeric_id = (
        replace(like, playlist_id=new_id(rng), name=f"Malformed {number}", collaborative=False) for number in (1, 2)
    )
    state.listing.insert(1, None)
    state.listing.insert(3, MalformedPlaylist(no_id, "no_id"))
    state.listing.append(MalformedPlaylist(numeric_id, "numeric_id"))
    state.listing.append(None)


def _add_anthology(catalogue: Catalogue, rng: Random) -> Track:
    various = next(artist for artist in catalogue.artists.values() if artist.name == VARIOUS)
    album = replace(new_album(rng, (various,), _ANTHOLOGY_TRACKS), name="Old Recordings", album_type="compilation")
    artists = list(catalogue.artists.values())
    tracks = [
        new_track(rng, album, tuple(rng.sample(artists, 1 + number % 3)), number)
        for number in range(1, _ANTHOLOGY_TRACKS + 1)
    ]
    catalogue.add_album(album, tracks)
    return tracks[-1]


def _odd_episode(episode: Episode, number: int, rng: Random) -> Episode:
    release_date, precision = ODD_RELEASES[number % len(ODD_RELEASES)]
    return replace(
        episode,
        name=ODD_NAMES[number % len(ODD_NAMES)],
        duration_ms=0 if number == 1 else episode.duration_ms,
        release_date=release_date,
        release_date_precision=precision,
        images=_odd_images(number, rng),
        has_preview=number % 2 == 0,
        restricted=number == 3,
    )


def _odd_track(track: Track, number: int) -> Track:
    return replace(
        track,
        name=ODD_NAMES[number - 2],
        artists=() if number == 7 else track.artists,
        disc_number=0 if number == 1 else track.disc_number,
        track_number=0 if number == 1 else track.track_number,
        duration_ms=0 if number in {1, 2} else track.duration_ms,
        isrc=None if number % 4 == 0 else track.isrc,
        ean="4006381333931" if number == 5 else None,
        is_playable={3: True, 6: False}.get(number),
        linked_from_id=track.album.album_id if number == 3 else None,
        preview_url="https://p.scdn.co/mp3-preview/0" if number == 2 else None,
    )


def _odd_images(number: int, rng: Random) -> tuple[Image, ...] | None:
    return (pictures(rng), (), None, _UNSIZED)[number % 4]
