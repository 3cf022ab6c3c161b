"""The state that a release left, for the test that a newer one takes over from it.

`python -m tests.engine.released` writes it from this checkout; do so for a release, and review what has changed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stacks import new_stack, program_of
from tests.pipeline.program import ROOT

STATE = Path(__file__).parent / "released_state.json"
"""One resource a line: what an engine needs to know of it; outputs are those that the inputs do not have."""
_KEPT = ("urn", "custom", "id", "type", "inputs", "outputs", "parent", "provider", "protect")
_NAMED_QUERIES = ("freshness", "overview")
"""Two of many."""

Properties = dict[str, Any]


def released_state() -> Properties:
    """Return the state as `pulumi stack import` takes it."""
    resources = json.loads(STATE.read_text())
    for resource in resources:
        resource["outputs"] = resource.get("inputs", {}) | resource.get("outputs", {})
    manifest = {"time": "2026-11-29T00:00:00Z", "magic": "", "version": ""}
    return {"manifest": manifest, "resources": resources}


def write(checkout: Path = ROOT) -> None:
    """Deploy the dev stack of a checkout, and write its state without paths, times and the text of queries."""
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as monkeypatch:
        folder = Path(made)
        program = program_of(checkout, checkout)
        with new_stack("dev", folder, folder / "cloud.json", monkeypatch, project=checkout, program=program) as stack:
            stack.up()
            state = stack.export_stack().deployment or {}
    lines = [json.dumps(_shortened(each)).replace(f"{checkout}/", "") for each in state["resources"] if _is_kept(each)]
    STATE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def _is_kept(resource: Properties) -> bool:
    return "namedQuery" not in resource["type"] or resource["inputs"]["name"] in _NAMED_QUERIES


def _shortened(resource: Properties) -> Properties:
    kept = {name: resource[name] for name in _KEPT if name in resource}
    inputs = resource.get("inputs", {})
    kept["outputs"] = {
        name: value
        for name, value in resource.get("outputs", {}).items()
        # The stack's own outputs are those of the component.
        if inputs.get(name) != value and resource["type"] != "pulumi:pulumi:Stack"
    }
    if "query" in inputs:
        inputs["query"] = "SELECT 1"
        kept["outputs"].pop("query", None)
    return kept


if __name__ == "__main__":
    write()
