"""The simulator as a program: its options, its output and how it stops."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from typing import Annotated

import typer

from spotify_simulator.model.library import Library
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.simulator import Shape, Simulator
from spotify_simulator.web.endpoints import SCOPES

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0: any free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="Seed of the made-up listener.")] = 1,
    saved_tracks: Annotated[
        int, typer.Option(help="Number of saved tracks, up to a million.")
    ] = LibraryPlan.saved_tracks,
    playlists: Annotated[
        int, typer.Option(help="Number of playlists: own, shared and followed.")
    ] = LibraryPlan.playlists,
    plays_per_day: Annotated[int, typer.Option(help="Average number of plays per day.")] = LibraryPlan.plays_per_day,
    oddities: Annotated[
        bool, typer.Option(help="Include what is odd or malformed in Spotify's real responses.")
    ] = LibraryPlan.oddities,
    shape: Annotated[
        Shape, typer.Option(help="Responses as for an app in Development Mode, or in extended quota mode.")
    ] = "development",
    start: Annotated[
        datetime | None, typer.Option(help="Simulated time at the start, in UTC; the real time by default.")
    ] = None,
) -> None:
    """Serve a made-up Spotify account on 127.0.0.1 until Ctrl-C; its library changes as time passes."""
    if start is not None and not 2000 <= start.year < 2100:
        raise typer.BadParameter("--start must be between the years 2000 and 2099")
    stopped = _stop_signals()
    clock = _Clock(start.replace(tzinfo=UTC) if start else datetime.now(UTC))
    try:
        plan = LibraryPlan(
            saved_tracks=saved_tracks, playlists=playlists, plays_per_day=plays_per_day, oddities=oddities
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    simulator = Simulator(Library.planned(seed, plan, start=clock.start), clock, shape=shape, port=port)
    try:
        simulator.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        typer.echo(f"Port {port} cannot be used ({reason}): choose another with --port.", err=True)
        raise typer.Exit(1) from error
    try:
        typer.echo(_introduction(simulator, plan, clock.start))
        # The reader of a pipe should not have to wait for a full buffer.
        sys.stdout.flush()
        stopped.wait()
    finally:
        simulator.stop()
    typer.echo("Stopped.")


class _Clock:
    """Simulated time, at the pace of the real one."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self._ahead = start - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead


def _stop_signals() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _introduction(simulator: Simulator, plan: LibraryPlan, start: datetime) -> str:
    refresh_token = simulator.authorize(SCOPES)
    token_url = f"{simulator.accounts_url}api/token"
    credentials = f"{simulator.client_id}:{simulator.client_secret}"
    size = f"{plan.saved_tracks:,} saved tracks and {plan.playlists:,} playlists"
    return f"""\
A Spotify account with {size}; its time is {start:%Y-%m-%d %H:%M} UTC.

API            {simulator.api_url}
accounts       {simulator.accounts_url}
client id      {simulator.client_id}
client secret  {simulator.client_secret}
refresh token  {refresh_token}

Get an access token, for "Authorization: Bearer <access_token>":
  curl -u {credentials} -d grant_type=refresh_token -d refresh_token={refresh_token} {token_url}
With spotipy, set two addresses:
  auth_manager.OAUTH_TOKEN_URL = "{token_url}"; spotify.prefix = "{simulator.api_url}"

Press Ctrl-C to stop."""
