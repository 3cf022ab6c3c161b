"""What `local up` prints once the cloud is ready: where it is, and what to try."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from cli.local_cloud.pulumi_stack import pulumi_commands
from cli.presentation import Part, print_line
from cli.program_name import program_name
from local.cloud_folder import CloudRecord
from local.running_cloud import RunningCloud

_EXTRACT = ("extract --local", "read Spotify now, before the next hourly run")
_PIPELINE = (
    ("query --local", "ask a question"),
    ("report --local --open", "see the report"),
    ("local advance 3d", "let three days pass at once"),
)


def introduce(
    running: RunningCloud, record: CloudRecord, now: datetime, console: Console, *, detached: bool = False
) -> None:
    """Print where the cloud is and what to try."""
    end = "`spotify-etl local down`" if detached else "Ctrl-C"
    print_line(console, ("The local cloud is running.", "bold"), f" {end} ends it; its data stay.")
    _print_columns(
        console,
        [
            ("endpoint", f"{running.url}, region {running.region}"),
            ("data", running.data),
            ("stack", _stack(running)),
            ("Spotify", _spotify(running, record)),
            ("functions", f"run in Python {sys.version_info.major}.{sys.version_info.minor}, like this command"),
            ("time", f"{now.astimezone(ZoneInfo(record.timezone)):%a %d %b %Y %H:%M} in {record.timezone}"),
        ],
    )
    print_line(console, "Try:" if detached else "Try, in another terminal:")
    _print_columns(console, _suggestions(running, record), style="bold")


def _stack(running: RunningCloud) -> str:
    outputs = running.outputs
    if not outputs:
        return "none: nothing was deployed"
    return (
        f"database {outputs['glue_database_name']}, workgroup {outputs['athena_workgroup_name']}, "
        f"{len(outputs['named_queries'])} named queries"
    )


def _spotify(running: RunningCloud, record: CloudRecord) -> str:
    if running.spotify == "live":
        return f"your own, at {running.accounts_url}"
    app = f"; client id {record.client_id}, client secret {record.client_secret}" if record.empty else ""
    return f"simulated, at {running.accounts_url}{app}"


def _suggestions(running: RunningCloud, record: CloudRecord) -> list[tuple[str, str]]:
    name = program_name()
    tools = (f'eval "$({name} local env)"', "then use the AWS CLI, boto3, PyAthena …")
    if record.empty:
        return [tools, *pulumi_commands(Path(running.data))]
    login = [("login --local", "first: let it read your library")] if running.spotify == "live" else []
    return [*((f"{name} {command}", what) for command, what in (*login, _EXTRACT, *_PIPELINE)), tools]


def _print_columns(console: Console, rows: list[tuple[str, str]], style: str = "") -> None:
    width = max(len(first) for first, _ in rows)
    for first, second in rows:
        head: Part = (f"{first:<{width}}", style) if style else f"{first:<{width}}"
        print_line(console, "  ", head, f"  {second}")
