"""Fenced blocks of Markdown pages, for tests that run a page's examples."""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """Return the text of every block in a language, in the page's order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [block["text"] for block in found if block["language"] == language]


def run_block(page: Path, text: str) -> None:
    """Run a block of Python as if it were a program."""
    # Lines before it, so that a traceback points into the page.
    before = page.read_text(encoding="utf-8").partition(text)[0].count("\n")
    exec(compile("\n" * before + text, page, "exec"), {"__name__": page.stem})  # noqa: S102 - our own documentation
