"""When a message that failed is tried again.

The visibility timeout of the queue is six times that of the function, as AWS recommends, and hides a failed message for
half an hour. A shorter one, set for that message alone, lets all of its tries end before the crawl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

WAIT_SECONDS = (30, 60, 120, 240, 0)
"""Visibility timeout after the first failure, the second and so on; after the last one SQS moves the message to the
dead-letter queue as soon as it is visible."""


class VisibilityError(Exception):
    """SQS did not accept a shorter visibility timeout; the message is retried after the queue's own."""


def retry_soon(sqs: SQSClient, queue_url: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Give messages that failed a visibility timeout that grows with the number of tries.

    Args:
        sqs: a client.
        queue_url: the queue.
        records: at most ten records of an SQS event, as batches of the queue have.

    Raises:
        VisibilityError: SQS refused some of them.
        ClientError: SQS refused the request.
    """
    answer = sqs.change_message_visibility_batch(
        QueueUrl=queue_url,
        Entries=[
            {"Id": str(number), "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": _wait(record)}
            for number, record in enumerate(records)
        ],
    )
    if refused := answer.get("Failed"):
        raise VisibilityError(f"{len(refused)} of {len(records)} messages: {refused[0]['Code']}.")


def _wait(record: Mapping[str, Any]) -> int:
    tries = int(record["attributes"]["ApproximateReceiveCount"])
    return WAIT_SECONDS[min(tries, len(WAIT_SECONDS)) - 1]
