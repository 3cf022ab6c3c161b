"""The command line: parses the arguments, runs the command, and turns every error into one sentence."""

from __future__ import annotations

import errno
import io
import signal
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, cast

import typer

from cli.errors import CommandError, StillRunningError
from cli.local_cloud.app import app as local_cloud
from cli.options import LocalOption, StackOption
from cli.presentation import terminal, write_line
from cli.program_name import NAME, in_help, program_name

_INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

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
    stack: StackOption = "",
    local: LocalOption = False,
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

    From a stack or the local cloud: spotify-etl report --open

    From your privacy export, on this machine alone: spotify-etl report my_spotify_data.zip --open
    """
    from cli.report.command import run_report  # noqa: PLC0415 - Altair and boto3 take seconds to import
    from cli.report.report import ReportRequest  # noqa: PLC0415

    run_report(
        paths or [],
        ReportRequest(path=out, account_id=account_id, year=year, card=card),
        stack=stack,
        local=local,
        timezone=timezone,
        open_browser=open_browser,
        console=terminal(),
    )


@app.command()
def labels(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            readable=False,  # The command itself reports why a file cannot be read.
            help="A CSV file with the columns subject, label and excluded.",
        ),
    ],
    account_id: Annotated[
        str, typer.Option(help="The account_id that the labels belong to, if it is not the logged-in account.")
    ] = "",
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Label tracks, artists and playlists, or exclude them from your listening; replaces earlier labels.

    The subject is a Spotify URI or link, or an artist's name: spotify-etl labels my_labels.csv
    """
    from cli.labels import import_labels  # noqa: PLC0415 - boto3 takes a second to import
    from cli.targets import find_target  # noqa: PLC0415

    import_labels(file, find_target(stack, local=local), account_id=account_id.strip(), console=terminal())


