"""The library at its start: saved over years, with playlists of every size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from spotify_simulator.model.catalogue import Catalogue, pictures
from spotify_simulator.model.entities import Track
from spotify_simulator.model.holdings import Access, Playlist, PlaylistEntry, Profile, SavedTrack, User
from spotify_simulator.model.naming import playlist_name
from spotify_simulator.model.oddities import add_odd_catalogue, add_odd_shows, odd_entries, odd_playlist, spoil_listing
from spotify_simulator.model.past import Past
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.model.random_streams import new_id, random_stream
from spotify_simulator.model.saved import SAVED_KINDS, Oddities, Saved, SavedItems, SavedKind
from spotify_simulator.model.saved_tracks import SavedTracks
from spotify_simulator.model.state import State

_YEARS = timedelta(days=6 * 365)
_ROTATION = 60
_FRIENDS = ("bob", "chloé_92", "11128475309")


def new_profile(seed: int) -> Profile:
    """Return the account's user."""
    rng = random_stream(seed, "profile")
    user_id = f"ana{rng.randrange(100):02d}"
    return Profile(
        account_id=new_id(rng)[:10],
        user=User(user_id, "Ana ☾"),
        country="DE",
        email=f"{user_id}@example.com",
        product="premium",
        followers=rng.randrange(200),
        images=pictures(rng),
    )


def first_state(seed: int, plan: LibraryPlan, catalogue: Catalogue, profile: Profile, start: datetime) -> State:
    """Return the library at its start, without plays; the odd things in it are added to the catalogue."""
    odd_tracks = add_odd_catalogue(catalogue, random_stream(seed, "oddities")) if plan.oddities else []
    odd_episodes = add_odd_shows(catalogue, random_stream(seed, "odd shows")) if plan.oddities else []
    state = State(_saved_tracks(seed, plan, catalogue, odd_tracks, start))
    for kind in SAVED_KINDS:
        _save(state, kind, seed, plan, catalogue, Oddities(tuple(odd_tracks), tuple(odd_episodes)), start)
    _choose_rotation(state, random_stream(seed, "rotation"), catalogue, odd_tracks)
    _make_playlists(state, random_stream(seed, "playlists"), plan, catalogue, profile, start)
    if plan.oddities:
        rng = random_stream(seed, "spoilt")
        _spoil(state, rng, odd_entries(catalogue, rng, odd_tracks, odd_episodes, str(profile.user.user_id)))
    return state


def new_playlist(rng: Random, name: str, owner: User, access: Access, *, collaborative: bool = False) -> Playlist:
    """Return a playlist without entries."""
    return Playlist(
        playlist_id=new_id(rng),
        name=name,
        description="",
        owner=owner,
        access=access,
        collaborative=collaborative,
        public=not collaborative,
        images=pictures(rng)[:1],
        primary_color=None,
        revision=rng.randrange(1, 500),
        total=rng.randrange(20, 400),
    )


def _moments(rng: Random, count: int, start: datetime, years: timedelta = _YEARS) -> list[datetime]:
    """Return times in the past, in order; now and then two have the same second."""
    seconds = sorted(rng.randrange(int(years.total_seconds())) for _ in range(count))
    for later in range(25, count, 40):
        seconds[later] = seconds[later - 1]
    begin = start.replace(microsecond=0) - years
    return [begin + timedelta(seconds=passed) for passed in seconds]


