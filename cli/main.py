"""The command line: parses, runs one command, and turns whatever goes wrong into one sentence."""

from __future__ import annotations

import io
import signal
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.presentation import terminal, write_line
from handlers.streams import default_streams

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
        context.get_help()  # It prints by itself.


@app.command()
def demo(
    days: Annotated[int, typer.Option(min=1, max=28, help="Simulated days to run.")] = 5,
    seed: Annotated[int, typer.Option(help="Another number, another listener.")] = 1,
    folder: Annotated[Path, typer.Option(help="Where the Parquet files go.")] = Path(".local/demo"),
) -> None:
    """Run the whole pipeline on this machine: no AWS, no Spotify account, nothing sent anywhere."""
    # The embedded cloud takes a second to import; no other command should wait for it.
    from cli.demo import run_demo  # noqa: PLC0415

    run_demo(days=days, seed=seed, folder=folder)


@app.command()
def login(
    secret: Annotated[str, typer.Option(help="Name of the stack's secret: `pulumi stack output spotify_secret_name`.")],
    client_id: Annotated[
        str,
        typer.Option(
            prompt="Client id of your Spotify app",
            help="Of your Spotify app; else asked for.",
            envvar="SPOTIPY_CLIENT_ID",
        ),
    ],
    client_secret: Annotated[
        str,
        typer.Option(
            prompt="Client secret of your Spotify app",
            hide_input=True,
            help="Of your Spotify app; else asked for, without being shown.",
            envvar="SPOTIPY_CLIENT_SECRET",
        ),
    ],
    streams: Annotated[
        str, typer.Option(help="Streams that the stack reads, comma separated, if not the default ones.")
    ] = "",
    only_app: Annotated[
        bool, typer.Option("--app", help="For authMode app: keep the app's id and secret alone, without a browser.")
    ] = False,
    redirect_uri: Annotated[
        str, typer.Option(help="Loopback address that the app lists on Spotify's dashboard.")
    ] = "http://127.0.0.1:8888/callback",
    browser: Annotated[bool, typer.Option(help="Open a browser; without one, paste the address you end up at.")] = True,
    accounts_url: Annotated[str, typer.Option(hidden=True)] = "https://accounts.spotify.com/",
) -> None:
    """Ask for your consent in a browser and keep the refresh token in the stack's secret."""
    from cli.login import log_in, log_in_app, named_streams  # noqa: PLC0415 - boto3 takes a second to import
    from cli.spotify_accounts import SpotifyApp  # noqa: PLC0415

    spotify_app = SpotifyApp(client_id.strip(), client_secret.strip())
    if only_app and streams:
        raise typer.BadParameter("--app takes no --streams: without a user there is nothing to consent to")
    if only_app:
        log_in_app(secret, spotify_app, accounts_url=accounts_url, console=terminal())
        return
    log_in(
        secret,
        spotify_app,
        named_streams(streams) if streams else default_streams(),
        open_browser=browser,
        accounts_url=accounts_url,
        redirect_uri=redirect_uri,
        console=terminal(),
    )


@app.command("import-history")
def import_history(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            readable=False,  # The command says itself why a file cannot be read.
            help="The zip that Spotify sent, the folder it unpacks to, or single files of any name.",
        ),
    ],
    bucket: Annotated[
        str, typer.Option(help="Name of the stack's raw bucket: `pulumi stack output raw_bucket_name`.")
    ] = "",
    account_id: Annotated[
        str, typer.Option(help="Whose plays these are: an account_id, if not the logged-in account's.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Also import files that were imported before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report without contacting AWS.")] = False,
) -> None:
    """Import the plays from Spotify's privacy export, extended or small: their documented fields and nothing else."""
    from cli.import_history import import_history as run_import  # noqa: PLC0415 - boto3 takes a second to import
    from cli.import_history import inspect_history  # noqa: PLC0415

    # What is no UTF-8 on the command line has half surrogates here.
    if account_id and not (account_id.isprintable() and account_id.strip()):
        raise typer.BadParameter("--account-id must be an account_id from the tables")
    if dry_run:
        inspect_history(paths, console=terminal())
    elif bucket:
        run_import(paths, bucket, account_id=account_id.strip() or None, again=again, console=terminal())
    else:
        raise typer.BadParameter("Give the stack's raw bucket with --bucket, or pass --dry-run")


def main() -> None:
    """Run the command that `sys.argv` names; exit status 1 on an error, 2 on a wrong call, 130 on Ctrl-C."""
    # A title in another script must not end the command on a terminal that cannot print it.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    interrupts = _noted_interrupts()
    sentence, status = _outcome(interrupts)
    if interrupts:
        sentence, status = "Stopped. Everything this command had started has ended.", 130
    if status:
        write_line(sys.stderr, sentence)
        sys.exit(status)


def _outcome(interrupts: list[int]) -> tuple[str, int]:
    """Run the command; what went wrong, in one sentence, and the exit status."""
    try:
        app(standalone_mode=False)
    except CommandError as error:
        return str(error), 1
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "spotify-etl")
        sentence = error.format_message()
        return f"{sentence if sentence.endswith(('.', '?')) else sentence + '.'} See `{command} --help`.", 2
    except KeyboardInterrupt:
        interrupts.append(signal.SIGINT)
    except typer.Abort:
        # What was asked for on the terminal was not given: its input ended.
        return "Nothing was entered where the command asks: run it in a terminal, or pass what it asks for.", 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        if not interrupts:
            return f"Something went wrong that should not have; {_kept(error)}. Please report it.", 1
    return "", 0


def _noted_interrupts() -> list[int]:
    """A list that every Ctrl-C is added to.

    A KeyboardInterrupt alone does not tell: typer makes an exit status of it, and DuckDB a RuntimeError.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    return noted


def _kept(error: Exception) -> str:
    """A clause that says where the traceback is kept or, where no file can be written, what the error was."""
    try:
        # With a name that nobody can have foreseen and put a link at, readable by the user alone.
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            prefix=f"spotify-etl-error-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-",
            suffix=".log",
            delete=False,
        ) as file:
            for line in "".join(traceback.format_exception(error)).rstrip("\n").split("\n"):
                write_line(file, line)
    except OSError:
        return f"no file could be written to keep it, but it was {error!r}"
    return f"{file.name} says what"
