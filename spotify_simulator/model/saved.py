"""What the user saves and follows: an entry for each kind of thing, and the collection that holds what is saved.

Saved tracks are kept apart, in `saved_tracks.py`: there may be a million of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Generic, Self, TypeVar

from spotify_simulator.model.catalogue import Catalogue, new_artist
from spotify_simulator.model.entities import Album, Artist, Episode, HasUri, Show, Track
from spotify_simulator.model.plan import LibraryPlan

T = TypeVar("T", bound=HasUri)


@dataclass(frozen=True, slots=True)
class Saved(Generic[T]):
    """Something that the user has saved."""

    added_at: datetime
    item: T


@dataclass(frozen=True)
class Oddities:
    """What is odd in the catalogue, part of which is saved from the start."""

    tracks: tuple[Track, ...] = ()
    """The first one's album has more tracks than fit on a page."""
    episodes: tuple[Episode, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SavedKind(Generic[T]):
    """One kind of thing that a user saves or follows.

    To add a kind, append an entry to `SAVED_KINDS`, and its shape to `web/shapes.py`.
    """

    name: str
    """The stream's name. Where `LibraryPlan` has a field of that name, it is the size at the start."""
    size: int = 0
    """The size at the start for a kind without a field in `LibraryPlan`."""
    path: str = ""
    """Endpoint that serves the kind in pages by offset, below the API's base URL; empty for one of its own."""
    key: str = ""
    """Key of a record that holds the thing, beside `added_at`; empty where the record is the thing itself."""
    new: Callable[[Random], T] | None = None
    """Makes a thing of a kind that the catalogue does not already have for another reason."""
    pool: Callable[[Catalogue], list[T]] = lambda _: []
    """What there is to save, for a kind without `new`."""
    odd: Callable[[Oddities], list[T]] = lambda _: []
    """What is saved from the start in a library with oddities."""
    choose: Callable[[Random, Catalogue, list[T], int], list[T]] | None = None
    """Chooses what is saved at the start, given the odd things and the size; by default the odd things and others at
    random."""
    pick: Callable[[Random, Catalogue], T] | None = None
    """Picks something to save on a later day; by default anything of the pool."""
    daily_saves: Callable[[Random], int] = lambda rng: rng.randrange(3)
    """How many things are saved on a day."""
    daily_removal: float = 0.5
    """Probability that something is removed on a day."""

    def size_in(self, plan: LibraryPlan) -> int:
        """Return how many things are saved at the start."""
        return int(getattr(plan, self.name, self.size if plan.other_saved is None else plan.other_saved))

    def things(self, catalogue: Catalogue) -> list[T]:
        """Return everything that can be saved."""
        return catalogue.others[self.name] if self.new else self.pool(catalogue)

    def chosen(self, rng: Random, catalogue: Catalogue, oddities: Oddities, size: int) -> list[T]:
        """Choose what is saved at the start."""
        odd = self.odd(oddities)
        if self.choose:
            return self.choose(rng, catalogue, odd, size)
        certain = odd[:size]
        others = [thing for thing in self.things(catalogue) if thing not in certain]
        chosen = certain + rng.sample(others, size - len(certain))
        rng.shuffle(chosen)
        return chosen

    def picked(self, rng: Random, catalogue: Catalogue) -> T:
        """Pick something to save on a later day."""
        return self.pick(rng, catalogue) if self.pick else rng.choice(self.things(catalogue))


class SavedItems(Generic[T]):
    """The saved things of one kind in the order in which they were saved, the oldest first."""

    def __init__(self, saved: Iterable[Saved[T]] = ()) -> None:
        self._saved = list(saved)
        self._uris = {one.item.uri for one in self._saved}

    def __len__(self) -> int:
        """Return the number of saved things."""
        return len(self._saved)

    def __iter__(self) -> Iterator[Saved[T]]:
        """Iterate over the saved things, the oldest first."""
        return iter(self._saved)

    def newest_first(self) -> tuple[Saved[T], ...]:
        """Return the saved things as the Web API lists them."""
        return tuple(reversed(self._saved))

    def copy(self) -> Self:
        """Return a collection that changes independently."""
        return type(self)(self._saved)

    def save(self, item: T, at: datetime) -> None:
        """Save something, unless it is saved already."""
        if item.uri not in self._uris:
            self._uris.add(item.uri)
            self._saved.append(Saved(at, item))

    def remove(self, index: int) -> None:
        """Remove what is at an index; beyond the end there is nothing to remove."""
        if index < len(self._saved):
            self._uris.remove(self._saved.pop(index).item.uri)


def _first_albums(rng: Random, catalogue: Catalogue, odd: list[Album], size: int) -> list[Album]:
    odd = odd[: size // 3]
    odd_ids = {album.album_id for album in odd}
    sample = rng.sample(list(catalogue.albums.values()), size)
    albums = odd + [album for album in sample if album.album_id not in odd_ids][: size - len(odd)]
    rng.shuffle(albums)
    return albums


def _first_artists(rng: Random, catalogue: Catalogue, odd: list[Artist], size: int) -> list[Artist]:
    # Where the catalogue has too few, add artists that have released nothing.
    while len(catalogue.artists) < size + 2 * len(odd):
        catalogue.add_artist(new_artist(rng))
    sample = rng.sample(list(catalogue.artists.values()), size)
    return list(dict.fromkeys(odd[: size // 2] + sample))[:size]


ALBUMS: SavedKind[Album] = SavedKind(
    name="saved_albums",
    path="me/albums",
    key="album",
    odd=lambda oddities: [track.album for track in oddities.tracks],
    choose=_first_albums,
    pick=lambda rng, catalogue: rng.choice(catalogue.all_tracks).album,
    daily_saves=lambda rng: rng.randrange(1, 3),
    daily_removal=0.3,
)
ARTISTS: SavedKind[Artist] = SavedKind(
    name="followed_artists",
    pool=lambda catalogue: list(catalogue.artists.values()),
    odd=lambda oddities: [artist for track in oddities.tracks[1:] for artist in track.album.artists[:1]],
    choose=_first_artists,
)
SHOWS: SavedKind[Show] = SavedKind(
    name="saved_shows",
    path="me/shows",
    key="show",
    pool=lambda catalogue: list(catalogue.shows.values()),
    odd=lambda oddities: list({episode.show.show_id: episode.show for episode in oddities.episodes}.values()),
    daily_saves=lambda rng: int(rng.random() < 0.4),
    daily_removal=0.2,
)
EPISODES: SavedKind[Episode] = SavedKind(
    name="saved_episodes",
    path="me/episodes",
    key="episode",
    pool=lambda catalogue: list(catalogue.episodes.values()),
    odd=lambda oddities: list(oddities.episodes),
)

SAVED_KINDS: tuple[SavedKind[Any], ...] = (ALBUMS, ARTISTS, SHOWS, EPISODES)
"""Every kind. They take turns at the same random numbers, so a new kind goes last: libraries then stay as they are."""
