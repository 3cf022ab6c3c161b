"""The transform function: messages of the raw bucket's queue in, Parquet tables out.

A message that fails, or whose turn comes too late, is handed back alone (`ReportBatchItemFailures`); SQS brings it
again and at last keeps it among the dead letters. Environment: `RAW_BUCKET`, `TRANSFORMED_BUCKET`, `POWERTOOLS_*`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from handlers.transform.events import ObjectCreated, objects_in
from handlers.transform.transformer import Result, Transformer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
_BEGIN_MILLISECONDS = 200_000
"""With how much of the function's time an object is begun: with less it might be cut off only for those before it."""
_STORE_MILLISECONDS = 50_000
"""How much is left for storing the tables, at the most a file for each of several hundred months."""
# Each failed message comes again on its own, also when all of a batch failed.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Transform the objects of a batch of SQS messages; answer with the messages that failed."""
    metrics.add_metric(name="Messages", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(event, transform_message, processor, context)


class NotBegunError(Exception):
    """The messages before took the time that this one may need."""


def transform_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Transform the objects that one message speaks of.

    Raises:
        NotBegunError: the time that is left may not be enough; the message is to come again.
        Exception: whatever kept it from being done, after it was logged; the message is to come again.
    """
    try:
        for created in objects_in(record.body):
            _check_time(lambda_context)
            transform_object(created, lambda: _remaining(lambda_context) < _STORE_MILLISECONDS)
    except NotBegunError:
        logger.warning("The time that is left may not be enough: the message will come again.")
        raise
    except Exception:
        logger.exception("The message failed and will come again.", message_id=record.message_id)
        raise


def transform_object(created: ObjectCreated, out_of_time: Callable[[], bool]) -> None:
    """Transform one object and say what became of it in log and metrics."""
    if created.bucket != os.environ["RAW_BUCKET"]:
        logger.warning("An object of another bucket was left alone.", bucket=created.bucket, raw_key=created.key)
        return
    report(_transformer().transform(created.key, out_of_time))


def report(result: Result) -> None:
    """Log and count what became of an object; drift once a path."""
    made = result.outputs
    for finding in result.drift.findings.values():
        logger.warning(
            "Spotify sent something else than declared.",
            raw_key=made.raw_key,
            path=finding.path,
            found=finding.found,
            first_line=finding.line or None,
            count=finding.count,
        )
    if result.outcome in ("gone", "ignored"):
        logger.warning("There was nothing to transform.", raw_key=made.raw_key, outcome=result.outcome)
    else:
        logger.info(
            "The object was transformed.",
            raw_key=made.raw_key,
            outcome=result.outcome,
            lines=made.lines,
            rejected=made.rejected,
            rows=made.rows,
            deleted=list(result.deleted),
        )
    counted = {
        "Objects": 1,
        "Lines": made.lines,
        "Rows": sum(rows for table, rows in made.rows.items() if table != "rejected_records"),
        "RejectedRecords": made.rows.get("rejected_records", 0),
        "DriftedPaths": len(result.drift.findings),
    }
    for name, value in counted.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _check_time(context: LambdaContext) -> None:
    if _remaining(context) < _BEGIN_MILLISECONDS:
        raise NotBegunError


def _remaining(context: LambdaContext) -> int:
    return context.get_remaining_time_in_millis()


@functools.cache
def _transformer() -> Transformer:
    """Kept warm between invocations."""
    return Transformer(boto3.client("s3"), os.environ["RAW_BUCKET"], os.environ["TRANSFORMED_BUCKET"])
