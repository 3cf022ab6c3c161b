"""Sending messages to queues, and taking them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10
"""As many messages as SQS takes or gives at once."""
_TRIES = 3
WAIT_SECONDS = 1
"""How long SQS looks for messages: without a wait it asks only some of its servers."""
_HIDDEN_SECONDS = 60
"""How long a received message stays hidden: long enough to move or delete it."""


def send_messages(sqs: SQSClient, url: str, bodies: Sequence[str]) -> None:
    """Send up to `BATCH` messages.

    Raises:
        CommandError: SQS does not accept one of them.
    """
    left = dict(enumerate(bodies))
    failed: list[Any] = []
    for _ in range(_TRIES):
        answer = sqs.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(number), "MessageBody": body} for number, body in left.items()]
        )
        failed = list(answer.get("Failed", ()))
        left = {int(entry["Id"]): left[int(entry["Id"])] for entry in failed}
        if not left:
            return
    raise CommandError(f"SQS did not accept a message ({failed[0].get('Code')}): run the command again.")


def received_messages(sqs: SQSClient, url: str) -> Iterator[list[Any]]:
    """Yield the messages of a queue in batches until it is empty; the caller deletes them."""
    while True:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=BATCH, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=WAIT_SECONDS
        )
        messages = list(answer.get("Messages", ()))
        if not messages:
            return
        yield messages


def delete_messages(sqs: SQSClient, url: str, messages: Sequence[Any]) -> None:
    """Delete received messages."""
    sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
        ],
    )
