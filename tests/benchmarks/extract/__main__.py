"""Measures first loads: requests, bytes, wall time and memory for libraries of 1 k, 100 k and 1 M saved tracks.

`make bench-extract` prints the table and writes the docs page; with sizes as arguments, the table is only printed.

The function runs in the embedded cloud, in its own process with 512 MB, against the simulator; its pauses between
requests take simulated time, so wall time is only that of the work. It is compared with the loop from tutorials against
the same simulator. If the request budget or the deadline ends an invocation, later ones continue.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from cli.demo import log_in
from local.cloud import EmbeddedCloud
from spotify_simulator import Library, LibraryPlan
from tests.benchmarks.markdown import table

_ROOT = Path(__file__).parents[3]
_START = datetime(2026, 11, 2, 5, tzinfo=UTC)
_SIZES = (1_000, 100_000, 1_000_000)
_PAGE = _ROOT / "docs" / "benchmark-extract.md"


@dataclass
class Load:
    """The measurements of one first load."""

    tracks: int
    requests: int = 0
    received: int = 0
    """Bytes of the responses, uncompressed."""
    written: int = 0
    """Bytes of the raw objects."""
    seconds: float = 0
    """The wall time of all invocations."""
    peak_mb: int = 0
    invocations: int = 0
    runs: int = 0
    peer_seconds: float = 0


_INTRODUCTION = """\
# The cost of a first load

`make bench-extract` runs this benchmark and writes this page, in about a quarter of an hour on two cores.

The deployed function, in the embedded cloud (512 MB of memory, 15 minutes per invocation), reads the saved tracks of a
library for the first time from the simulator of the Web API. Received: bytes of the responses. Written: bytes of the
raw objects. Pacing and waits take simulated time, so wall time is only that of the work. The loop is the one from
tutorials: spotipy, page after page, into one gzip file, without state, a manifest or the ability to resume. When the
time of an invocation or the request budget of a run is used up, the next invocation or run continues.

"""


def main() -> None:
    """Load each library, print the table, and write the page if all sizes were measured."""
    sizes = tuple(map(int, sys.argv[1:])) or _SIZES
    console = Console()
    loads = []
    for tracks in sizes:
        with console.status(f"{tracks:,} saved tracks …"), tempfile.TemporaryDirectory() as folder:
            loads.append(_load(tracks, Path(folder)))
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}.\n"
    page = f"{_INTRODUCTION}{machine}\n{_table(loads)}"
    sys.stdout.write(page)
    if sizes == _SIZES:
        _PAGE.write_text(page)


def _load(tracks: int, folder: Path) -> Load:
    plan = LibraryPlan(saved_tracks=tracks, playlists=0, saved_albums=0, plays_per_day=0, oddities=False)
    library = Library.planned(1, plan, start=_START)
    load = Load(tracks)
    with EmbeddedCloud(folder, start=_START, library=library) as cloud:
        load.peer_seconds = _peer(cloud, folder / "peer.gz", tracks)
        cloud.spotify.requests.clear()
        outputs = cloud.deploy(_ROOT, config={"streams": '["saved_tracks"]', "schedulesEnabled": "false"})
        log_in(cloud, outputs["spotify_secret_name"])
        while not _is_complete(cloud, outputs):
            load.runs += 1
            event = json.dumps({"trigger": "manual"}).encode()
            cloud.client("lambda").invoke(
                FunctionName=outputs["extract_function_name"], InvocationType="Event", Payload=event
            )
            cloud.drain()
            cloud.run_until(cloud.now + timedelta(hours=12))
        steps = [one for one in cloud.log if one.kind == "invoke" and one.name == outputs["extract_function_name"]]
        load.invocations, load.seconds = len(steps), sum(step.seconds for step in steps)
        load.peak_mb = _peak_mb(cloud, outputs["extract_function_name"])
        served = [one for one in cloud.spotify.requests if one.path.startswith("/v1/")]
        load.requests, load.received = len(served), sum(one.size for one in served)
        load.written = sum(size for _, size in _objects(cloud, outputs, "raw/"))
    return load


def _peer(cloud: EmbeddedCloud, path: Path, tracks: int) -> float:
    """Return how many seconds the loop takes."""
    refresh_token = cloud.spotify.authorize(["user-library-read"])
    app = b64encode(f"{cloud.spotify.client_id}:{cloud.spotify.client_secret}".encode()).decode()
    response = requests.post(
        f"{cloud.spotify.accounts_url}api/token",
        data={"grant_type": "refresh_token", "refresh_token": refresh_token},
        headers={"Authorization": f"Basic {app}"},
        timeout=60,
    )
    command = [sys.executable, "-m", "tests.benchmarks.extract.peer"]
    begin = time.monotonic()
    done = subprocess.run(
        [*command, response.json()["access_token"], cloud.spotify.api_url, str(path)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    if int(done.stdout) != tracks:
        raise AssertionError(f"The peer read {done.stdout.strip()} of {tracks} tracks.")
    return time.monotonic() - begin


def _is_complete(cloud: EmbeddedCloud, outputs: dict[str, Any]) -> bool:
    s3 = cloud.client("s3")
    for key, _ in reversed(_objects(cloud, outputs, "runs/")):
        manifest = json.loads(s3.get_object(Bucket=outputs["raw_bucket_name"], Key=key)["Body"].read())
        return all(unit["read_complete"] for unit in manifest["units"])
    return False


def _objects(cloud: EmbeddedCloud, outputs: dict[str, Any], prefix: str) -> list[tuple[str, int]]:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    return [
        (one["Key"], one["Size"])
        for page in pages.paginate(Bucket=outputs["raw_bucket_name"], Prefix=prefix)
        for one in page.get("Contents", [])
    ]


def _peak_mb(cloud: EmbeddedCloud, function: str) -> int:
    logs = cloud.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="spotify-etl-")["logGroups"]
    peaks = [0]
    for group in groups:
        if "extract" not in group["logGroupName"]:
            continue
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            found = (re.search(r"Max Memory Used: (\d+) MB", event["message"]) for event in page["events"])
            peaks += [int(match[1]) for match in found if match]
    if peaks == [0]:
        raise AssertionError(f"The logs of {function} report no memory.")
    return max(peaks)


def _table(loads: list[Load]) -> str:
    head = (
        "saved tracks", "requests", "received", "written", "wall time", "tracks per second", "peak memory",
        "invocations", "runs", "the loop", "loop ÷ extractor",
    )  # fmt: skip
    rows = [
        (
            f"{load.tracks:,}",
            f"{load.requests:,}",
            f"{load.received / 1e6:,.1f} MB",
            f"{load.written / 1e6:,.1f} MB",
            f"{load.seconds:,.1f} s",
            f"{load.tracks / load.seconds:,.0f}",
            f"{load.peak_mb} MB",
            str(load.invocations),
            str(load.runs),
            f"{load.peer_seconds:,.1f} s",
            f"{load.peer_seconds / load.seconds:.2f}",
        )
        for load in loads
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