def _saved_tracks(
    seed: int, plan: LibraryPlan, catalogue: Catalogue, odd_tracks: list[Track], start: datetime
) -> SavedTracks:
    rng = random_stream(seed, "saved tracks")
    held = plan.held_saved_tracks
    odd = odd_tracks[: held // 5]
    odd_ids = {track.track_id for track in odd}
    sample = rng.sample(catalogue.all_tracks, held)
    ordinary = [track for track in sample if track.track_id not in odd_ids][: held - len(odd)]
    tracks = odd + ordinary
    rng.shuffle(tracks)
    # The rest of the years belongs to the far past.
    years = timedelta(seconds=int(_YEARS.total_seconds()) * held // plan.saved_tracks) if held else _YEARS
    moments = _moments(rng, len(tracks), start, years)
    now = start.replace(microsecond=0)
    past = Past(seed, plan.saved_tracks - held, now - _YEARS, now - years)
    return SavedTracks(past, (SavedTrack(moment, track) for moment, track in zip(moments, tracks, strict=True)))


def _save(
    state: State,
    kind: SavedKind[Any],
    seed: int,
    plan: LibraryPlan,
    catalogue: Catalogue,
    oddities: Oddities,
    start: datetime,
) -> None:
    size = kind.size_in(plan)
    if kind.new:
        rng = random_stream(seed, f"catalogue of {kind.name}")
        # More than is saved, to have something left to save later.
        catalogue.others[kind.name] = [kind.new(rng) for _ in range(2 * size + 4)]
    rng = random_stream(seed, kind.name.replace("_", " "))
    items = kind.chosen(rng, catalogue, oddities, size)
    saved = (Saved(moment, item) for moment, item in zip(_moments(rng, len(items), start), items, strict=True))
    state.saved_items[kind.name] = SavedItems(saved)


def _choose_rotation(state: State, rng: Random, catalogue: Catalogue, odd_tracks: list[Track]) -> None:
    saved = [entry.track for entry in state.saved_tracks.recent]
    state.rotation = rng.sample(saved, min(_ROTATION, len(saved))) or rng.sample(catalogue.all_tracks, 5)
    # Odd tracks are played, too.
    for place, track in enumerate(odd_tracks[1:6]):
        state.rotation.insert(min(1 + 3 * place, len(state.rotation)), track)


def _make_playlists(
    state: State, rng: Random, plan: LibraryPlan, catalogue: Catalogue, profile: Profile, start: datetime
) -> None:
    playlists = list(_planned_playlists(rng, plan, profile))
    readable = [playlist for playlist in playlists if playlist.readable]
    sizes = dict(zip((one.playlist_id for one in readable), _sizes(len(readable), plan.entries), strict=True))
    rng.shuffle(playlists)
    counts: Counter[Access] = Counter()
    for playlist in playlists:
        size = sizes.get(playlist.playlist_id)
        entries = None if size is None else _new_entries(rng, catalogue, playlist, profile, size, start)
        if plan.oddities:
            playlist = odd_playlist(playlist, counts[playlist.access], rng)  # noqa: PLW2901 - the same one, but odd
        counts[playlist.access] += 1
        state.add_playlist(playlist, entries)


def _planned_playlists(rng: Random, plan: LibraryPlan, profile: Profile) -> Iterator[Playlist]:
    followed = round(plan.playlists * 0.15)
    shared = round(plan.playlists * 0.08)
    # Someone else's collaborative playlist looks readable, but only is for those who were invited.
    uninvited = 1 if plan.oddities and followed else 0
    for number in range(plan.playlists - followed - shared):
        yield new_playlist(rng, playlist_name(rng), profile.user, "owner", collaborative=number % 9 == 2)
    for number in range(shared):
        friend = _FRIENDS[number % len(_FRIENDS)]
        yield new_playlist(rng, playlist_name(rng), User(friend, friend), "collaborator", collaborative=True)
    for number in range(followed):
        friend = _FRIENDS[number % len(_FRIENDS)]
        yield new_playlist(rng, playlist_name(rng), User(friend, friend), "follower", collaborative=number < uninvited)


def _sizes(playlists: int, entries: int) -> list[int]:
    """Return the entries of each playlist: a few are large, most are not, every seventh is empty."""
    weights = [0 if place % 7 == 6 else 1 / (place + 1) ** 0.8 for place in range(playlists)]
    return [round(entries * weight / sum(weights)) for weight in weights]


def _new_entries(
    rng: Random, catalogue: Catalogue, playlist: Playlist, profile: Profile, size: int, start: datetime
) -> list[PlaylistEntry]:
    adders = [str(profile.user.user_id), *(_FRIENDS if playlist.collaborative else ())]
    return [
        PlaylistEntry(rng.choice(catalogue.all_tracks), moment, rng.choice(adders))
        for moment in _moments(rng, size, start)
    ]


def _spoil(state: State, rng: Random, entries: list[PlaylistEntry]) -> None:
    state.saved_tracks.spoil()
    own = [playlist for playlist in state.playlists.values() if playlist.access == "owner"]
    if own:
        # The second largest: odd entries on a later page than the first, and a page that ends within them.
        largest = sorted(own, key=lambda playlist: -len(state.entries[playlist.playlist_id]))
        chosen = largest[min(1, len(largest) - 1)].playlist_id
        state.add_entries(chosen, entries)
        spoil_listing(state, own[0], rng)
