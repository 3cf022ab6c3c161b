# ruff: noqa: INP001 - part of scripts
"""The parts of a page that a command writes."""

from __future__ import annotations

_END = "<!-- end -->"


def with_part(page: str, name: str, command: str, content: str) -> str:
    """Return the page with the content of a part written again.

    Args:
        page: the page, with the part between its marker and the next `<!-- end -->`.
        name: the part's, in its marker.
        command: the command that writes it, likewise.
        content: what is new, without blank lines around it.
    """
    marker = f"<!-- {name}: written by `{command}` -->\n"
    before, following = page.split(marker)
    after = following.split(_END, 1)[1]
    return f"{before}{marker}\n{content}\n\n{_END}{after}"
