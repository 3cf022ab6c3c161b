"""What an invocation hands over to the next one of the same run, and what that one finds left to do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlers import layout
from handlers.extract.event import Event
from handlers.extract.reads.unit_log import CONTINUED
from handlers.raw.bucket import RawBucket

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class RemainingWork:
    """What earlier invocations of the run have not done."""

    units: frozenset[tuple[str, str]]
    """Stream and unit."""
    requests: Counter[str]
    """What they have asked Spotify for, by stream."""

    def covers(self, stream: str) -> bool:
        """Whether anything of the stream is left."""
        return any(stream == left for left, _ in self.units)

    def covers_unit(self, stream: str, unit: str) -> bool:
        """Whether the unit is left, or the stream whose units were not even learned."""
        return (stream, unit) in self.units or (stream, "") in self.units


def remaining_work(event: Event, bucket: RawBucket) -> RemainingWork | None:
    """What the manifests of the run say that its earlier invocations left; None where it has none or just begins.

    What was handed over and failed since is left too: this may be Lambda's retry of an invocation that failed.
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
        # A stream that names its units stands for them no more, unless a failure may have kept some from being named.
        named = {unit["stream"] for unit in units if unit["unit"]}
        failed = {unit["stream"] for unit in units if unit["status"] == "failed"}
        left -= {(stream, "") for stream in named - failed}
        attempt += 1
    return RemainingWork(frozenset(left), requests) if attempt else None


def invoke_continuation(client: LambdaClient, function: str, event: Event) -> None:
    """Have the function begin the run's next invocation, after this one.

    Args:
        client: Lambda.
        function: ARN of the function itself.
        event: of this invocation.
    """
    asked: dict[str, Any] = event.continuation()
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(asked).encode())
