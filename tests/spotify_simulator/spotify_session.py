"""The real spotipy, pointed at a simulator, and a clock that tests move."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyOAuth

from spotify_simulator import Library, Shape, Simulator

START = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
SCOPES = (
    "playlist-read-private",
    "playlist-read-collaborative",
    "user-follow-read",
    "user-library-read",
    "user-read-recently-played",
    "user-read-playback-position",
    "user-top-read",
)


class Clock:
    """A simulated moment that only tests move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **passed: float) -> None:
        self.now += timedelta(**passed)


def library(seed: int = 3, **sizes: Any) -> Library:
    """A library of an everyday size: small enough to be read whole in a test, large enough for pages and oddities."""
    return _made_once(seed, **sizes).at(START)


def new_library(seed: int = 3, **sizes: Any) -> Library:
    """The same library as `library`, made from its seed again."""
    return Library.seeded(
        seed, start=START, **{"saved_tracks": 200, "playlists": 12, "saved_albums": 60, "plays_per_day": 80, **sizes}
    )


_made_once = functools.cache(new_library)


@contextmanager
def running(
    served: Library | None = None, clock: Clock | None = None, shape: Shape = "development"
) -> Iterator[Simulator]:
    with Simulator(served or library(), clock or Clock(), shape=shape) as simulator:
        yield simulator


class App(Protocol):
    """An app of a simulator, wherever that one is running."""

    client_id: str
    client_secret: str

    @property
    def accounts_url(self) -> str: ...


def oauth(simulator: App, refresh_token: str, client_secret: str | None = None) -> SpotifyOAuth:
    auth = SpotifyOAuth(
        client_id=simulator.client_id,
        client_secret=client_secret or simulator.client_secret,
        redirect_uri="http://127.0.0.1:8888/callback",
        open_browser=False,
        requests_timeout=60,
        cache_handler=MemoryCacheHandler(
            {"access_token": "", "refresh_token": refresh_token, "expires_at": 0, "scope": None}
        ),
    )
    auth.OAUTH_TOKEN_URL = f"{simulator.accounts_url}api/token"
    return auth


@contextmanager
def client(simulator: Simulator, scopes: tuple[str, ...] = SCOPES) -> Iterator[spotipy.Spotify]:
    """A spotipy that may do what the scopes say and never retries."""
    with requests.Session() as session:
        auth = oauth(simulator, simulator.authorize(scopes))
        spotify = spotipy.Spotify(auth_manager=auth, requests_session=session, requests_timeout=60)
        spotify.prefix = simulator.api_url
        yield spotify
        auth._session.close()


def access_token(simulator: Simulator, scopes: tuple[str, ...] = SCOPES) -> str:
    answer = requests.post(
        f"{simulator.accounts_url}api/token",
        data={"grant_type": "refresh_token", "refresh_token": simulator.authorize(scopes)},
        auth=(simulator.client_id, simulator.client_secret),
        timeout=60,
    )
    return str(answer.json()["access_token"])


def get(
    simulator: Simulator, path: str, token: str | None = None, params: dict[str, str] | None = None
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or access_token(simulator)}"}
    return requests.get(f"{simulator.api_url}{path}", params=params, headers=headers, timeout=60)


def all_pages(spotify: spotipy.Spotify, page: Any) -> list[Any]:
    """Every element of a list, driven by `next` alone; fails where it leaves the simulator or does not end."""
    elements = list(page["items"])
    pages = 1
    while page["next"]:
        assert page["next"].startswith(spotify.prefix)
        page = spotify.next(page)
        elements += page["items"]
        pages += 1
        assert pages < 1000
    return elements
