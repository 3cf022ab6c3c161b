"""The examples: what each registers, and that they use the component as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pipeline.spotify_etl_pipeline import OUTPUTS
from scripts.component_schema import component_schema
from tests.pipeline import snapshots
from tests.pipeline.program import MODES, Mode, run

EXAMPLES = Path(__file__).parents[1] / "examples"
PYTHON = {"virtualenv": "../../.venv"}


def test_every_example_is_a_project_with_a_page() -> None:
    folders = {path.parent for path in EXAMPLES.glob("*/Pulumi.yaml")}

    assert {folder.name for folder in folders} == {"python-minimal", "python-comprehensive", "yaml"}
    for folder in folders:
        project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
        assert project["name"] == f"spotify-{folder.name.removeprefix('python-')}"
        assert project["runtime"] in ("yaml", {"name": "python", "options": PYTHON})
        assert f"({folder.name}/README.md)" in (EXAMPLES / "README.md").read_text()
        assert "pulumi stack init" in (folder / "README.md").read_text()


def test_the_minimal_example_is_the_projects_own_program() -> None:
    own, example = run(), snapshots.example("python-minimal")

    assert example.tree() == own.tree()
    assert example.outputs.keys() == own.outputs.keys()
    # The commands find a stack of another project by its full name.
    assert "login --stack organization/spotify-minimal/dev\n" in example.outputs["next_steps"]
    assert "login --stack dev\n" in own.outputs["next_steps"]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_the_comprehensive_example(mode: Mode) -> None:
    program = snapshots.example("python-comprehensive", mode=mode)

    assert snapshots.tree(program) == (snapshots.FOLDER / "comprehensive.txt").read_text(), snapshots.STALE
    [provider] = [each for each in program.resources if each.token == "pulumi:providers:aws"]
    assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"project": "spotify", "stack": "dev"}}
    assert provider.inputs["region"] == "eu-west-1"
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]
    # In a preview with unknown ids, so is the provider's.
    given = {each.provider.partition("::id")[0] for each in program.resources if each.token.startswith("aws:")}
    assert len(given) == 1
    assert given.pop().startswith(provider.urn)
    assert set(program.outputs) == set(OUTPUTS)


def test_the_yaml_example_has_inputs_and_outputs_of_the_schema() -> None:
    project = yaml.safe_load((EXAMPLES / "yaml" / "Pulumi.yaml").read_text())
    component = json.loads(component_schema())["resources"]["spotify-etl:index:SpotifyEtlPipeline"]
    [pipeline] = project["resources"].values()
    types = {"string": str, "array": list, "integer": int, "boolean": bool}

    assert pipeline["type"] == "spotify-etl:SpotifyEtlPipeline"
    assert (EXAMPLES / "yaml" / project["packages"]["spotify-etl"] / "PulumiPlugin.yaml").exists()
    for name, value in pipeline["properties"].items():
        assert isinstance(value, types[component["inputProperties"][name]["type"]])
    read = [text.removeprefix("${pipeline.").removesuffix("}") for text in project["outputs"].values()]
    assert list(project["outputs"]) == list(OUTPUTS)
    assert set(read) == set(component["properties"])
