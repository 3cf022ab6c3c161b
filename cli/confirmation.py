"""Questions that a person has to answer before something is deleted."""

from __future__ import annotations

from rich.console import Console

from cli.errors import CommandError
from cli.presentation import read_line


def confirm(console: Console, question: str, answer: str) -> None:
    """Ask a question, and continue only with the right answer.

    Args:
        console: where to ask.
        question: ends with the answer that is expected.
        answer: the right answer.

    Raises:
        CommandError: the answer was another one, or nobody can answer.
    """
    try:
        given = read_line(console, f"{question}: ").strip()
    except EOFError:
        raise CommandError("The command has to ask before it deletes: run it in a terminal, or pass --yes.") from None
    if given != answer:
        raise CommandError("Nothing was deleted: the answer was not the expected one.")
