"""The transform function: messages from the raw bucket's queue in, Parquet tables out.

A message that fails, or for which there is no time left, is returned individually (`ReportBatchItemFailures`); SQS
retries it and finally moves it to the dead-letter queue. Environment: `RAW_BUCKET`, `TRANSFORMED_BUCKET`, `QUEUE_URL`,
`POWERTOOLS_*`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from handlers.transform.events import ObjectCreated, objects_in
from handlers.transform.retries import VisibilityError, retry_soon
from handlers.transform.transformer import Result, Transformer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LOG = Logger()
metrics = Metrics()
_BEGIN_MILLISECONDS = 200_000
"""Time that must be left to start an object: with less it might be cut off only because of those before it."""
_STORE_MILLISECONDS = 50_000
"""Time reserved for storing the tables: up to one file for each of several hundred months."""
# Each failed message is retried on its own, even if the whole batch failed.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@LOG.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Transform the objects of a batch of SQS messages; return the messages that failed."""
    response = process_partial_response(event, transform_message, processor, context)
    if metrics.metric_set:
        metrics.flush_metrics()
    failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
    if records := [record for record in event["Records"] if record["messageId"] in failed]:
        _retry_soon(records)
    return response


class NotBegunError(Exception):
    """The messages before took the time that this one may need."""


def transform_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Transform the objects that one message names.

    Raises:
        NotBegunError: there may not be enough time left; the message is retried.
        Exception: anything that went wrong, once it is logged; the message is retried.
    """
    try:
        for created in objects_in(record.body):
            _check_time(lambda_context)
            transform_object(created, lambda: _remaining(lambda_context) < _STORE_MILLISECONDS)
    except NotBegunError:
        LOG.warning("There may not be enough time left: the message will be retried.")
        raise
    except Exception:
        LOG.exception("The message failed and will be retried.", message_id=record.message_id)
        raise


def transform_object(created: ObjectCreated, out_of_time: Callable[[], bool]) -> None:
    """Transform one object and report the result in the log and the metrics."""
    if created.bucket != os.environ["RAW_BUCKET"]:
        LOG.warning("An object in another bucket was ignored.", bucket=created.bucket, raw_key=created.key)
        return
    report(_transformer().transform(created.key, out_of_time))


def report(result: Result) -> None:
    """Log and count the result for an object; drift once per path."""
    made = result.outputs
    for finding in result.drift.findings.values():
        LOG.warning(
            "Spotify sent something unexpected.",
            raw_key=made.raw_key,
            path=finding.path,
            found=finding.found,
            first_line=finding.line or None,
            count=finding.count,
        )
    if result.outcome in ("gone", "ignored"):
        LOG.warning("There was nothing to transform.", raw_key=made.raw_key, outcome=result.outcome)
    else:
        LOG.info(
            "The object was transformed.",
            raw_key=made.raw_key,
            outcome=result.outcome,
            lines=made.lines,
            rejected=made.rejected,
            rows=made.rows,
            deleted=list(result.deleted),
        )
    # Only what the alarms in pipeline/alarms.py need: a metric costs money for every hour in which it has a value.
    counted = {
        "Lines": made.lines,
        "RejectedRecords": made.rows.get("rejected_records", 0),
        "DriftedPaths": len(result.drift.findings),
    }
    for name, value in counted.items():
        if value:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _retry_soon(records: list[dict[str, Any]]) -> None:
    try:
        retry_soon(_sqs(), os.environ["QUEUE_URL"], records)
    except (BotoCoreError, ClientError, VisibilityError) as error:
        LOG.warning("The retry could not be brought forward; the messages will be retried later.", reason=str(error))


def _check_time(context: LambdaContext) -> None:
    if _remaining(context) < _BEGIN_MILLISECONDS:
        raise NotBegunError


def _remaining(context: LambdaContext) -> int:
    return context.get_remaining_time_in_millis()


@functools.cache
def _transformer() -> Transformer:
    """Reused between invocations."""
    buckets = os.environ["RAW_BUCKET"], os.environ["TRANSFORMED_BUCKET"]
    return Transformer(boto3.client("s3"), *buckets, now=lambda: datetime.now(UTC))


@functools.cache
def _sqs() -> SQSClient:
    """Created on the first failure: most invocations need none."""
    return boto3.client("sqs")
