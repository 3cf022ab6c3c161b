"""The stack that a command acts on, found through Pulumi's own command."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from cli.text import quoted

_INSTALL = "https://www.pulumi.com/docs/iac/download-install/"
_OUTPUT = "athena_workgroup_name"
"""An output that every stack of this project has."""


class PulumiMissingError(CommandError):
    """Pulumi's command is not installed, so there can be no stack."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack."""

    name: str
    outputs: dict[str, Any]
    """What `pulumi stack output --json` prints."""


def deployed_stack(name: str, project: Path) -> Stack:
    """Return a stack with its outputs.

    Args:
        name: of the stack; '' takes the only one that the project has.
        project: folder of `Pulumi.yaml`.

    Raises:
        CommandError: there is no such stack, none or several where no name is given, or it was never deployed.
    """
    chosen = name or _only_stack(project)
    outputs = _pulumi(project, "stack", "output", "--json", "--stack", chosen)
    if _OUTPUT not in outputs:
        raise CommandError(f"The stack {chosen} has no outputs: deploy it with `pulumi up --stack {chosen}`.")
    return Stack(chosen, outputs)


def stack_names(project: Path) -> list[str]:
    """Return the names of a project's stacks.

    Raises:
        CommandError: Pulumi is not installed, or did not answer.
    """
    return sorted(str(stack["name"]) for stack in _pulumi(project, "stack", "ls", "--json"))


def _only_stack(project: Path) -> str:
    names = stack_names(project)
    if not names:
        raise CommandError(
            "There is no stack and no local cloud: create a stack with `pulumi stack init` and `pulumi up`, or start "
            "a local cloud with `spotify-etl local up`."
        )
    if len(names) > 1:
        raise CommandError(f"There are several stacks: choose one with --stack: {', '.join(names)}.")
    return names[0]


def _pulumi(project: Path, *arguments: str) -> Any:
    command = shutil.which("pulumi")
    if command is None:
        raise PulumiMissingError(f"Stacks need the pulumi command, which is not installed: see {_INSTALL}.")
    done = subprocess.run(
        [command, *arguments, "--cwd", str(project), "--non-interactive"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"Pulumi did not answer ({_reason(done.stderr)}): check the stack, and `pulumi login`.")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise CommandError(f"Pulumi's answer is not valid JSON ({quoted(done.stdout)}): update Pulumi.") from error


def _reason(errors: str) -> str:
    lines = [line.removeprefix("error: ") for line in errors.splitlines() if line.startswith("error: ")]
    return quoted(lines[0] if lines else errors).rstrip(".")
