"""The generated files say what the registries and the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from handlers.streams import CATALOGUE_KINDS, STREAMS, Mode
from handlers.tables import COMMON, TABLES
from scripts.reference_docs import ROOT, pages, streams_page, tables_page, write


def test_pages_are_what_make_docs_writes() -> None:
    stale = [
        str(path)
        for path, text in pages().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]

    assert stale == [], "Run `make docs`."


def test_pages_are_written_where_they_belong(tmp_path: Path) -> None:
    for folder in {path.parent for path in pages()}:
        (tmp_path / folder).mkdir(exist_ok=True)
    write(tmp_path)

    files = (path for path in tmp_path.rglob("*") if path.is_file())
    written = {path.relative_to(tmp_path): path.read_text(encoding="utf-8") for path in files}
    assert written == pages()


def test_streams_page_tells_everything_of_every_stream() -> None:
    page = streams_page()
    rows = [line for line in page.splitlines() if line.startswith("| ")]

    for stream in STREAMS.values():
        told = "\n".join(row for row in rows if row.startswith(f"| `{stream.name}` |"))
        facts = (stream.doc, stream.mode, stream.path, *stream.key, *stream.scopes, *stream.schedules)
        assert [fact for fact in facts if fact not in told] == [], stream.name
        assert str(stream.page_size or "–") in told
    for kind in CATALOGUE_KINDS.values():
        assert f"| {kind.name} | `{kind.path}` | – | {kind.quota_group} |" in rows


@pytest.mark.parametrize("mode", get_args(Mode))
def test_streams_page_explains_every_mode(mode: str) -> None:
    assert f"\n- {mode}: " in streams_page()


def test_tables_page_tells_everything_of_every_table() -> None:
    sections = dict(part.split("\n", 1) for part in tables_page().split("\n## ")[1:])

    assert list(sections) == [*TABLES, "Columns of every table"]
    for table in TABLES.values():
        section = sections[table.name]
        assert table.doc in section
        assert [name for name in (*table.grain, table.partition_key) if f"`{name}`" not in section] == []
        assert [one.name for one in table.columns if f"| `{one.name}` | {one.type} | {one.doc} |" not in section] == []
    assert all(f"| `{one.name}` | {one.type} | {one.doc} |" in sections["Columns of every table"] for one in COMMON)
