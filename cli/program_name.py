"""How the command is called: what it suggests can be pasted into the shell that it was started in.

Everywhere else the program is `spotify-etl`, in sentences as in help texts; `cli.presentation` and `cli.main` replace
that name by this one as they print.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from cli.project import PROJECT

NAME = "spotify-etl"
CALLED_VARIABLE = "SPOTIFY_ETL_CALLED"
"""Environment variable with which a command that starts another one hands its name on."""
_IN_SENTENCE = re.compile(rf"`{NAME}(?=[ `])")
_IN_HELP = re.compile(rf"(?<![\w/`-]){NAME}(?= )")


def program_name() -> str:
    """Return what to type for this program, quoted for a shell.

    That is the bare name where the shell finds this script by it, else the script's path as it was typed. With
    `python -m cli` it is the script beside that Python, relative to the current folder if it is in there.
    """
    if handed_on := os.environ.get(CALLED_VARIABLE):
        return handed_on
    called = Path(sys.argv[0])
    if called == PROJECT / "cli/__main__.py":
        called = Path(sys.executable).with_name(NAME)
        if not called.exists():
            return f"{shlex.quote(sys.executable)} -m cli"
        if called.is_relative_to(Path.cwd()):
            called = called.relative_to(Path.cwd())
    elif called.name != NAME or called == Path(NAME):
        # Another program has imported this one.
        return NAME
    found = shutil.which(NAME)
    return NAME if found and Path(found).samefile(called) else shlex.quote(str(called))


def lasting_command(command: str) -> str:
    """Return a command of this program that works in any folder, for a text that is read later."""
    script = Path(sys.executable).with_name(NAME)
    return f"{shlex.quote(str(script)) if script.exists() else NAME} {command}"


def in_sentence(text: str) -> str:
    """Return a sentence in which the commands, between backticks, are what to type."""
    return _IN_SENTENCE.sub(lambda _: f"`{program_name()}", text)


def in_help(text: str) -> str:
    """Return a help text in which the examples are what to type."""
    return _IN_HELP.sub(lambda _: program_name(), text)
