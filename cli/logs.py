"""`spotify-etl logs`: the functions' log lines, readable and in the order of time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cli.durations import moment_before
from cli.errors import CommandError, StillRunningError
from cli.function_logs import LogLine, read_lines
from cli.pipeline_functions import FUNCTIONS, DeployedFunction, deployed_function
from cli.presentation import Part, print_line
from cli.targets import Target, aws_errors
from cli.text import clipped
from handlers import layout

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

POLL_SECONDS = 2.0
_LATE = timedelta(seconds=30)
"""How late CloudWatch may serve a line."""
_REMEMBERED = 20_000
"""How many lines `--follow` remembers, to print each only once."""
_FIELD_CHARACTERS = 160
_STYLES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}


@dataclass(frozen=True, kw_only=True)
class LogRequest:
    """Which lines are wanted."""

    function: str = ""
    """One of `FUNCTIONS`; '' for all."""
    run_id: str = ""
    """Only lines about this run; '' for all."""
    since: str = "1h"
    """As `--since` has it; a run's lines are searched from its start."""


def show_logs(
    target: Target,
    request: LogRequest,
    *,
    follow: bool,
    console: Console,
    poll_seconds: float = POLL_SECONDS,
    polls: int | None = None,
) -> None:
    """Print the functions' log lines.

    Args:
        target: the pipeline.
        request: which lines.
        follow: whether to print new lines too, until the user stops it.
        console: where to print.
        poll_seconds: how often to look for new lines.
        polls: how often to look for new lines at most; None for no limit.

    Raises:
        CommandError: an option is wrong, or AWS refused a request.
        StillRunningError: the user stopped the command.
    """
    if request.function and request.function not in FUNCTIONS:
        raise CommandError(f"--function is {request.function!r}, but must be one of {', '.join(FUNCTIONS)}.")
    target.announce(console)
    functions = [deployed_function(target, step) for step in FUNCTIONS if request.function in ("", step)]
    since = _since(request, functions[0].asked_at)
    try:
        _print_lines(target.client("logs"), functions, request, since, follow, console, poll_seconds, polls)
    except KeyboardInterrupt as error:
        raise StillRunningError("Stopped. The pipeline itself keeps running.") from error


def _print_lines(
    logs: CloudWatchLogsClient,
    functions: Sequence[DeployedFunction],
    request: LogRequest,
    since: datetime,
    follow: bool,
    console: Console,
    poll_seconds: float,
    polls: int | None,
) -> None:
    printed: deque[str] = deque(maxlen=_REMEMBERED)
    newest = since
    while True:
        with aws_errors():
            lines = [line for line in _lines(logs, functions, request, newest) if line.id not in printed]
        for line in lines:
            print_line(console, *_parts(line))
            printed.append(line.id)
            newest = max(newest, line.at - _LATE)
        if not follow or polls == 0:
            break
        polls = None if polls is None else polls - 1
        time.sleep(poll_seconds)
    if not printed and not follow:
        about = f" about the run {request.run_id}" if request.run_id else ""
        print_line(console, f"The functions have logged nothing{about} since {since:%Y-%m-%d %H:%M:%S} UTC.")


def _since(request: LogRequest, now: datetime) -> datetime:
    if not request.run_id:
        return moment_before(now, request.since, "--since")
    try:
        return layout.run_time(request.run_id)
    except layout.ForeignKeyError:
        raise CommandError(
            f"--run is {request.run_id!r}, but must be the id of a run, such as 20261123T060000Z-daily; "
            "`spotify-etl status` lists the last runs."
        ) from None


def _lines(
    logs: CloudWatchLogsClient, functions: Sequence[DeployedFunction], request: LogRequest, since: datetime
) -> list[LogLine]:
    """Return the lines of all functions, merged in the order of time."""

    def of_function(function: DeployedFunction) -> list[LogLine]:
        found = list(read_lines(logs, function.step, function.log_group, since=since, containing=request.run_id))
        # Lambda's own lines about a crash or a timeout have the invocation's id, but not the run's.
        for invocation in {line.request_id for line in found if request.run_id} - {""}:
            if function.step == "extract":
                found += read_lines(logs, function.step, function.log_group, since=since, containing=invocation)
        return found

    with ThreadPoolExecutor(len(functions)) as pool:
        found = [line for lines in pool.map(of_function, functions) for line in lines]
    # Python's sort keeps the order of lines with the same time.
    return sorted({line.id: line for line in found}.values(), key=lambda line: line.at)


def _parts(line: LogLine) -> Iterable[Part]:
    style = _STYLES.get(line.level, "")
    yield f"{line.at:%Y-%m-%d %H:%M:%S}  {line.function:<9}  ", "dim"
    yield f"{line.level:<7}  ", style
    yield line.message, style
    for name, value in line.fields.items():
        if name != "crash" and value not in ("", [], {}):
            yield f"  {name}=", "dim"
            yield clipped(_text(value), _FIELD_CHARACTERS)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_text(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ",".join(map(_text, value))
    text = str(value)
    return f'"{text}"' if " " in text else text
