"""Every command on the pages is one that its program understands."""

from __future__ import annotations

import re

import pytest
import typer

from tests.docs_commands import ROOT, ShownCommand, aws_call, make_targets, parsed, shown_commands

COMMANDS = shown_commands()
OTHERS = {
    "duckdb": r"duckdb spotify-export/spotify\.duckdb 'FROM queries\.\w+'",
    "eval": r"eval '\$\((\.venv/bin/)?spotify-etl local env\)'",
    "git": r"git pull",
    "python": r"python -(m spotify_simulator.*|c '.*')",
}
"""Programs that are not ours → the forms in which the pages use them."""
PULUMI = {
    "config set": {"--path", "-s"},
    "login": {"--local"},
    "preview": set(),
    "stack init": set(),
    "stack output": set(),
    "up": {"-s", "--config-file"},
}
"""Commands of Pulumi → the options with which the pages use them; tests/engine asks Pulumi itself for them."""


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.program == "spotify-etl"], ids=str)
def test_our_command_takes_these_options(command: ShownCommand) -> None:
    assert parsed(command.words[1:])[0]


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.program == "aws" and one.words[1] != "s3"], ids=str)
def test_aws_has_the_operation_and_its_parameters(command: ShownCommand) -> None:
    assert aws_call(command.words)[2]


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.program == "make"], ids=str)
def test_make_has_the_target(command: ShownCommand) -> None:
    assert set(command.words[1:]) <= make_targets()


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.program == "pulumi"], ids=str)
def test_pulumi_is_used_in_known_ways(command: ShownCommand) -> None:
    words = " ".join(command.words[1:])
    [name] = [each for each in PULUMI if re.match(rf"{each}\b", words)]
    assert {word for word in command.words if word.startswith("-")} <= PULUMI[name]


def test_every_command_is_one_of_these() -> None:
    ours = {"spotify-etl", "aws", "make", "pulumi"}
    others = [one for one in COMMANDS if one.program not in ours]
    assert {one.program for one in others} == set(OTHERS)
    for one in others:
        line = " ".join((one.words[0], *(f"'{word}'" if " " in word else word for word in one.words[1:])))
        assert re.fullmatch(OTHERS[one.program], line, re.DOTALL), line
    assert [one for one in COMMANDS if one.program == "aws" and one.words[1] == "s3" and one.words[2:] != ("ls",)] == []


def test_settings_in_the_pages_exist() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE))
    text = "".join(path.read_text("utf-8") for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))))
    used = set(re.findall(r"pulumi config set (?:-s \w+ )?(?:--path ')?(\w+)", text)) - {"aws"}
    assert documented
    assert used
    assert used <= documented


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("query --charts", typer.TyperException),
        ("local up --port 80", typer.TyperException),
        ("lookup", KeyError),
    ],
)
def test_a_wrong_command_of_ours_is_noticed(line: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parsed(line.split())


@pytest.mark.parametrize(
    "line",
    ["aws glue get-table-list", "aws glue get-tables --database spotify", "aws glue get-tables --query x"],
)
def test_a_wrong_command_of_aws_is_noticed(line: str) -> None:
    with pytest.raises(ValueError, match="glue"):
        aws_call(line.split())
