"""Stacks of the program under Pulumi's engine, with backend, plugins and cloud of their own."""

from __future__ import annotations

import contextlib
import os
import runpy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi import automation

from tests.engine.aws_provider import STORE_VARIABLE
from tests.pipeline.program import ROOT, quiet_about_deprecated_resources

PROVIDER = f"""#!/bin/sh
cd {ROOT} && exec {sys.executable} -m tests.engine.aws_provider
"""


@contextlib.contextmanager
def new_stack(name: str, folder: Path, cloud: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[automation.Stack]:
    """Provide a stack of the program, configured by its `Pulumi.<name>.yaml`.

    Args:
        name: name of the stack.
        folder: an empty folder.
        cloud: the file that represents the cloud.
        monkeypatch: puts the provider double on the path.
    """
    if shutil.which("pulumi") is None:
        pytest.fail(
            "The engine tests need Pulumi's command on PATH: install it (pulumi.com/docs/install) and run them again.",
            pytrace=False,
        )
    work, state, home, plugins = (folder / each for each in ("work", "state", "home", "plugins"))
    for each in (work, state, home, plugins):
        each.mkdir()
    for file in ("Pulumi.yaml", f"Pulumi.{name}.yaml"):
        shutil.copy(ROOT / file, work)
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
        STORE_VARIABLE: str(cloud),
    }
    with quiet_about_deprecated_resources(), _modules_of_their_own():
        yield automation.create_stack(
            name,
            project_name="spotify-etl",
            program=program,
            opts=automation.LocalWorkspaceOptions(work_dir=str(work), env_vars=environment),
        )


def program() -> None:
    """Run the program as a new process would: without modules of the project from an earlier run."""
    forget_modules()
    runpy.run_path(str(ROOT / "__main__.py"))


def forget_modules() -> None:
    """Make the next import of the project's modules load them again."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("handlers", "pipeline")]:
        del sys.modules[name]


@contextlib.contextmanager
def _modules_of_their_own() -> Iterator[None]:
    """Restore the modules that other tests have imported from the project."""
    before = dict(sys.modules)
    yield
    forget_modules()
    sys.modules.update(before)
