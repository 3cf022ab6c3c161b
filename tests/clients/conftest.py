"""The clients, installed in an environment of their own, and the cloud that they use."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spotify_simulator import LibraryPlan
from tests.e2e.world import TIMEZONE, World, world
from tests.pipeline.program import ROOT

INSTALLED = ROOT / "build" / "clients"
PLAN = LibraryPlan(saved_tracks=60, playlists=4, saved_albums=6, plays_per_day=10, export_days=40, timezone=TIMEZONE)
REGION = "eu-central-1"


class Clients:
    """Runs clients as their users do, with the variables that the local cloud prints.

    Args:
        made: the cloud.
        folder: where they run.
    """

    def __init__(self, made: World, folder: Path) -> None:
        self.made = made
        self.outputs = made.outputs
        self.folder = folder
        owner = made.cloud.server.owner
        self.environment = {
            "PATH": f"{INSTALLED / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": made.cloud.server.url,
            "AWS_ACCESS_KEY_ID": owner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": owner.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def aws(self, *arguments: str) -> Any:
        """Run a command of the AWS CLI; return what it printed, parsed if it is JSON."""
        done = self.run("aws", *arguments)
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def refused(self, *arguments: str) -> str:
        """Run a command of the AWS CLI that fails; return what it said."""
        done = self.run("aws", *arguments)
        assert done.returncode != 0, done.stdout
        return done.stderr.strip()

    def python(self, program: str) -> Any:
        """Run a program with `outputs`, the stack's, in the clients' Python; return its `result` after JSON."""
        lines = (
            "import json, sys",
            "outputs = json.loads(sys.argv[1])",
            textwrap.dedent(program),
            "print(json.dumps(result, default=str))",
        )
        done = self.run("python", "-c", "\n".join(lines), json.dumps(self.outputs))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world after its first day."""
    if not (INSTALLED / "ready").exists():
        pytest.fail(
            "The clients are not installed: run `make clients`, which downloads them from the package index, and run"
            " the tests again.",
            pytrace=False,
        )
    with world(tmp_path_factory.mktemp("cloud"), PLAN) as found:
        found.live(0)
        yield found


@pytest.fixture
def clients(made: World, tmp_path: Path) -> Clients:
    """Clients that run in an empty folder."""
    return Clients(made, tmp_path)
