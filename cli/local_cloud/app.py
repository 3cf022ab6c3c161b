"""The declarations of `spotify-etl local`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from cli.local_cloud.durations import DurationError, parse_duration
from cli.presentation import terminal

app = typer.Typer(help="Keep the whole cloud running on this machine.", no_args_is_help=True)

DataOption = Annotated[
    Path | None, typer.Option(help="Where it keeps its data; .local/cloud in the project by default.", metavar="DIR")
]


@app.command()
def up(
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Start it in the background, and return once it is ready.")
    ] = False,
    data: DataOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1024, max=65534, help="Port on 127.0.0.1; 4599 by default. The simulated Spotify takes the next one."
        ),
    ] = None,
    spotify: Annotated[
        str, typer.Option(metavar="[simulated|live]", help="Read a made-up listener, or your own Spotify app.")
    ] = "",
    empty: Annotated[
        bool, typer.Option("--empty", help="Deploy nothing: for pulumi up -s local, Terraform or the AWS CLI.")
    ] = False,
    advance: Annotated[
        str, typer.Option(metavar="DURATION", help="Let simulated time pass first, such as 3d or 12h.")
    ] = "",
    timezone: Annotated[
        str, typer.Option(help="Time zone of the schedules, such as Europe/Berlin; by default that of this machine.")
    ] = "",
) -> None:
    """Run AWS and Spotify on this machine until Ctrl-C: schedules fire, and the data stay.

    With three days of a made-up listener: spotify-etl local up --advance 3d

    With your own Spotify account: spotify-etl local up --spotify live
    """
    from cli.local_cloud.up import UpOptions, run_up  # noqa: PLC0415 - moto takes a second to import

    if spotify not in ("", "simulated", "live"):
        raise typer.BadParameter("--spotify must be simulated or live")
    _check_timezone(timezone)
    options = UpOptions(
        data=data,
        port=port,
        spotify=spotify,
        empty=empty,
        timezone=timezone,
        advance=_duration(advance) if advance else None,
    )
    run_up(options, terminal())


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise typer.BadParameter(str(error)) from error


def _check_timezone(name: str) -> None:
    if not name:
        return
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise typer.BadParameter(f"--timezone must be an IANA name such as Europe/Berlin, not {name!r}") from error
