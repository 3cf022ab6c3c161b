"""An upgrade: the program takes over what an earlier release created."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pulumi import automation

from tests.engine.changes import changes
from tests.engine.released import STATE, released_state
from tests.engine.stacks import new_stack

pytestmark = pytest.mark.engine

REPLACED = ("Invocation ", "LayerVersion ", "NamedQuery ")
"""What is replaced whenever its content changes, and holds no data."""


def test_the_state_of_the_release_comes_up_without_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource that was renamed or moved is neither deleted nor created if it has an alias of its old name."""
    state = released_state()
    cloud = tmp_path / "cloud.json"
    held = {
        f"{each['type']} {each['id']}": each["outputs"]
        for each in state["resources"]
        if each["type"].startswith("aws:")
    }
    assert len(held) > 80
    cloud.write_text(json.dumps(held))
    with new_stack("dev", tmp_path, cloud, monkeypatch) as stack:
        stack.import_stack(automation.Deployment(version=3, deployment=state))
        planned = changes(stack)
        outputs = stack.up().outputs

    assert [name for name in planned.get("replace", []) if not name.startswith(REPLACED)] == []
    assert planned.get("delete", []) == [], "what was renamed or moved needs an alias"
    [raw] = [
        each["outputs"]["bucket"]
        for each in state["resources"]
        if each["urn"].endswith("Bucket::spotify-etl-raw") and each.get("id")
    ]
    assert outputs["raw_bucket_name"].value == raw


def test_the_released_state_names_no_machine() -> None:
    text = STATE.read_text()
    assert STATE.stat().st_size < 150_000
    assert '"path": "build/' in text
    assert not re.search(r'"path": "/|secretsprovider|ciphertext|encryptionsalt', text)
