"""Attributes of queues that moto does not keep.

It drops the redrive allow policy, deletes the policy when another attribute is set, and reformats the redrive policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.sqs.models import Queue

_ALLOW_POLICY = "RedriveAllowPolicy"
_TIMES = ("CreatedTimestamp", "LastModifiedTimestamp")


@contextmanager
def kept_queue_attributes() -> Iterator[None]:
    """Keep them while the context lasts."""
    set_attributes = Queue._set_attributes  # noqa: SLF001 - moto has no public name for it
    attributes = vars(Queue)["attributes"].fget

    def set_given(queue: Queue, given: Mapping[str, Any], now: float | None = None) -> None:
        kept = {} if "Policy" in given else {"Policy": getattr(queue, "policy", None)}
        set_attributes(queue, {**given, **kept}, now)

    def read(queue: Queue) -> dict[str, Any]:
        found: dict[str, Any] = attributes(queue)
        if queue.redrive_policy:
            # Without spaces, as SQS's clients write and compare it.
            found["RedrivePolicy"] = json.dumps(queue.redrive_policy, separators=(",", ":"))
        for name in _TIMES:
            # In whole seconds.
            found[name] = str(int(float(found[name])))
        # An empty text deletes it.
        return {name: value for name, value in found.items() if name != _ALLOW_POLICY or value}

    with (
        patch.object(Queue, "_set_attributes", set_given),
        patch.object(Queue, "attributes", property(read)),
        # moto stores this attribute too, but returns only those that it lists.
        patch.object(Queue, "BASE_ATTRIBUTES", [*Queue.BASE_ATTRIBUTES, _ALLOW_POLICY]),
        patch.object(Queue, "redrive_allow_policy", None, create=True),
    ):
        yield
