"""`pulumi up -s local`, for an empty local cloud: what the AWS provider gets to know of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from pulumi import automation

from tests.engine.aws_provider import STORE_VARIABLE
from tests.engine.test_stack import PROVIDER, modules_of_their_own, program
from tests.pipeline.program import ROOT, quiet_about_deprecated_resources

pytestmark = pytest.mark.engine

SERVICES = ("athena", "glue", "iam", "lambda", "s3", "scheduler", "secretsmanager", "sqs", "sts")


def test_the_provider_is_sent_to_the_local_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("pulumi"), "the engine tests need Pulumi's command on PATH"
    work, state, home, plugins = (tmp_path / name for name in ("work", "state", "home", "plugins"))
    for folder in (work, state, home, plugins):
        folder.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, work)
    provider = plugins / "pulumi-resource-aws"
    provider.write_text(PROVIDER)
    provider.chmod(0o755)
    monkeypatch.setenv("PATH", f"{plugins}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SPOTIFY_ETL_LAYERS", "locks")
    environment = {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "made up",
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        STORE_VARIABLE: str(tmp_path / "cloud.json"),
    }
    with quiet_about_deprecated_resources(), modules_of_their_own():
        stack = automation.create_stack(
            "local",
            project_name="spotify-etl",
            program=program,
            opts=automation.LocalWorkspaceOptions(work_dir=str(work), env_vars=environment),
        )
        outputs = stack.up().outputs
    assert outputs["athena_workgroup_name"].value == "spotify-etl-local"
    told = json.loads((tmp_path / "cloud.configuration").read_text())
    given = {name.removeprefix("aws:config:"): value for name, value in told.items()}
    [endpoints] = json.loads(given["endpoints"])
    assert {endpoints[service] for service in SERVICES} == {"http://127.0.0.1:4599"}
    assert given["region"] == "eu-central-1"
    assert given["s3UsePathStyle"] == given["skipCredentialsValidation"] == given["skipMetadataApiCheck"] == "true"
