"""`spotify-etl extract`: starts a run and follows it until its data are in the tables."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cli.errors import CommandError, StillRunningError
from cli.following import follow_crawl, follow_transform, keys_of_run
from cli.function_logs import LogLine, read_lines
from cli.pipeline_functions import DeployedFunction, deployed_function
from cli.presentation import Steps, live_status, pluralize, print_line, print_tables, table
from cli.runs import Attempt, StreamResult, read_attempt, stream_results
from cli.stream_names import parse_stream_names
from cli.targets import Target, aws_errors
from cli.text import quoted
from handlers import layout
from handlers.streams import READABLE_STREAMS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

POLL_SECONDS = 2.0
_GRACE = timedelta(minutes=2)
"""How long after the function's timeout a manifest may still appear: Lambda queues asynchronous events."""
_THREADS = 16
_NEXT_STEPS = {
    "not_logged_in": "Nobody has logged in to Spotify yet: run `spotify-etl login`, then this command again.",
    "nothing_due": "The stack reads none of these streams: add them to the setting `streams`, and run `pulumi up`.",
}
"""What to do about a run that is skipped, by its reason."""


@dataclass(kw_only=True)
class StartedRun:
    """A run that this command has started."""

    id: str
    streams: tuple[str, ...]
    at: datetime
    """Its scheduled time, on AWS's clock."""
    attempts: list[Attempt] = field(default_factory=list)
    """Its manifests so far."""

    @property
    def is_over(self) -> bool:
        """Whether no invocation of the run is left to come, apart from Lambda's retries of a failed one."""
        return bool(self.attempts) and not self.attempts[-1].is_continued


