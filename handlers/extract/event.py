"""The event that starts a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers import layout
from handlers.extract import times
from handlers.layout import parse_time
from handlers.streams import READABLE_STREAMS, Stream

MANUAL = "manual"
TRIGGERS = ("daily", "hourly", MANUAL)
MAX_CONTINUATIONS = 12
"""How often a run may invoke a continuation; Lambda itself stops a chain of about 16:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html."""


class EventError(ValueError):
    """The event is invalid."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """The parsed event of one invocation."""

    trigger: str
    run_id: str
    scheduled_at: datetime
    streams: tuple[str, ...] | None
    """Only these streams; None for all that the trigger covers."""
    full: bool
    """Whether to read and write everything in full, whatever the state says."""
    number: int = 0
    """Number of this continuation; 0 for the first invocation of the run."""

    @property
    def may_continue(self) -> bool:
        """Whether another invocation may follow."""
        return self.number < MAX_CONTINUATIONS

    def continuation(self) -> dict[str, Any]:
        """Return the event for the next invocation of the same run."""
        event: dict[str, Any] = {"trigger": self.trigger, "scheduled_time": layout.written(self.scheduled_at)}
        if self.streams is not None:
            event["streams"] = list(self.streams)
        return {**event, "full": self.full, "continuation": {"run_id": self.run_id, "number": self.number + 1}}

    @classmethod
    def parse(cls, event: object, enabled: Sequence[str]) -> Event:
        """Parse and check an event.

        Args:
            event: `{"trigger", "scheduled_time", "streams", "full", "continuation"}`, all optional; the trigger is
                `manual` if absent, so that an invocation without a payload starts a run.
            enabled: streams that the stack reads.

        Raises:
            EventError: a key is invalid; the message names it, its value and what is allowed.
        """
        if not isinstance(event, dict):
            raise EventError(f"The event is {_kind(event)} instead of an object with a trigger.")
        if unknown := sorted(set(event) - {"trigger", "scheduled_time", "streams", "full", "continuation"}):
            raise EventError(
                f"The event has an unknown key {unknown[0]!r}: "
                "the known keys are trigger, scheduled_time, streams, full and continuation."
            )
        trigger = event.get("trigger", MANUAL)
        if trigger not in TRIGGERS:
            raise EventError(f"The event's trigger is {trigger!r} instead of one of {', '.join(TRIGGERS)}.")
        full = event.get("full", False)
        if not isinstance(full, bool):
            raise EventError(f"The event's full is {full!r} instead of true or false.")
        scheduled_at = _scheduled(event.get("scheduled_time"))
        run_id = layout.run_id(scheduled_at, trigger)
        number = 0
        if event.get("continuation") is not None:
            run_id, number = _continuation(event["continuation"], trigger)
            scheduled_at = layout.run_time(run_id)
        return cls(
            trigger=trigger,
            run_id=run_id,
            scheduled_at=scheduled_at,
            streams=_streams(event.get("streams"), enabled),
            full=full,
            number=number,
        )

    def covers(self, stream: Stream) -> bool:
        """Return whether the run reads the stream, provided it is enabled."""
        due = stream.readable and (self.trigger == MANUAL or self.trigger in stream.schedules)
        return due and (self.streams is None or stream.name in self.streams)


def _scheduled(text: Any) -> datetime:
    if text is None:
        return times.now().replace(microsecond=0)
    moment = parse_time(text)
    if moment is None:
        raise EventError(f"The event's scheduled_time is {text!r} instead of a time such as '2026-11-23T06:00:00Z'.")
    return moment.replace(microsecond=0)


def _streams(names: Any, enabled: Sequence[str]) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise EventError(f"The event's streams is {names!r} instead of a list of stream names.")
    for name in names:
        if name not in READABLE_STREAMS:
            raise EventError(f"The event's streams has {name!r}, which is not one of {', '.join(READABLE_STREAMS)}.")
        if name not in enabled:
            raise EventError(
                f"The stream {name!r} is not enabled: add it to the setting `streams` and deploy, "
                f"or choose from {', '.join(enabled)}."
            )
    return tuple(names)


def _continuation(continuation: Any, trigger: str) -> tuple[str, int]:
    if not isinstance(continuation, dict) or set(continuation) != {"run_id", "number"}:
        raise EventError(f"The event's continuation is {continuation!r} instead of an object with run_id and number.")
    run_id, number = continuation["run_id"], continuation["number"]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_CONTINUATIONS:
        raise EventError(f"The continuation's number is {number!r} instead of a number from 1 to {MAX_CONTINUATIONS}.")
    try:
        if layout.run_id(layout.run_time(run_id), trigger) == run_id:
            return str(run_id), number
    except (layout.ForeignKeyError, TypeError):
        pass
    raise EventError(f"The continuation's run_id is {run_id!r} instead of the id of a {trigger} run.")


def _kind(value: object) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
