"""`spotify-etl local logs`: the output of a cloud in the background."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.folders import cloud_folder
from cli.presentation import print_line
from local.output_log import earlier_log
from local.running_cloud import RunningCloud, is_running

_SECONDS = 0.3
"""How often to look for something new."""


def show_logs(console: Console, *, data: Path | None, follow: bool) -> None:
    """Print the log of a cloud in the background.

    Args:
        console: where to print it.
        data: its data folder; None for that of the running cloud, else the usual one.
        follow: whether to go on with new lines, until Ctrl-C or the cloud's end.

    Raises:
        CommandError: there is no log.
    """
    running = RunningCloud.find()
    folder = cloud_folder(data or (Path(running.data) if running else None))
    try:
        file = folder.log.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandError(
            f"There is no log in {folder.path}: only a cloud that was started with --detach writes one."
        ) from error
    with suppress(FileNotFoundError):
        _print_rest(console, _print_lines(console, earlier_log(folder.log).read_text("utf-8", errors="replace")))
    with ExitStack() as opened:
        opened.enter_context(file)
        rest = _print_lines(console, file.read())
        while follow and (is_running() or rest):
            time.sleep(_SECONDS)
            rest = _print_lines(console, rest + file.read()) if is_running() else _print_rest(console, rest)
            if (new := _new_log(file, folder.log)) is not None:
                # Written after the read, before the new log was begun.
                rest = _print_lines(console, rest + file.read())
                file = opened.enter_context(new)


def _new_log(file: TextIOWrapper, log: Path) -> TextIOWrapper | None:
    """Return the log that has taken the place of an open one; None if it is still the same."""
    try:
        if os.path.samestat(os.fstat(file.fileno()), log.stat()):
            return None
        return log.open(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _print_lines(console: Console, text: str) -> str:
    """Print whole lines; return what follows the last one."""
    *lines, rest = text.split("\n")
    for line in lines:
        print_line(console, line)
    return rest


def _print_rest(console: Console, rest: str) -> str:
    if rest:
        print_line(console, rest)
    return ""
