"""The command line: parses the arguments, runs the command, and turns every error into one sentence."""

from __future__ import annotations

import errno
import io
import signal
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.local_cloud.app import app as local_cloud
from cli.presentation import terminal, write_line
from handlers.streams import default_streams

app = typer.Typer(
    name="spotify-etl",
    help="Your Spotify library and listening history as SQL tables.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)
app.add_typer(local_cloud, name="local")


def _print_version(wanted: bool) -> None:
    if wanted:
        write_line(sys.stdout, f"spotify-etl {version('spotify-etl')}")
        raise typer.Exit


@app.callback()
def spotify_etl(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Your Spotify library and listening history as SQL tables."""
    if context.invoked_subcommand is None:
        context.get_help()  # It prints the help itself.


@app.command()
def demo(
    export: Annotated[
        list[Path] | None,
        typer.Option(
            help="Your privacy export (a zip, folder or file), in place of the made-up listener.", show_default=False
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=28, help="Number of simulated days.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the made-up listener; another number makes another listener.")] = 1,
    timezone: Annotated[
        str, typer.Option(help="Time zone of the export, such as Europe/Berlin; by default that of this machine.")
    ] = "",
    folder: Annotated[Path, typer.Option(help="Where tables and report go.")] = Path(".local/demo"),
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Whether to open the report of your export in your browser.")
    ] = True,
) -> None:
    """Run the whole pipeline on this machine: no AWS, no Spotify account, nothing sent anywhere.

    With your own plays: spotify-etl demo --export my_spotify_data.zip
    """
    # The embedded cloud takes a second to import; other commands must not wait for it.
    from cli.demo import run_demo, run_export_demo  # noqa: PLC0415

    if export:
        run_export_demo(export, folder=folder, timezone=timezone, open_browser=open_browser)
    else:
        run_demo(days=days, seed=seed, folder=folder)


@app.command()
def report(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]",
            help="The spotify.duckdb of a demo, or the zip of your privacy export (or its folder or files).",
            show_default=False,
        ),
    ] = None,
    stack: Annotated[
        str, typer.Option(help="The stack to query if no file is given; not needed if there is only one.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("spotify-report.html"),
    year: Annotated[int | None, typer.Option(help="Year to show first in the year in review.")] = None,
    card: Annotated[Path | None, typer.Option(help="Also make an image of the year to share, as .svg or .png.")] = None,
    account_id: Annotated[
        str,
        typer.Option(help="Account to report on, if the data hold several; by default the one with the most listens."),
    ] = "",
    timezone: Annotated[
        str, typer.Option(help="Time zone of a privacy export, such as Europe/Berlin; by default that of this machine.")
    ] = "",
    open_browser: Annotated[bool, typer.Option("--open", help="Open the report in your browser.")] = False,
) -> None:
    """Make a report of your listening: one HTML file, with charts, that needs no network.

    From a stack: spotify-etl report --open

    From your privacy export, on this machine alone: spotify-etl report my_spotify_data.zip --open
    """
    from cli.report.command import run_report  # noqa: PLC0415 - Altair and boto3 take seconds to import
    from cli.report.report import ReportRequest  # noqa: PLC0415

    run_report(
        paths or [],
        ReportRequest(path=out, account_id=account_id, year=year, card=card),
        stack=stack,
        timezone=timezone,
        open_browser=open_browser,
        console=terminal(),
    )


@app.command()
def login(
    secret: Annotated[
        str, typer.Option(help="Name of the stack's secret; `pulumi stack output spotify_secret_name` prints it.")
    ],
    client_id: Annotated[
        str,
        typer.Option(
            prompt="Client id of your Spotify app",
            help="Client id of your Spotify app; prompted for if not given.",
            envvar="SPOTIPY_CLIENT_ID",
        ),
    ],
    client_secret: Annotated[
        str,
        typer.Option(
            prompt="Client secret of your Spotify app",
            hide_input=True,
            help="Client secret of your Spotify app; prompted for, without echo, if not given.",
            envvar="SPOTIPY_CLIENT_SECRET",
        ),
    ],
    streams: Annotated[
        str, typer.Option(help="Streams that the stack reads, comma-separated, if they are not the default ones.")
    ] = "",
    only_app: Annotated[
        bool, typer.Option("--app", help="For authMode app: store only the app's id and secret, without a browser.")
    ] = False,
    redirect_uri: Annotated[
        str, typer.Option(help="Redirect URI on 127.0.0.1, exactly as the app lists it on Spotify's dashboard.")
    ] = "http://127.0.0.1:8888/callback",
    browser: Annotated[
        bool, typer.Option(help="Open a browser, or else paste the address that you are redirected to.")
    ] = True,
    accounts_url: Annotated[str, typer.Option(hidden=True)] = "https://accounts.spotify.com/",
) -> None:
    """Ask for your consent in a browser and store the refresh token in the stack's secret."""
    from cli.login import log_in, log_in_app, parse_streams  # noqa: PLC0415 - boto3 takes a second to import
    from cli.spotify_accounts import SpotifyApp  # noqa: PLC0415

    spotify_app = SpotifyApp(client_id.strip(), client_secret.strip())
    if only_app and streams:
        raise typer.BadParameter("--streams cannot be used with --app: without a user there is no consent to ask for")
    if only_app:
        log_in_app(secret, spotify_app, accounts_url=accounts_url, console=terminal())
        return
    log_in(
        secret,
        spotify_app,
        parse_streams(streams) if streams else default_streams(),
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
            readable=False,  # The command itself reports why a file cannot be read.
            help="The zip that Spotify sent, the folder it unpacks to, or single files of any name.",
        ),
    ],
    bucket: Annotated[
        str,
        typer.Option(
            help="Name of the stack's raw bucket; `pulumi stack output raw_bucket_name` prints it. "
            "Required without --dry-run.",
        ),
    ] = "",
    account_id: Annotated[
        str, typer.Option(help="The account_id that the plays belong to, if it is not the logged-in account.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Import files even if they have been imported before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the files and report what they hold, without contacting AWS.")
    ] = False,
) -> None:
    """Import plays from Spotify's privacy export, extended or small. Only documented fields are stored."""
    from cli.import_history import import_history as run_import  # noqa: PLC0415 - boto3 takes a second to import
    from cli.import_history import inspect_history  # noqa: PLC0415

    # Arguments that are not valid UTF-8 contain lone surrogates, which are not printable.
    if account_id and not (account_id.isprintable() and account_id.strip()):
        raise typer.BadParameter("--account-id must be an account_id from the tables")
    if dry_run:
        inspect_history(paths, console=terminal())
    elif bucket:
        run_import(paths, bucket, account_id=account_id.strip() or None, again=again, console=terminal())
    else:
        raise typer.BadParameter("Pass the stack's raw bucket with --bucket, or use --dry-run")


