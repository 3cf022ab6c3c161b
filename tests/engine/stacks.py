"""Stacks of the program under Pulumi's engine, with backend, plugins and cloud of their own."""

from __future__ import annotations

import contextlib
import os
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from pulumi import automation

from tests.engine.aws_provider import STORE_VARIABLE
from tests.pipeline.program import ROOT, quiet_about_deprecated_resources

PLUGINS = {
    "pulumi-resource-aws": f"cd {ROOT} && exec {sys.executable} -m tests.engine.aws_provider",
    "pulumi-resource-spotify-etl": f'PYTHONPATH={ROOT} exec {sys.executable} {ROOT}/plugin "$@"',
}
"""What Pulumi starts in place of installed plugins, by name: shell commands."""


@contextlib.contextmanager
def new_stack(
    name: str,
    folder: Path,
    cloud: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    project: Path = ROOT,
    program: Callable[[], None] | None = None,
) -> Iterator[automation.Stack]:
    """Provide a stack of a project, configured by its `Pulumi.<name>.yaml` if there is one.

    Args:
        name: name of the stack.
        folder: an empty folder.
        cloud: the file that represents the cloud.
        monkeypatch: puts the plugins on the path.
        project: folder of `Pulumi.yaml`.
        program: by default, the project's `__main__.py`.
    """
    if shutil.which("pulumi") is None:
        pytest.fail(
            "The engine tests need Pulumi's command on PATH: install it (pulumi.com/docs/install) and run them again.",
            pytrace=False,
        )
    work, plugins = (folder / each for each in ("work", "plugins"))
    for each in (work, plugins):
        each.mkdir()
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
    # Without what only the language hosts read, which are not used here.
    known = {key: settings[key] for key in ("name", "config") if key in settings}
    (work / "Pulumi.yaml").write_text(yaml.safe_dump({**known, "runtime": "python"}))
    if (project / f"Pulumi.{name}.yaml").exists():
        shutil.copy(project / f"Pulumi.{name}.yaml", work)
    for plugin, command in PLUGINS.items():
        (plugins / plugin).write_text(f"#!/bin/sh\n{command}\n")
        (plugins / plugin).chmod(0o755)
    monkeypatch.setenv("PATH", f"{plugins}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SPOTIFY_ETL_LAYERS", "locks")
    environment = {
        **pulumi_environment(folder),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        STORE_VARIABLE: str(cloud),
    }
    with quiet_about_deprecated_resources(), _modules_of_their_own():
        yield automation.create_stack(
            name,
            project_name=settings["name"],
            program=program or program_of(project),
            opts=automation.LocalWorkspaceOptions(work_dir=str(work), env_vars=environment),
        )


def pulumi_environment(folder: Path) -> dict[str, str]:
    """Return the variables with which Pulumi keeps everything in an empty folder, and prepare it."""
    state, home = folder / "state", folder / "home"
    state.mkdir()
    home.mkdir()
    return {
        "PULUMI_BACKEND_URL": state.as_uri(),
        # The empty one, of which Pulumi.local.yaml holds the salt.
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }


def program_of(project: Path, checkout: Path = ROOT) -> Callable[[], None]:
    """Return a project's program, which runs as in a new process: without modules from an earlier run.

    Args:
        project: folder of `__main__.py`.
        checkout: folder of the packages that it imports.
    """

    def program() -> None:
        forget_modules()
        sys.path.insert(0, str(checkout))
        try:
            runpy.run_path(str(project / "__main__.py"))
        finally:
            sys.path.remove(str(checkout))

    return program


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
