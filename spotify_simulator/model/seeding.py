"""The library as it is at the start: years of saving, and playlists of every size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from spotify_simulator.model.catalogue import Catalogue, new_artist, pictures
from spotify_simulator.model.entities import Episode, Track
from spotify_simulator.model.holdings import Access, Playlist, PlaylistEntry, Profile, SavedAlbum, SavedTrack, User
from spotify_simulator.model.naming import playlist_name
from spotify_simulator.model.oddities import add_odd_catalogue, add_odd_shows, odd_entries, odd_playlist, spoil_listing
from spotify_simulator.model.past import Past
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.model.random_streams import dice, new_id
from spotify_simulator.model.saved_tracks import SavedTracks
from spotify_simulator.model.state import State

_YEARS = timedelta(days=6 * 365)
_ROTATION = 60
_FRIENDS = ("bob", "chloé_92", "11128475309")

_T = TypeVar("_T")


def new_profile(seed: int) -> Profile:
    """Return the account's user."""
    chance = dice(seed, "profile")
    user_id = f"ana{chance.randrange(100):02d}"
    return Profile(
        account_id=new_id(chance)[:10],
        user=User(user_id, "Ana ☾"),
        country="DE",
        email=f"{user_id}@example.com",
        product="premium",
        followers=chance.randrange(200),
        images=pictures(chance),
    )


def first_state(seed: int, plan: LibraryPlan, catalogue: Catalogue, profile: Profile, start: datetime) -> State:
    """Return the library at its start, without plays; the catalogue grows by the odd things in it."""
    odd_tracks = add_odd_catalogue(catalogue, dice(seed, "oddities")) if plan.oddities else []
    state = State(_saved_tracks(seed, plan, catalogue, odd_tracks, start))
    _save_albums(state, dice(seed, "saved albums"), plan, catalogue, odd_tracks, start)
    odd_episodes = add_odd_shows(catalogue, dice(seed, "odd shows")) if plan.oddities else []
    _follow(state, dice(seed, "followed artists"), plan, catalogue, odd_tracks)
    _save_shows(state, dice(seed, "saved shows"), plan, catalogue, odd_episodes, start)
    _save_episodes(state, dice(seed, "saved episodes"), plan, catalogue, odd_episodes, start)
    _choose_rotation(state, dice(seed, "rotation"), catalogue, odd_tracks)
    _make_playlists(state, dice(seed, "playlists"), plan, catalogue, profile, start)
    if plan.oddities:
        chance = dice(seed, "spoilt")
        _spoil(state, chance, odd_entries(catalogue, chance, odd_tracks, odd_episodes, str(profile.user.user_id)))
    return state


def new_playlist(chance: Random, name: str, owner: User, access: Access, *, collaborative: bool = False) -> Playlist:
    """Return a playlist without entries."""
    return Playlist(
        playlist_id=new_id(chance),
        name=name,
        description="",
        owner=owner,
        access=access,
        collaborative=collaborative,
        public=not collaborative,
        images=pictures(chance)[:1],
        primary_color=None,
        revision=chance.randrange(1, 500),
        total=chance.randrange(20, 400),
    )


def _moments(chance: Random, count: int, start: datetime, years: timedelta = _YEARS) -> list[datetime]:
    """Return moments of the past in order; now and then two are the same second."""
    seconds = sorted(chance.randrange(int(years.total_seconds())) for _ in range(count))
    for later in range(25, count, 40):
        seconds[later] = seconds[later - 1]
    begin = start.replace(microsecond=0) - years
    return [begin + timedelta(seconds=passed) for passed in seconds]


