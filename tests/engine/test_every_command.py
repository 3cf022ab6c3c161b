"""Each operator's command on a stack, found by Pulumi's own command, whose outputs are those of an embedded cloud."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from pulumi import automation

from pipeline.spotify_etl_pipeline import OUTPUTS
from tests.cli.every_command import run_every_command, write_inputs
from tests.cli.local_cloud.process import LocalCommands, local_commands
from tests.engine.stacks import pulumi_environment
from tests.test_docs_commands import PULUMI

pytestmark = pytest.mark.engine


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalCommands]:
    """Provide a local cloud in the background."""
    with local_commands(tmp_path / "working") as commands:
        commands.done("up", "--detach", "--port", str(commands.port))
        yield commands


def test_each_acts_on_a_stack(local: LocalCommands, tmp_path: Path) -> None:
    running = local.running
    assert set(running.outputs) == set(OUTPUTS)

    def program() -> None:
        for name, value in running.outputs.items():
            pulumi.export(name, value)

    environment = pulumi_environment(tmp_path)
    automation.create_stack(
        "dev",
        project_name="spotify-etl",
        program=program,
        opts=automation.LocalWorkspaceOptions(env_vars=environment),
    ).up()
    write_inputs(tmp_path)
    keys = {
        "AWS_ENDPOINT_URL": running.url,
        "AWS_ACCESS_KEY_ID": running.access_key_id,
        "AWS_SECRET_ACCESS_KEY": running.secret_access_key,
    }
    wrong = run_every_command(tmp_path, ("--stack", "dev"), "dev", {**environment, **keys})
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("name", list(PULUMI))
def test_pulumi_has_the_options_that_the_pages_use(name: str) -> None:
    told = subprocess.run(
        [shutil.which("pulumi") or "pulumi", *name.split(), "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in PULUMI[name]:
        assert f"{option} " in told or f"{option}," in told, option


def test_an_empty_clouds_variables_are_enough_for_pulumi(tmp_path: Path) -> None:
    local = LocalCommands(tmp_path / "working")
    local.done("up", "--empty", "--detach", "--port", str(local.port))
    try:
        file = local.working / "cloud" / "Pulumi.local.yaml"
        lines = f'eval "$1"\npulumi stack init local\npulumi config -s local --json --config-file "{file}"\n'
        project = tmp_path / "project"
        project.mkdir()
        for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
            (project / name).write_bytes((Path(__file__).parents[2] / name).read_bytes())
        before = (project / "Pulumi.local.yaml").read_text("utf-8")
        done = subprocess.run(
            ["/bin/sh", "-ec", lines, "sh", local.done("env")],
            cwd=project,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PULUMI_SKIP_UPDATE_CHECK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"http://127.0.0.1:{local.port + 1}/v1/" in done.stdout
        assert (project / "Pulumi.local.yaml").read_text("utf-8") == before
    finally:
        local.done("down")
