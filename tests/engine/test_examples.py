"""The examples in Python under Pulumi's engine; test_plugin.py has the one in YAML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pulumi import automation

from pipeline.spotify_etl_pipeline import OUTPUTS
from tests.engine.stacks import new_stack
from tests.pipeline.snapshots import COMPREHENSIVE, EXAMPLES, example

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", ["python-minimal", "python-comprehensive"])
def test_an_example_is_created_and_then_left_alone(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = tmp_path / "cloud.json"
    # A provider of the program's own is in its registrations; the stack itself is not.
    everything = len(example(name).resources) + 1
    with new_stack("dev", tmp_path, cloud, monkeypatch, project=EXAMPLES / name) as stack:
        if name.endswith("comprehensive"):
            for key, value in COMPREHENSIVE.items():
                stack.set_config(key, automation.ConfigValue(value))
        made = stack.up()
        again = stack.preview()

    assert made.summary.resource_changes == {"create": everything}
    assert set(made.outputs) == set(OUTPUTS)
    assert again.change_summary == {"same": everything}
    told = json.loads(cloud.with_suffix(".configuration").read_text())
    if name.endswith("comprehensive"):
        given = {key.removeprefix("aws:config:"): value for key, value in told.items()}
        assert (given["region"], json.loads(given["allowedAccountIds"])) == ("eu-west-1", ["123456789012"])
        assert json.loads(given["defaultTags"]) == {"tags": {"project": "spotify", "stack": "dev"}}