def _saved_tracks(
    seed: int, plan: LibraryPlan, catalogue: Catalogue, odd_tracks: list[Track], start: datetime
) -> SavedTracks:
    chance = dice(seed, "saved tracks")
    held = plan.held_saved_tracks
    odd = odd_tracks[: held // 5]
    odd_ids = {track.track_id for track in odd}
    sample = chance.sample(catalogue.all_tracks, held)
    ordinary = [track for track in sample if track.track_id not in odd_ids][: held - len(odd)]
    tracks = odd + ordinary
    chance.shuffle(tracks)
    # The rest of the years is the past's.
    years = timedelta(seconds=int(_YEARS.total_seconds()) * held // plan.saved_tracks) if held else _YEARS
    moments = _moments(chance, len(tracks), start, years)
    now = start.replace(microsecond=0)
    past = Past(seed, plan.saved_tracks - held, now - _YEARS, now - years)
    return SavedTracks(past, (SavedTrack(moment, track) for moment, track in zip(moments, tracks, strict=True)))


def _save_albums(
    state: State, chance: Random, plan: LibraryPlan, catalogue: Catalogue, odd_tracks: list[Track], start: datetime
) -> None:
    odd = [track.album for track in odd_tracks[: plan.saved_albums // 3]]
    odd_ids = {album.album_id for album in odd}
    sample = chance.sample(list(catalogue.albums.values()), plan.saved_albums)
    albums = odd + [album for album in sample if album.album_id not in odd_ids][: plan.saved_albums - len(odd)]
    chance.shuffle(albums)
    state.saved_albums = [
        SavedAlbum(moment, album) for moment, album in zip(_moments(chance, len(albums), start), albums, strict=True)
    ]
    state.saved_album_ids = {album.album_id for album in albums}


def _follow(state: State, chance: Random, plan: LibraryPlan, catalogue: Catalogue, odd_tracks: list[Track]) -> None:
    odd_artists = [artist for track in odd_tracks[1:] for artist in track.album.artists[:1]]
    # More than the catalogue has are of those that have released nothing here.
    while len(catalogue.artists) < plan.followed_artists + 2 * len(odd_artists):
        catalogue.add_artist(new_artist(chance))
    chosen = chance.sample(list(catalogue.artists.values()), plan.followed_artists)
    for artist in dict.fromkeys(odd_artists[: plan.followed_artists // 2] + chosen):
        if len(state.followed) < plan.followed_artists:
            state.follow(artist)


def _save_shows(
    state: State,
    chance: Random,
    plan: LibraryPlan,
    catalogue: Catalogue,
    odd_episodes: list[Episode],
    start: datetime,
) -> None:
    odd = list({episode.show.show_id: episode.show for episode in odd_episodes}.values())
    shows = _some_of(chance, odd[: plan.saved_shows], list(catalogue.shows.values()), plan.saved_shows)
    for show, moment in zip(shows, _moments(chance, len(shows), start), strict=True):
        state.save_show(show, moment)


def _save_episodes(
    state: State,
    chance: Random,
    plan: LibraryPlan,
    catalogue: Catalogue,
    odd_episodes: list[Episode],
    start: datetime,
) -> None:
    episodes = _some_of(
        chance, odd_episodes[: plan.saved_episodes], list(catalogue.episodes.values()), plan.saved_episodes
    )
    for episode, moment in zip(episodes, _moments(chance, len(episodes), start), strict=True):
        state.save_episode(episode, moment)


def _some_of(chance: Random, certain: list[_T], all_of_them: list[_T], count: int) -> list[_T]:
    """Return as many things as wanted in any order, among them those that are certain."""
    others = [thing for thing in all_of_them if thing not in certain]
    chosen = certain + chance.sample(others, count - len(certain))
    chance.shuffle(chosen)
    return chosen


def _choose_rotation(state: State, chance: Random, catalogue: Catalogue, odd_tracks: list[Track]) -> None:
    saved = [entry.track for entry in state.saved_tracks.recent]
    state.rotation = chance.sample(saved, min(_ROTATION, len(saved))) or chance.sample(catalogue.all_tracks, 5)
    # Odd tracks are listened to as well.
    for place, track in enumerate(odd_tracks[1:6]):
        state.rotation.insert(min(1 + 3 * place, len(state.rotation)), track)


def _make_playlists(
    state: State, chance: Random, plan: LibraryPlan, catalogue: Catalogue, profile: Profile, start: datetime
) -> None:
    playlists = list(_planned_playlists(chance, plan, profile))
    readable = [playlist for playlist in playlists if playlist.readable]
    sizes = dict(zip((one.playlist_id for one in readable), _sizes(len(readable), plan.entries), strict=True))
    chance.shuffle(playlists)
    counts: Counter[Access] = Counter()
    for playlist in playlists:
        size = sizes.get(playlist.playlist_id)
        entries = None if size is None else _new_entries(chance, catalogue, playlist, profile, size, start)
        if plan.oddities:
            playlist = odd_playlist(playlist, counts[playlist.access], chance)  # noqa: PLW2901 - the same one, but odd
        counts[playlist.access] += 1
        state.add_playlist(playlist, entries)


def _planned_playlists(chance: Random, plan: LibraryPlan, profile: Profile) -> Iterator[Playlist]:
    followed = round(plan.playlists * 0.15)
    shared = round(plan.playlists * 0.08)
    # A collaborative playlist of somebody else's looks readable, but is only to those who were invited.
    uninvited = 1 if plan.oddities and followed else 0
    for number in range(plan.playlists - followed - shared):
        yield new_playlist(chance, playlist_name(chance), profile.user, "owner", collaborative=number % 9 == 2)
    for number in range(shared):
        friend = _FRIENDS[number % len(_FRIENDS)]
        yield new_playlist(chance, playlist_name(chance), User(friend, friend), "collaborator", collaborative=True)
    for number in range(followed):
        friend = _FRIENDS[number % len(_FRIENDS)]
        yield new_playlist(
            chance, playlist_name(chance), User(friend, friend), "follower", collaborative=number < uninvited
        )


def _sizes(playlists: int, entries: int) -> list[int]:
    """Return the entries of each playlist: a few are large, most are not, every seventh is empty."""
    weights = [0 if place % 7 == 6 else 1 / (place + 1) ** 0.8 for place in range(playlists)]
    return [round(entries * weight / sum(weights)) for weight in weights]


def _new_entries(
    chance: Random, catalogue: Catalogue, playlist: Playlist, profile: Profile, size: int, start: datetime
) -> list[PlaylistEntry]:
    adders = [str(profile.user.user_id), *(_FRIENDS if playlist.collaborative else ())]
    return [
        PlaylistEntry(chance.choice(catalogue.all_tracks), moment, chance.choice(adders))
        for moment in _moments(chance, size, start)
    ]


def _spoil(state: State, chance: Random, entries: list[PlaylistEntry]) -> None:
    state.saved_tracks.spoil()
    own = [playlist for playlist in state.playlists.values() if playlist.access == "owner"]
    if own:
        # The second largest: odd entries on a later page than the first, and a page that ends within them.
        largest = sorted(own, key=lambda playlist: -len(state.entries[playlist.playlist_id]))
        chosen = largest[min(1, len(largest) - 1)].playlist_id
        state.add_entries(chosen, entries)
        spoil_listing(state, own[0], chance)
