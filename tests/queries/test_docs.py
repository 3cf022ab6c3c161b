"""The page on views and named queries says of each what its file says."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
FILES = sorted([*ROOT.glob("queries/views/*.sql"), *ROOT.glob("queries/named/*.sql")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_page_describes(file: Path) -> None:
    comments = takewhile(lambda line: line.startswith("--"), file.read_text(encoding="utf-8").splitlines())
    assert f"- `{file.stem}`: {' '.join(line[2:].strip() for line in comments)}\n" in PAGE


def test_page_describes_nothing_else() -> None:
    assert PAGE.count("\n- `") == len(FILES)
