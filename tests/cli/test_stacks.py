"""Which stack a command acts on, with a stand-in for Pulumi's command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.errors import CommandError
from cli.stacks import Stack, deployed_stack

OUTPUTS = {"athena_workgroup_name": "spotify-etl-dev", "named_queries": {"overview": "1-2"}}


def test_only_stack_is_taken(pulumi: Any, tmp_path: Path) -> None:
    pulumi(["dev"], {"dev": OUTPUTS})
    assert deployed_stack("", tmp_path) == Stack("dev", OUTPUTS)


def test_named_stack_is_taken_among_several(pulumi: Any, tmp_path: Path) -> None:
    pulumi(["dev", "prod"], {"dev": {}, "prod": OUTPUTS})
    assert deployed_stack("prod", tmp_path) == Stack("prod", OUTPUTS)
    with pytest.raises(CommandError, match=r"^There are several stacks: choose one with --stack: dev, prod\.$"):
        deployed_stack("", tmp_path)


def test_stack_that_is_missing_or_was_never_deployed_is_one_sentence(pulumi: Any, tmp_path: Path) -> None:
    pulumi([], {"dev": {}})
    with pytest.raises(CommandError, match=r"^There is no stack and no local cloud: create a stack with "):
        deployed_stack("", tmp_path)
    with pytest.raises(CommandError, match=r"^The stack dev has no outputs: deploy it with `pulumi up --stack dev`\.$"):
        deployed_stack("dev", tmp_path)
    with pytest.raises(CommandError, match=r"^Pulumi did not answer \(no stack named such found\): check the stack"):
        deployed_stack("gone", tmp_path)


def test_without_pulumi_the_command_says_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match=r"^Stacks need the pulumi command, which is not installed: see https://"):
        deployed_stack("", tmp_path)
