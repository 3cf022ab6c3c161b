"""What happens in a local cloud, one readable line per step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any

from cli.presentation import Part, pluralize
from cli.text import quoted
from local.steps import Step

_KINDS = {
    "schedule": "schedule",
    "invoke": "function",
    "queue": "queue",
    "rule": "rule",
    "crawl": "crawler",
    "query": "Athena",
    "dead_letter": "dead letter",
    "expiry": "expiry",
    "denied": "denied",
    "failure": "failure",
}
"""Kind of a step → how it is called in a line."""
_COUNTED = {
    "schedule": "schedule firing",
    "invoke": "invocation",
    "crawl": "crawl",
    "query": "Athena statement",
    "dead_letter": "dead letter",
}
"""Kind of a step → noun in a summary."""


_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:(?:function:)?")
"""What comes before the name of a resource in its ARN."""


def step_line(step: Step, zone: tzinfo) -> tuple[Part, ...]:
    """Return the parts of the line for a step, at the simulated time in a time zone."""
    kind = _KINDS.get(step.kind, step.kind)
    detail = f"  {quoted(_ARN.sub('', step.detail))}" if step.detail else ""
    return (
        (f"{step.at.astimezone(zone):%a %d %b %H:%M:%S}", "dim"),
        f"  {kind:<12}{step.name}",
        (detail, "dim") if step.ok else (f"{detail}  failed", "yellow"),
    )


def summary(steps: Iterable[Step]) -> str:
    """Return what happened, as the rest of a sentence: how many steps of each kind, and how many failed."""
    steps = list(steps)
    kinds = Counter[str](step.kind for step in steps)
    parts = [pluralize(kinds[kind], noun) for kind, noun in _COUNTED.items() if kinds[kind]]
    others = sum(number for kind, number in kinds.items() if kind not in _COUNTED)
    if others and not parts:
        parts = [pluralize(others, "other step")]
    failed = sum(not step.ok for step in steps)
    parts += [f"{failed} of the steps failed"] if failed else []
    return ", ".join(parts) or "nothing was due"


def to_json(step: Step) -> dict[str, Any]:
    """Return a step as JSON."""
    return {**asdict(step), "at": step.at.isoformat()}


def from_json(content: Mapping[str, Any]) -> Step:
    """Return the step that `to_json` made JSON of."""
    return Step(**{**content, "at": datetime.fromisoformat(content["at"])})
