"""Lambda's event source mappings for queues.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import EventSourceMapping, LambdaFunction
from moto.events.models import EventPattern
from moto.sqs import models as sqs_models

from embedded_aws.clock import SimulatedClock
from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.runtime.timers import InterruptedWorkError
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.functions import Functions, InvocationResult

# moto sets attributes that its annotations do not declare.
Queue = Any
Message = Any

_TICK = timedelta(milliseconds=1)
"""moto makes a message visible strictly after its time, in milliseconds."""

_MOTOS_DESCRIPTION = EventSourceMapping.get_configuration

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


class QueuePollers:
    """Polls queues: receives batches, invokes functions, deletes what succeeded; redrive policies handle the rest."""

    def __init__(
        self, server: AwsServer, clock: SimulatedClock, steps: StepLog, sessions: RoleSessions, functions: Functions
    ) -> None:
        self._server = server
        self._sessions = sessions
        self._clock = clock
        self._steps = steps
        self._functions = functions
        # Mapping → (until, wait, error) of a poller without permission, which backs off.
        self._backing_off: dict[str, tuple[datetime, timedelta, str]] = {}
        self._patches = ExitStack()

    def install(self) -> None:
        """Stop moto from invoking functions itself, at once and without retries."""
        wait, gate = sqs_models.Queue.wait_for_messages, self._server.gate

        def wait_for_messages(queue: Queue, timeout: int) -> None:
            with gate.waiting():
                wait(queue, timeout)

        self._patches.enter_context(patch.object(sqs_models.Queue, "add_message", _add_message))
        self._patches.enter_context(patch.object(sqs_models.Queue, "wait_for_messages", wait_for_messages))
        self._patches.enter_context(patch.object(EventSourceMapping, "get_configuration", _described))

    def close(self) -> None:
        """Restore moto's behaviour."""
        self._patches.close()

    def next_due(self) -> datetime | None:
        """Return when the next message can be received."""
        return min((due for mapping, queue in self._mappings() if (due := self._due(mapping, queue))), default=None)

    def run_due(self) -> bool:
        """Receive and deliver one batch of every queue that is due."""
        acted = False
        for mapping, queue in self._mappings():
            _drop_expired(queue)
            due = self._due(mapping, queue)
            if due is not None and due <= self._clock.now:
                acted = True
                try:
                    self._poll(mapping, queue)
                except InterruptedWorkError:
                    raise
                except Exception as error:  # noqa: BLE001 - the other queues must be polled
                    self._back_off(mapping, queue, f"{type(error).__name__}: {error}")
        return acted

    def _mappings(self) -> Iterator[tuple[EventSourceMapping, Queue]]:
        queues = {queue.queue_arn: queue for queue in self._server.backend("sqs").queues.values()}
        for mapping in self._server.backend("lambda").list_event_source_mappings("", ""):
            if mapping.enabled and mapping.event_source_arn in queues:
                yield mapping, queues[mapping.event_source_arn]

    def _due(self, mapping: EventSourceMapping, queue: Queue) -> datetime | None:
        """Return when a batch can be received, after the batching window."""
        visible = sorted(_visible_from(message) for message in queue._messages)  # noqa: SLF001 - moto offers the visible ones only
        if not visible:
            return None
        size = int(mapping.batch_size)
        due = visible[0] + timedelta(seconds=int(mapping.max_batch_window or 0))
        if len(visible) >= size:
            due = min(due, max(visible[0], visible[size - 1]))
        until, _, _ = self._backing_off.get(mapping.uuid, (due, _FIRST_WAIT, ""))
        return max(due, until) + _TICK

    def _poll(self, mapping: EventSourceMapping, queue: Queue) -> None:
        begin = time.monotonic()
        function = self._functions.find(mapping.function_arn)
        if function is None:
            self._back_off(mapping, queue, f"The function {mapping.function_arn} no longer exists.")
            return
        try:
            self._check_permissions(function, queue)
        except AccessDeniedError as error:
            self._back_off(mapping, queue, str(error))
            return
        self._backing_off.pop(mapping.uuid, None)
        messages = self._receive(mapping, queue)
        if not messages:
            return
        wanted, unwanted = _filtered(mapping, messages)
        self._delete(queue, unwanted)
        if not wanted:
            return
        event = {"Records": [_record(message, queue) for message in wanted]}
        result = self._functions.invoke(function, json.dumps(event))
        failed = _failed(mapping, wanted, result)
        self._delete(queue, [message for message in wanted if message.id not in failed])
        detail = f"{len(wanted) - len(failed)} of {len(wanted)} messages processed by {function.function_name}"
        seconds = time.monotonic() - begin
        self._steps.record("queue", queue.name, detail, ok=not failed, seconds=seconds)

    def _check_permissions(self, function: LambdaFunction, queue: Queue) -> None:
        """Check that the function's role allows polling.

        Raises:
            AccessDeniedError: it does not.
        """
        credentials = self._sessions.credentials(
            function.role, "lambda.amazonaws.com", "event-source-mapping", function.function_arn
        )
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            self._server.authorization.check(credentials.access_key_id, f"sqs:{action}", queue.queue_arn)

    def _back_off(self, mapping: EventSourceMapping, queue: Queue, error: str) -> None:
        """Record why polling failed, once per error, and back off."""
        _, wait, known = self._backing_off.get(mapping.uuid, (None, _FIRST_WAIT, ""))
        if error != known:
            self._steps.record("queue", queue.name, error, ok=False)
        self._backing_off[mapping.uuid] = self._clock.now + wait, min(2 * wait, _LONGEST_WAIT), error

    def _receive(self, mapping: EventSourceMapping, queue: Queue) -> list[Message]:
        """Receive one batch; messages received too often go to the dead-letter queue."""
        dead_letters = queue.dead_letter_queue
        before = len(dead_letters._messages) if dead_letters is not None else 0  # noqa: SLF001 - those in flight count too
        messages: list[Message] = self._server.backend("sqs").receive_message(
            queue.name, int(mapping.batch_size), 0, int(queue.visibility_timeout), ["All"]
        )
        if dead_letters is not None and (moved := len(dead_letters._messages) - before):  # noqa: SLF001 - as above
            detail = f"{moved} messages of {queue.name} after {queue.redrive_policy['maxReceiveCount']} tries"
            self._steps.record("dead_letter", dead_letters.name, detail, ok=False)
        return messages

    def _delete(self, queue: Queue, messages: list[Message]) -> None:
        for message in messages:
            self._server.backend("sqs").delete_message(queue.name, message.receipt_handle)


