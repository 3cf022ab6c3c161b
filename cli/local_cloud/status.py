"""`spotify-etl local status`: which cloud is running."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.running import answers, running_cloud
from cli.presentation import print_line, write_line

_COMING = 4
"""How many of the next starts are shown."""


def show_status(console: Console, *, as_json: bool) -> None:
    """Print which cloud is running.

    Raises:
        CommandError: none is, or it does not answer.
    """
    try:
        running = running_cloud()
        (state,) = answers(running, "status")
    except CommandError:
        if as_json:
            write_line(sys.stdout, json.dumps({"running": False}))
        raise
    now, zone = datetime.fromisoformat(state["now"]), ZoneInfo(state["timezone"])
    facts: dict[str, Any] = {
        "endpoint": running.url,
        "region": running.region,
        "data": running.data,
        "data_bytes": _size(Path(running.data)),
        "spotify": running.spotify,
        "database": running.outputs.get("glue_database_name"),
        "since": running.since,
        "now": now.isoformat(timespec="seconds"),
        **{name: state[name] for name in ("queues", "functions", "coming")},
        "pid": running.pid,
    }
    if as_json:
        write_line(sys.stdout, json.dumps({"running": True, **facts}))
        return
    print_line(console, ("The local cloud is running.", "bold"))
    for name, value in (
        ("endpoint", f"{running.url}, region {running.region}"),
        ("data", f"{running.data}, {facts['data_bytes'] / 1e6:,.1f} MB"),
        ("stack", f"database {facts['database']}" if facts["database"] else "none: nothing was deployed by `local up`"),
        ("Spotify", running.spotify),
        ("time", f"{now.astimezone(zone):%a %d %b %Y %H:%M} in {zone.key}"),
        ("since", f"{datetime.fromisoformat(running.since).astimezone():%a %d %b %Y %H:%M}, process {running.pid}"),
        ("queues", ", ".join(map(_queue, state["queues"])) or "no messages"),
        ("running", ", ".join(state["functions"]) or "no function"),
        ("next", "; ".join(_start(start, zone) for start in state["coming"][:_COMING]) or "nothing has a schedule"),
    ):
        print_line(console, f"  {name:<8}  {value}")


def _queue(queue: Mapping[str, Any]) -> str:
    parts = (("waiting", "waiting"), ("in flight", "in_flight"), ("delayed", "delayed"))
    return f"{queue['name']} {', '.join(f'{queue[key]} {word}' for word, key in parts if queue[key])}"


def _start(start: Mapping[str, str], zone: ZoneInfo) -> str:
    return f"{start['name']} at {datetime.fromisoformat(start['at']).astimezone(zone):%a %H:%M}"


def _size(folder: Path) -> int:
    """Return the bytes of a folder's files; one may disappear while they are counted."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
