"""The component as a package for other languages, as Pulumi's engine runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi import automation

from cli.stacks import deployed_stack
from pipeline.spotify_etl_pipeline import OUTPUTS
from tests.engine.stacks import new_stack
from tests.pipeline.program import ROOT

pytestmark = pytest.mark.engine

EXAMPLE = ROOT / "examples" / "yaml"
TYPE = "spotify-etl:index:SpotifyEtlPipeline"


class RemotePipeline(pulumi.ComponentResource):
    """The component as an SDK generated from its schema registers it, in whichever language."""

    def __init__(self, name: str, properties: dict[str, Any], outputs: list[str]) -> None:
        super().__init__(TYPE, name, dict.fromkeys(outputs) | properties, None, remote=True)


def yaml_program() -> None:
    """Do what Pulumi's YAML host does with the example."""
    project = yaml.safe_load((EXAMPLE / "Pulumi.yaml").read_text())
    [described] = project["resources"].values()
    values = {f"${{{name}}}": setting["default"] for name, setting in project["config"].items()}
    properties = {name: values.get(str(value), value) for name, value in described["properties"].items()}
    wanted = {name: text.removeprefix("${pipeline.")[:-1] for name, text in project["outputs"].items()}
    timezone = pulumi.Config().get("timezone")
    made = RemotePipeline(
        described["name"], properties | ({"timezone": timezone} if timezone else {}), list(wanted.values())
    )
    for name, output in wanted.items():
        pulumi.export(name, getattr(made, output))


def _without_elements_descriptions(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    elements = {"items", "additionalProperties"}
    return {
        name: {key: part for key, part in value.items() if key != "description"}
        if name in elements
        else _without_elements_descriptions(value)
        for name, value in schema.items()
        if value != []
    }


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[automation.Stack]:
    """Provide a stack of the YAML example."""
    with new_stack(
        "dev", tmp_path, tmp_path / "cloud.json", monkeypatch, project=EXAMPLE, program=yaml_program
    ) as made:
        yield made


def test_pulumi_reads_the_committed_schema_from_the_plugin(stack: automation.Stack) -> None:
    environment = {**os.environ, **stack.workspace.env_vars}
    command, plugin = (str(shutil.which(name)) for name in ("pulumi", "pulumi-resource-spotify-etl"))
    printed = subprocess.run(
        [command, "package", "get-schema", plugin], env=environment, capture_output=True, text=True, check=True
    )
    read, committed = json.loads(printed.stdout), json.loads((ROOT / "plugin" / "schema.json").read_text())

    assert (read["name"], read["version"]) == (committed["name"], committed["version"])
    # Pulumi leaves out what is empty, and the descriptions of elements, which are those of their lists.
    assert read["resources"] == _without_elements_descriptions(committed["resources"])


def test_the_yaml_example_deploys_through_the_plugin(
    stack: automation.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.set_config("timezone", automation.ConfigValue("Berlin"))
    with pytest.raises(automation.CommandError) as raised:
        stack.preview()
    said = re.search(r"has a problem: (.*)", str(raised.value))
    assert said
    assert said[1] == (
        "The setting spotify-etl:timezone is not allowed: 'Berlin' is not a time zone of the IANA database; "
        "did you mean Europe/Berlin?"
    )
    assert "pipeline/settings.py" not in str(raised.value), "without the component's own traceback"
    stack.remove_config("timezone")

    outputs = stack.up().outputs
    assert set(outputs) == set(OUTPUTS)
    assert all(output.value not in ("", None, []) for output in outputs.values())
    assert outputs["streams"].value == ["profile", "recently_played", "saved_tracks"]
    cloud = json.loads((tmp_path / "cloud.json").read_text())
    [days] = [
        rule["expiration"]["days"]
        for key, state in cloud.items()
        if "bucketLifecycle" in key
        for rule in state["rules"]
        if rule["id"] == "expire-all"
    ]
    # A number of another language is a float.
    assert days == 3
    [daily] = [each for key, each in cloud.items() if "schedule:Schedule" in key and "daily" in key]
    assert (daily["scheduleExpression"], daily["scheduleExpressionTimezone"]) == ("cron(30 5 * * ? *)", "Europe/Berlin")

    # The commands find it by its full name, which the next steps name.
    for name, value in stack.workspace.env_vars.items():
        monkeypatch.setenv(name, value)
    [named] = set(re.findall(r"--stack (\S+)", outputs["next_steps"].value))
    found = deployed_stack(named, ROOT)
    assert found.outputs["raw_bucket_name"] == outputs["raw_bucket_name"].value
