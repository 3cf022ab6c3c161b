"""The event that starts a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers import layout
from handlers.extract import times
from handlers.streams import READABLE_STREAMS, Stream

TRIGGERS = ("daily", "hourly", "manual")
MAX_CONTINUATIONS = 12
"""How many invocations one run may hand over to; Lambda itself stops a chain of about 16:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html."""


class EventError(ValueError):
    """An event that the function does not understand."""


@dataclass(frozen=True)
class Event:
    """What a run was asked for."""

    trigger: str
    run_id: str
    scheduled_at: datetime
    streams: tuple[str, ...] | None
    """Only these streams; None: all that the trigger covers."""
    full: bool
    """Read everything whole and write it, whatever state says."""
    number: int = 0
    """Which continuation of the run this is; 0 for its begin."""

    @property
    def may_continue(self) -> bool:
        """Whether another invocation may follow."""
        return self.number < MAX_CONTINUATIONS

    def continuation(self) -> dict[str, Any]:
        """The event of the next invocation of the same run."""
        asked: dict[str, Any] = {"trigger": self.trigger, "scheduled_time": layout.written(self.scheduled_at)}
        if self.streams is not None:
            asked["streams"] = list(self.streams)
        return {**asked, "full": self.full, "continuation": {"run_id": self.run_id, "number": self.number + 1}}

    @classmethod
    def parse(cls, event: object, enabled: Sequence[str]) -> Event:
        """Check an event.

        Args:
            event: `{"trigger", "scheduled_time", "streams", "full", "continuation"}`, all but the first optional.
            enabled: the streams that the stack reads.

        Raises:
            EventError: a part of it is wrong; the message names it, its value and what is allowed.
        """
        if not isinstance(event, dict):
            raise EventError(f"The event is {_kind(event)} instead of an object with a trigger.")
        if unknown := sorted(set(event) - {"trigger", "scheduled_time", "streams", "full", "continuation"}):
            raise EventError(
                f"The event has an unknown key {unknown[0]!r}: "
                "known are trigger, scheduled_time, streams, full and continuation."
            )
        trigger = event.get("trigger")
        if trigger not in TRIGGERS:
            raise EventError(f"The event's trigger is {trigger!r} instead of one of {', '.join(TRIGGERS)}.")
        full = event.get("full", False)
        if not isinstance(full, bool):
            raise EventError(f"The event's full is {full!r} instead of true or false.")
        scheduled_at = _scheduled(event.get("scheduled_time"))
        run_id = layout.run_id(scheduled_at, trigger)
        number = 0
        if event.get("continuation") is not None:
            run_id, number = _continued(event["continuation"], trigger)
            scheduled_at = layout.run_time(run_id)
        return cls(trigger, run_id, scheduled_at, _streams(event.get("streams"), enabled), full, number)

    def covers(self, stream: Stream) -> bool:
        """Whether the run reads the stream, if it is enabled."""
        due = stream.readable and (self.trigger == "manual" or self.trigger in stream.schedules)
        return due and (self.streams is None or stream.name in self.streams)


def _scheduled(text: Any) -> datetime:
    if text is None:
        return times.now().replace(microsecond=0)
    moment = times.parse(text)
    if moment is None:
        raise EventError(f"The event's scheduled_time is {text!r} instead of a time such as '2026-11-23T06:00:00Z'.")
    return moment.replace(microsecond=0)


def _streams(names: Any, enabled: Sequence[str]) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise EventError(f"The event's streams is {names!r} instead of a list of names of streams.")
    for name in names:
        if name not in READABLE_STREAMS:
            raise EventError(f"The event names the stream {name!r}, which is none of {', '.join(READABLE_STREAMS)}.")
        if name not in enabled:
            raise EventError(
                f"The stream {name!r} is not enabled: add it to the setting `streams` and deploy, "
                f"or choose of {', '.join(enabled)}."
            )
    return tuple(names)


def _continued(continuation: Any, trigger: str) -> tuple[str, int]:
    if not isinstance(continuation, dict) or set(continuation) != {"run_id", "number"}:
        raise EventError(f"The event's continuation is {continuation!r} instead of an object of run_id and number.")
    run_id, number = continuation["run_id"], continuation["number"]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_CONTINUATIONS:
        raise EventError(f"The continuation's number is {number!r} instead of 1 to {MAX_CONTINUATIONS}.")
    try:
        if layout.run_id(layout.run_time(run_id), trigger) == run_id:
            return str(run_id), number
    except (layout.ForeignKeyError, TypeError):
        pass
    raise EventError(f"The continuation's run_id is {run_id!r} instead of the id of a {trigger} run.")


def _kind(value: object) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"
