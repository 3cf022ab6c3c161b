"""The part of Spotify's catalogue that a library draws on; it never changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from spotify_simulator.model.entities import Album, Artist, Episode, Image, Show, Track
from spotify_simulator.model.naming import artist_name, title
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.model.random_streams import new_id, random_stream

VARIOUS = "Various Artists"

_GENRES = ("post-rock", "ambient", "indie pop", "jazz", "techno", "folk", "hip hop", "metal", "classical", "soul")
_LABELS = ("Harbour Records", "Northern Sky", "Paper Moon", "Velvet Tapes")
_NEWEST_YEAR = 2025
_FEWEST_SHOWS = 4
_EPISODES_A_SHOW = 8


@dataclass
class Catalogue:
    """Everything by its id, with the tracks of each album and each artist."""

    artists: dict[str, Artist] = field(default_factory=dict)
    albums: dict[str, Album] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    shows: dict[str, Show] = field(default_factory=dict)
    episodes: dict[str, Episode] = field(default_factory=dict)
    album_tracks: dict[str, list[Track]] = field(default_factory=dict)
    artist_tracks: dict[str, list[Track]] = field(default_factory=dict)
    artist_albums: dict[str, dict[str, Album]] = field(default_factory=dict)
    """By id, also those on which an artist only appears."""
    others: dict[str, list[Any]] = field(default_factory=dict)
    """Things of other kinds that can be saved, by the name of the kind."""
    all_tracks: list[Track] = field(default_factory=list)
    """The tracks again, as a list to choose from quickly."""

    def add_artist(self, artist: Artist) -> Artist:
        """Add an artist."""
        self.artists[artist.artist_id] = artist
        return artist

    def add_album(self, album: Album, tracks: Iterable[Track]) -> None:
        """Add an album with its tracks; their artists are there already."""
        self.albums[album.album_id] = album
        self.album_tracks[album.album_id] = list(tracks)
        for track in self.album_tracks[album.album_id]:
            self.tracks[track.track_id] = track
            self.all_tracks.append(track)
            for artist in track.artists:
                self.artist_tracks.setdefault(artist.artist_id, []).append(track)
                self.artist_albums.setdefault(artist.artist_id, {})[album.album_id] = album
        for artist in album.artists:
            self.artist_albums.setdefault(artist.artist_id, {})[album.album_id] = album

    def add_show(self, show: Show, episodes: Iterable[Episode]) -> None:
        """Add a show with its episodes."""
        self.shows[show.show_id] = show
        self.episodes.update((episode.episode_id, episode) for episode in episodes)


def new_catalogue(seed: int, plan: LibraryPlan) -> Catalogue:
    """Return a catalogue large enough for a library of the planned size and for what is saved later."""
    catalogue = Catalogue()
    rng = random_stream(seed, "catalogue")
    wanted = plan.held_saved_tracks * 8 // 5 + 300
    artists = [catalogue.add_artist(new_artist(rng)) for _ in range(wanted // 20 + 5)]
    various = catalogue.add_artist(replace(new_artist(rng), name=VARIOUS))
    while len(catalogue.all_tracks) < wanted or len(catalogue.albums) < plan.saved_albums:
        _add_new_album(catalogue, rng, artists, various)
    # More than is saved at the start, to have something left to save later.
    for _ in range(_FEWEST_SHOWS + max(plan.saved_shows, plan.saved_episodes // _EPISODES_A_SHOW)):
        show = new_show(rng)
        catalogue.add_show(show, new_episodes(rng, show))
    return catalogue


def new_artist(rng: Random, artist_id: str | None = None) -> Artist:
    """Return an ordinary artist, with a new id if none is given."""
    return Artist(
        artist_id=artist_id or new_id(rng),
        name=artist_name(rng),
        images=pictures(rng),
        genres=tuple(rng.sample(_GENRES, rng.randrange(3))),
        popularity=rng.randrange(101),
        followers=int(10 ** (rng.random() * 7)),
    )


def new_album(rng: Random, artists: tuple[Artist, ...], total_tracks: int, album_id: str | None = None) -> Album:
    """Return an ordinary album, without its tracks, with a new id if none is given."""
    release_date, precision = _release(rng)
    return Album(
        album_id=album_id or new_id(rng),
        name=title(rng),
        album_type="single" if total_tracks < 4 else "album",
        artists=artists,
        release_date=release_date,
        release_date_precision=precision,
        images=pictures(rng),
        total_tracks=total_tracks,
        upc=f"{rng.randrange(10**13):014d}",
        label=rng.choice(_LABELS),
        popularity=rng.randrange(101),
        copyright=f"{release_date[:4]} {rng.choice(_LABELS)}",
    )


def new_track(
    rng: Random, album: Album, artists: tuple[Artist, ...], number: int, track_id: str | None = None
) -> Track:
    """Return an ordinary track: the album's `number`th, thirty to a disc, with a new id if none is given."""
    unusual = rng.random()
    return Track(
        track_id=track_id or new_id(rng),
        name=title(rng),
        album=album,
        artists=artists,
        disc_number=1 + (number - 1) // 30,
        track_number=1 + (number - 1) % 30,
        duration_ms=int(rng.triangular(95_000, 420_000, 210_000)),
        explicit=rng.random() < 0.1,
        isrc=f"QZ{rng.randrange(10**10):010d}",
        popularity=rng.randrange(101),
        is_playable=True if unusual < 0.02 else None,
        linked_from_id=new_id(rng) if 0.02 <= unusual < 0.04 else None,
    )


