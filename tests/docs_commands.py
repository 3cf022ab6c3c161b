"""The commands that the pages show, line by line, and how to understand them without running them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name

from cli.main import root_command
from tests.markdown import blocks

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "spotify_simulator/README.md")
_GLOBAL_OPTIONS = {"query", "output", "region", "profile"}
"""Options of every command of the AWS CLI."""


@dataclass(frozen=True)
class ShownCommand:
    """A command on a page."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as the id of a test."""
        return f"{self.page}: {shlex.join(self.words)}"

    @property
    def program(self) -> str:
        """The program's name without its folder."""
        return Path(self.words[0]).name


def shown_commands() -> list[ShownCommand]:
    """Return every command in the blocks of shell lines and of terminal sessions, in the pages' order."""
    found = []
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        if name == "docs/commands.md":
            continue  # Generated from the program itself; its lines are not commands but forms of commands.
        lines = [line.strip() for text in blocks(page, "sh") for line in text.replace("\\\n", " ").splitlines()]
        # A loop's own lines; the commands in it are checked like all others.
        lines = [line for line in lines if not re.match(r"for |done$|\w+=\"\$\(", line)]
        lines += [line[2:] for text in blocks(page, "console") for line in text.splitlines() if line[:2] == "$ "]
        found += [ShownCommand(name, tuple(words)) for line in lines if (words := shlex.split(line, comments=True))]
    return found


def parsed(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Parse a `spotify-etl` command line; return the command's name and the values of its parameters.

    Raises:
        KeyError: there is no such command.
        typer.TyperException: an option or argument is wrong.
    """
    command: Any = root_command()
    path, arguments = "", list(words)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        path = f"{path} {name}".strip()
        command = command.commands[name]
    return path, command.make_context(path, arguments).params


def aws_call(words: Sequence[str]) -> tuple[str, str, dict[str, Any]]:
    """Return service, method and parameters of a command of the AWS CLI, checked against AWS's own model.

    Raises:
        ValueError: there is no such operation, or a parameter is unknown or missing.
    """
    _, service, operation, *rest = words
    client = boto3.client(service, region_name="eu-central-1")  # type: ignore[call-overload] # literal types
    operations = {xform_name(each, "-"): each for each in client.meta.service_model.operation_names}
    if operation not in operations:
        raise ValueError(f"{service} has no operation {operation}")
    shape = client.meta.service_model.operation_model(operations[operation]).input_shape
    members = {xform_name(each, "-"): each for each in shape.members}
    parameters: dict[str, Any] = {}
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        name = option.removeprefix("--")
        if name in _GLOBAL_OPTIONS:
            continue
        if name not in members:
            raise ValueError(f"{service} {operation} has no option {option}")
        is_structure = shape.members[members[name]].type_name == "structure"
        parameters[members[name]] = dict(_pairs(value)) if is_structure else value
    if missing := set(shape.required_members) - set(parameters):
        raise ValueError(f"{service} {operation} needs {missing}")
    return service, xform_name(operations[operation]), parameters


def make_targets() -> set[str]:
    """Return the names of the Makefile's commands."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _pairs(shorthand: str) -> Iterator[tuple[str, str]]:
    for pair in shorthand.split(","):
        name, _, value = pair.partition("=")
        yield name, value
