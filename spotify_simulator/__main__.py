"""`python -m spotify_simulator`: a Spotify to develop against, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from spotify_simulator import Library, LibraryPlan, Simulator

_SCOPES = (
    "playlist-read-collaborative",
    "playlist-read-private",
    "user-follow-read",
    "user-library-read",
    "user-read-private",
    "user-read-recently-played",
    "user-top-read",
)


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8888,
    seed: Annotated[int, typer.Option(help="Another number, another listener.")] = 1,
    saved_tracks: Annotated[int, typer.Option(min=0, max=1_000_000, help="Size of the library.")] = 2_100,
    playlists: Annotated[int, typer.Option(min=0, max=1_000)] = 40,
    oddities: Annotated[
        bool, typer.Option(help="Include the odd and broken records that Spotify really sends.")
    ] = True,
    shape: Annotated[
        str, typer.Option(help="`development`: as new apps are answered since February 2026; `extended`: as before.")
    ] = "development",
) -> None:
    """Serve a made-up listener's Spotify library over the Web API, in real time, until Ctrl-C."""
    plan = LibraryPlan(saved_tracks=saved_tracks, playlists=playlists, oddities=oddities)
    library = Library.planned(seed, plan, start=datetime.now(UTC))
    simulator = Simulator(library, lambda: datetime.now(UTC), shape=_shape(shape), port=port)
    try:
        simulator.start()
    except OSError:
        raise typer.BadParameter(
            f"{port} is in use: stop what uses it, or give another.", param_hint="--port"
        ) from None
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(f"Web API        {simulator.api_url}")
    print(f"Accounts       {simulator.accounts_url}")
    print(f"Client id      {simulator.client_id}")
    print(f"Client secret  {simulator.client_secret}")
    print(f"Refresh token  {simulator.authorize(_SCOPES)}")
    print("Ctrl-C ends it. spotipy reads it with requests sent to these addresses: see spotify_simulator/README.md.")
    sys.stdout.flush()
    ended.wait()
    simulator.stop()


def _shape(text: str) -> Literal["development", "extended"]:
    match text:
        case "development" | "extended":
            return text
        case _:
            raise typer.BadParameter("Give development or extended.", param_hint="--shape")


if __name__ == "__main__":
    typer.run(main)
