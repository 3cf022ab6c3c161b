"""The declarations of `spotify-etl local`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from cli.local_cloud.durations import DurationError, parse_duration
from cli.presentation import terminal

app = typer.Typer(help="Keep the whole cloud running on this machine.", invoke_without_command=True)

DataOption = Annotated[
    Path | None, typer.Option(help="Where it keeps its data; .local/cloud in the project by default.", metavar="DIR")
]


@app.callback()
def local(context: typer.Context) -> None:
    """Keep the whole cloud running on this machine."""
    if context.invoked_subcommand is None:
        context.get_help()  # It prints the help itself.


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
    from cli.local_cloud.detached import run_detached  # noqa: PLC0415 - moto takes a second to import
    from cli.local_cloud.up import UpOptions, run_up  # noqa: PLC0415 - as above

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
    if detach:
        run_detached(options, terminal())
    else:
        run_up(options, terminal())


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the local cloud that is running; exit status 1 if none is.

    In a script: spotify-etl local status --json
    """
    from cli.local_cloud.status import show_status  # noqa: PLC0415 - as above

    show_status(terminal(), as_json=as_json)


@app.command()
def logs(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    data: DataOption = None,
) -> None:
    """Print what a cloud in the background has done, started with --detach.

    As it happens: spotify-etl local logs --follow
    """
    from cli.local_cloud.logs import show_logs  # noqa: PLC0415 - as above

    show_logs(terminal(), data=data, follow=follow)


@app.command()
def down() -> None:
    """End the local cloud, and wait until it has ended. Its data stay."""
    from cli.local_cloud.down import end  # noqa: PLC0415 - as above

    end(terminal())


@app.command()
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = None,
) -> None:
    """Delete the data of the local cloud, after asking.

    Then start with a new one: spotify-etl local up
    """
    from cli.local_cloud.reset import delete_data  # noqa: PLC0415 - as above

    delete_data(terminal(), data=data, yes=yes)


@app.command()
def env(
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Print a profile for ~/.aws/config and ~/.aws/credentials instead.")
    ] = "",
) -> None:
    """Print the environment variables with which the AWS CLI, boto3, Terraform and others use the local cloud.

    In a shell: eval "$(spotify-etl local env)"
    """
    from cli.local_cloud.environment import show_environment  # noqa: PLC0415 - as above

    show_environment(sys.stdout, profile=profile)


@app.command("advance")
def advance_time(
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="Such as 3d, 12h, 30m or 1d12h.")],
) -> None:
    """Let simulated time pass at once in the running local cloud: everything that becomes due happens at its time.

    Three days: spotify-etl local advance 3d
    """
    from cli.local_cloud.advance import advance  # noqa: PLC0415 - as above

    advance(_duration(duration), terminal())


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
