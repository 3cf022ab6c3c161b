"""`spotify-etl compact`: merges the objects of each partition's closed days into one, as the schedule does daily."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from cli.compaction import CompactionOutcome, run_compaction
from cli.empty_partitions import delete_empty_partitions
from cli.errors import CommandError, StillRunningError
from cli.nearest_name import advice
from cli.presentation import StepResult, Steps, pluralize, print_line, print_tables, table
from cli.targets import Target, aws_errors
from handlers import layout
from handlers.tables import TABLES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_DATED = re.compile(r"\d{4}(-\d{2}){0,2}")
_MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class CompactRequest:
    """Which partitions are compacted."""

    table: str = ""
    """Name of a table; '' for all."""
    month: str = ""
    """`YYYY-MM`; '' for all."""


def compact(target: Target, request: CompactRequest, *, console: Console) -> None:
    """Compact closed days, follow it to the end, and print what was done.

    Args:
        target: the pipeline.
        request: which partitions.
        console: where to print.

    Raises:
        CommandError: an option is wrong, a partition could not be compacted, or AWS refused a request.
        StillRunningError: the user stopped the command.
    """
    _check_table(request.table)
    _check_month(request.month)
    target.announce(console)
    s3, bucket = target.client("s3"), target.outputs["transformed_bucket_name"]
    steps = Steps(console)
    with steps.step("Count the objects") as result, aws_errors():
        before = _objects(s3, bucket, request.table)
        _check_there(request, before)
        result.say(_counted(before, request.month))
    event = {name: value for name, value in (("table", request.table), ("month", request.month)) if value}
    try:
        with steps.step("Compact") as result:
            done = run_compaction(target, event, result.progress)
            _report(done, result)
    except KeyboardInterrupt as error:
        raise StillRunningError(
            "Stopped waiting. The invocation goes on for at most a quarter of an hour, and nothing is lost: run the "
            "same command again to see the rest."
        ) from error
    with aws_errors():
        with steps.step("Delete empty partitions") as result:
            glue, database = target.client("glue"), target.outputs["glue_database_name"]
            deleted = delete_empty_partitions(s3, glue, database, bucket, request.table)
            result.say(f"{pluralize(deleted, 'partition')} deleted from the catalog")
        after = _objects(s3, bucket, request.table)
    _print_left_alone(done, console)
    first, last = (_total(counts, request.month) for counts in (before, after))
    print_line(console, f"Done: {pluralize(first, 'object')} before, {last:,} now.")


def _check_table(name: str) -> None:
    """Check that a table exists.

    Raises:
        CommandError: it does not.
    """
    if name and name not in TABLES:
        raise CommandError(f"--table is {name!r}, which is not a table: {advice(name, tuple(TABLES))}")


def _check_month(month: str) -> None:
    if month and not _MONTH.fullmatch(month):
        raise CommandError(f"--month is {month!r}, but must be a month such as 2026-11.")


def _check_there(request: CompactRequest, counts: Counter[tuple[str, str]]) -> None:
    """Check that there are objects of the month.

    Raises:
        CommandError: there are none; the message has the nearest month that has some.
    """
    if not request.month or _total(counts, request.month):
        return
    of = request.table or "the tables"
    # Of a partition that is a year, any month will do.
    months = {f"{partition}-{request.month[5:]}"[: len("YYYY-MM")] for _, partition in counts}
    if not months:
        raise CommandError(f"There is nothing to compact: {of} {'has' if request.table else 'have'} no objects.")
    near = min(months, key=lambda one: abs(_number(one) - _number(request.month)))
    raise CommandError(f"There is nothing of {request.month} in {of}: the nearest month is {near}.")


def _number(month: str) -> int:
    year, number = month.split("-")
    return 12 * int(year) + int(number)


def _objects(s3: S3Client, bucket: str, name: str) -> Counter[tuple[str, str]]:
    """Return how many objects each partition has, by table and partition."""
    prefix = layout.table_prefix(name) if name else layout.TABLES_PREFIX
    found: Counter[tuple[str, str]] = Counter()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            partition = layout.partition_in(entry["Key"])
            if partition is not None and _DATED.fullmatch(partition[1]):
                found[partition] += 1
    return found


def _of_month(counts: Counter[tuple[str, str]], month: str) -> Iterable[int]:
    return (count for (_, partition), count in counts.items() if _has(partition, month))


def _has(partition: str, month: str) -> bool:
    """Return whether a partition is a month, or a day in it, or a year that contains it."""
    return partition.startswith(month) or month.startswith(partition)


def _total(counts: Counter[tuple[str, str]], month: str) -> int:
    return sum(_of_month(counts, month))


def _counted(counts: Counter[tuple[str, str]], month: str) -> str:
    partitions = len(list(_of_month(counts, month)))
    return f"{pluralize(_total(counts, month), 'object')} in {pluralize(partitions, 'partition')}"


def _report(done: CompactionOutcome, result: StepResult) -> None:
    if done.partitions:
        result.say(
            f"{pluralize(done.partitions, 'partition')} compacted, from {pluralize(done.objects_read, 'object')}"
        )
    else:
        result.say("no partition to compact: the closed days of each are in one object")
    if done.objects_deleted:
        result.say(f"{pluralize(done.objects_deleted, 'object')} deleted whose rows are in newer ones")
    if done.expired:
        result.say(f"{pluralize(done.expired, 'object')} deleted, because their retention is over")
    if done.waiting:
        result.say(
            f"{pluralize(done.waiting, 'partition')} with originals that wait for an hour; the next compaction deletes "
            "them"
        )


def _print_left_alone(done: CompactionOutcome, console: Console) -> None:
    if not done.left_alone:
        return
    rows = list(done.left_alone.items())
    caption = f"and {len(rows) - _MOST_SHOWN:,} more" if len(rows) > _MOST_SHOWN else None
    title = f"{pluralize(len(rows), 'object')} left alone"
    print_tables(console, table(title, ("object", "reason"), rows[:_MOST_SHOWN], caption))
    print_line(console, "What to do about them: docs/runbook.md#objects-left-alone")