def _add_message(queue: Queue, message: Message) -> None:
    """Add a message as moto does, but without invoking functions; a FIFO queue's duplicates are dropped."""
    if queue.fifo_queue and message.deduplication_id is not None:
        # Five minutes.
        oldest = message.sent_timestamp - 1000 * 300
        same = (known for known in queue._messages if known.deduplication_id == message.deduplication_id)  # noqa: SLF001 - ours to keep
        if any(known.sent_timestamp > oldest for known in same):
            return
    with queue._messages_lock:  # noqa: SLF001 - ours to keep
        queue._messages.append(message)  # noqa: SLF001 - ours to keep
        queue._messages_lock.notify_all()  # noqa: SLF001 - ours to keep


def _visible_from(message: Message) -> datetime:
    latest = max(message.sent_timestamp, message.visible_at, message.delayed_until)
    return datetime.fromtimestamp(latest / 1000, UTC)


def _drop_expired(queue: Queue) -> None:
    """Drop messages past the queue's retention period; moto stops receiving at the first one."""
    oldest = datetime.now(UTC).timestamp() - int(queue.message_retention_period)
    queue._messages[:] = [one for one in queue._messages if one.sent_timestamp / 1000 > oldest]  # noqa: SLF001 - see above


def _described(mapping: EventSourceMapping) -> dict[str, Any]:
    """Return a mapping with the window that it has even if nobody set one."""
    return {"MaximumBatchingWindowInSeconds": 0, **_MOTOS_DESCRIPTION(mapping)}


def _filtered(mapping: EventSourceMapping, messages: list[Message]) -> tuple[list[Message], list[Message]]:
    """Return the messages that match a mapping's filters, and the others."""
    filters = (mapping.filter_criteria or {}).get("Filters", [])
    patterns = [EventPattern.load(pattern["Pattern"]) for pattern in filters]
    if not patterns:
        return messages, []
    kept = [message for message in messages if any(pattern.matches_event(_filterable(message)) for pattern in patterns)]
    return kept, [message for message in messages if message not in kept]


def _filterable(message: Message) -> Any:
    try:
        return {"body": json.loads(message.body)}
    except ValueError:
        return {"body": message.body}


def _record(message: Message, queue: Queue) -> dict[str, Any]:
    """Return a message's record in the event: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    if queue.fifo_queue:
        attributes |= {"MessageGroupId": message.group_id, "MessageDeduplicationId": message.deduplication_id}
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    names = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    content = {new: value[old] for old, new in names.items() if value.get(old)}
    return {**content, "stringListValues": [], "binaryListValues": []}


def _failed(mapping: EventSourceMapping, messages: list[Message], result: InvocationResult) -> set[str]:
    """Return the ids of messages that stay in the queue; a response that names an unknown id fails the whole batch."""
    every = {message.id for message in messages}
    if result.failed:
        return every
    if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
        return set()
    response = json.loads(result.payload)
    if not response:
        return set()
    try:
        named = {failure["itemIdentifier"] for failure in response.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return every
    return named if named <= every else every  # noqa: FURB136 - sets are ordered in part only
