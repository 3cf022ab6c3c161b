"""Each operator's command on a local cloud, as a person runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.running_cloud import FOLDER_VARIABLE
from tests.cli.every_command import EVERY_COMMAND, commands_on_targets, run_every_command, write_inputs
from tests.cli.local_cloud.process import LocalCommands, local_commands


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalCommands]:
    """Provide a local cloud in the background."""
    with local_commands(tmp_path / "working") as commands:
        commands.done("up", "--detach", "--port", str(commands.port))
        yield commands


def test_none_is_left_out() -> None:
    assert {line.split()[0] for line, _, _ in EVERY_COMMAND} == commands_on_targets()


@pytest.mark.slow
def test_each_acts_on_the_local_cloud(local: LocalCommands, tmp_path: Path) -> None:
    write_inputs(tmp_path)
    wrong = run_every_command(tmp_path, ("--local",), "local", {FOLDER_VARIABLE: str(local.working)})
    assert not wrong, "\n\n".join(wrong)
