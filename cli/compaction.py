"""Runs the compact function to its end: for `spotify-etl compact`, and for `purge`, which removes rows with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CommandError
from cli.function_logs import read_lines
from cli.pipeline_functions import DeployedFunction, deployed_function
from cli.presentation import pluralize
from cli.targets import Target, aws_errors
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_POLL_SECONDS = 2.0
_LATE = timedelta(seconds=30)
"""How late CloudWatch may serve a line."""


@dataclass(kw_only=True)
class CompactionOutcome:
    """What the invocations of one command have done together."""

    partitions: int = 0
    """How many partitions have a new object."""
    objects_read: int = 0
    objects_deleted: int = 0
    """How many objects were deleted that a newer one has replaced."""
    expired: int = 0
    """How many objects were deleted because their retention is over."""
    waiting: int = 0
    """How many partitions still have originals, since their new object is less than an hour old."""
    left_alone: dict[str, str] = field(default_factory=dict)
    """Key of each object that could not be folded → the reason."""

    def add(self, result: Mapping[str, Any]) -> None:
        """Add the result of an invocation."""
        self.partitions += result["partitions"]
        self.objects_read += result["objects_read"]
        self.objects_deleted += result["objects_deleted"]
        self.expired += result["expired"]
        self.waiting = result["waiting"]
        self.left_alone |= {one["key"]: one["reason"] for one in result["left_alone"]}


def run_compaction(
    target: Target, event: Mapping[str, str], progress: Callable[[str], None], *, poll_seconds: float = _POLL_SECONDS
) -> CompactionOutcome:
    """Invoke the compact function until nothing is left that an invocation did not reach in time.

    Args:
        target: the pipeline.
        event: what the function is asked for, without its trigger.
        progress: shows what it is doing.
        poll_seconds: how often to look at its log.

    Raises:
        CommandError: the function failed or gets nowhere, or AWS refused a request.
    """
    function = deployed_function(target, "compact")
    payload = json.dumps({"trigger": "manual", **event})
    narrator = _Narrator(target.client("logs"), function, progress)
    done = CompactionOutcome()
    while True:
        with aws_errors():
            result = _invoke(target, function, payload, narrator, poll_seconds)
        done.add(result)
        left = int(result["remaining"])
        if not left:
            return done
        if not (result["partitions"] or result["objects_deleted"] or result["expired"]):
            raise CommandError(
                f"{pluralize(left, 'partition')} could not be compacted within {function.timeout_seconds} seconds: see "
                "`spotify-etl logs --function compact`; nothing is lost."
            )
        progress(f"{pluralize(left, 'partition')} left; invoking it again")


class _Narrator:
    """Shows what the function logs while it runs."""

    def __init__(self, logs: CloudWatchLogsClient, function: DeployedFunction, progress: Callable[[str], None]) -> None:
        self._logs = logs
        self._function = function
        self._progress = progress
        self._since: datetime = function.asked_at
        self._seen: set[str] = set()

    def tell(self) -> None:
        """Show the newest line."""
        for text in self._new():
            self._progress(text)

    def _new(self) -> Iterator[str]:
        for line in read_lines(self._logs, "compact", self._function.log_group, since=self._since):
            if line.id in self._seen:
                continue
            self._seen.add(line.id)
            self._since = max(self._since, line.at - _LATE)
            where = " ".join(str(line.fields[name]) for name in ("table", "partition") if name in line.fields)
            yield f"{line.message.rstrip('.')}{f' ({where})' if where else ''}"


def _invoke(
    target: Target, function: DeployedFunction, payload: str, narrator: _Narrator, poll_seconds: float
) -> dict[str, Any]:
    """Invoke the function, tell what it says meanwhile, and return its result.

    Raises:
        CommandError: it failed.
    """
    client = target.client("lambda")
    answers: list[Mapping[str, Any]] = []
    errors: list[BotoCoreError | ClientError] = []
    ended = threading.Event()

    def call() -> None:
        try:
            answers.append(
                client.invoke(FunctionName=function.name, InvocationType="RequestResponse", Payload=payload.encode())
            )
        except (BotoCoreError, ClientError) as error:
            errors.append(error)
        finally:
            ended.set()

    # A daemon, so that Ctrl-C does not wait for the function.
    threading.Thread(target=call, daemon=True).start()
    while not ended.wait(poll_seconds):
        narrator.tell()
    if errors:
        raise errors[0]
    if not answers:
        raise CommandError("The compact function gave no answer: run the same command again.")
    content = json.loads(answers[0]["Payload"].read())
    if answers[0].get("FunctionError"):
        raise CommandError(
            f"The compaction failed ({quoted(content.get('errorMessage') or content).rstrip('.')}): see `spotify-etl "
            "logs --function compact`, and run the same command again when the cause is gone; nothing is lost."
        )
    result: dict[str, Any] = content
    return result
