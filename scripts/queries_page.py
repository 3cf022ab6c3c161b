# ruff: noqa: INP001 - a script, no package
"""`make views`: writes the entries of `docs/queries.md`, which are the comments at the top of the SQL files."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from scripts.views import GENERATED, ROOT

PAGE = ROOT / "docs" / "queries.md"
QUERIES = ROOT / "queries"

_END = "<!-- end -->"


def page(text: str, queries: Path = QUERIES) -> str:
    """Return the page with one entry per SQL file.

    Args:
        text: the page, whose entries are between the marker of their folder and the next `<!-- end -->`.
        queries: contains the folders of SQL files.
    """
    for folder in ("views", "named"):
        entries = "\n".join(f"- `{path.stem}`: {_comment(path)}" for path in sorted((queries / folder).glob("*.sql")))
        marker = f"<!-- {folder}: written by `make views` -->\n"
        before, following = text.split(marker)
        _, end, after = following.partition(_END)
        text = f"{before}{marker}\n{entries}\n\n{end}{after}"
    return text


def _comment(path: Path) -> str:
    lines = takewhile(lambda line: line.startswith("--"), path.read_text(encoding="utf-8").splitlines())
    return " ".join(line[2:].strip() for line in lines if not line.startswith(GENERATED))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
