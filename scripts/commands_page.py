# ruff: noqa: INP001 - a script, no package
"""The reference page of the `spotify-etl` command, written from its own help texts by typer."""

from __future__ import annotations

import typer
from typer.cli import get_docs_for_click

from cli.main import root_command

_NAME = "spotify-etl"
_EXIT_CODES = """\
## Exit codes

- 0: the command has done what it says.
- 1: an error, or a state that needs attention; one sentence says what it is and what to do.
- 2: an option or argument is wrong.
- 130: stopped with Ctrl-C; everything that the command had started has been shut down.
"""


def commands_page() -> str:
    """Return the page."""
    command = root_command()
    text = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name=_NAME), name=_NAME)
    title, rest = text.split("\n", 1)
    page = f"{title}\n\n`make docs` writes this page from the help texts.\n{rest.rstrip()}\n\n{_EXIT_CODES}"
    return "\n".join(line.rstrip() for line in page.split("\n"))