def extract(
    target: Target,
    *,
    streams: str,
    full: bool,
    follow: bool,
    console: Console,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Start a run, and follow it to the tables.

    Args:
        target: the pipeline.
        streams: comma-separated names; '' for all that the stack reads.
        full: whether to read everything, whatever the pipeline knows already.
        follow: whether to wait.
        console: where to print.
        poll_seconds: how often to look.

    Raises:
        CommandError: the run failed or was skipped, a step after it failed, or AWS refused a request.
    """
    target.announce(console)
    function = deployed_function(target, "extract")
    run = _start(target, function, streams, full=full)
    print_line(console, "Started the run ", (run.id, "bold"), f", which reads {', '.join(run.streams)}.")
    if not follow:
        print_line(console, f"It runs in the background: `spotify-etl logs --run {run.id}` shows its progress.")
        return
    _follow(target, function, run, console, poll_seconds)
    results = stream_results(run.attempts)
    _check_begun(run)
    _report(run, results, console)
    _check_read(run, results)
    steps = Steps(console)
    keys = keys_of_run(target, run.id)
    with steps.step("Transform") as step:
        follow_transform(target, keys, step)
    follow_crawl(target, steps)
    _print_rows(target, keys, console)
    _complain_about_rest(results)


def _start(target: Target, function: DeployedFunction, streams: str, *, full: bool) -> StartedRun:
    enabled = tuple(name for name in READABLE_STREAMS if name in function.environment.get("STREAMS", "").split(","))
    chosen = parse_stream_names(streams, READABLE_STREAMS, "--streams") if streams else enabled
    if off := [name for name in chosen if name not in enabled]:
        raise CommandError(
            f"The stack does not read {off[0]}: add it to the setting `streams` and run `pulumi up`, or choose from "
            f"{', '.join(enabled)}."
        )
    event: dict[str, Any] = {"trigger": "manual", "scheduled_time": layout.written(function.asked_at), "full": full}
    if streams:
        event["streams"] = list(chosen)
    with aws_errors():
        target.client("lambda").invoke(
            FunctionName=function.name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
    return StartedRun(id=layout.run_id(function.asked_at, "manual"), streams=chosen, at=function.asked_at)


def _follow(target: Target, function: DeployedFunction, run: StartedRun, console: Console, poll_seconds: float) -> None:
    try:
        with aws_errors("the run continues, and `spotify-etl status` shows its result"):
            _Follower(target, function, run, console, poll_seconds).follow()
    except KeyboardInterrupt as error:
        raise StillRunningError(
            "Stopped waiting. The run continues without this command: `spotify-etl status` shows its result."
        ) from error


class _Follower:
    """Watches a run: its manifests, the objects that it writes, and its log lines."""

    def __init__(
        self,
        target: Target,
        function: DeployedFunction,
        run: StartedRun,
        console: Console,
        poll_seconds: float,
    ) -> None:
        self._s3 = target.client("s3")
        self._logs = target.client("logs")
        self._bucket = target.outputs["raw_bucket_name"]
        self._function = function
        self._run = run
        self._console = console
        self._poll_seconds = poll_seconds
        self._seen: set[str] = set()
        self._read: set[str] = set()
        self._objects: Counter[str] = Counter()

    def follow(self) -> None:
        """Wait until the run is over, and print what happens.

        Raises:
            CommandError: the function crashed, or does not end.
        """
        patience = timedelta(seconds=self._function.timeout_seconds) + _GRACE
        deadline = time.monotonic() + patience.total_seconds()
        with live_status(self._console, "Waiting for the run to begin") as show:
            while True:
                if self._add_attempts():
                    deadline = time.monotonic() + patience.total_seconds()
                for line in self._new_lines():
                    self._handle(line, show)
                if self._run.is_over:
                    return
                self._show_progress(show)
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"The run has written nothing for {patience.total_seconds() / 60:.0f} minutes: look at "
                        f"`spotify-etl logs --function extract` and at the dead letters in `spotify-etl status`."
                    )
                time.sleep(self._poll_seconds)

    def _add_attempts(self) -> bool:
        before = len(self._run.attempts)
        while attempt := read_attempt(
            self._s3, self._bucket, layout.ManifestKey(self._run.id, len(self._run.attempts))
        ):
            self._run.attempts.append(attempt)
            if attempt.is_continued:
                print_line(self._console, "The invocation ran out of time; another one continues the run.")
        return len(self._run.attempts) > before

    def _new_lines(self) -> Iterator[LogLine]:
        lines = read_lines(self._logs, "extract", self._function.log_group, since=self._run.at)
        for line in lines:
            if line.id in self._seen or line.fields.get("run_id", self._run.id) != self._run.id:
                continue
            self._seen.add(line.id)
            yield line

    def _handle(self, line: LogLine, show: Callable[[str], None]) -> None:
        if line.message == "Stream read.":
            self._read.add(str(line.fields.get("stream")))
            show(f"Read {', '.join(sorted(self._read))}")
        elif "seconds" in line.fields:
            print_line(self._console, f"{line.message} The run waits {line.fields['seconds']} s.")
        elif line.is_crash and not self._run.attempts:
            raise CommandError(
                f"The function crashed ({quoted(line.message)}), and Lambda will try twice more: look at "
                f"`spotify-etl logs --function extract`."
            )

    def _show_progress(self, show: Callable[[str], None]) -> None:
        """Count the objects that the run has written so far, by stream."""
        for stream in self._run.streams:
            if stream in self._read:
                continue
            stem = str(layout.RawKey(stream, self._run.id, 0)).removesuffix(f"-00000{layout.RAW_SUFFIX}")
            listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=stem)
            self._objects[stream] = listed["KeyCount"]
        if written := {stream: count for stream, count in self._objects.items() if count}:
            show(f"Read {list(written)[-1]}; {pluralize(sum(written.values()), 'object')} so far")


def _report(run: StartedRun, results: list[StreamResult], console: Console) -> None:
    rows = [
        (result.stream, result.status, result.requests, result.records, result.objects, _short_reason(result))
        for result in results
    ]
    calls = f"{len(run.attempts)} invocations, " if len(run.attempts) > 1 else ""
    caption = (
        f"{calls}{pluralize(sum(result.requests for result in results), 'request')} to Spotify, "
        f"{pluralize(sum(result.records for result in results), 'new record')}"
    )
    print_tables(
        console,
        table(f"Run {run.id}", ("stream", "status", "requests", "records", "objects", "reason"), rows, caption),
    )


def _short_reason(result: StreamResult) -> str:
    if result.reason == "locked" and result.locked_until:
        return f"locked by Spotify until {result.locked_until[:16].replace('T', ' ')} UTC"
    return result.reason or ""


def _check_begun(run: StartedRun) -> None:
    """Check that the run was not skipped.

    Raises:
        CommandError: it was.
    """
    content = run.attempts[-1].content
    if content["status"] == "skipped":
        reason = str(content["reason"])
        raise CommandError(_NEXT_STEPS.get(reason, f"The run was skipped ({quoted(reason)})."))


def _check_read(run: StartedRun, results: list[StreamResult]) -> None:
    """Check that the run read anything.

    Raises:
        CommandError: every stream failed, or is locked.
    """
    if all(result.status == "failed" for result in results):
        raise CommandError(_failure(str(run.attempts[-1].content["reason"])))
    if all(result.reason == "locked" for result in results):
        until = max(result.locked_until or "" for result in results)
        raise CommandError(
            f"Spotify accepts no requests until {until[:16].replace('T', ' ')} UTC: the next run after that reads "
            "what is missing."
        )


def _failure(reason: str) -> str:
    sentence = f"The run failed: {quoted(reason).rstrip('.')}"
    return f"{sentence}." if "`" in sentence or ":" in reason else f"{sentence}; see `spotify-etl logs`."


def _complain_about_rest(results: list[StreamResult]) -> None:
    """Report the streams that were not read completely, although others were.

    Raises:
        CommandError: there are any.
    """
    rest = [result for result in results if not result.is_good and result.status != "skipped"]
    if rest:
        first = rest[0]
        raise CommandError(
            f"{', '.join(result.stream for result in rest)} {'is' if len(rest) == 1 else 'are'} not complete "
            f"({first.stream}: {quoted(_short_reason(first)).rstrip('.')}): the next run continues, or run "
            "`spotify-etl extract` again."
        )


def _print_rows(target: Target, keys: Sequence[str], console: Console) -> None:
    """Print how many rows of each table the objects have become."""
    s3, bucket = target.client("s3"), target.outputs["transformed_bucket_name"]
    rows: Counter[str] = Counter()
    with aws_errors(), ThreadPoolExecutor(_THREADS) as pool:
        for made in pool.map(lambda key: _rows_made(s3, bucket, key), keys):
            rows.update(made)
    if rows:
        print_tables(console, table("Rows of this run, by table", ("table", "rows"), sorted(rows.items())))
    print_line(console, "Query them with `spotify-etl query`, or run `spotify-etl report --open`.")


def _rows_made(s3: S3Client, bucket: str, raw_key: str) -> dict[str, int]:
    body = s3.get_object(Bucket=bucket, Key=layout.outputs_key(raw_key))["Body"].read()
    rows: dict[str, int] = json.loads(body)["rows"]
    return rows