def new_show(rng: Random) -> Show:
    """Return an ordinary show, without its episodes."""
    language = rng.choice(("de", "en", "fr"))
    return Show(
        show_id=new_id(rng),
        name=f"{title(rng)} Podcast",
        description=f"All about {title(rng)}",
        publisher=rng.choice(_LABELS),
        languages=(language,),
        media_type=rng.choice(("audio", "audio", "mixed")),
        explicit=False,
        images=pictures(rng),
        total_episodes=_EPISODES_A_SHOW,
        is_externally_hosted=rng.choice((None, False)),
    )


def new_episodes(rng: Random, show: Show) -> list[Episode]:
    """Return the ordinary episodes of a show."""
    return [
        Episode(
            episode_id=new_id(rng),
            name=f"#{number} {title(rng)}",
            show=show,
            description="" if number == 1 else f"In which {title(rng)} is talked about",
            duration_ms=rng.randrange(600_000, 5_400_000),
            explicit=rng.random() < 0.2,
            release_date=f"{_NEWEST_YEAR}-{1 + number % 11:02d}-{rng.randrange(1, 29):02d}",
            release_date_precision="day",
            languages=show.languages,
            images=pictures(rng),
            fully_played=number % 3 == 0,
            resume_position_ms=0 if number % 3 == 0 else rng.randrange(500_000),
        )
        for number in range(1, show.total_episodes + 1)
    ]


def pictures(rng: Random) -> tuple[Image, ...]:
    """Return a picture in the three sizes that Spotify makes of it."""
    name = f"{rng.getrandbits(96):024x}"
    return tuple(
        Image(f"https://i.scdn.co/image/ab67616d{size:04x}{name}", pixels, pixels)
        for size, pixels in enumerate((640, 300, 64))
    )


def _add_new_album(catalogue: Catalogue, rng: Random, artists: list[Artist], various: Artist) -> None:
    is_compilation = rng.random() < 0.03
    # Few artists have many albums.
    main = artists[int(len(artists) * rng.random() ** 1.6)]
    by = (various,) if is_compilation else (main, *rng.sample(artists, 1 if rng.random() < 0.08 else 0))
    size = rng.choice((1, 1, 2, 8, 9, 10, 11, 12, 12, 13, 14, 16))
    album = new_album(rng, tuple(dict.fromkeys(by)), size)
    if is_compilation:
        album = replace(album, album_type="compilation")
    tracks = []
    for number in range(1, size + 1):
        lead = rng.choice(artists) if is_compilation else main
        guests = rng.sample(artists, rng.choice((1, 1, 2))) if rng.random() < 0.15 else []
        tracks.append(new_track(rng, album, tuple(dict.fromkeys((lead, *guests))), number))
    catalogue.add_album(album, tracks)


def _release(rng: Random) -> tuple[str, str]:
    year = _NEWEST_YEAR - int(60 * rng.random() ** 2)
    precision = rng.choices(("day", "month", "year"), (90, 2, 8))[0]
    whole = f"{year}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    return whole[: {"day": 10, "month": 7, "year": 4}[precision]], precision
