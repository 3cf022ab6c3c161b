"""What Pulumi's engine would do to each resource."""

from __future__ import annotations

from collections.abc import Callable

from pulumi import automation

_PARTS = ("create", "update", "delete", "replace")


def changes(stack: automation.Stack, program: Callable[[], None] | None = None) -> dict[str, list[str]]:
    """Preview a stack.

    Args:
        stack: the stack.
        program: another program than the stack's own.

    Returns:
        By what would happen, AWS's resources as `<type> <name>`, without the pipeline's name, sorted.
    """
    found: dict[str, set[str]] = {}

    def note(event: automation.EngineEvent) -> None:
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if step and step.type.startswith("aws:") and step.op in _PARTS:
            name = step.urn.rpartition("::")[2].removeprefix("spotify-etl-")
            found.setdefault(str(step.op.value), set()).add(f"{step.type.rpartition(':')[2]} {name}")

    stack.preview(on_event=note, program=program)
    return {kind: sorted(resources) for kind, resources in found.items()}
