"""docs/operating.md names commands, options and keys that exist."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from cli.main import root_command
from cli.status import parts

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ \.venv/bin/spotify-etl (.+)$", TEXT, re.MULTILINE)
SECTIONS = ("extract", "status", "logs", "compact", "replay", "purge", "doctor")


def test_each_command_has_a_section_with_an_example() -> None:
    assert tuple(re.findall(r"^## (\w+)$", TEXT, re.MULTILINE)) == SECTIONS
    assert [command.split()[0] for command in COMMANDS] == list(SECTIONS)


@pytest.mark.parametrize("words", COMMANDS)
def test_example_is_a_valid_command(words: str) -> None:
    name, *arguments = shlex.split(words)
    command = root_command()
    context = command.commands[name].make_context(name, arguments)
    assert context.params


def test_options_in_the_text_exist() -> None:
    command = root_command()
    known = {
        option
        for one in command.commands.values()
        for param in one.params
        for option in (*param.opts, *param.secondary_opts)
    }
    assert set(re.findall(r"--[a-z][a-z-]*", TEXT)) <= known


def test_keys_of_the_json_are_documented() -> None:
    rows = dict(re.findall(r"^\| (`[a-z_`, ]+`) \| (.+) \|$", TEXT, re.MULTILINE))
    documented = {key for keys in rows for key in re.findall(r"`(\w+)`", keys)}
    assert documented == {field.name for field in dataclasses.fields(parts.PipelineStatus)}
    for key, part in (
        ("runs", parts.LastRun),
        ("streams", parts.StreamFreshness),
        ("schedules", parts.ScheduleStatus),
        ("queue", parts.QueueStatus),
        ("login", parts.LoginStatus),
        ("locks", parts.LockStatus),
        ("alarms", parts.AlarmStatus),
        ("rejected", parts.RejectedStatus),
        ("crawl", parts.CrawlStatus),
        ("compaction", parts.CompactionStatus),
        ("cost", parts.CostStatus),
    ):
        named = set(re.findall(r"`(\w+)`", rows[f"`{key}`"]))
        assert {field.name for field in dataclasses.fields(part)} <= named
