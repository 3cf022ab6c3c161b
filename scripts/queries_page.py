# ruff: noqa: INP001 - a script, no package
"""`make views`: writes the entries of `docs/queries.md` from the comments and parameters of the SQL files."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from cli.query_parameters import parameters_of
from scripts.marked_part import with_part
from scripts.views import GENERATED, ROOT

PAGE = ROOT / "docs" / "queries.md"
QUERIES = ROOT / "queries"


def page(text: str, queries: Path = QUERIES) -> str:
    """Return the page with one entry per SQL file.

    Args:
        text: the page, whose entries are between the marker of their folder and the next `<!-- end -->`.
        queries: contains the folders of SQL files.
    """
    for folder in ("views", "named"):
        entries = "\n".join(_entry(path) for path in sorted((queries / folder).glob("*.sql")))
        text = with_part(text, folder, "make views", entries)
    return text


def _entry(path: Path) -> str:
    sql = path.read_text(encoding="utf-8")
    lines = takewhile(lambda line: line.startswith("--"), sql.splitlines())
    comment = " ".join(line[2:].strip() for line in lines if not line.startswith(GENERATED))
    parameters = ", ".join(
        f"`{each.name}`{'' if each.default is None else f' = {each.default}'} ({each.description})"
        for each in parameters_of(sql)
    )
    return f"- `{path.stem}`: {comment}" + (f"\n  Parameters: {parameters}." if parameters else "")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
