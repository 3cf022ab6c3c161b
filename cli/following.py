"""Waits for the parts of the pipeline that run by themselves: the transform, the crawl, and the publish function.

Moments are those of AWS's own answers, never of this machine: the local cloud's clock may be ahead.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from cli.errors import CommandError, StillRunningError
from cli.presentation import StepResult, Steps, pluralize
from cli.targets import Target, aws_errors
from cli.text import quoted
from handlers.layout import RAW_PREFIX, RUNS_PREFIX, outputs_key, run_date
from handlers.streams import STREAMS

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

_POLL_SECONDS = 1.0
_PATIENCE_MINUTES = 15
"""As long as the slowest function may run: after that without progress, something is wrong."""
_CRAWL_MINUTES = 60
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class CrawlOutcome:
    """What a crawl changed in the catalog."""

    new_tables: tuple[str, ...]
    changed_tables: tuple[str, ...]
    """Tables that have new columns."""
    new_partitions: int
    views: int
    """How many views the publish function created or replaced."""
    dpu_hours: float | None
    """What AWS bills; None if it does not say, and for the local cloud."""


def keys_of_run(target: Target, run_id: str) -> list[str]:
    """Return the keys of the raw objects and manifests that a run has written so far.

    Raises:
        CommandError: AWS refused a request.
    """
    s3, bucket = target.client("s3"), target.output("raw_bucket_name")
    day = run_date(run_id)
    prefixes = [f"{RUNS_PREFIX}dt={day}/{run_id}", *(f"{RAW_PREFIX}{stream}/dt={day}/{run_id}" for stream in STREAMS)]
    with aws_errors():
        return [key for prefix in prefixes for key in _listed(s3, bucket, prefix)]


def follow_transform(
    target: Target, keys: Collection[str], result: StepResult, *, since: datetime | None = None
) -> None:
    """Wait until every one of these objects of the raw bucket has been transformed.

    The sign is the record that the transform leaves of each object, after its tables.

    Args:
        target: where the pipeline runs.
        keys: of raw objects and manifests.
        result: shows the progress.
        since: a moment of AWS's clock: earlier records do not count, since the objects are transformed again.

    Raises:
        CommandError: objects were given up or take too long, or AWS refused a request.
        StillRunningError: the user stopped waiting.
    """
    s3, bucket = target.client("s3"), target.output("transformed_bucket_name")
    dead_letters = _DeadLetters(target, "transform")
    missing = {outputs_key(key) for key in keys}
    whole = len(missing)

    def newly_transformed() -> int | None:
        before = len(missing)
        for prefix in _prefixes(missing):
            missing.difference_update(_listed(s3, bucket, prefix, since))
        result.progress(f"{whole - len(missing):,} of {pluralize(whole, 'object')}")
        return before - len(missing) or None

    with _goes_on(
        "The transform continues on its own; run `spotify-etl crawl` afterwards, so that Athena sees all of its rows."
    ):
        newly_transformed()
        while missing:
            dead_letters.check()
            found = _wait_for(newly_transformed, minutes=_PATIENCE_MINUTES, between=dead_letters.check)
            if found is None:
                raise CommandError(
                    f"{pluralize(len(missing), 'object')} of {whole:,} had not been transformed after "
                    f"{_PATIENCE_MINUTES} minutes without progress: `spotify-etl logs --function transform` shows why; "
                    "SQS delivers them again by itself."
                )


def follow_crawl(target: Target, steps: Steps) -> CrawlOutcome:
    """Crawl, or wait for the crawl that is running, and then for the publish function.

    Raises:
        CommandError: one of them failed or takes too long, or AWS refused a request.
        StillRunningError: the user stopped waiting.
    """
    glue = target.client("glue")
    database = target.output("glue_database_name")
    with aws_errors(), _goes_on("The crawl continues on its own, and the views follow it."):
        with steps.step("Crawl") as result:
            before = _tables(glue, database)
            _crawl(glue, target.output("glue_crawler_name"), result)
            after = _tables(glue, database)
            crawl = _newest_crawl(glue, target.output("glue_crawler_name"))
            outcome = CrawlOutcome(
                new_tables=tuple(sorted(after.keys() - before.keys())),
                changed_tables=tuple(
                    sorted(name for name in after.keys() & before.keys() if after[name][0] != before[name][0])
                ),
                new_partitions=sum(count - before.get(name, ((), 0))[1] for name, (_, count) in after.items()),
                views=0,
                dpu_hours=None if target.local else crawl.get("DPUHour"),
            )
            _say_crawled(outcome, result)
        with steps.step("Publish the views") as result:
            summary = _published(target, crawl.get("EndTime") or crawl["StartTime"], result)
            views = len(summary["views_created"])
            result.say(f"{pluralize(views, 'view')} created or replaced, {summary['views_unchanged']} unchanged")
    return CrawlOutcome(**{**vars(outcome), "views": views})


def _say_crawled(outcome: CrawlOutcome, result: StepResult) -> None:
    tables = (("new", outcome.new_tables), ("with new columns", outcome.changed_tables))
    for what, names in tables:
        if names:
            result.say(f"{pluralize(len(names), 'table')} {what}: {', '.join(names)}")
    result.say(f"{pluralize(outcome.new_partitions, 'new partition')}")
    if outcome.dpu_hours is not None:
        result.say(f"{outcome.dpu_hours:.2f} DPU hours")


class _DeadLetters:
    """A dead-letter queue that should not grow."""

    def __init__(self, target: Target, step: str) -> None:
        self._sqs = target.client("sqs")
        self._url = target.output("dead_letter_queue_urls")[step]
        self._step = step
        self._before = self._count()

    def check(self) -> None:
        """Check that no message has been given up since the start.

        Raises:
            CommandError: one has.
        """
        new = self._count() - self._before
        if new > 0:
            raise CommandError(
                f"The {self._step} function gave up on {pluralize(new, 'message')}: see `spotify-etl logs --function "
                f"{self._step}` for the reason, then run `spotify-etl replay --dead-letters`."
            )

    def _count(self) -> int:
        name = "ApproximateNumberOfMessages"
        with aws_errors():
            return int(
                self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])["Attributes"].get(name, 0)
            )


def _crawl(glue: GlueClient, crawler: str, result: StepResult) -> None:
    """Start the crawler unless it is running, and wait for its end.

    Raises:
        CommandError: the crawl failed, was stopped, or takes too long.
    """
    described = glue.get_crawler(Name=crawler)["Crawler"]
    last = described.get("LastCrawl", {}).get("StartTime")
    try:
        glue.start_crawler(Name=crawler)
    except glue.exceptions.CrawlerRunningException:
        result.say("A crawl was already running; this is its result.")
    began = time.monotonic()

    def ended() -> Any:
        found = glue.get_crawler(Name=crawler)["Crawler"]
        result.progress(f"{found['State'].lower()}, {time.monotonic() - began:.0f} s; it often takes two minutes")
        crawl = found.get("LastCrawl", {})
        return crawl if found["State"] == "READY" and crawl.get("StartTime") != last else None

    crawl = _wait_for(ended, minutes=_CRAWL_MINUTES)
    if crawl is None:
        raise CommandError(
            f"The crawl has not ended within {_CRAWL_MINUTES} minutes: see the crawler {crawler} in the Glue console."
        )
    if crawl["Status"] == "CANCELLED":
        raise CommandError("The crawl was stopped: run `spotify-etl crawl` again.")
    if crawl["Status"] != "SUCCEEDED":
        reason = quoted(crawl.get("ErrorMessage") or "AWS gives no reason").rstrip(".")
        raise CommandError(
            f"The crawl failed ({reason}): its log is the stream {crawl.get('LogStream', crawler)} of "
            f"{crawl.get('LogGroup', '/aws-glue/crawlers')}; run `spotify-etl crawl` again when the cause is gone."
        )


def _newest_crawl(glue: GlueClient, crawler: str) -> Any:
    crawls = glue.list_crawls(CrawlerName=crawler)["Crawls"]
    return max(crawls, key=lambda crawl: crawl["StartTime"])


def _tables(glue: GlueClient, database: str) -> dict[str, tuple[tuple[str, ...], int]]:
    """Return for each table, views excluded, its columns and how many partitions it has."""
    tables: dict[str, tuple[tuple[str, ...], int]] = {}
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            if table.get("TableType") != "VIRTUAL_VIEW":
                pages = glue.get_paginator("get_partitions").paginate(
                    DatabaseName=database, TableName=table["Name"], ExcludeColumnSchema=True
                )
                columns = tuple(column["Name"] for column in table["StorageDescriptor"]["Columns"])
                tables[table["Name"]] = columns, sum(len(found["Partitions"]) for found in pages)
    return tables


def _published(target: Target, since: datetime, result: StepResult) -> Any:
    """Wait until the publish function has run since a moment, and return its summary.

    Raises:
        CommandError: it failed, or did not run.
    """
    logs: CloudWatchLogsClient = target.client("logs")

    def newest_summary() -> Any:
        result.progress("EventBridge starts the publish function")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=target.output("log_group_names")["publish"], startTime=int(since.timestamp() * 1000)
        )
        done = None
        for line in (event["message"] for page in pages for event in page["events"]):
            entry = _entry(line)
            if error := _error(entry, line):
                raise CommandError(
                    f"The publish function failed ({quoted(error).rstrip('.')}): see `spotify-etl logs --function "
                    "publish`, and run `spotify-etl crawl` again when the cause is gone."
                )
            if "views_created" in (summary := entry.get("summary") or {}):
                done = summary
        return done

    found = _wait_for(newest_summary, minutes=_PATIENCE_MINUTES)
    if found is None:
        raise CommandError(
            f"The publish function has not run within {_PATIENCE_MINUTES} minutes of the crawl: see `spotify-etl "
            "status` for undelivered events, and run `spotify-etl crawl` again."
        )
    return found


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _error(entry: dict[str, Any], line: str) -> str:
    """Return the error that a line of a function's log reports; '' if it reports none."""
    if line.startswith("[ERROR]"):
        return line.removeprefix("[ERROR]").strip().partition("\n")[0]
    if "ERROR" not in {entry.get("level"), entry.get("log_level")}:
        return ""
    parts = (entry.get(name) for name in ("message", "errorMessage", "view", "conflict", "reason"))
    return " ".join(str(part) for part in parts if part)


def _prefixes(keys: Collection[str]) -> Iterator[str]:
    """Yield prefixes that cover the keys: the folder of several, or a key itself."""
    folders: dict[str, list[str]] = defaultdict(list)
    for key in sorted(keys):
        folders[key.rpartition("/")[0]].append(key)
    for found in folders.values():
        first, last = found[0], found[-1]
        same = next((index for index, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), None)
        yield first[:same]


def _listed(s3: S3Client, bucket: str, prefix: str, since: datetime | None = None) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            if since is None or found["LastModified"] >= since:
                yield found["Key"]


def _wait_for(
    probe: Callable[[], Answer | None], *, minutes: float, between: Callable[[], None] = lambda: None
) -> Answer | None:
    """Ask again until there is an answer; None if there is none in time."""
    deadline = time.monotonic() + minutes * 60
    while True:
        with aws_errors():
            answer = probe()
        if answer is not None or time.monotonic() > deadline:
            return answer
        time.sleep(_POLL_SECONDS)
        between()


@contextmanager
def _goes_on(sentence: str) -> Iterator[None]:
    """Say what continues if the user stops waiting."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise StillRunningError(f"Stopped waiting. {sentence}") from error
