"""Continuations: handing over to the run's next invocation, and what that one finds left to do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers import layout
from handlers.extract.event import Event
from handlers.raw.bucket import RawBucket
from handlers.raw.manifest import CONTINUED

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class RemainingWork:
    """What earlier invocations of the run left to do."""

    units: frozenset[tuple[str, str]]
    """Pairs of stream and unit."""
    requests: Counter[str]
    """Requests already made to Spotify, by stream."""

    def has_stream(self, stream: str) -> bool:
        """Return whether anything of the stream is left."""
        return any(stream == left for left, _ in self.units)

    def has_unit(self, stream: str, unit: str) -> bool:
        """Return whether the unit is left, or the whole stream because its units are not known yet."""
        return (stream, unit) in self.units or (stream, "") in self.units


def remaining_work(event: Event, bucket: RawBucket) -> RemainingWork | None:
    """Return what the run's manifests say is left; None for a first invocation or if there is no manifest.

    Units that were continued and have failed since are left too: this may be Lambda's retry of a failed invocation.
    """
    if not event.number:
        return None
    left: set[tuple[str, str]] = set()
    requests: Counter[str] = Counter()
    attempt = 0
    while stored := bucket.get(str(layout.ManifestKey(event.run_id, attempt))):
        units = json.loads(stored[0])["units"]
        for unit in units:
            name = unit["stream"], unit["unit"]
            requests[unit["stream"]] += unit["requests"]
            if unit["reason"] == CONTINUED:
                left.add(name)
            elif unit["status"] != "failed":
                left.discard(name)
        # Once a stream lists its units, the entry for the whole stream is obsolete, unless a failure cut the list off.
        listed = {unit["stream"] for unit in units if unit["unit"]}
        failed = {unit["stream"] for unit in units if unit["status"] == "failed"}
        left -= {(stream, "") for stream in listed - failed}
        attempt += 1
    return RemainingWork(frozenset(left), requests) if attempt else None


def invoke_continuation(client: LambdaClient, function: str, event: Event) -> None:
    """Invoke the function asynchronously for the run's next invocation.

    Args:
        client: Lambda client.
        function: ARN of the function itself.
        event: event of this invocation.
    """
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event.continuation()).encode())
