# ruff: noqa: INP001 - a script, no package
"""The failure paths in docs/architecture.md: every hop, its retries, and where a failure is kept and reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.alarms import ALARMS
from pipeline.metrics import Metric
from scripts.architecture_graph import PAGE, Names, resource_key
from scripts.marked_part import with_part
from tests.pipeline.program import Program, Resource, run

_EVENTBRIDGE = (185, 86400)
"""EventBridge's own retries, where a target sets none:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html."""
_HOUR = 3600
_SCHEDULE_GROUP = "default"


class UncoveredHopError(LookupError):
    """A function that nothing retries, or whose failures are kept nowhere."""


@dataclass(frozen=True, order=True)
class Hop:
    """One step of the flow that can fail."""

    what: str
    retries: str
    kept: str
    """Where a failure is kept; empty if nowhere."""
    alarms: tuple[str, ...]


def page_with_failures(text: str, program: Program) -> str:
    """Return the page with the table written again."""
    return with_part(text, "failures", "make architecture", failure_table(program))


def failure_table(program: Program) -> str:
    """Return the table in Markdown."""
    lines = ["| hop | retries | what failed is kept in | alarms |", "|---|---|---|---|"]
    for hop in sorted(hops(program)):
        alarms = ", ".join(f"[{name}](runbook.md#{name})" for name in hop.alarms)
        lines.append(f"| {hop.what} | {hop.retries} | {hop.kept or '–'} | {alarms} |")
    return "\n".join(lines)


def hops(program: Program) -> Iterator[Hop]:
    """Yield every hop of a program.

    Raises:
        UncoveredHopError: a function is invoked by a queue without dead letters, or has no destination for failures.
    """
    names = Names(program)
    yield from _schedules(program, names)
    yield from _rules(program, names)
    yield from _functions(program, names)


def _schedules(program: Program, names: Names) -> Iterator[Hop]:
    for schedule in program.all("Schedule").values():
        target = schedule.inputs["target"]
        queue = names.find(target["deadLetterConfig"]["arn"])
        yield Hop(
            f"schedule {_short(schedule.name)}",
            _within(target["retryPolicy"]),
            _queue(queue),
            _alarms(queue, _SCHEDULE_GROUP),
        )


def _rules(program: Program, names: Names) -> Iterator[Hop]:
    for target in program.all("EventTarget").values():
        rule = _short(target.name)
        queue = names.find(target.inputs["deadLetterConfig"]["arn"]) if "deadLetterConfig" in target.inputs else ""
        policy = target.inputs.get("retryPolicy") or dict(
            zip(("maximumRetryAttempts", "maximumEventAgeInSeconds"), _EVENTBRIDGE, strict=True)
        )
        alarms = _alarms(queue, rule)
        yield Hop(f"event rule {rule}", _within(policy), _queue(queue), alarms)


def _functions(program: Program, names: Names) -> Iterator[Hop]:
    configs = program.all("FunctionEventInvokeConfig").values()
    asynchronous = {names.find(each.inputs["functionName"]): each for each in configs}
    polled = {names.find(each.inputs["functionName"]): each for each in program.all("EventSourceMapping").values()}
    for function in program.all("Function").values():
        key, name = resource_key(function), _short(function.name)
        if key in asynchronous:
            inputs = asynchronous[key].inputs
            queue = names.find(inputs["destinationConfig"]["onFailure"]["destination"])
            alarms = _alarms(queue, name)
            yield Hop(f"function {name}", _within(inputs), _queue(queue), alarms)
        elif key in polled:
            source = _source(program, names.find(polled[key].inputs["eventSourceArn"]))
            if "redrivePolicy" not in source.inputs:
                raise UncoveredHopError(f"The queue {source.name} has no dead-letter queue.")
            policy = json.loads(source.inputs["redrivePolicy"])
            queue = names.find(policy["deadLetterTargetArn"])
            alarms = _alarms(queue, name, f"{name}-queue")
            yield Hop(f"function {name}", f"{policy['maxReceiveCount'] - 1}", _queue(queue), alarms)
        else:
            raise UncoveredHopError(f"The function {function.name} has no destination for its failures.")


def _source(program: Program, key: str) -> Resource:
    return next(queue for queue in program.all("Queue").values() if resource_key(queue) == key)


def _alarms(*watched: str) -> tuple[str, ...]:
    """Return the alarms on AWS's metrics of resources, given by key or by the name that alarms use."""
    names = {_short(name.removeprefix("Queue_").replace("_", "-")) for name in watched}

    def reports(metric: Metric) -> bool:
        return bool(metric.namespace) and any(value.strip("{}") in names for _, value in metric.dimensions)

    return tuple(alarm.name for alarm in ALARMS if any(map(reports, alarm.metrics)))


def _within(policy: dict[str, Any]) -> str:
    hours = int(policy["maximumEventAgeInSeconds"]) // _HOUR
    return f"{int(policy['maximumRetryAttempts'])} within {hours} {'hour' if hours == 1 else 'hours'}"


def _queue(key: str) -> str:
    return f"queue `{_short(key.removeprefix('Queue_').replace('_', '-'))}`" if key else ""


def _short(name: str) -> str:
    return name.removeprefix("spotify-etl-")


if __name__ == "__main__":
    PAGE.write_text(page_with_failures(PAGE.read_text("utf-8"), run()), "utf-8")
