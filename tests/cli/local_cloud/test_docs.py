"""The commands in the docs and in what `local up` prints exist, with their options."""

from __future__ import annotations

import dataclasses
import re
import shlex
from datetime import UTC, datetime

import pytest
import typer

from cli.local_cloud.introduction import introduce
from cli.main import root_command
from cli.presentation import terminal
from tests.cli.local_cloud.conftest import pretended
from tests.local.test_cloud_folder import RECORD
from tests.pipeline.program import ROOT

_COMMAND = re.compile(r"(?<![\w`-])spotify-etl (?!—)[^\n`$]*")


def commands(text: str) -> list[str]:
    """Return every command in a text, without comments and what closes a substitution."""
    return [re.split(r"  +|\)\"| #", found)[0].strip() for found in _COMMAND.findall(text)]


def check(command: str) -> None:
    """Check that the command and its options exist: its help is printed only after both were found."""
    with pytest.raises(typer.Exit) as ended:
        raise typer.Exit(root_command()([*shlex.split(command)[1:], "--help"], standalone_mode=False) or 0)
    assert ended.value.exit_code == 0


@pytest.mark.parametrize("page", ["docs/local-cloud.md", "README.md"])
def test_commands_of_the_docs_exist(page: str) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    found = [one.replace(".venv/bin/", "") for one in commands("\n".join(blocks).replace(".venv/bin/", ""))]
    assert len(found) > 3
    for command in found:
        check(command)


@pytest.mark.parametrize(("spotify", "empty"), [("simulated", False), ("live", False), ("simulated", True)])
def test_suggested_commands_exist(spotify: str, empty: bool, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {} if empty else {"glue_database_name": "d", "athena_workgroup_name": "w", "named_queries": {}}
    running = dataclasses.replace(pretended("/data", "127.0.0.1:1", "key"), spotify=spotify, outputs=outputs)
    record = dataclasses.replace(RECORD, spotify=spotify, empty=empty)
    introduce(running, record, datetime(2026, 11, 23, tzinfo=UTC), terminal())
    printed = capsys.readouterr().out
    assert ("spotify-etl login --local" in printed) == (spotify == "live")
    assert (RECORD.client_secret in printed) == empty
    found = commands(printed)
    assert found
    for command in found:
        check(command)
