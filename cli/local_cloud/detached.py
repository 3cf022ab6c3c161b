"""`spotify-etl local up --detach`: starts the cloud in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.advance import advance
from cli.local_cloud.folders import cloud_folder, folder_errors
from cli.local_cloud.introduction import introduce
from cli.local_cloud.running import answers
from cli.local_cloud.up import UpOptions
from cli.presentation import print_line
from cli.program_name import CALLED_VARIABLE, program_name
from cli.project import PROJECT
from local.cloud_folder import CloudFolder
from local.running_cloud import RunningCloud

_LOOK_SECONDS = 0.1


def run_detached(options: UpOptions, console: Console) -> None:
    """Start the cloud in the background, and return once it is ready, and the time to advance has passed.

    Raises:
        CommandError: it did not start.
    """
    folder = cloud_folder(options.data)
    with folder_errors(folder):
        folder.read()
        log = folder.open_log()
    with log:
        begin = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "local", "up", *_arguments(options, folder)],
            cwd=PROJECT,
            env={**os.environ, CALLED_VARIABLE: program_name()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with console.status("Starting …"), _ended_with_us(process):
        running = _wait(process, folder.log, begin)
    with folder_errors(folder):
        record = folder.read()
    (state,) = answers(running, "status")
    assert record is not None  # noqa: S101 - for the type checker: the cloud has written it
    introduce(running, record, datetime.fromisoformat(state["now"]), console, detached=True)
    if options.advance is not None:
        print_line(console)
        advance(options.advance, console)


def _arguments(options: UpOptions, folder: CloudFolder) -> list[str]:
    given = {
        "--data": str(folder.path),
        "--port": options.port,
        "--spotify": options.spotify,
        "--timezone": options.timezone,
    }
    flags = ["--empty"] if options.empty else []
    return [*flags, *(f"{name}={value}" for name, value in given.items() if value)]


def _wait(process: subprocess.Popen[bytes], log: Path, begin: int) -> RunningCloud:
    while process.poll() is None:
        running = RunningCloud.find()
        if running is not None and running.pid == process.pid:
            return running
        time.sleep(_LOOK_SECONDS)
    with log.open("rb") as file:
        file.seek(begin)
        said = file.read().decode(errors="replace").strip()
    raise CommandError(
        said.rpartition("\n")[2] or "The local cloud ended as soon as it was started: try it without --detach."
    )


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process if the user interrupts us before it is ready."""
    try:
        yield
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