@app.command()
def export(
    formats: Annotated[
        str, typer.Option("--format", help="What to write, comma-separated: duckdb, parquet, csv, m3u.")
    ] = "duckdb",
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("spotify-export"),
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier export in that folder.")] = False,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Copy your tables, views and playlists to files on this machine.

    One DuckDB file with every table, view and named query: spotify-etl export

    For spreadsheets and players: spotify-etl export --format csv,m3u --out ~/spotify
    """
    from cli.lake_export import export_lake, parse_formats  # noqa: PLC0415 - boto3 and DuckDB take a second to import
    from cli.targets import find_target  # noqa: PLC0415

    wanted = parse_formats(formats)
    export_lake(find_target(stack, local=local), wanted, out.expanduser(), replace=replace, console=terminal())


@app.command()
def login(
    client_id: Annotated[
        str | None,
        typer.Option(
            help="Client id of your Spotify app; prompted for if neither given nor in the secret.",
            envvar="SPOTIPY_CLIENT_ID",
            show_default=False,
        ),
    ] = None,
    client_secret: Annotated[
        str | None,
        typer.Option(
            help="Client secret of your Spotify app; prompted for, without echo, if neither given nor in the secret.",
            envvar="SPOTIPY_CLIENT_SECRET",
            show_default=False,
        ),
    ] = None,
    streams: Annotated[
        str, typer.Option(help="Ask for the consent of these streams, comma-separated, instead of the stack's.")
    ] = "",
    only_app: Annotated[
        bool, typer.Option("--app", help="Store only the app's id and secret, without a browser, as authMode app does.")
    ] = False,
    redirect_uri: Annotated[
        str, typer.Option(help="Redirect URI on 127.0.0.1, exactly as the app lists it on Spotify's dashboard.")
    ] = "http://127.0.0.1:8888/callback",
    browser: Annotated[
        bool, typer.Option(help="Open a browser, or else paste the address that you are redirected to.")
    ] = True,
    calendar: Annotated[
        Path | None,
        typer.Option(
            help="Calendar file (.ics) with reminders before the login ends; by default spotify-login-STACK.ics here.",
            metavar="FILE",
        ),
    ] = None,
    without_calendar: Annotated[bool, typer.Option("--no-calendar", help="Write no calendar file.")] = False,
    secret: Annotated[
        str, typer.Option(help="Name of a secret in the account and region of your environment, without a stack.")
    ] = "",
    stack: StackOption = "",
    local: LocalOption = False,
    accounts_url: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Ask for your consent in a browser and store the refresh token in the stack's secret.

    After `pulumi up`: spotify-etl login
    """
    from cli.login import LoginRequest, run_login  # noqa: PLC0415 - boto3 takes a second to import

    if only_app and streams:
        raise typer.BadParameter("--streams cannot be used with --app: without a user there is no consent to ask for")
    if calendar and without_calendar:
        raise typer.BadParameter("--calendar cannot be used with --no-calendar")
    run_login(
        LoginRequest(
            client_id=client_id,
            client_secret=client_secret,
            streams=streams,
            only_app=only_app,
            secret=secret,
            accounts_url=accounts_url,
            redirect_uri=redirect_uri,
            open_browser=browser,
            calendar=calendar.expanduser() if calendar else None,
            without_calendar=without_calendar,
        ),
        stack=stack,
        local=local,
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
    account_id: Annotated[
        str, typer.Option(help="The account_id that the plays belong to, if it is not the logged-in account.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Import files even if they have been imported before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the files and report what they hold, without contacting AWS.")
    ] = False,
    follow: Annotated[
        bool, typer.Option(help="Wait for the transform, then crawl, until Athena has the plays.")
    ] = True,
    bucket: Annotated[
        str, typer.Option(help="Import into this raw bucket of your environment's account, without a stack.")
    ] = "",
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Import plays from Spotify's privacy export, extended or small. Only documented fields are stored.

    For example: spotify-etl import-history my_spotify_data.zip
    """
    from cli.followed_import import run_import  # noqa: PLC0415 - boto3 takes a second to import
    from cli.import_history import import_history as import_into  # noqa: PLC0415
    from cli.import_history import inspect_history  # noqa: PLC0415

    # Arguments that are not valid UTF-8 contain lone surrogates, which are not printable.
    if account_id and not (account_id.isprintable() and account_id.strip()):
        raise typer.BadParameter("--account-id must be an account_id from the tables")
    account = account_id.strip() or None
    if bucket and (stack or local):
        raise typer.BadParameter("Pass either --bucket or a stack: the plays go to one bucket")
    if dry_run:
        inspect_history(paths, console=terminal())
    elif bucket:
        # Nothing but the bucket is known, so there is nothing to follow.
        import_into(paths, bucket, account_id=account, again=again, console=terminal())
    else:
        run_import(
            paths,
            account_id=account,
            again=again,
            follow=follow,
            stack=stack,
            local=local,
            console=terminal(),
        )


@app.command()
def query(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A named query; without one, all are listed.", show_default=False)
    ] = "",
    *,
    sql: Annotated[str, typer.Option(metavar="TEXT", help="SQL in Athena's dialect instead of a named query.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="A file with SQL, or - for standard input.", show_default=False)
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="table, csv, json (an object a line) or parquet; by default what --out ends with, else a table.",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="The file for all rows, or for the chart.", show_default=False)
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart", help="Draw the rows as bars; with --out as .svg, .png or .html.")
    ] = False,
    params: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="Value of a parameter of the query.", show_default=False),
    ] = None,
    year: Annotated[str, typer.Option(metavar="YYYY", help="Only this year.")] = "",
    from_: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, month or year.")] = "",
    to: Annotated[str, typer.Option(metavar="DAY", help="Last day, month or year.")] = "",
    compare: Annotated[
        str, typer.Option(metavar="PERIOD", help="For compare_periods: the other period, as 2019 or FROM..TO.")
    ] = "",
    number: Annotated[str, typer.Option(metavar="N", help="How many rows of each kind.")] = "",
    shell: Annotated[
        bool, typer.Option("--shell", help="Read several queries from the terminal, with history and completion.")
    ] = False,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Run a named query or SQL in Athena, and show the rows or write them to a file.

    What there is: spotify-etl query

    A year's artists: spotify-etl query top_artists --year 2025 --chart

    All rows: spotify-etl query --sql "SELECT * FROM listens" --out listens.parquet
    """
    from cli.query.command import run_query_command  # noqa: PLC0415 - boto3 takes a second to import
    from cli.query.request import QueryRequest  # noqa: PLC0415
    from cli.query_parameters import compared_period, period  # noqa: PLC0415 - sqlglot likewise

    parameters = period(year, from_, to) | (compared_period(compare) if compare else {})
    for one in [*(params or []), *([f"number={number}"] if number else [])]:
        key, equals, value = one.partition("=")
        if not (equals and key):
            raise typer.BadParameter(f"--param is {one!r}, but must be NAME=VALUE")
        parameters[key.strip()] = value
    run_query_command(
        QueryRequest(
            name=name, sql=sql, file=file, form=form, out=out, chart=chart, parameters=parameters, interactive=shell
        ),
        stack=stack,
        local=local,
    )


@app.command()
def crawl(stack: StackOption = "", local: LocalOption = False) -> None:
    """Register new partitions and columns: crawl the tables, then publish the views, and follow both to the end.

    For example, after plays of earlier years were imported with --no-follow: spotify-etl crawl
    """
    from cli.crawl import run_crawl  # noqa: PLC0415 - boto3 takes a second to import

    run_crawl(stack=stack, local=local, console=terminal())


@app.command()
def compact(
    table: Annotated[str, typer.Option(help="Only this table.")] = "",
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Only the partitions that contain this month.")] = "",
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Merge the objects of each partition's closed days into one, so that queries open fewer.

    The schedule does it daily.

    For example, after importing years of listening: spotify-etl compact --table plays
    """
    from cli.compact import CompactRequest  # noqa: PLC0415 - boto3 takes a second to import
    from cli.compact import compact as run_compact  # noqa: PLC0415
    from cli.targets import find_target  # noqa: PLC0415

    target = find_target(stack, local=local)
    run_compact(target, CompactRequest(table=table.strip(), month=month.strip()), console=terminal())


@app.command()
def extract(
    streams: Annotated[
        str, typer.Option(help="Streams to read, comma-separated; by default all that the stack reads.")
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Read everything again, whatever the pipeline knows already.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait until the data are in the tables, or only start the run.")
    ] = True,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Start a run, and follow it until its data are in the tables.

    Example: spotify-etl extract --streams saved_tracks,playlists
    """
    from cli.extract import extract as run_extract  # noqa: PLC0415 - boto3 takes a second to import
    from cli.targets import find_target  # noqa: PLC0415

    target = find_target(stack, local=local)
    run_extract(target, streams=streams, full=full, follow=follow, console=terminal())


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; docs/operating.md describes it.")] = False,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Show whether the pipeline works: runs, streams, queues, login, locks, crawl and cost; exit status 1 if not.

    Example: spotify-etl status --json
    """
    from cli.status.command import show_status  # noqa: PLC0415 - boto3 takes a second to import
    from cli.targets import find_target  # noqa: PLC0415

    show_status(find_target(stack, local=local), as_json=as_json, console=terminal())


@app.command()
def logs(
    function: Annotated[str, typer.Option(help="Only one function: extract, transform, publish or compact.")] = "",
    run: Annotated[str, typer.Option(metavar="RUN_ID", help="Only lines about one run.")] = "",
    since: Annotated[str, typer.Option(help="How far back: 30m, 1h, 2d, or a date or time in UTC.")] = "1h",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines until you press Ctrl-C.")] = False,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Print the functions' log lines, all functions in the order of time (UTC).

    Example: spotify-etl logs --function extract --since 2d

    The lines of one run: spotify-etl logs --run 20261123T060000Z-daily
    """
    from cli.logs import LogRequest, show_logs  # noqa: PLC0415 - boto3 takes a second to import
    from cli.targets import find_target  # noqa: PLC0415

    target = find_target(stack, local=local)
    show_logs(target, LogRequest(function=function, run_id=run, since=since), follow=follow, console=terminal())


@app.command()
def replay(
    streams: Annotated[str, typer.Option("--stream", help="Only these streams, comma-separated.")] = "",
    since: Annotated[str, typer.Option(metavar="DATE", help="Only runs from this date on (UTC).")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Only runs up to this date (UTC).")] = "",
    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Transform what was given up, and clear the dead letters.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Clear dead letters without asking.")] = False,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Transform raw data again, for example after an upgrade; rows are replaced, never doubled.

    Example: spotify-etl replay --stream saved_tracks --since 2026-11-01

    After a failure: spotify-etl replay --dead-letters
    """
    from cli.replay import ReplayRequest, replay_dead_letters  # noqa: PLC0415 - boto3 takes a second to import
    from cli.replay import replay as run_replay  # noqa: PLC0415
    from cli.targets import find_target  # noqa: PLC0415

    if dead_letters and (streams or since or until):
        raise typer.BadParameter("--dead-letters cannot be used with --stream, --since or --until")
    target = find_target(stack, local=local)
    if dead_letters:
        replay_dead_letters(target, yes=yes, console=terminal())
    else:
        run_replay(target, ReplayRequest(streams=streams, since=since, until=until), console=terminal())


@app.command()
def purge(
    before: Annotated[
        str, typer.Option(metavar="DATE", help="Delete what was read before this date, in the stack's time zone.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Delete all data.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = "",
    local: LocalOption = False,
) -> None:
    """Delete what was read from Spotify, in all versions, after showing it and asking. The stack itself stays.

    Example: spotify-etl purge --before 2026-01-01
    """
    from cli.purge import purge as run_purge  # noqa: PLC0415 - boto3 takes a second to import
    from cli.targets import find_target  # noqa: PLC0415

    if bool(before) == everything:
        raise typer.BadParameter("Pass either --before with a date, or --all")
    target = find_target(stack, local=local)
    run_purge(target, before=before, yes=yes, console=terminal())


@app.command()
def doctor(stack: StackOption = "", local: LocalOption = False) -> None:
    """Check everything that the pipeline needs, and say what to do: each line is ok, warn, fail or not checked.

    Example: spotify-etl doctor --stack dev
    """
    from cli.doctor.command import examine  # noqa: PLC0415 - boto3 takes a second to import
    from cli.targets import find_target  # noqa: PLC0415

    examine(lambda: find_target(stack, local=local), console=terminal())


@cache
def root_command() -> typer.core.TyperGroup:
    """Return the whole command, which typer takes some time to build from the functions above."""
    return cast("typer.core.TyperGroup", typer.main.get_command(app))


def main() -> None:
    """Run the command in `sys.argv`; exit status 1 for an error, 2 for wrong usage, 130 for Ctrl-C."""
    # A title in another script must not crash the command on a terminal that cannot print it.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    interrupts = _record_interrupts()
    sentence, status = _run(interrupts)
    if interrupts and status != _INTERRUPTED:
        sentence, status = "Stopped. Everything that this command had started has been shut down.", _INTERRUPTED
    if status:
        write_line(sys.stderr, sentence)
        sys.exit(status)


def _run(interrupts: list[int]) -> tuple[str, int]:
    """Run the command and return an error message of one sentence, if any, and the exit status."""
    try:
        # A name of its own needs a command of its own: the other is shared.
        command = root_command() if program_name() == NAME else _as_called(typer.main.get_command(app))
        # Shells complete the bare name, whatever the path by which it is called.
        command(prog_name=NAME, standalone_mode=False)
    except StillRunningError as error:
        return str(error), _INTERRUPTED
    except CommandError as error:
        return str(error), 1
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", NAME)
        sentence = error.format_message()
        return f"{sentence if sentence.endswith(('.', '?')) else sentence + '.'} See `{path} --help`.", 2
    except KeyboardInterrupt:
        interrupts.append(signal.SIGINT)
    except typer.Abort:
        # The input ended at a prompt.
        return "The command needs input: run it in a terminal, or pass the values as options.", 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: users never see a traceback
        if not interrupts:
            return _unexpected(error), 1
    return "", 0


def _as_called(command: Any) -> Any:
    """Return a command of typer whose examples, and those of its subcommands, are what the user has to type."""
    command.help = in_help(command.help or "")
    for each in getattr(command, "commands", {}).values():
        _as_called(each)
    return command


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
