"""Entry point of the compact Lambda: the small Parquet objects of closed days become one object a partition.

It runs daily after publish, and again when no query reads the replaced objects any more, to delete them. Environment:
`TRANSFORMED_BUCKET`, `TRANSFORMED_RETENTION_DAYS`, `PLAYS_RETENTION_DAYS`, `POWERTOOLS_*`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.compact.bucket import TransformedBucket
from handlers.compact.event import CompactionEvent
from handlers.compact.partition import Retention
from handlers.compact.run import MAX_LISTED, CompactionRun, Summary

LOG = Logger()

_LATE_MILLISECONDS = 120_000
"""With less time left nothing more is begun: what was begun has to be stored, with all that was compacted before."""
_OVER_MILLISECONDS = 20_000
"""With less time left even that is given up: the next run does it again."""
_MAX_NAMED = 20


class CompactError(Exception):
    """Something could not be compacted; everything else was."""


@LOG.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compact the partitions that have more than one object of a closed day, and delete those whose time is over.

    Args:
        event: `{"trigger": "schedule" | "manual", "table", "month", "purge_before", "delete_only"}`, all optional: only
            this table, only partitions that contain this month (`YYYY-MM`), the moment before which compacted rows are
            deleted at once, and whether nothing is compacted, only deleted.
        context: Lambda's context.

    Returns:
        `{"partitions", "objects_read", "objects_deleted", "waiting", "expired", "remaining", "left_alone"}`: partitions
        compacted, objects read for it and deleted since; partitions whose originals wait until no query reads them;
        objects deleted since their retention is over; partitions that there was no time for; and of the objects that
        could not be used, up to 100 as `{"key", "reason"}`.

    Raises:
        CompactionEventError: the event is invalid.
        CompactError: some partitions could not be compacted; the message lists each with the reason.
    """
    parsed = CompactionEvent.parse(event)
    run = CompactionRun(
        TransformedBucket(_s3(), os.environ["TRANSFORMED_BUCKET"]),
        Retention.of(os.environ),
        parsed,
        datetime.now(UTC),
        is_late=lambda: context.get_remaining_time_in_millis() < _LATE_MILLISECONDS,
        is_over=lambda: context.get_remaining_time_in_millis() < _OVER_MILLISECONDS,
    )
    summary = run.run()
    _report(summary, "Deleted what was replaced" if parsed.delete_only else "Compacted")
    if summary.failed:
        raise CompactError(_failures(summary.failed))
    return summary.to_json()


def _report(summary: Summary, done: str) -> None:
    for key, reason in sorted(summary.left_alone.items())[:MAX_LISTED]:
        LOG.warning("An object was left alone.", extra={"object_key": key, "reason": reason})
    for name, reason in summary.failed.items():
        LOG.error("A partition could not be compacted.", extra={"partition": name, "reason": reason})
    if summary.left_alone:
        # What an alarm needs; a metric costs money for every hour in which it has a value.
        metrics = Metrics()
        metrics.add_metric("ObjectsLeftAlone", MetricUnit.Count, len(summary.left_alone))
        metrics.flush_metrics()
    message = f"{done} in part." if summary.failed or summary.remaining else f"{done}."
    LOG.info(message, extra={"summary": summary.to_json() | {"left_alone": len(summary.left_alone)}})


def _failures(failed: dict[str, str]) -> str:
    named = [f"{name}: {reason.rstrip('.')}" for name, reason in failed.items()][:_MAX_NAMED]
    more = f"; and {len(failed) - len(named)} more" if len(failed) > len(named) else ""
    return f"{len(failed)} not compacted: {'; '.join(named)}{more}."


@cache
def _s3() -> Any:
    """Reused between invocations."""
    return boto3.client("s3")