def main() -> None:
    """Run the command in `sys.argv`; exit status 1 for an error, 2 for wrong usage, 130 for Ctrl-C."""
    # A title in another script must not crash the command on a terminal that cannot print it.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    interrupts = _record_interrupts()
    sentence, status = _run(interrupts)
    if interrupts:
        sentence, status = "Stopped. Everything that this command had started has been shut down.", 130
    if status:
        write_line(sys.stderr, sentence)
        sys.exit(status)


def _run(interrupts: list[int]) -> tuple[str, int]:
    """Run the command and return an error message of one sentence, if any, and the exit status."""
    try:
        app(prog_name="spotify-etl", standalone_mode=False)
    except CommandError as error:
        return str(error), 1
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "spotify-etl")
        sentence = error.format_message()
        return f"{sentence if sentence.endswith(('.', '?')) else sentence + '.'} See `{command} --help`.", 2
    except KeyboardInterrupt:
        interrupts.append(signal.SIGINT)
    except typer.Abort:
        # The input ended at a prompt.
        return "The command needs input: run it in a terminal, or pass the values as options.", 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: users never see a traceback
        if not interrupts:
            return _unexpected(error), 1
    return "", 0


def _disk_error(error: OSError) -> str:
    """Return a sentence for an error that any command can meet: a disk that is full or cannot be written to."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {error.filename or tempfile.gettempdir()} is full: free some space and run it again."
    if error.errno == errno.EROFS:
        return f"{error.filename} is on a read-only disk: choose another folder."
    if "No usable temporary directory" in str(error):
        return "No folder for temporary files can be written to: free some space, or set TMPDIR to another folder."
    return ""


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and (sentence := _disk_error(error)):
        return sentence
    return f"An unexpected error occurred; {_save_traceback(error)}. Please report it."


def _record_interrupts() -> list[int]:
    """Return a list to which every Ctrl-C is added.

    KeyboardInterrupt alone is not reliable: typer turns it into an exit status, and DuckDB into a RuntimeError.
    """
    interrupts: list[int] = []

    def record(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, record)
    return interrupts


def _save_traceback(error: Exception) -> str:
    """Save the traceback and return a clause that says where, or what the error was if no file can be written."""
    try:
        # The name cannot be guessed, so nobody can have put a link there; only the user can read the file.
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
        return f"no log file could be written, and the error was {error!r}"
    return f"see {file.name} for details"
