"""The command line: parses, runs one command, and turns whatever goes wrong into one sentence."""

from __future__ import annotations

import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.errors import CommandError

_INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C ended."""

app = typer.Typer(
    name="spotify-etl",
    help="Your Spotify library and listening history as SQL tables.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def spotify_etl(context: typer.Context) -> None:
    """Your Spotify library and listening history as SQL tables."""
    if context.invoked_subcommand is None:
        sys.stdout.write(f"{context.get_help()}\n")


@app.command()
def demo(
    days: Annotated[int, typer.Option(min=1, max=28, help="Simulated days to run.")] = 5,
    seed: Annotated[int, typer.Option(help="Another number, another listener.")] = 1,
    folder: Annotated[Path, typer.Option(help="Where the Parquet files and logs go.")] = Path(".local/demo"),
) -> None:
    """Run the whole pipeline on this machine: no AWS, no Spotify account, nothing sent anywhere."""
    # The embedded cloud takes a second to import; no other command should wait for it.
    from cli.demo import run_demo  # noqa: PLC0415

    run_demo(days=days, seed=seed, folder=folder)


@app.command()
def login(
    secret: Annotated[str, typer.Option(help="Name of the stack's secret: `pulumi stack output spotify_secret_name`.")],
    client_id: Annotated[str, typer.Option(prompt="Client id of your Spotify app", envvar="SPOTIPY_CLIENT_ID")],
    client_secret: Annotated[
        str,
        typer.Option(prompt="Client secret of your Spotify app", hide_input=True, envvar="SPOTIPY_CLIENT_SECRET"),
    ],
    redirect_uri: Annotated[
        str, typer.Option(help="Loopback address that the app lists on Spotify's dashboard.")
    ] = "http://127.0.0.1:8888/callback",
    browser: Annotated[bool, typer.Option(help="Open a browser; without one, paste the address you end up at.")] = True,
    accounts_url: Annotated[str, typer.Option(hidden=True)] = "https://accounts.spotify.com/",
) -> None:
    """Ask for your consent in a browser and keep the refresh token in the stack's secret."""
    from cli.login import App, log_in  # noqa: PLC0415 - spotipy and boto3 take a second to import

    log_in(
        secret,
        App(client_id, client_secret),
        open_browser=browser,
        accounts_url=accounts_url,
        redirect_uri=redirect_uri,
        console=Console(),
    )


def main() -> None:
    """Run the command that `sys.argv` names; exit status 1 on an error, 2 on a wrong call, 130 on Ctrl-C."""
    status = 0
    try:
        # typer makes an exit status of Ctrl-C and of `--help`.
        status = app(standalone_mode=False) or 0
    except CommandError as error:
        _fail(str(error), status=1)
    except typer.TyperException as error:
        _fail(f"{error.format_message().rstrip('.')}. `spotify-etl --help` lists what there is.", status=2)
    except (KeyboardInterrupt, typer.Abort):
        status = _INTERRUPTED
    except Exception:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        _fail(f"Something went wrong that should not have; {_kept_traceback()} says what. Please report it.", status=1)
    if status == _INTERRUPTED:
        _fail("Stopped. Everything this command had started has ended.", status)


def _fail(sentence: str, status: int) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(status)


def _kept_traceback() -> Path:
    name = f"spotify-etl-error-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
    path = Path(tempfile.gettempdir()) / name
    path.write_text(traceback.format_exc(), encoding="utf-8")
    return path
