"""The life of the dev stack under Pulumi's engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from pulumi import automation

from pipeline.spotify_etl_pipeline import OUTPUTS
from tests.engine.stacks import forget_modules, new_stack
from tests.pipeline.program import ROOT, run

pytestmark = pytest.mark.engine


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """Provide the file that represents the cloud."""
    return tmp_path / "cloud.json"


@pytest.fixture
def stack(tmp_path: Path, cloud: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[automation.Stack]:
    """Provide the dev stack, with its own backend, plugins and cloud."""
    with new_stack("dev", tmp_path, cloud, monkeypatch) as made:
        yield made


def program_that_allows_data_loss() -> None:
    """Run the program with the constant changed by hand, as its comment says."""
    forget_modules()
    text = (ROOT / "__main__.py").read_text()
    changed = text.replace("ALLOW_DATA_LOSS = False", "ALLOW_DATA_LOSS = True")
    assert changed != text
    exec(compile(changed, "__main__.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - the project's own program


def test_the_life_of_the_dev_stack(stack: automation.Stack, cloud: Path) -> None:
    expected = run(stack="dev").resources
    everything = len(expected) + 1  # the stack itself

    assert stack.preview().change_summary == {"create": everything}
    assert not cloud.exists()

    first = stack.up()
    assert first.summary.resource_changes == {"create": everything}
    outputs = {name: output.value for name, output in first.outputs.items()}
    assert set(outputs) == set(OUTPUTS)
    assert all(value not in ("", None, []) for value in outputs.values())
    assert outputs["glue_database_name"] == "spotify_dev"
    assert outputs["athena_workgroup_name"] == "spotify-etl-dev"
    assert set(outputs["dead_letter_queue_urls"]) == {"extract", "transform", "crawl", "publish", "compact"}
    for name in ("raw", "transformed", "athena_results"):
        physical = rf"spotify-etl-{name.replace('_', '-')}-[0-9a-f]{{7}}"
        assert re.fullmatch(physical, outputs[f"{name}_bucket_name"])
    made = [key.split(" ")[0] for key in json.loads(cloud.read_text())]
    assert sorted(made) == sorted(each.token for each in expected if each.token.startswith("aws:"))

    again = stack.up()
    assert again.summary.resource_changes == {"same": everything}
    assert {name: output.value for name, output in again.outputs.items()} == outputs

    stack.set_config("spotify-etl:resultsRetentionDays", automation.ConfigValue("3"))
    # The component, which records its settings, and the rules of one bucket.
    assert stack.up().summary.resource_changes == {"same": everything - 2, "update": 2}
    rules = [state for key, state in json.loads(cloud.read_text()).items() if "bucketLifecycle" in key]
    assert [rule["expiration"]["days"] for state in rules for rule in state["rules"] if rule["id"] == "expire-all"] == [
        3
    ]

    artist = "spotify:artist:4aawyAB9vmqN3uQ7FjRGTy"
    stack.set_config("spotify-etl:authMode", automation.ConfigValue("app"))
    stack.set_config("spotify-etl:catalogueUris[0]", automation.ConfigValue(artist), path=True)
    app = stack.up()
    # The component, its function and the dashboard change; the hourly schedule goes, with its component, role and
    # policy, and so do the two alarms on the login.
    assert app.summary.resource_changes == {"same": everything - 9, "update": 3, "delete": 6}
    assert (app.outputs["auth_mode"].value, app.outputs["streams"].value) == ("app", ["catalogue"])
    [told] = [
        state["environment"]["variables"]
        for state in json.loads(cloud.read_text()).values()
        if "extract" in state.get("handler", "")
    ]
    assert (told["AUTH_MODE"], told["STREAMS"], told["CATALOGUE_URIS"]) == ("app", "catalogue", artist)
    everything -= 6

    assert stack.refresh().summary.resource_changes == {"same": everything}

    stack.set_config("spotify-etl:forceDestroy", automation.ConfigValue("true"))
    stack.workspace.program = program_that_allows_data_loss
    stack.up()
    assert stack.destroy().summary.resource_changes == {"delete": everything}
    assert json.loads(cloud.read_text()) == {}


def test_a_stack_with_data_cannot_be_destroyed(stack: automation.Stack, cloud: Path) -> None:
    stack.up()
    before = json.loads(cloud.read_text())

    # As a user would, with a preview.
    done = subprocess.run(
        [str(shutil.which("pulumi")), "destroy", "--yes", "--stack", "dev", "--non-interactive"],
        cwd=stack.workspace.work_dir,
        env={**os.environ, **stack.workspace.env_vars},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "because it is protected" in " ".join(done.stdout.split())
    assert json.loads(cloud.read_text()) == before

    # As a program would, without one: what has begun to be deleted then is no bucket and nothing of a bucket.
    with pytest.raises(automation.CommandError, match="because it is protected"):
        stack.destroy()
    left = json.loads(cloud.read_text())
    data = {key for key in before if key.startswith("aws:s3/") and "athena-results" not in key}
    assert len(data) == 2 * 7 + 1
    assert data - {key for key in data if "bucketNotification" in key} <= set(left)


def test_a_wrong_setting_ends_the_program_with_one_sentence(stack: automation.Stack, cloud: Path) -> None:
    stack.set_config("spotify-etl:timezone", automation.ConfigValue("Mars/Olympus"))

    with pytest.raises(automation.CommandError) as raised:
        stack.preview()

    said = str(raised.value)
    assert (
        "The setting spotify-etl:timezone = 'Mars/Olympus' is not allowed: "
        "it must be a time zone of the IANA database, for instance Europe/Berlin." in said
    )
    assert "Traceback" not in said
    assert not cloud.exists()


def test_the_double_refuses_what_it_does_not_know(stack: automation.Stack) -> None:
    def unknown() -> None:
        pulumi.CustomResource("aws:ec2/vpc:Vpc", "vpc", {})

    stack.workspace.program = unknown
    with pytest.raises(automation.CommandError, match="aws:ec2/vpc:Vpc is not a resource that the tests know"):
        stack.up()
